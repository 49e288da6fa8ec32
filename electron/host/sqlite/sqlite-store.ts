// The lab's store on SQLite: one file, one writer, write-ahead log. A committed transaction survives a killed process;
// after a power cut the newest ones may be missing, never half of one (synchronous=NORMAL, sqlite.org/pragma.html).

import Database from 'better-sqlite3';
import {
  CompactedError,
  type KeyValue,
  type KvOp,
  type KvStore,
  type RangeOptions,
  type RangeResult,
  type Revision,
} from '#engine/store/kv-store.ts';
import { migrations } from './migrations/index.ts';

/** 'NoBo': tells a lab file from any other SQLite file (PRAGMA application_id). */
const APPLICATION_ID = 0x4e6f426f;

/** A file that cannot be opened as a lab; the message is for the user. */
export class LabFileError extends Error {
  override readonly name = 'LabFileError';
}

interface Row {
  readonly key: string;
  readonly value: string;
  readonly create_revision: number;
  readonly revision: number;
  readonly version: number;
}

export class SqliteStore implements KvStore {
  readonly #database: Database.Database;
  readonly #last: Database.Statement<[string]>;
  readonly #insert: Database.Statement<[number, string, number, number, string | null]>;
  readonly #one: Database.Statement<[string, number]>;
  readonly #many: Database.Statement<[number, string, string, number]>;
  readonly #getBlob: Database.Statement<[string]>;
  readonly #addBlob: Database.Statement<[string, Uint8Array]>;
  #head: Revision;
  #compacted: Revision;

  /** Opens or creates. Throws LabFileError when the file is foreign, newer than this program, damaged, or in use. */
  constructor(path: string) {
    this.#database = openDatabase(path);
    const meta = this.#database.prepare('SELECT head, compacted FROM store_meta').get() as { head: number; compacted: number };
    // Commits don't write it down: the newest row tells it, unless that one has been compacted away since.
    this.#head = Math.max(meta.head, this.#database.prepare('SELECT ifnull(max(revision), 0) FROM revision').pluck().get() as number);
    this.#compacted = meta.compacted;
    this.#last = this.#database.prepare(
      'SELECT revision, create_revision, version, value FROM revision WHERE key = ? ORDER BY revision DESC LIMIT 1',
    );
    this.#insert = this.#database.prepare(
      'INSERT OR REPLACE INTO revision (revision, key, create_revision, version, value) VALUES (?, ?, ?, ?, ?)',
    );
    this.#one = this.#database.prepare(
      'SELECT key, value, create_revision, revision, version FROM revision WHERE key = ? AND revision <= ? ORDER BY revision DESC LIMIT 1',
    );
    this.#many = this.#database.prepare(
      `SELECT r.key, r.value, r.create_revision, r.revision, r.version FROM revision r
       JOIN (SELECT key, max(revision) AS revision FROM revision WHERE revision <= ? AND key >= ? AND key < ? GROUP BY key) newest
         ON newest.key = r.key AND newest.revision = r.revision
       WHERE r.value IS NOT NULL ORDER BY r.key LIMIT ?`,
    );
    this.#getBlob = this.#database.prepare('SELECT bytes FROM blob WHERE digest = ?');
    this.#addBlob = this.#database.prepare('INSERT OR IGNORE INTO blob VALUES (?, ?)');
  }

  get revision(): Revision {
    return this.#head;
  }

  get compactedRevision(): Revision {
    return this.#compacted;
  }

  range(key: string, options: RangeOptions = {}): RangeResult {
    const at = options.atRevision ?? this.#head;
    if (at < this.#compacted) throw new CompactedError(`revision ${at} has been compacted`);
    if (options.end === undefined) {
      const row = this.#one.get(key, at) as (Row & { value: string | null }) | undefined;
      return { kvs: row === undefined || row.value === null ? [] : [keyValue(row)], more: false, revision: this.#head };
    }
    const limit = options.limit === undefined ? -1 : options.limit + 1;
    const rows = this.#many.all(at, key, options.end, limit) as Row[];
    const more = options.limit !== undefined && rows.length > options.limit;
    return { kvs: (more ? rows.slice(0, -1) : rows).map(keyValue), more, revision: this.#head };
  }

  commit(ops: readonly KvOp[]): Revision {
    const revision = this.#head + 1;
    let wrote = false;
    this.#database.transaction(() => {
      for (const op of ops) {
        const last = this.#last.get(op.key) as
          { revision: number; create_revision: number; version: number; value: string | null } | undefined;
        const isLive = last !== undefined && last.value !== null;
        if (op.op === 'delete' && !isLive) continue;
        this.#insert.run(
          revision,
          op.key,
          isLive ? last.create_revision : revision,
          isLive ? last.version + 1 : 1,
          op.op === 'put' ? op.value : null,
        );
        wrote = true;
      }
    })();
    if (wrote) this.#head = revision;
    return this.#head;
  }

  changed(from: Revision, to: Revision): readonly string[] {
    const [low, high] = from < to ? [from, to] : [to, from];
    const keys = this.#database
      .prepare('SELECT DISTINCT key FROM revision WHERE revision > ? AND revision <= ? ORDER BY key')
      .pluck()
      .all(low, high) as string[];
    return keys.filter((key) => this.#valueAt(key, from) !== this.#valueAt(key, to));
  }

  compact(revision: Revision, keep: readonly Revision[]): void {
    const points = [...keep.filter((point) => point < revision), revision].sort((a, b) => a - b);
    this.#database.transaction(() => {
      this.#database.exec('CREATE TEMP TABLE IF NOT EXISTS kept_point (revision INTEGER PRIMARY KEY); DELETE FROM kept_point');
      const addPoint = this.#database.prepare('INSERT OR IGNORE INTO kept_point VALUES (?)');
      for (const point of points) addPoint.run(point);
      this.#database
        .prepare(
          `DELETE FROM revision WHERE revision <= ? AND NOT EXISTS (
             SELECT 1 FROM kept_point p WHERE p.revision >= revision.revision AND NOT EXISTS (
               SELECT 1 FROM revision n WHERE n.key = revision.key AND n.revision > revision.revision AND n.revision <= p.revision))`,
        )
        .run(revision);
      this.#database
        .prepare(
          `DELETE FROM revision WHERE value IS NULL AND NOT EXISTS (SELECT 1 FROM revision o WHERE o.key = revision.key AND o.revision < revision.revision) AND revision <= ?`,
        )
        .run(points[0]!);
      this.#database.prepare('UPDATE store_meta SET head = ?, compacted = max(compacted, ?)').run(this.#head, points[0]!);
    })();
    this.#compacted = Math.max(this.#compacted, points[0]!);
  }

  blob(digest: string): Uint8Array {
    const row = this.#getBlob.get(digest) as { bytes: Uint8Array } | undefined;
    if (row === undefined) throw new Error(`no blob ${digest}`);
    return row.bytes;
  }

  hasBlob(digest: string): boolean {
    return this.#getBlob.get(digest) !== undefined;
  }

  putBlob(digest: string, bytes: Uint8Array): void {
    this.#addBlob.run(digest, bytes);
  }

  close(): void {
    this.#database.close();
  }

  #valueAt(key: string, revision: Revision): string | undefined {
    const row = this.#one.get(key, revision) as { value: string | null } | undefined;
    return row?.value ?? undefined;
  }
}

