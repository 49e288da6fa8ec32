// The contract of the lab's one durable store: a multi-version table of keys, where a transaction is one revision.
// Implemented in memory (tests, scripts without a file) and on SQLite (electron/host/sqlite).

export type Revision = number;

export interface KeyValue {
  readonly key: string;
  readonly value: string;
  readonly createRevision: Revision;
  readonly modRevision: Revision;
  readonly version: number;
}

export type KvOp = { readonly op: 'put'; readonly key: string; readonly value: string } | { readonly op: 'delete'; readonly key: string };

export interface RangeOptions {
  /** Exclusive; without it the range is the one key. `prefixEnd(key)` makes a prefix range. */
  readonly end?: string;
  readonly atRevision?: Revision;
  readonly limit?: number;
}

export interface RangeResult {
  readonly kvs: readonly KeyValue[];
  readonly more: boolean;
  readonly revision: Revision;
}

export class CompactedError extends Error {
  override readonly name = 'CompactedError';
}

export interface KvStore {
  readonly revision: Revision;
  readonly compactedRevision: Revision;
  /** Keys in order. Throws CompactedError when `atRevision` is older than the compacted revision. */
  range(key: string, options?: RangeOptions): RangeResult;
  /** All writes of one transaction share one revision; a transaction that writes nothing keeps the old one. Returns the revision. */
  commit(ops: readonly KvOp[]): Revision;
  /** Keys under no prefix in particular whose value at `from` differs from the one at `to`. */
  changed(from: Revision, to: Revision): readonly string[];
  /** Drops the versions that none of `keep` nor anything from `revision` on can see. */
  compact(revision: Revision, keep: readonly Revision[]): void;
  /** Contents that are kept once by their digest, outside history. Throws when the digest is unknown. */
  blob(digest: string): Uint8Array;
  hasBlob(digest: string): boolean;
  putBlob(digest: string, bytes: Uint8Array): void;
  close(): void;
}

/** The exclusive end of the range of all keys that start with `prefix`. */
export function prefixEnd(prefix: string): string {
  return `${prefix}\u{10ffff}`;
}
