// Models one TCP connection. Segments may be as large as the window (GSO), sequence numbers never wrap, delivery is instant
// unless something on the way drops it; then the retransmission timer does what Linux does: go back, double, give up.
// Not modelled: congestion control, SACK, urgent data, Nagle.

import type { Disposable } from '../sim/disposable.ts';
import { SysError, type Errno } from '../sim/errno.ts';
import { DONE, type Connection } from '../sim/stream.ts';
import { formatIp, type Ip } from './address.ts';
import { FRAGMENTATION_NEEDED } from './ip.ts';
import type { SocketView } from './net-stack.ts';
import { ACK, FIN, ICMP_UNREACHABLE, Packet, PSH, RST, SYN, TCP } from './packet.ts';
import type { TcpLayer, TcpListener } from './tcp.ts';

/** TCP_TIMEOUT_INIT: the first SYN is repeated after one second. */
const INITIAL_RTO_MS = 1_000;
/** TCP_RTO_MIN; round trips here are shorter. */
const MIN_RTO_MS = 200;
const MAX_RTO_MS = 120_000;
/** net.ipv4.tcp_syn_retries: six, so that connect fails after 127 s. */
const SYN_RETRIES = 6;
const SYNACK_RETRIES = 5;
/** net.ipv4.tcp_retries2: about 15 minutes. */
const DATA_RETRIES = 15;
/** net.ipv4.tcp_orphan_retries: what nobody waits for is given up sooner. */
const ORPHAN_RETRIES = 8;
const FIN_TIMEOUT_MS = 60_000;
const KEEP_ALIVE_PROBES = 9;

const RECEIVE_BUFFER_BYTES = 212_992;
const SEND_BUFFER_BYTES = 212_992;
const MAX_SEGMENT_BYTES = 61_440;
/** More than one full segment of ethernet that was not acknowledged yet is so at once. */
const FULL_SEGMENT_BYTES = 1_460;

type State = 'SYN-SENT' | 'SYN-RECV' | 'ESTAB' | 'FIN-WAIT-1' | 'FIN-WAIT-2' | 'CLOSING' | 'CLOSE-WAIT' | 'LAST-ACK' | 'CLOSED';

interface Waiter<T> {
  resolve(value: T): void;
  reject(error: Error): void;
}

export class TcpConnection implements Connection {
  readonly local: Ip;
  readonly localPort: number;
  readonly remote: Ip;
  readonly remotePort: number;
  readonly #layer: TcpLayer;
  readonly #pid: number | undefined;
  readonly #uid: number | undefined;
  readonly #listener: TcpListener | undefined;
  readonly #keepAliveMs: number | undefined;
  #state: State = 'SYN-SENT';
  /** It is on the layer's list of those to settle. */
  isUnsettled = false;

  // Sending. Sequence numbers count from the initial one, which is 0 for our own sake; the wire shows #initial added.
  readonly #initial: number;
  #unacknowledged: number;
  #next: number;
  /** Highest sequence number ever sent; a retransmission may be answered beyond what was just sent again. */
  #highWater = 0;
  #sendWindow = 0;
  /** Bytes from #unacknowledged on (SYN excepted). */
  #sendQueue: Uint8Array[] = [];
  #sendQueued = 0;
  #wantsFin = false;
  #finSent = false;
  /** Each waits with its bytes until there is room; they go out in order. */
  #writers: (Waiter<void> & { readonly bytes: Uint8Array })[] = [];

  // Receiving
  #receiveNext = 0;
  /** How far the peer has been told that we are. */
  #acknowledged = 0;
  /**
   * This side answers what it hears (Linux's pingpong mode), so that an acknowledgement can go with the answer. Who only
   * listens, to a watch or a download, acknowledges at once.
   */
  #isAnswering = false;
  #hasReceived = false;
  /** It is on the layer's list of those with an acknowledgement to send. */
  isAcknowledgingLater = false;
  #receiveQueue: Uint8Array[] = [];
  #receiveQueued = 0;
  #advertised = RECEIVE_BUFFER_BYTES;
  #finReceived = false;
  #readers: (Waiter<Uint8Array | undefined> & { readonly maxBytes: number })[] = [];

