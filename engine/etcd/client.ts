// Models etcd's v3 client: calls and watches multiplexed over one connection, which is opened when it is needed.
// As the real one it does not give up when etcd is gone: calls wait for a new connection as long as their caller waits,
// and watches go on after the last event they saw.

import { background } from '../sim/background.ts';
import type { Clock } from '../sim/clock.ts';
import type { Disposable } from '../sim/disposable.ts';
import { SysError, isSysError } from '../sim/errno.ts';
import type { Connection } from '../sim/stream.ts';
import { EtcdError } from './mvcc.ts';
import {
  COMPACTED,
  encodeFrame,
  readFrames,
  type Call,
  type Compare,
  type EtcdEvent,
  type Frame,
  type LeaseResult,
  type Op,
  type RangeOptions,
  type RangeResult,
  type RevisionResult,
  type SnapshotResult,
  type StatusResult,
  type TxnResult,
} from './protocol.ts';

export interface WatchListener {
  /** Events of one revision, in order. Called before the answer of the transaction that caused them arrives. */
  events(events: readonly EtcdEvent[], revision: number): void;
  /** Nothing more comes: what the watch missed has been compacted, or the client was closed. */
  closed(): void;
}

interface Watch {
  readonly id: number;
  readonly key: string;
  readonly end: string | undefined;
  readonly wantsPrevious: boolean;
  /** The last revision it has seen. */
  revision: number;
  readonly listener: WatchListener;
}

interface Pending {
  readonly deadlineMs: number;
  resolve(result: unknown): void;
  reject(error: Error): void;
}

interface Session {
  readonly connection: Connection;
  readonly pending: Map<number, Pending>;
}

export interface CallOptions {
  /** How long the answer may take, connecting included; a minute when left out. */
  readonly timeoutMs?: number | undefined;
}

export const DEADLINE_EXCEEDED = 'context deadline exceeded';
/** The API server's --request-timeout. */
const CALL_TIMEOUT_MS = 60_000;

/** gRPC's connection back-off: from one second, times 1.6, to two minutes. */
const FIRST_BACKOFF_MS = 1000;
const BACKOFF_FACTOR = 1.6;
const LAST_BACKOFF_MS = 120_000;

const READS: ReadonlySet<Call['verb']> = new Set(['range', 'revision', 'status', 'timetolive', 'leases', 'hash', 'snapshot']);

export class EtcdClient {
  readonly #dial: () => Promise<Connection>;
  readonly #observe: ((call: Call, ms: number) => void) | undefined;
  /** With a clock the client keeps trying; without one a failed connection is its caller's business. */
  readonly #clock: Clock | undefined;
  readonly #timeoutMs: number;
  #session: Promise<Session> | undefined;
  readonly #watches = new Map<number, Watch>();
  #up: Session | undefined;
  #lastError: Error | undefined;
  #expiry: Disposable | undefined;
  #expiresMs = Infinity;
  readonly #closing = new AbortController();
  #nextId = 1;
  #backoffMs = FIRST_BACKOFF_MS;
  #identity: string | undefined;
  #epoch = 0;

  constructor(options: {
    readonly dial: () => Promise<Connection>;
    readonly clock?: Clock;
    /** For calls that name none of their own. */
    readonly timeoutMs?: number;
    /** Told of every call that was answered, and how long it took. */
    readonly observe?: (call: Call, ms: number) => void;
  }) {
    this.#observe = options.observe;
    this.#timeoutMs = options.timeoutMs ?? CALL_TIMEOUT_MS;
    this.#dial = options.dial;
    this.#clock = options.clock;
  }

  /** Whether a connection stands. */
  get isConnected(): boolean {
    return this.#up !== undefined;
  }

  /** Why the last attempt to connect failed. */
  get lastError(): Error | undefined {
    return this.#lastError;
  }

  /** Grows when the client meets other data than before: another data directory or a restored snapshot. */
  get epoch(): number {
    return this.#epoch;
  }

  range(key: string, options: RangeOptions & CallOptions = {}): Promise<RangeResult> {
    const { timeoutMs, ...range } = options;
    return this.#call<RangeResult>({ verb: 'range', key, ...range }, timeoutMs);
  }

  txn(when: readonly Compare[], then: readonly Op[], otherwise: readonly Op[] = [], options: CallOptions = {}): Promise<TxnResult> {
    return this.#call<TxnResult>({ verb: 'txn', when, then, otherwise }, options.timeoutMs);
  }

