// Keyed database files (as bolt's file under etcd): each entry is a key of the store, so that a change costs one entry.
// The file in the tree names its entries; when its last name is removed they go with it.

import { text, utf8 } from '../sim/bytes.ts';
import { invariant } from '../sim/invariant.ts';
import { SysError } from '../sim/errno.ts';
import { prefixEnd } from '../store/kv-store.ts';
import type { Journal } from '../store/journal.ts';
import type { Inode } from '../fs/inode.ts';
import type { Location } from '../fs/location.ts';
import type { Vfs, Walker } from '../fs/vfs.ts';
import type { Database } from './kernel.ts';

const MAGIC = 'nobox-database ';

/** Values longer than this are not held here once they are written: who writes them has them, and the journal does. */
const LONGEST_HELD = 1024;

export class Databases {
  readonly #journal: Journal;
  readonly #prefix: string;
  readonly #vfs: Vfs;
  readonly #open = new Map<string, JournaledDatabase>();

  readonly #volatilePrefix: string;
  readonly #now: () => number;

  /** Entries of files on a tmpfs lie under `volatilePrefix`: they end with the power. */
  constructor(options: {
    readonly journal: Journal;
    readonly prefix: string;
    readonly volatilePrefix: string;
    readonly vfs: Vfs;
    readonly now: () => number;
  }) {
    this.#journal = options.journal;
    this.#prefix = options.prefix;
    this.#volatilePrefix = options.volatilePrefix;
    this.#vfs = options.vfs;
    this.#now = options.now;
  }

  /** `root` is what the caller sees as `/`: a container's program has its files elsewhere. */
  open(path: string, root: Location = this.#vfs.root): Database {
    const id = this.#idOf(path, root);
    let database = this.#open.get(id);
    if (database === undefined) {
      const inode = this.#find(path, root)!;
      const prefix = inode.fs.type === 'tmpfs' ? this.#volatilePrefix : this.#prefix;
      database = new JournaledDatabase(this.#journal, `${prefix}${id}/`);
      this.#open.set(id, database);
      this.#dropWithFile(inode, id, database);
    }
    return database;
  }

  #idOf(path: string, root: Location): string {
    const there = this.#find(path, root);
    if (there !== undefined) {
      const contents = text(there.read(0, 256));
      if (!contents.startsWith(MAGIC)) throw new SysError('EINVAL', path);
      return contents.slice(MAGIC.length).trim();
    }
    const walker = walkerFrom(root);
    const created = this.#vfs.create(walker, path, { kind: 'file', mode: 0o600 });
    // Numbers of inodes come again on a new tmpfs; the moment makes the name unique.
    const id = `${created.inode.fs.dev}-${created.inode.ino}-${this.#now()}`;
    created.inode.write(0, utf8(`${MAGIC}${id}\n`));
    return id;
  }

  #find(path: string, root: Location): Inode | undefined {
    return this.#vfs.findEntry(walkerFrom(root), path, { follow: true }).location?.inode;
  }

  #dropWithFile(inode: Inode, id: string, database: JournaledDatabase): void {
    (inode.watchers ??= new Set()).add((change) => {
      if (change.type !== 'deleted' || change.name !== undefined || inode.attributes().nlink > 0) return;
      database.erase();
      this.#open.delete(id);
    });
  }
}

function walkerFrom(root: Location): Walker {
  return { identity: { uid: 0, gid: 0, groups: [] }, root, cwd: root };
}

class JournaledDatabase implements Database {
  readonly #journal: Journal;
  readonly #prefix: string;
  /** A value that is not held is the journal's. */
  readonly #entries = new Map<string, string | undefined>();
  #sorted: string[] | undefined;

  constructor(journal: Journal, prefix: string) {
    this.#journal = journal;
    this.#prefix = prefix;
    for (const { key, value } of journal.list(prefix, prefixEnd(prefix))) this.#entries.set(key.slice(prefix.length), value);
  }

  get(key: string): string | undefined {
    return this.#entries.has(key) ? this.#valueOf(key) : undefined;
  }

  put(key: string, value: string): void {
    if (!this.#entries.has(key)) this.#sorted = undefined;
    this.#entries.set(key, value.length > LONGEST_HELD ? undefined : value);
    this.#journal.put(this.#prefix + key, value);
  }

  delete(key: string): void {
    if (!this.#entries.delete(key)) return;
    this.#sorted = undefined;
    this.#journal.delete(this.#prefix + key);
  }

  entries(prefix = ''): readonly (readonly [string, string])[] {
    this.#sorted ??= [...this.#entries.keys()].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    const sorted = this.#sorted;
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sorted[middle]! < prefix) low = middle + 1;
      else high = middle;
    }
    const found: (readonly [string, string])[] = [];
    for (let at = low; at < sorted.length && sorted[at]!.startsWith(prefix); at++) found.push([sorted[at]!, this.#valueOf(sorted[at]!)]);
    return found;
  }

  #valueOf(key: string): string {
    const value = this.#entries.get(key) ?? this.#journal.get(this.#prefix + key);
    invariant(value !== undefined, 'the journal has what the database put there');
    return value;
  }

  erase(): void {
    for (const key of [...this.#entries.keys()]) this.delete(key);
  }
}