  #error: Errno | undefined;
  #softError: Errno | undefined;
  #isOrphan = false;
  #opening: Waiter<Connection> | undefined;
  #timer: Disposable | undefined;
  /** When the timer means something; it may be set for earlier. */
  #dueMs: number | undefined;
  #timeoutMs = INITIAL_RTO_MS;
  #retries = 0;
  #finTimer: Disposable | undefined;
  #keepAliveTimer: Disposable | undefined;
  #keepAliveProbes = 0;
  #heardMs: number;

  constructor(
    layer: TcpLayer,
    options: {
      readonly local: Ip;
      readonly localPort: number;
      readonly remote: Ip;
      readonly remotePort: number;
      readonly pid: number | undefined;
      readonly uid: number | undefined;
      readonly keepAliveMs: number | undefined;
      readonly listener?: TcpListener;
    },
  ) {
    this.#layer = layer;
    this.local = options.local;
    this.localPort = options.localPort;
    this.remote = options.remote;
    this.remotePort = options.remotePort;
    this.#pid = options.pid;
    this.#uid = options.uid;
    this.#keepAliveMs = options.keepAliveMs;
    this.#listener = options.listener;
    this.#initial = layer.stack.initialSequence();
    this.#unacknowledged = this.#initial;
    this.#next = this.#initial;
    this.#heardMs = layer.clock.now();
  }

  get localAddress(): string {
    return `${formatIp(this.local)}:${this.localPort}`;
  }

  get remoteAddress(): string {
    return `${formatIp(this.remote)}:${this.remotePort}`;
  }

