// Snapshots and restore points: named revisions of the store. Restoring writes old values forward as a new revision, so
// nothing that ever was is lost by it. Their records live in the same store under a room of their own, which restoring leaves alone.

import { prefixEnd, type KvOp, type KvStore, type Revision } from './kv-store.ts';

/** The room of the records themselves. */
const ROOM = 'history/';
const SNAPSHOTS = `${ROOM}snapshot/`;
const POINTS = `${ROOM}point/`;
const CURRENT = `${ROOM}current`;

/** Restore points kept; older ones make room. One is taken per command line, so this is about a day of work. */
const MAX_POINTS = 500;

export interface Snapshot {
  readonly id: string;
  readonly name: string;
  readonly note: string;
  /** The snapshot the lab came from when this one was taken. */
  readonly parent: string | undefined;
  readonly revision: Revision;
  /** Lab time. */
  readonly timeMs: number;
  /** Wall clock of the computer it was taken on. */
  readonly createdAtMs: number;
  /** What the lab held, in a few words a line. */
  readonly summary: readonly string[];
}

export interface RestorePoint {
  readonly revision: Revision;
  /** The command line it was taken before, or what made it. */
  readonly label: string;
  readonly timeMs: number;
}

/** What a user asked of the history that cannot be done; the message is for the user. */
export class HistoryError extends Error {
  override readonly name = 'HistoryError';
}

export class History {
  readonly #store: KvStore;

  constructor(store: KvStore) {
    this.#store = store;
  }

  snapshots(): readonly Snapshot[] {
    return this.#list<Snapshot>(SNAPSHOTS).sort((a, b) => a.revision - b.revision || compare(a.id, b.id));
  }

  points(): readonly RestorePoint[] {
    return this.#list<RestorePoint>(POINTS).sort((a, b) => a.revision - b.revision);
  }

  /** By id or name; HistoryError when there is none. */
  find(idOrName: string): Snapshot {
    const all = this.snapshots();
    const found = all.find((snapshot) => snapshot.id === idOrName) ?? all.findLast((snapshot) => snapshot.name === idOrName);
    if (found === undefined) throw new HistoryError(`no snapshot is named "${idOrName}"`);
    return found;
  }

  /** Names what the store holds now; everything pending must have been flushed. */
  save(options: {
    readonly name: string;
    readonly note?: string;
    readonly timeMs: number;
    readonly createdAtMs?: number;
    readonly summary?: readonly string[];
  }): Snapshot {
    const name = options.name.trim();
    if (name === '') throw new HistoryError('a snapshot needs a name');
    if (name.length > 200) throw new HistoryError("a snapshot's name has at most 200 characters");
    if (this.snapshots().some((snapshot) => snapshot.name === name)) throw new HistoryError(`a snapshot named "${name}" exists already`);
    const ids = this.snapshots().map((snapshot) => Number(snapshot.id.slice(1)));
    const snapshot: Snapshot = {
      id: `s${Math.max(0, ...ids) + 1}`,
      name,
      note: options.note ?? '',
      parent: this.current(),
      revision: this.#store.revision,
      timeMs: options.timeMs,
      createdAtMs: options.createdAtMs ?? options.timeMs,
      summary: options.summary ?? [],
    };
    this.#put(SNAPSHOTS + snapshot.id, snapshot, { op: 'put', key: CURRENT, value: JSON.stringify(snapshot.id) });
    return snapshot;
  }

  rename(idOrName: string, change: { readonly name?: string; readonly note?: string }): Snapshot {
    const snapshot = this.find(idOrName);
    const renamed = {
      ...snapshot,
      ...(change.name === undefined ? {} : { name: change.name }),
      ...(change.note === undefined ? {} : { note: change.note }),
    };
    this.#put(SNAPSHOTS + snapshot.id, renamed);
    return renamed;
  }

  /** Other snapshots stay whole; children move to its parent. */
  delete(idOrName: string): void {
    const gone = this.find(idOrName);
    const ops: KvOp[] = [{ op: 'delete', key: SNAPSHOTS + gone.id }];
    for (const child of this.snapshots().filter((snapshot) => snapshot.parent === gone.id)) {
      ops.push({ op: 'put', key: SNAPSHOTS + child.id, value: JSON.stringify({ ...child, parent: gone.parent }) });
    }
    if (this.current() === gone.id)
      ops.push(
        gone.parent === undefined ? { op: 'delete', key: CURRENT } : { op: 'put', key: CURRENT, value: JSON.stringify(gone.parent) },
      );
    this.#store.commit(ops);
  }

  /** The snapshot the present came from. */
  current(): string | undefined {
    const value = this.#store.range(CURRENT).kvs[0]?.value;
    return value === undefined ? undefined : (JSON.parse(value) as string);
  }

  /** Marks the present as a point to come back to. Nothing is written when the last point already is the present. */
  mark(label: string, timeMs: number): RestorePoint {
    const points = this.points();
    const last = points.at(-1);
    const point: RestorePoint = { revision: this.#store.revision, label, timeMs };
    if (last !== undefined && this.#isSameLab(last.revision, point.revision)) return last;
    const ops: KvOp[] = points
      .slice(0, Math.max(0, points.length + 1 - MAX_POINTS))
      .map((old) => ({ op: 'delete', key: pointKey(old.revision) }));
    this.#put(pointKey(point.revision), point, ...ops);
    return point;
  }

  /**
   * Makes the present equal to what the lab was at `revision`, as a new revision. The present must have been marked
   * before if it is to be found again. The engine has to be opened anew from the store afterwards.
   */
  restore(revision: Revision, current?: string): Revision {
    const ops: KvOp[] = [];
    for (const key of this.#store.changed(revision, this.#store.revision)) {
      if (key.startsWith(ROOM)) continue;
      const old = this.#store.range(key, { atRevision: revision }).kvs[0];
      ops.push(old === undefined ? { op: 'delete', key } : { op: 'put', key, value: old.value });
    }
    if (current !== undefined) ops.push({ op: 'put', key: CURRENT, value: JSON.stringify(current) });
    return this.#store.commit(ops);
  }

  /** Keys of the lab whose values differ between two revisions. */
  changed(from: Revision, to: Revision): readonly string[] {
    return this.#store.changed(from, to).filter((key) => !key.startsWith(ROOM));
  }

  /** Drops what neither a snapshot nor a kept restore point can see. */
  compact(): void {
    const keep = [...this.snapshots(), ...this.points()].map((kept) => kept.revision);
    this.#store.compact(this.#store.revision, keep);
  }

  #isSameLab(from: Revision, to: Revision): boolean {
    return from === to || (to - from < 4 && this.changed(from, to).length === 0);
  }

  #list<T>(room: string): T[] {
    return this.#store.range(room, { end: prefixEnd(room) }).kvs.map((kv) => JSON.parse(kv.value) as T);
  }

  #put(key: string, value: unknown, ...more: readonly KvOp[]): void {
    this.#store.commit([{ op: 'put', key, value: JSON.stringify(value) }, ...more]);
  }
}

function pointKey(revision: Revision): string {
  return POINTS + String(revision).padStart(12, '0');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
