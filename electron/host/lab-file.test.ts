import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MemoryStore } from '#engine/store/memory-store.ts';
import { exportLab, importLab, readLabFile } from './lab-file.ts';

let folder: string;
let file: string;
let store: MemoryStore;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nobox-file-'));
  file = join(folder, 'a.lab');
  store = new MemoryStore();
  const contents = Buffer.from('large contents');
  const digest = createHash('sha256').update(contents).digest('hex');
  store.putBlob(digest, contents);
  store.commit([
    { op: 'put', key: 'disk/m-k8s/root/메모', value: `{"blob":"${digest}"}` },
    { op: 'put', key: 'machine/m-k8s/power', value: '"on"' },
    { op: 'put', key: 'history/snapshot/s1', value: '{}' },
  ]);
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Rewrites the unpacked text of the file. */
function tamper(change: (text: string) => string): void {
  const bytes = gzipSync(change(gunzipSync(exportedBytes()).toString('utf8')));
  writeFileSync(file, bytes);
}
function exportedBytes(): Uint8Array {
  exportLab(store, store.revision, file);
  return readFileSync(file);
}

describe('an exported lab', () => {
  it('comes back whole, without the history', () => {
    exportLab(store, store.revision, file);
    const other = new MemoryStore();
    other.commit([{ op: 'put', key: 'disk/m-k8s/old', value: 'x' }]);
    importLab(other, readLabFile(file));
    expect(other.range('', { end: '\u{10ffff}' }).kvs.map((kv) => kv.key)).toEqual(['disk/m-k8s/root/메모', 'machine/m-k8s/power']);
  });

  it.each([
    { name: 'no gzip', make: () => writeFileSync(file, 'hello'), want: 'is not a lab of NoBox' },
    {
      name: 'a changed byte',
      make: () => tamper((text) => text.replace('"on\\"', '"no\\"').replace('on', 'no')),
      want: /is damaged|is not a lab/,
    },
    {
      name: 'a newer format',
      make: () => tamper((text) => text.replace('"version":1', '"version":9')),
      want: 'was written by a newer NoBox',
    },
    { name: 'a missing file', make: () => undefined, want: 'cannot read' },
  ])('$name is refused with a plain message', ({ make, want }) => {
    make();
    expect(() => readLabFile(file)).toThrow(want);
  });

  it('with a key outside of its rooms is refused', () => {
    const body = `${JSON.stringify(['k', 'history/snapshot/s9', '{}'])}\n`;
    const digest = createHash('sha256').update(body).digest('hex');
    writeFileSync(file, gzipSync(`${JSON.stringify({ format: 'nobox-lab', version: 1, digest, keys: 1, blobs: 0 })}\n${body}`));
    expect(() => readLabFile(file)).toThrow('holds a key that is no part of a lab');
  });
});
