// Models etcd's client door: calls in, answers and watch events out, all of one connection in order.

import { background } from '../sim/background.ts';
import { concat } from '../sim/bytes.ts';
import type { Clock } from '../sim/clock.ts';
import type { Disposable } from '../sim/disposable.ts';
import { isSysError } from '../sim/errno.ts';
import type { Connection } from '../sim/stream.ts';
import { EtcdError, type MultiVersionStore } from './mvcc.ts';
import { encodeFrame, framesOf, type Call, type EtcdEvent, type Frame, type StatusResult } from './protocol.ts';

interface Watcher {
  readonly key: string;
  readonly end: string | undefined;
}

export class EtcdServer {
  readonly #store: MultiVersionStore;
  readonly #clock: Clock;
  readonly #identity: { readonly name: string; readonly memberId: string; readonly version: string };
  #expiry: { readonly atMs: number; readonly timer: Disposable } | undefined;

  constructor(options: {
    readonly store: MultiVersionStore;
    readonly clock: Clock;
    readonly identity: { readonly name: string; readonly memberId: string; readonly version: string };
  }) {
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
    const stopListening = this.#store.onCommit((events, revision) => {
      for (const [id, watcher] of watchers) {
        const matching = events.filter((event) => matches(watcher, event));
        if (matching.length > 0) send({ id, events: matching, revision });
      }
    });
    try {
      for await (const frame of framesOf(connection)) {
        if (!('call' in frame)) continue;
        const { id, call } = frame;
        try {
          send({ id, result: this.#answer(id, call, watchers) });
          if (call.verb === 'watch') this.#replay(id, call.revision, watchers.get(id)!, send);
        } catch (error) {
          if (!(error instanceof EtcdError)) throw error;
          send({ id, error: error.message });
        }
      }
    } catch (error) {
      if (!isSysError(error)) throw error;
    } finally {
      isGone = true;
      stopListening();
      connection.close();
    }
  }

  status(): StatusResult {
    const { revision, compacted, sizeBytes } = this.#store;
    return { ...this.#identity, revision, compacted, dbSizeBytes: sizeBytes, raftTerm: 2, raftIndex: revision + 8 };
  }

  #answer(id: number, call: Call, watchers: Map<number, Watcher>): unknown {
    switch (call.verb) {
      case 'range':
        return this.#store.range(call.key, call);
      case 'txn':
        return this.#store.commit(call.when, call.then, call.otherwise);
      case 'watch':
        this.#store.eventsSince(call.revision);
        watchers.set(id, { key: call.key, end: call.end });
        return { revision: this.#store.revision };
      case 'cancel':
        return { cancelled: watchers.delete(call.watch) };
      case 'compact':
        this.#store.compact(call.revision);
        return {};
      case 'grant': {
        const lease = this.#store.grant(call.ttlSeconds, this.#clock.now());
        this.#scheduleExpiry();
        return { lease };
      }
      case 'revoke':
        this.#store.revoke(call.lease);
        return {};
      case 'status':
        return this.status();
    }
  }

  #replay(id: number, revision: number, watcher: Watcher, send: (frame: Frame) => void): void {
    for (const entry of this.#store.eventsSince(revision)) {
      const events = entry.events.filter((event) => matches(watcher, event));
      if (events.length > 0) send({ id, events, revision: entry.revision });
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

function matches({ key, end }: Watcher, event: EtcdEvent): boolean {
  const changed = event.type === 'put' ? event.kv.key : event.key;
  return end === undefined ? changed === key : changed >= key && changed < end;
}