  /** The newest revision, of which every watch of this client has been told when this resolves. */
  async revision(options: CallOptions = {}): Promise<number> {
    return (await this.#call<RevisionResult>({ verb: 'revision' }, options.timeoutMs)).revision;
  }

  compact(revision: number): Promise<unknown> {
    return this.#call({ verb: 'compact', revision });
  }

  async grant(ttlSeconds: number, options: CallOptions = {}): Promise<number> {
    return (await this.#call<{ lease: number }>({ verb: 'grant', ttlSeconds }, options.timeoutMs)).lease;
  }

  async revoke(lease: number): Promise<void> {
    await this.#call({ verb: 'revoke', lease });
  }

  async keepAlive(lease: number): Promise<number> {
    return (await this.#call<{ ttlSeconds: number }>({ verb: 'keepalive', lease })).ttlSeconds;
  }

  timeToLive(lease: number): Promise<LeaseResult> {
    return this.#call<LeaseResult>({ verb: 'timetolive', lease });
  }

  async leases(): Promise<readonly number[]> {
    return (await this.#call<{ leases: readonly number[] }>({ verb: 'leases' })).leases;
  }

  async defragment(): Promise<void> {
    await this.#call({ verb: 'defragment' });
  }

  hash(revision: number): Promise<{ readonly hash: number; readonly revision: number; readonly compacted: number }> {
    return this.#call({ verb: 'hash', revision });
  }

  async alarms(disarm: boolean): Promise<readonly string[]> {
    return (await this.#call<{ alarms: readonly string[] }>({ verb: 'alarms', disarm })).alarms;
  }

  snapshot(): Promise<SnapshotResult> {
    return this.#call<SnapshotResult>({ verb: 'snapshot' });
  }

  status(options: CallOptions = {}): Promise<StatusResult> {
    return this.#call<StatusResult>({ verb: 'status' }, options.timeoutMs);
  }

  /** Resolves when the watch stands. Returns how to stop it. */
  async watch(
    key: string,
    options: { readonly end?: string; readonly revision: number; readonly previous?: boolean },
    listener: WatchListener,
  ): Promise<() => void> {
    const session = await this.#connected(this.#deadline(undefined));
    const id = this.#nextId++;
    const watch: Watch = {
      id,
      key,
      end: options.end,
      wantsPrevious: options.previous === true,
      revision: options.revision,
      listener,
    };
    this.#watches.set(id, watch);
    try {
      await this.#send(session, id, watchCall(watch), Infinity);
    } catch (error) {
      this.#watches.delete(id);
      throw error;
    }
    return () => {
      if (this.#watches.delete(id)) void this.#call({ verb: 'cancel', watch: id }).then(undefined, ignoreRefusal);
    };
  }

  close(): void {
    const session = this.#session;
    this.#closing.abort(new SysError('ECONNRESET'));
    this.#session = undefined;
    this.#up = undefined;
    this.#expiry?.dispose();
    void session?.then(({ connection }) => connection.close(), ignoreRefusal);
    const watches = [...this.#watches.values()];
    this.#watches.clear();
    for (const { listener } of watches) listener.closed();
  }

  async #call<T>(call: Call, timeoutMs?: number): Promise<T> {
    const deadlineMs = this.#deadline(timeoutMs);
    const startedMs = this.#clock?.now() ?? 0;
    for (;;) {
      const session = this.#up ?? (await this.#connected(deadlineMs));
      try {
        const answer = (await this.#send(session, this.#nextId++, call, deadlineMs)) as T;
        this.#observe?.(call, (this.#clock?.now() ?? 0) - startedMs);
        return answer;
      } catch (error) {
        // What changes nothing is simply asked again.
        if (this.#clock === undefined || this.#isClosed || !READS.has(call.verb) || !isSysError(error, 'ECONNRESET', 'EPIPE')) throw error;
      }
    }
  }

  #deadline(timeoutMs: number | undefined): number {
    return this.#clock === undefined ? Infinity : this.#clock.now() + (timeoutMs ?? this.#timeoutMs);
  }

  #send(session: Session, id: number, call: Call, deadlineMs: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      session.pending.set(id, { resolve, reject, deadlineMs });
      if (deadlineMs < this.#expiresMs) this.#scheduleExpiry(session, deadlineMs);
      session.connection.write(encodeFrame({ id, call })).then(undefined, (error: unknown) => {
        session.pending.delete(id);
        reject(error instanceof Error ? error : new Error(String(error)));
      });
    });
  }

  /** One timer for all calls that wait: for the first of them that may wait no longer. */
  #scheduleExpiry(session: Session, atMs: number): void {
    const clock = this.#clock!;
    this.#expiry?.dispose();
    this.#expiresMs = atMs;
    this.#expiry = clock.setTimer(atMs - clock.now(), () => {
      this.#expiresMs = Infinity;
      let next = Infinity;
      for (const [id, pending] of session.pending) {
        if (pending.deadlineMs > clock.now()) next = Math.min(next, pending.deadlineMs);
        else {
          session.pending.delete(id);
          pending.reject(new EtcdError(DEADLINE_EXCEEDED));
        }
      }
      if (next < Infinity) this.#scheduleExpiry(session, next);
    });
  }

  async #connected(deadlineMs: number): Promise<Session> {
    const session = this.#session ?? this.#open();
    const clock = this.#clock;
    if (clock === undefined) return session;
    const giveUp = new AbortController();
    const late = clock.sleep(Math.max(0, deadlineMs - clock.now()), giveUp.signal).then(
      () => undefined,
      () => undefined,
    );
    try {
      const first = await Promise.race([session, late]);
      if (first === undefined) throw new EtcdError(DEADLINE_EXCEEDED);
      return first;
    } finally {
      giveUp.abort(new SysError('EINTR'));
    }
  }

  #open(): Promise<Session> {
    const session = this.#connect();
    this.#session = session;
    session.then(undefined, () => {
      if (this.#session === session) this.#session = undefined;
    });
    return session;
  }

  async #connect(): Promise<Session> {
    for (;;) {
      try {
        const session: Session = { connection: await this.#dial(), pending: new Map() };
        if (this.#isClosed) {
          session.connection.close();
          throw new SysError('ECONNRESET');
        }
        background(this.#receive(session));
        await this.#greet(session);
        this.#backoffMs = FIRST_BACKOFF_MS;
        this.#up = session;
        return session;
      } catch (error) {
        if (error instanceof Error) this.#lastError = error;
        if (this.#clock === undefined || this.#isClosed || !isPassing(error)) throw error;
        await this.#clock.sleep(this.#backoffMs, this.#closing.signal);
        this.#backoffMs = Math.min(this.#backoffMs * BACKOFF_FACTOR, LAST_BACKOFF_MS);
      }
    }
  }

  /** Asks whose data this is and takes the watches up again, before anything else is asked on this connection. */
  async #greet(session: Session): Promise<void> {
    const answers: Promise<unknown>[] = [this.#send(session, this.#nextId++, { verb: 'revision' }, Infinity)];
    for (const watch of this.#watches.values()) {
      answers.push(
        this.#send(session, watch.id, watchCall(watch), Infinity).then(undefined, (error: unknown) => {
          if (!(error instanceof EtcdError) || error.message !== COMPACTED) throw error;
          this.#watches.delete(watch.id);
          watch.listener.closed();
        }),
      );
    }
    const [greeting] = await Promise.all(answers);
    const { identity } = greeting as RevisionResult;
    if (this.#identity !== undefined && this.#identity !== identity) this.#epoch++;
    this.#identity = identity;
  }

  get #isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  async #receive(session: Session): Promise<void> {
    let cause: Error = new SysError('ECONNRESET');
    try {
      await readFrames(session.connection, (frame) => this.#take(session, frame));
    } catch (error) {
      if (!isPassing(error)) throw error;
      cause = error;
    } finally {
      const wasUp = this.#up === session;
      if (wasUp) {
        this.#up = undefined;
        this.#session = undefined;
      }
      session.connection.close();
      for (const pending of session.pending.values()) pending.reject(cause);
      session.pending.clear();
      if (wasUp && !this.#isClosed) this.#comeBack();
    }
  }

  #take(session: Session, frame: Frame): void {
    if ('events' in frame) {
      const watch = this.#watches.get(frame.id);
      if (watch === undefined) return;
      watch.revision = frame.revision;
      watch.listener.events(frame.events, frame.revision);
      return;
    }
    const pending = session.pending.get(frame.id);
    session.pending.delete(frame.id);
    if ('result' in frame) pending?.resolve(frame.result);
    else if ('error' in frame) pending?.reject(new EtcdError(frame.error));
  }

  /** Watches go on by themselves when the client has a clock; otherwise they end with the connection. */
  #comeBack(): void {
    if (this.#clock !== undefined) {
      if (this.#watches.size > 0) void this.#open().then(undefined, ignoreRefusal);
      return;
    }
    const watches = [...this.#watches.values()];
    this.#watches.clear();
    for (const { listener } of watches) listener.closed();
  }
}

function watchCall({ key, end, revision, wantsPrevious }: Watch): Call {
  return { verb: 'watch', key, revision, ...(end === undefined ? {} : { end }), ...(wantsPrevious ? { previous: true } : {}) };
}

/** The network and what speaks over it: it may work the next time. */
function isPassing(error: unknown): error is Error {
  return isSysError(error) || (error instanceof Error && ['TlsError', 'X509Error'].includes(error.name));
}

function ignoreRefusal(error: unknown): void {
  if (!isPassing(error)) throw error;
}