  /** Active open. */
  open(signal?: AbortSignal): Promise<Connection> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        this.#vanishQuietly();
        reject(asError(signal.reason));
        return;
      }
      const onAbort = (): void => {
        this.#opening = undefined;
        this.#vanishQuietly();
        reject(asError(signal?.reason));
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#opening = {
        resolve: (connection) => {
          signal?.removeEventListener('abort', onAbort);
          resolve(connection);
        },
        reject: (error) => {
          signal?.removeEventListener('abort', onAbort);
          reject(error);
        },
      };
      this.#exclusively(() => {
        this.#next = this.#initial + 1;
        this.#sendSegment(SYN, this.#initial);
      });
    });
  }

  /** Passive open: `packet` is the peer's SYN. */
  acceptSyn(packet: Packet): void {
    this.#state = 'SYN-RECV';
    this.#receiveNext = packet.sequence + 1;
    this.#sendWindow = packet.window;
    this.#listener?.started(this);
    this.#next = this.#initial + 1;
    this.#sendSegment(SYN | ACK, this.#initial);
  }

  read(maxBytes = 0x7fffffff, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    if (this.#receiveQueue.length > 0) return Promise.resolve(this.#take(maxBytes));
    if (this.#error !== undefined) return Promise.reject(new SysError(this.#error));
    if (this.#finReceived || this.#isOrphan || this.#state === 'CLOSED') return Promise.resolve(undefined);
    if (signal === undefined) return new Promise((resolve, reject) => this.#readers.push({ maxBytes, resolve, reject }));
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(asError(signal.reason));
        return;
      }
      const onAbort = (): void => {
        this.#readers = this.#readers.filter((other) => other !== reader);
        reject(asError(signal.reason));
      };
      const reader = {
        maxBytes,
        resolve: (bytes: Uint8Array | undefined): void => {
          signal.removeEventListener('abort', onAbort);
          resolve(bytes);
        },
        reject: (error: Error): void => {
          signal.removeEventListener('abort', onAbort);
          reject(error);
        },
      };
      this.#readers.push(reader);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  write(bytes: Uint8Array): Promise<void> {
    const refusal = this.#refuseWrite();
    if (refusal !== undefined) return Promise.reject(refusal);
    if (bytes.length === 0) return DONE;
    if (this.#sendQueued < SEND_BUFFER_BYTES && this.#writers.length === 0) {
      this.#enqueue(bytes);
      return DONE;
    }
    return new Promise<void>((resolve, reject) => this.#writers.push({ bytes, resolve, reject }));
  }

  shutdownWrite(): void {
    if (this.#wantsFin || this.#state === 'CLOSED') return;
    this.#wantsFin = true;
    this.#exclusively(() => this.#push());
  }

  close(options: { readonly reset?: boolean } = {}): void {
    if (this.#isOrphan || this.#state === 'CLOSED') {
      this.#isOrphan = true;
      return;
    }
    this.#isOrphan = true;
    for (const reader of this.#readers.splice(0)) reader.resolve(undefined);
    const mustReset = options.reset === true || this.#receiveQueued > 0;
    this.#exclusively(() => {
      if (this.#state === 'SYN-SENT') {
        this.#end(undefined);
      } else if (mustReset) {
        this.#sendSegment(RST | ACK, this.#next);
        this.#end('ECONNRESET');
      } else {
        this.#wantsFin = true;
        this.#push();
        if (this.#state === 'FIN-WAIT-2') this.#startFinTimer();
      }
    });
  }

  /** A segment for this connection. */
  receive(packet: Packet): void {
    this.#heardMs = this.#layer.clock.now();
    this.#keepAliveProbes = 0;
    if (this.#state === 'SYN-SENT') {
      this.#receiveInSynSent(packet);
      return;
    }
    if (packet.flags & RST) {
      // Linux (tcp_reset): a peer that is gone after its FIN makes a broken pipe of our next write.
      if (this.#state === 'SYN-RECV') this.#end(undefined);
      else this.#end(this.#state === 'CLOSE-WAIT' ? 'EPIPE' : 'ECONNRESET');
      return;
    }
    if (packet.flags & SYN) {
      // The peer did not get our SYN-ACK, or it starts anew after a crash; either way it hears where we are.
      if (this.#state === 'SYN-RECV' && packet.sequence + 1 === this.#receiveNext) this.#sendSegment(SYN | ACK, this.#initial);
      else this.#sendSegment(ACK, this.#next);
      return;
    }
    if (packet.flags & ACK) this.#acknowledge(packet);
    if (this.#isClosed()) return;
    if (packet.payload.length > 0 || packet.flags & FIN) this.#receiveData(packet);
    else if (packet.sequence < this.#receiveNext) this.#sendSegment(ACK, this.#next);
  }

  receiveError(errno: Errno, error: Packet): void {
    if (error.icmpType === ICMP_UNREACHABLE && error.icmpCode === FRAGMENTATION_NEEDED) return;
    if (this.#state === 'SYN-SENT') this.#end(errno);
    else this.#softError = errno;
  }

  /** Called when the walk that touched it is over. */
  settle(): void {
    if (this.#isClosed()) return;
    const isWaiting = this.#next > this.#unacknowledged;
    const isStalled = !isWaiting && this.#sendQueued > 0;
    if (!isWaiting && !isStalled) return;
    this.#dueMs ??= this.#layer.clock.now() + this.#timeoutMs;
    this.#timer ??= this.#layer.clock.setTimer(this.#timeoutMs, () => this.#onTimer());
  }

  /** The delay is over: says what no answer has said meanwhile. */
  acknowledge(): void {
    if (!this.#isClosed() && this.#acknowledged < this.#receiveNext) this.#exclusively(() => this.#sendSegment(ACK, this.#next));
  }

  /** Ends without a word: its machine lost power. */
  vanish(): void {
    this.#timer?.dispose();
    this.#finTimer?.dispose();
    this.#keepAliveTimer?.dispose();
    this.#state = 'CLOSED';
    this.#error = 'ECONNRESET';
    this.#wake();
  }

  view(): SocketView {
    return {
      protocol: 'tcp',
      state: this.#state === 'CLOSED' ? 'UNCONN' : this.#state,
      localAddress: formatIp(this.local),
      localPort: this.localPort,
      remoteAddress: formatIp(this.remote),
      remotePort: this.remotePort,
      pid: this.#isOrphan ? undefined : this.#pid,
      receiveQueueBytes: this.#receiveQueued,
      sendQueueBytes: this.#sendQueued,
    };
  }

  #receiveInSynSent(packet: Packet): void {
    if (packet.flags & ACK && packet.acknowledgement !== this.#initial + 1) {
      this.#layer.reset(packet);
      return;
    }
    if (packet.flags & RST) {
      if (packet.flags & ACK) this.#end('ECONNREFUSED');
      return;
    }
    if ((packet.flags & (SYN | ACK)) !== (SYN | ACK)) return;
    this.#receiveNext = packet.sequence + 1;
    this.#sendWindow = packet.window;
    this.#unacknowledged = this.#initial + 1;
    this.#progress();
    this.#state = 'ESTAB';
    this.#startKeepAlive();
    this.#sendSegment(ACK, this.#next);
    const opening = this.#opening;
    this.#opening = undefined;
    opening?.resolve(this);
    this.#push();
  }

  #acknowledge(packet: Packet): void {
    const { acknowledgement } = packet;
    if (this.#state === 'SYN-RECV') {
      if (acknowledgement !== this.#initial + 1) {
        this.#layer.reset(packet);
        return;
      }
      this.#unacknowledged = acknowledgement;
      this.#sendWindow = packet.window;
      this.#progress();
      this.#state = 'ESTAB';
      this.#startKeepAlive();
      if (this.#listener?.established(this) === false) {
        this.#isOrphan = true;
        this.#sendSegment(RST | ACK, this.#next);
        this.#end('ECONNRESET');
      }
      return;
    }
    this.#sendWindow = packet.window;
    if (acknowledgement > this.#unacknowledged && acknowledgement <= this.#highest()) {
      let bytes = acknowledgement - this.#unacknowledged;
      const finAcknowledged = acknowledgement > this.#finSequence();
      if (finAcknowledged) {
        bytes--;
        this.#finSent = true;
      }
      this.#unacknowledged = acknowledgement;
      if (this.#next < acknowledgement) this.#next = acknowledgement;
      this.#dropSent(bytes);
      this.#progress();
      if (finAcknowledged) this.#finAcknowledged();
      if (this.#isClosed()) return;
    }
    this.#push();
    this.#wakeWriters();
  }

  #finAcknowledged(): void {
    switch (this.#state) {
      case 'FIN-WAIT-1':
        this.#state = 'FIN-WAIT-2';
        if (this.#isOrphan) this.#startFinTimer();
        return;
      case 'CLOSING':
        this.#timeWait();
        return;
      case 'LAST-ACK':
        this.#end(undefined);
    }
  }

  #receiveData(packet: Packet): void {
    const skip = this.#receiveNext - packet.sequence;
    if (skip < 0) {
      // Something before it was lost: say again what is wanted.
      this.#sendSegment(ACK, this.#next);
      return;
    }
    const fresh = skip === 0 ? packet.payload : packet.payload.subarray(Math.min(skip, packet.payload.length));
    const hasFin = (packet.flags & FIN) !== 0 && packet.sequence + packet.payload.length >= this.#receiveNext && !this.#finReceived;
    if (fresh.length === 0 && !hasFin) {
      this.#sendSegment(ACK, this.#next);
      return;
    }
    if (fresh.length > 0) {
      if (this.#isOrphan) {
        // Nobody will ever read it (tcp_rcv_state_process).
        this.#sendSegment(RST | ACK, this.#next);
        this.#end('ECONNRESET');
        return;
      }
      if (this.#receiveQueued + fresh.length > RECEIVE_BUFFER_BYTES && this.#receiveQueued > 0) {
        this.#sendSegment(ACK, this.#next);
        return;
      }
      this.#receiveNext += fresh.length;
      this.#hasReceived = true;
      this.#receiveQueue.push(fresh);
      this.#receiveQueued += fresh.length;
      this.#wakeReaders();
    }
    if (hasFin) {
      this.#receiveNext++;
      this.#receiveFin();
      if (this.#isClosed()) return;
    }
    if (hasFin || !this.#isAnswering || this.#receiveNext - this.#acknowledged > FULL_SEGMENT_BYTES) this.#sendSegment(ACK, this.#next);
    else this.#layer.acknowledgeLater(this);
  }

  #receiveFin(): void {
    this.#finReceived = true;
    switch (this.#state) {
      case 'ESTAB':
        this.#state = 'CLOSE-WAIT';
        break;
      case 'FIN-WAIT-1':
        this.#state = 'CLOSING';
        break;
      case 'FIN-WAIT-2':
        this.#sendSegment(ACK, this.#next);
        this.#timeWait();
        break;
    }
    if (this.#receiveQueue.length === 0) for (const reader of this.#readers.splice(0)) reader.resolve(undefined);
  }

  /** Sends what the window allows, then FIN when it is due. */
  #push(): void {
    if (this.#state === 'SYN-SENT' || this.#state === 'SYN-RECV' || this.#isClosed()) return;
    for (;;) {
      const sent = Math.min(this.#next - this.#unacknowledged, this.#sendQueued);
      const room = this.#unacknowledged + this.#sendWindow - this.#next;
      const bytes = Math.min(this.#sendQueued - sent, room, MAX_SEGMENT_BYTES);
      if (bytes <= 0 || this.#finSent) break;
      const sequence = this.#next;
      this.#next += bytes;
      const payload = this.#slice(sent, bytes);
      if (this.#hasReceived) this.#isAnswering = true;
      this.#sendSegment(ACK | PSH, sequence, payload);
      if (this.#isClosed()) return;
    }
    if (this.#wantsFin && this.#writers.length === 0 && !this.#finSent && this.#next - this.#unacknowledged >= this.#sendQueued) {
      this.#finSent = true;
      const sequence = this.#next;
      this.#next++;
      if (this.#state === 'CLOSE-WAIT') this.#state = 'LAST-ACK';
      else if (this.#state === 'ESTAB') this.#state = 'FIN-WAIT-1';
      this.#sendSegment(FIN | ACK, sequence);
    }
  }

  /** Moving what is due is cheaper than another timer for each segment. */
  #onTimer(): void {
    this.#timer = undefined;
    const dueMs = this.#dueMs;
    if (dueMs === undefined) return;
    const restMs = dueMs - this.#layer.clock.now();
    if (restMs > 0) {
      this.#timer = this.#layer.clock.setTimer(restMs, () => this.#onTimer());
      return;
    }
    this.#dueMs = undefined;
    this.#onTimeout();
  }

  #onTimeout(): void {
    if (this.#isClosed()) return;
    if (this.#next === this.#unacknowledged) {
      if (this.#sendQueued > 0) this.#exclusively(() => this.#probeWindow());
      return;
    }
    const limit =
      this.#state === 'SYN-SENT'
        ? SYN_RETRIES
        : this.#state === 'SYN-RECV'
          ? SYNACK_RETRIES
          : this.#isOrphan
            ? ORPHAN_RETRIES
            : DATA_RETRIES;
    if (this.#retries >= limit) {
      this.#exclusively(() => this.#end(this.#state === 'SYN-RECV' ? undefined : (this.#softError ?? 'ETIMEDOUT')));
      return;
    }
    this.#retries++;
    this.#timeoutMs = Math.min(this.#timeoutMs * 2, MAX_RTO_MS);
    this.#exclusively(() => this.#retransmit());
  }

  #retransmit(): void {
    if (this.#state === 'SYN-SENT') this.#sendSegment(SYN, this.#initial);
    else if (this.#state === 'SYN-RECV') this.#sendSegment(SYN | ACK, this.#initial);
    else {
      // One segment from the first unacknowledged byte; its acknowledgement lets the rest follow.
      const bytes = Math.min(this.#sendQueued, MAX_SEGMENT_BYTES, Math.max(this.#sendWindow, 1));
      const sequence = this.#unacknowledged;
      if (bytes > 0) {
        const high = this.#next;
        this.#finSent = false;
        this.#next = sequence + bytes;
        if (this.#highWater < high) this.#highWater = high;
        this.#sendSegment(ACK | PSH, sequence, this.#slice(0, bytes));
      } else if (this.#finSent) this.#sendSegment(FIN | ACK, sequence);
      this.#layer.settleLater(this);
    }
  }

  #highest(): number {
    return Math.max(this.#next, this.#highWater);
  }

  #finSequence(): number {
    return this.#unacknowledged + this.#sendQueued;
  }

  /** The peer's window is closed: a byte now and then finds out whether it opened without our hearing of it. */
  #probeWindow(): void {
    this.#timeoutMs = Math.min(this.#timeoutMs * 2, MAX_RTO_MS);
    this.#sendSegment(ACK, this.#unacknowledged - 1);
    this.#layer.settleLater(this);
  }

  #enqueue(bytes: Uint8Array): void {
    this.#sendQueue.push(bytes);
    this.#sendQueued += bytes.length;
    this.#exclusively(() => this.#push());
  }

  #slice(offset: number, length: number): Uint8Array {
    const queue = this.#sendQueue;
    let index = 0;
    while (offset >= queue[index]!.length) offset -= queue[index++]!.length;
    const first = queue[index]!;
    if (first.length - offset >= length) return first.subarray(offset, offset + length);
    const out = new Uint8Array(length);
    let filled = 0;
    for (; filled < length; index++) {
      const piece = queue[index]!.subarray(offset, offset + length - filled);
      out.set(piece, filled);
      filled += piece.length;
      offset = 0;
    }
    return out;
  }

  #dropSent(bytes: number): void {
    this.#sendQueued -= bytes;
    while (bytes > 0) {
      const first = this.#sendQueue[0]!;
      if (first.length > bytes) {
        this.#sendQueue[0] = first.subarray(bytes);
        return;
      }
      bytes -= first.length;
      this.#sendQueue.shift();
    }
  }

  #take(maxBytes: number): Uint8Array {
    const first = this.#receiveQueue[0]!;
    let taken = first;
    if (first.length > maxBytes) {
      taken = first.subarray(0, maxBytes);
      this.#receiveQueue[0] = first.subarray(maxBytes);
    } else this.#receiveQueue.shift();
    this.#receiveQueued -= taken.length;
    const free = RECEIVE_BUFFER_BYTES - this.#receiveQueued;
    // Tell a held writer once half of the buffer is free again.
    if (this.#advertised < RECEIVE_BUFFER_BYTES / 2 && free >= RECEIVE_BUFFER_BYTES / 2 && !this.#finReceived && !this.#isClosed()) {
      this.#exclusively(() => this.#sendSegment(ACK, this.#next));
    }
    return taken;
  }

  #sendSegment(flags: number, sequence: number, payload?: Uint8Array): void {
    const { stack } = this.#layer;
    const packet = new Packet(stack.nextPacketId(), TCP);
    packet.source = this.local;
    packet.destination = this.remote;
    packet.sourcePort = this.localPort;
    packet.destinationPort = this.remotePort;
    packet.flags = flags;
    packet.sequence = sequence;
    if (flags & ACK) packet.acknowledgement = this.#acknowledged = this.#receiveNext;
    this.#advertised = Math.max(0, RECEIVE_BUFFER_BYTES - this.#receiveQueued);
    packet.window = this.#advertised;
    packet.owner = this.#uid;
    if (payload !== undefined) packet.payload = payload;
    this.#layer.settleLater(this);
    const result = stack.ip.send(packet);
    if (result !== 'sent' && result !== 'EPERM') {
      if (this.#state === 'SYN-SENT') this.#end(result);
      else this.#softError = result;
    }
  }

  #progress(): void {
    this.#dueMs = undefined;
    if (this.#timeoutMs > MIN_RTO_MS) {
      this.#timer?.dispose();
      this.#timer = undefined;
    }
    this.#retries = 0;
    this.#timeoutMs = MIN_RTO_MS;
    this.#softError = undefined;
    this.#layer.stack.confirmNeighbour(this.remote);
  }

  #timeWait(): void {
    this.#stopTimers();
    this.#state = 'CLOSED';
    this.#layer.enterTimeWait(this, this.#next, this.#receiveNext);
    this.#wake();
  }

  #end(error: Errno | undefined): void {
    this.#stopTimers();
    this.#error = error;
    this.#state = 'CLOSED';
    this.#listener?.abandoned(this);
    this.#layer.remove(this);
    this.#wake();
  }

  #vanishQuietly(): void {
    this.#stopTimers();
    this.#state = 'CLOSED';
    this.#layer.remove(this);
  }

  #stopTimers(): void {
    this.#timer?.dispose();
    this.#finTimer?.dispose();
    this.#keepAliveTimer?.dispose();
    this.#timer = this.#finTimer = this.#keepAliveTimer = undefined;
  }

  #startFinTimer(): void {
    this.#finTimer ??= this.#layer.clock.setTimer(FIN_TIMEOUT_MS, () => {
      if (!this.#isClosed()) this.#timeWait();
    });
  }

  #startKeepAlive(): void {
    const period = this.#keepAliveMs;
    if (period === undefined) return;
    const clock = this.#layer.clock;
    const check = (): void => {
      const silentMs = clock.now() - this.#heardMs;
      if (silentMs < period) {
        this.#keepAliveTimer = clock.setTimer(period - silentMs, check);
        return;
      }
      if (this.#keepAliveProbes >= KEEP_ALIVE_PROBES) {
        this.#exclusively(() => this.#end('ETIMEDOUT'));
        return;
      }
      this.#keepAliveTimer = clock.setTimer(period, check);
      this.#keepAliveProbes++;
      this.#exclusively(() => this.#sendSegment(ACK, this.#unacknowledged - 1));
    };
    this.#keepAliveTimer = clock.setTimer(period, check);
  }

  #refuseWrite(): SysError | undefined {
    if (this.#error !== undefined)
      return new SysError(this.#error === 'ETIMEDOUT' ? 'ETIMEDOUT' : this.#error === 'EHOSTUNREACH' ? 'EHOSTUNREACH' : 'EPIPE');
    if (this.#wantsFin || this.#isClosed() || this.#isOrphan) return new SysError('EPIPE');
    return undefined;
  }

  #wakeReaders(): void {
    while (this.#readers.length > 0 && this.#receiveQueue.length > 0) {
      const reader = this.#readers.shift()!;
      reader.resolve(this.#take(reader.maxBytes));
    }
  }

  #wakeWriters(): void {
    while (this.#writers.length > 0 && this.#sendQueued < SEND_BUFFER_BYTES && !this.#isClosed()) {
      const writer = this.#writers.shift()!;
      this.#enqueue(writer.bytes);
      writer.resolve();
    }
  }

  #wake(): void {
    const error = this.#error;
    const opening = this.#opening;
    this.#opening = undefined;
    opening?.reject(new SysError(error ?? 'ECONNABORTED', this.remoteAddress));
    for (const reader of this.#readers.splice(0)) {
      if (error === undefined) reader.resolve(undefined);
      else reader.reject(new SysError(error));
    }
    for (const writer of this.#writers.splice(0)) writer.reject(new SysError(error ?? 'EPIPE'));
  }

  #isClosed(): boolean {
    return this.#state === 'CLOSED';
  }

  #exclusively(work: () => void): void {
    this.#layer.stack.exclusively(work);
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
