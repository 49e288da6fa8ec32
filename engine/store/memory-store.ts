import { invariant } from '../sim/invariant.ts';
import { CompactedError, type KeyValue, type KvOp, type KvStore, type RangeOptions, type RangeResult, type Revision } from './kv-store.ts';

interface Version {
  readonly revision: Revision;
  readonly create: Revision;
  readonly version: number;
  /** undefined is a deletion. */
  readonly value: string | undefined;
}

/** The store in memory: for tests and for labs without a file. */
export class MemoryStore implements KvStore {
  readonly #versions = new Map<string, Version[]>();
  readonly #blobs = new Map<string, Uint8Array>();
  #sortedKeys: string[] | undefined;
  #revision: Revision = 0;
  #compacted: Revision = 0;

  get revision(): Revision {
    return this.#revision;
  }

  get compactedRevision(): Revision {
    return this.#compacted;
  }

  range(key: string, options: RangeOptions = {}): RangeResult {
    const at = options.atRevision ?? this.#revision;
    if (at < this.#compacted) throw new CompactedError(`revision ${at} has been compacted`);
    const kvs: KeyValue[] = [];
    let more = false;
    for (const candidate of this.#keysBetween(key, options.end)) {
      const kv = this.#at(candidate, at);
      if (kv === undefined) continue;
      if (options.limit !== undefined && kvs.length === options.limit) {
        more = true;
        break;
      }
      kvs.push(kv);
    }
    return { kvs, more, revision: this.#revision };
  }

  commit(ops: readonly KvOp[]): Revision {
    const revision = this.#revision + 1;
    let wrote = false;
    for (const op of ops) {
      const versions = this.#versions.get(op.key) ?? [];
      const last = versions.at(-1);
      const isLive = last?.value !== undefined;
      if (op.op === 'delete' && !isLive) continue;
      if (last?.revision === revision) versions.pop();
      versions.push({
        revision,
        create: isLive ? last.create : revision,
        version: isLive ? last.version + 1 : 1,
        value: op.op === 'put' ? op.value : undefined,
      });
      if (!this.#versions.has(op.key)) {
        this.#versions.set(op.key, versions);
        this.#sortedKeys = undefined;
      }
      wrote = true;
    }
    if (wrote) this.#revision = revision;
    return this.#revision;
  }

  changed(from: Revision, to: Revision): readonly string[] {
    const out: string[] = [];
    for (const key of this.#keysBetween('', '\u{10ffff}')) {
      if (this.#at(key, from)?.value !== this.#at(key, to)?.value) out.push(key);
    }
    return out;
  }

  compact(revision: Revision, keep: readonly Revision[]): void {
    invariant(revision <= this.#revision, 'compaction does not reach beyond the head');
    const points = [...keep.filter((r) => r < revision), revision].sort((a, b) => a - b);
    for (const [key, versions] of this.#versions) {
      const kept = versions.filter((version, i) => {
        const next = versions[i + 1]?.revision ?? Infinity;
        return version.revision > revision || points.some((point) => version.revision <= point && point < next);
      });
      if (kept.length === 1 && kept[0]!.value === undefined) kept.pop();
      if (kept.length === 0) this.#versions.delete(key);
      else this.#versions.set(key, kept);
    }
    this.#sortedKeys = undefined;
    this.#compacted = Math.max(this.#compacted, points[0]!);
  }

  blob(digest: string): Uint8Array {
    const bytes = this.#blobs.get(digest);
    if (bytes === undefined) throw new Error(`no blob ${digest}`);
    return bytes;
  }

  hasBlob(digest: string): boolean {
    return this.#blobs.has(digest);
  }

  putBlob(digest: string, bytes: Uint8Array): void {
    this.#blobs.set(digest, bytes);
  }

  close(): void {
    this.#versions.clear();
    this.#blobs.clear();
  }

  #keysBetween(key: string, end: string | undefined): readonly string[] {
    if (end === undefined) return this.#versions.has(key) ? [key] : [];
    this.#sortedKeys ??= [...this.#versions.keys()].sort();
    return this.#sortedKeys.filter((k) => k >= key && k < end);
  }

  #at(key: string, revision: Revision): KeyValue | undefined {
    const found = this.#versions.get(key)?.findLast((version) => version.revision <= revision);
    if (found?.value === undefined) return undefined;
    return { key, value: found.value, createRevision: found.create, modRevision: found.revision, version: found.version };
  }
}
