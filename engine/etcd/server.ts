// Models etcd's client door: calls in, answers and watch events out, all of one connection in order.

import { background } from '../sim/background.ts';
import { concat } from '../sim/bytes.ts';
import type { Clock } from '../sim/clock.ts';
import type { Disposable } from '../sim/disposable.ts';
import { isSysError } from '../sim/errno.ts';
import type { Connection } from '../sim/stream.ts';
import { EtcdError, type MultiVersionStore } from './mvcc.ts';
import { encodeFrame, readFrames, TOO_LARGE, type Call, type EtcdEvent, type Frame, type Op, type StatusResult } from './protocol.ts';

/** etcd's --max-request-bytes when it is not given: 1.5 MiB. */
const MAX_REQUEST_BYTES = 1.5 * 1024 * 1024;
/** What a request takes beside its keys and values. */
const REQUEST_OVERHEAD_BYTES = 16;

interface Watcher {
  readonly key: string;
  readonly end: string | undefined;
  /** Events up to this revision are none of its business; it may lie in the future. */
  readonly after: number;
  readonly wantsPrevious: boolean;
}

export interface EtcdIdentity {
  readonly name: string;
  readonly memberId: string;
  readonly clusterId?: string;
  readonly version: string;
  readonly term?: number;
  readonly peerUrls?: readonly string[];
  readonly clientUrls?: readonly string[];
}

export class EtcdServer {
  readonly #store: MultiVersionStore;
  readonly #clock: Clock;
  readonly #identity: EtcdIdentity;
  #expiry: { readonly atMs: number; readonly timer: Disposable } | undefined;

  constructor(options: { readonly store: MultiVersionStore; readonly clock: Clock; readonly identity: EtcdIdentity }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#identity = options.identity;
    this.#scheduleExpiry();
  }

  dispose(): void {
    this.#expiry?.timer.dispose();
  }

  /** Serves one client until it goes. */
  async serve(connection: Connection): Promise<void> {
    const watchers = new Map<number, Watcher>();
    // Frames leave in order; a client that is gone ends the loop below by its end of file.
    let outgoing: Uint8Array[] = [];
    let isWriting = false;
    let isGone = false;
    const flush = async (): Promise<void> => {
      isWriting = true;
      try {
        // What a transaction leads to leaves in one piece: its events and its answer.
        await Promise.resolve();
        while (outgoing.length > 0 && !isGone) {
          const batch = outgoing;
          outgoing = [];
          await connection.write(batch.length === 1 ? batch[0]! : concat(batch));
        }
      } catch (error) {
        if (!isSysError(error)) throw error;
        isGone = true;
      } finally {
        isWriting = false;
      }
    };
    const send = (frame: Frame): void => {
      outgoing.push(encodeFrame(frame));
      if (!isWriting && !isGone) background(flush());
    };
    const tell = (id: number, watcher: Watcher, events: readonly EtcdEvent[], revision: number): void => {
      if (revision <= watcher.after) return;
      if (!events.some((event) => matches(watcher, event))) return;
      const matching = events.length === 1 ? events : events.filter((event) => matches(watcher, event));
      send({ id, events: watcher.wantsPrevious ? matching : matching.map(withoutPrevious), revision });
    };
    const stopListening = this.#store.onCommit((events, revision) => {
      for (const [id, watcher] of watchers) tell(id, watcher, events, revision);
    });
    try {
      await readFrames(connection, (frame) => {
        if (!('call' in frame)) return;
        const { id, call } = frame;
        try {
          send({ id, result: this.#answer(id, call, watchers) });
          if (call.verb === 'watch') {
            for (const { events, revision } of this.#store.eventsSince(call.revision)) tell(id, watchers.get(id)!, events, revision);
          }
        } catch (error) {
          if (!(error instanceof EtcdError)) throw error;
          send({ id, error: error.message });
        }
      });
    } catch (error) {
      if (!isSysError(error)) throw error;
    } finally {
      isGone = true;
      stopListening();
      connection.close();
    }
  }

  status(): StatusResult {
    const { revision, compacted, sizeBytes, usedBytes, hasNoSpace } = this.#store;
    const { name, memberId, clusterId = 'cdf818194e3a8c32', version, peerUrls = [], clientUrls = [], term = 2 } = this.#identity;
    return {
      name,
      memberId,
      clusterId,
      version,
      peerUrls,
      clientUrls,
      revision,
      compacted,
      dbSizeBytes: sizeBytes,
      dbSizeInUseBytes: usedBytes,
      raftTerm: term,
      raftIndex: revision + 8,
      alarms: hasNoSpace ? ['NOSPACE'] : [],
    };
  }

  #answer(id: number, call: Call, watchers: Map<number, Watcher>): unknown {
    const store = this.#store;
    switch (call.verb) {
      case 'revision':
        return { revision: store.revision, identity: store.identity };
      case 'range':
        return store.range(call.key, call);
      case 'txn':
        if (sizeOf(call.then) + sizeOf(call.otherwise) > MAX_REQUEST_BYTES) throw new EtcdError(TOO_LARGE);
        return store.commit(call.when, call.then, call.otherwise);
      case 'watch':
        store.eventsSince(call.revision);
        watchers.set(id, { key: call.key, end: call.end, after: call.revision, wantsPrevious: call.previous === true });
        return { revision: store.revision };
      case 'cancel':
        return { cancelled: watchers.delete(call.watch) };
      case 'compact':
        store.compact(call.revision);
        return { revision: store.revision };
      case 'grant': {
        const lease = store.grant(call.ttlSeconds, this.#clock.now());
        this.#scheduleExpiry();
        return { lease };
      }
      case 'revoke':
        store.revoke(call.lease);
        return {};
      case 'keepalive':
        return { ttlSeconds: store.keepAlive(call.lease, this.#clock.now()) };
      case 'timetolive':
        return store.timeToLive(call.lease, this.#clock.now());
      case 'leases':
        return { leases: store.leases() };
      case 'defragment':
        store.defragment();
        return {};
      case 'hash':
        return { hash: store.hash(call.revision), revision: store.revision, compacted: store.compacted };
      case 'alarms': {
        const { alarms } = this.status();
        if (call.disarm) store.disarm();
        return { alarms };
      }
      case 'snapshot':
        return store.snapshot();
      case 'status':
        return this.status();
    }
  }

  #scheduleExpiry(): void {
    const atMs = this.#store.nextExpiryMs;
    if (atMs === undefined || (this.#expiry !== undefined && this.#expiry.atMs <= atMs)) return;
    this.#expiry?.timer.dispose();
    const timer = this.#clock.setTimer(atMs - this.#clock.now(), () => {
      this.#expiry = undefined;
      this.#store.expire(this.#clock.now());
      this.#scheduleExpiry();
    });
    this.#expiry = { atMs, timer };
  }
}

function sizeOf(ops: readonly Op[]): number {
  let bytes = 0;
  for (const op of ops) if (op.op === 'put') bytes += op.key.length + op.value.length + REQUEST_OVERHEAD_BYTES;
  return bytes;
}

function withoutPrevious(event: EtcdEvent): EtcdEvent {
  return event.previous === undefined ? event : { ...event, previous: undefined };
}

function matches({ key, end }: Watcher, event: EtcdEvent): boolean {
  const changed = event.type === 'put' ? event.kv.key : event.key;
  return end === undefined ? changed === key : changed >= key && changed < end;
}
