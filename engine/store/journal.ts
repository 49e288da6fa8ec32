// Gathers what the parts of a running lab want kept and hands it to the store as one transaction.
// The host flushes before anything leaves the lab (a prompt, an answer, a packet to a real client), so what a user
// has seen acknowledged is in the store; that is group commit as databases do it.

import { toHex } from '../sim/bytes.ts';
import { sha256 } from '@noble/hashes/sha2.js';
import { Emitter } from '../sim/event.ts';
import type { KvOp, KvStore, Revision } from './kv-store.ts';

export class Journal {
  readonly #store: KvStore;
  readonly #pending = new Map<string, string | undefined | (() => string | undefined)>();
  /** Fires before a flush reads what is pending: parts with cheap dirty flags write their keys here. */
  readonly onBeforeFlush = new Emitter<void>();

  constructor(store: KvStore) {
    this.#store = store;
  }

  /** The value as the lab sees it now: pending or stored. */
  get(key: string): string | undefined {
    if (this.#pending.has(key)) {
      const pending = this.#pending.get(key);
      return typeof pending === 'function' ? pending() : pending;
    }
    return this.#store.range(key).kvs[0]?.value;
  }

  /** Keys and values under `prefix` in the store; call it when nothing is pending (opening a lab). */
  list(prefix: string, end: string): readonly { readonly key: string; readonly value: string }[] {
    return this.#store.range(prefix, { end }).kvs;
  }

  /** Nothing waits for the next flush. */
  get isClean(): boolean {
    return this.#pending.size === 0;
  }

  put(key: string, value: string): void {
    this.#pending.set(key, value);
  }

  /** Like `put`, but the value is made when the transaction is written: many changes, one serialisation. */
  putLater(key: string, value: () => string | undefined): void {
    this.#pending.set(key, value);
  }

  delete(key: string): void {
    this.#pending.set(key, undefined);
  }

  /** Keeps large contents once, by their SHA-256; the digest goes into a key. */
  putBlob(bytes: Uint8Array): string {
    const digest = toHex(sha256(bytes));
    this.#store.putBlob(digest, bytes);
    return digest;
  }

  blob(digest: string): Uint8Array {
    return this.#store.blob(digest);
  }

  /** Commits everything pending as one revision. Throws what the store throws (a full disk); then nothing is lost, the next flush tries again. */
  flush(): Revision {
    this.onBeforeFlush.emit();
    if (this.#pending.size === 0) return this.#store.revision;
    const ops: KvOp[] = [];
    for (const [key, pending] of this.#pending) {
      const value = typeof pending === 'function' ? pending() : pending;
      ops.push(value === undefined ? { op: 'delete', key } : { op: 'put', key, value });
    }
    const revision = this.#store.commit(ops);
    this.#pending.clear();
    return revision;
  }
}
