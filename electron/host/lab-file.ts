// The file a lab is exported to: gzip over JSON lines, a header first. Plain data: nothing in it is ever executed, and
// a foreign file is checked whole before anything of it is used.

import { createHash } from 'node:crypto';
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import { z } from 'zod';
import { prefixEnd, type KvOp, type KvStore, type Revision } from '#engine/store/kv-store.ts';

const FORMAT = 'nobox-lab';
const VERSION = 1;
/** A lab is a few megabytes; what unpacks to more than this is none. */
const MAX_BYTES = 512 * 1024 * 1024;

const HEADER = z.strictObject({
  format: z.literal(FORMAT),
  version: z.int(),
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  keys: z.int(),
  blobs: z.int(),
});
const ENTRY = z.union([
  z.tuple([z.literal('k'), z.string(), z.string()]),
  z.tuple([z.literal('b'), z.string().regex(/^[0-9a-f]{64}$/), z.string()]),
]);

/** The rooms of a lab; keys outside of them are not imported. */
const ROOMS = ['lab/', 'disk/', 'machine/', 'database/'];

/** A file that is no lab; the message is for the user. */
export class LabImportError extends Error {
  override readonly name = 'LabImportError';
}

/** Writes what the lab was at `revision`. The file appears whole or not at all. */
export function exportLab(store: KvStore, revision: Revision, path: string): { readonly keys: number; readonly bytes: number } {
  const packed = packLab(store, revision);
  const partial = `${path}.partial`;
  writeFileSync(partial, packed.bytes);
  renameSync(partial, path);
  return { keys: packed.keys, bytes: packed.bytes.length };
}

export function packLab(store: KvStore, revision: Revision): { readonly bytes: Uint8Array; readonly keys: number } {
  const digests = new Set<string>();
  const lines: string[] = [];
  for (const { key, value } of store.range('', { end: prefixEnd(''), atRevision: revision }).kvs) {
    if (!ROOMS.some((room) => key.startsWith(room))) continue;
    lines.push(JSON.stringify(['k', key, value]));
    for (const match of value.matchAll(/"([0-9a-f]{64})"/g)) if (store.hasBlob(match[1]!)) digests.add(match[1]!);
  }
  const keys = lines.length;
  for (const digest of digests) lines.push(JSON.stringify(['b', digest, Buffer.from(store.blob(digest)).toString('base64')]));
  const body = `${lines.join('\n')}\n`;
  const header = { format: FORMAT, version: VERSION, digest: createHash('sha256').update(body).digest('hex'), keys, blobs: digests.size };
  return { bytes: gzipSync(`${JSON.stringify(header)}\n${body}`, { level: 6 }), keys };
}

export interface ImportedLab {
  readonly entries: ReadonlyMap<string, string>;
  readonly blobs: ReadonlyMap<string, Uint8Array>;
}

/** Reads and checks a whole file. Throws LabImportError. */
export function readLabFile(path: string): ImportedLab {
  let bytes: Uint8Array;
  try {
    if (statSync(path).size > MAX_BYTES) throw new LabImportError(`${path} is too large for a lab`);
    bytes = readFileSync(path);
  } catch (error) {
    if (error instanceof LabImportError) throw error;
    throw new LabImportError(`cannot read ${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
  return unpackLab(bytes, path);
}

export function unpackLab(bytes: Uint8Array, name: string): ImportedLab {
  let content: string;
  try {
    content = gunzipSync(bytes, { maxOutputLength: MAX_BYTES }).toString('utf8');
  } catch (error) {
    if (error instanceof RangeError) throw new LabImportError(`${name} is too large for a lab`);
    throw new LabImportError(`${name} is not a lab of NoBox`);
  }
  const newline = content.indexOf('\n');
  const header = HEADER.safeParse(parse(content.slice(0, newline)));
  if (!header.success) throw new LabImportError(`${name} is not a lab of NoBox`);
  if (header.data.version > VERSION)
    throw new LabImportError(`${name} was written by a newer NoBox (format ${header.data.version}, this one knows ${VERSION})`);
  const body = content.slice(newline + 1);
  if (createHash('sha256').update(body).digest('hex') !== header.data.digest)
    throw new LabImportError(`${name} is damaged: its contents do not match its digest`);
  const entries = new Map<string, string>();
  const blobs = new Map<string, Uint8Array>();
  for (const line of body.split('\n')) {
    if (line === '') continue;
    const entry = ENTRY.safeParse(parse(line));
    if (!entry.success) throw new LabImportError(`${name} is damaged: a record is malformed`);
    const [kind, key, value] = entry.data;
    if (kind === 'k') {
      if (!ROOMS.some((room) => key.startsWith(room)))
        throw new LabImportError(`${name} holds a key that is no part of a lab: ${key.slice(0, 80)}`);
      entries.set(key, value);
      continue;
    }
    const contents = Buffer.from(value, 'base64');
    if (createHash('sha256').update(contents).digest('hex') !== key)
      throw new LabImportError(`${name} is damaged: a file's contents do not match their digest`);
    blobs.set(key, contents);
  }
  return { entries, blobs };
}

/** Makes the store's present equal to the imported lab, as one revision. */
export function importLab(store: KvStore, lab: ImportedLab): Revision {
  for (const [digest, contents] of lab.blobs) store.putBlob(digest, contents);
  const ops: KvOp[] = [];
  for (const room of ROOMS) {
    for (const { key } of store.range(room, { end: prefixEnd(room) }).kvs) if (!lab.entries.has(key)) ops.push({ op: 'delete', key });
  }
  for (const [key, value] of lab.entries) ops.push({ op: 'put', key, value });
  return store.commit(ops);
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
