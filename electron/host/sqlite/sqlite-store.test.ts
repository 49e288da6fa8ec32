import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeKvStore } from '../../../tests/support/kv-store-contract.ts';
import { LabFileError, SqliteStore } from './sqlite-store.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nobox-store-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describeKvStore('the SQLite store', () => new SqliteStore(join(folder, 'lab.nobox')));

describe('a lab file', () => {
  it('goes on where it was closed', () => {
    const path = join(folder, 'a.nobox');
    const first = new SqliteStore(path);
    first.commit([{ op: 'put', key: 'a', value: '1' }]);
    first.close();
    const second = new SqliteStore(path);
    expect(second.revision).toBe(1);
    expect(second.range('a').kvs[0]?.value).toBe('1');
    second.close();
  });

  it('is open once only', () => {
    const path = join(folder, 'a.nobox');
    const first = new SqliteStore(path);
    first.commit([{ op: 'put', key: 'a', value: '1' }]);
    expect(() => new SqliteStore(path)).toThrow(new LabFileError(`${path} is open in another NoBox`));
    first.close();
  });

  it.each([
    { name: 'text', make: (path: string) => writeFileSync(path, 'not a database, '.repeat(100)), want: 'is not a lab of NoBox' },
    {
      name: 'another database',
      make: (path: string) => new Database(path).exec('CREATE TABLE t (a)').close(),
      want: 'is a database, but not a lab of NoBox',
    },
    {
      name: 'a newer lab',
      make: (path: string) => new SqliteStore(path).close() ?? new Database(path).exec('PRAGMA user_version = 99').close(),
      want: 'was written by a newer NoBox (format 99, this one knows 1)',
    },
    { name: 'a folder', make: () => undefined, want: 'cannot open' },
  ])('$name is refused with a plain message', ({ name, make, want }) => {
    const path = name === 'a folder' ? folder : join(folder, 'x');
    make(path);
    expect(() => new SqliteStore(path)).toThrow(want);
  });
});