function openDatabase(path: string): Database.Database {
  let database: Database.Database;
  try {
    database = new Database(path, { timeout: 0 });
  } catch (error) {
    throw new LabFileError(`cannot open ${path}: ${reasonOf(error)}`);
  }
  try {
    // Exclusive: a lab has one writer, and a second NoBox on the same file must hear of it at once.
    database.pragma('locking_mode = EXCLUSIVE');
    const version = database.pragma('user_version', { simple: true }) as number;
    const isNew = (database.prepare('SELECT count(*) FROM sqlite_master').pluck().get() as number) === 0;
    if (!isNew && database.pragma('application_id', { simple: true }) !== APPLICATION_ID)
      throw new LabFileError(`${path} is a database, but not a lab of NoBox`);
    if (version > migrations.length)
      throw new LabFileError(`${path} was written by a newer NoBox (format ${version}, this one knows ${migrations.length})`);
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = NORMAL');
    // 16 MB: what is written back is synced to the disk, which should not happen every few hundred commits.
    database.pragma('wal_autocheckpoint = 4000');
    if (isNew) database.pragma(`application_id = ${APPLICATION_ID}`);
    database.transaction(() => {
      for (const migration of migrations.slice(version)) database.exec(migration);
      database.pragma(`user_version = ${migrations.length}`);
    })();
    return database;
  } catch (error) {
    database.close();
    if (error instanceof LabFileError) throw error;
    throw new LabFileError(messageFor(path, error));
  }
}

function messageFor(path: string, error: unknown): string {
  const code = error instanceof Database.SqliteError ? error.code : '';
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) return `${path} is open in another NoBox`;
  if (code === 'SQLITE_NOTADB') return `${path} is not a lab of NoBox`;
  if (code.startsWith('SQLITE_CORRUPT')) return `${path} is damaged: ${reasonOf(error)}`;
  if (code.startsWith('SQLITE_READONLY')) return `${path} cannot be written`;
  if (code === 'SQLITE_FULL') return `no space left for ${path}`;
  return `cannot open ${path}: ${reasonOf(error)}`;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function keyValue(row: Row): KeyValue {
  return { key: row.key, value: row.value, createRevision: row.create_revision, modRevision: row.revision, version: row.version };
}
