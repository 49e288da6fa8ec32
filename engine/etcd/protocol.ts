// The wire between etcd and its clients: frames of a four-byte length, a line of JSON, and the values the line measures.
// Verbs are those of etcd's v3 API. Not modelled: gRPC; nobody but our own API server and etcdctl speaks to it.

import { text, utf8 } from '../sim/bytes.ts';
import type { Connection } from '../sim/stream.ts';

export interface KeyValue {
  readonly key: string;
  readonly value: string;
  readonly create: number;
  readonly mod: number;
  readonly version: number;
  readonly lease: number;
}

export type Compare =
  | { readonly key: string; readonly mod: number }
  | { readonly key: string; readonly exists: boolean }
  | {
      readonly key: string;
      readonly target: 'mod' | 'create' | 'version' | 'value' | 'lease';
      readonly is: '=' | '!=' | '<' | '>';
      readonly than: number | string;
    };

export interface RangeOptions {
  readonly end?: string | undefined;
  readonly revision?: number | undefined;
  readonly limit?: number | undefined;
  readonly keysOnly?: boolean | undefined;
  readonly countOnly?: boolean | undefined;
}

export type Op =
  | { readonly op: 'put'; readonly key: string; readonly value: string; readonly lease?: number; readonly previous?: boolean }
  | { readonly op: 'delete'; readonly key: string; readonly end?: string; readonly previous?: boolean }
  | ({ readonly op: 'range'; readonly key: string } & RangeOptions);

export interface RangeAnswer {
  readonly kvs: readonly KeyValue[];
  readonly count: number;
  readonly more: boolean;
}

export type EtcdEvent =
  | { readonly type: 'put'; readonly kv: KeyValue; readonly previous?: KeyValue | undefined }
  /** `previous` is what was deleted, when the watch asked for it. */
  | { readonly type: 'delete'; readonly key: string; readonly mod: number; readonly previous?: KeyValue | undefined };

export type Call =
  | ({ readonly verb: 'range'; readonly key: string } & RangeOptions)
  | { readonly verb: 'txn'; readonly when: readonly Compare[]; readonly then: readonly Op[]; readonly otherwise: readonly Op[] }
  /** Events after `revision`; one that lies ahead is waited for, as etcd does. */
  | { readonly verb: 'watch'; readonly key: string; readonly end?: string; readonly revision: number; readonly previous?: boolean }
  | { readonly verb: 'cancel'; readonly watch: number }
  | { readonly verb: 'compact'; readonly revision: number }
  | { readonly verb: 'grant'; readonly ttlSeconds: number }
  | { readonly verb: 'revoke'; readonly lease: number }
  | { readonly verb: 'keepalive'; readonly lease: number }
  | { readonly verb: 'timetolive'; readonly lease: number }
  | { readonly verb: 'leases' }
  | { readonly verb: 'revision' }
  | { readonly verb: 'defragment' }
  | { readonly verb: 'hash'; readonly revision: number }
  | { readonly verb: 'alarms'; readonly disarm: boolean }
  | { readonly verb: 'snapshot' }
  | { readonly verb: 'status' };

export interface RangeResult extends RangeAnswer {
  readonly revision: number;
}
export interface TxnResult {
  readonly succeeded: boolean;
  readonly revision: number;
  /** One for each operation that ran: a range's answer, what a delete took, what a put replaced. */
  readonly results: readonly OpResult[];
}
export type OpResult = RangeAnswer | { readonly deleted: number; readonly previous?: readonly KeyValue[] } | PutResult | null;
export interface PutResult {
  readonly replaced: KeyValue | undefined;
}
export interface StatusResult {
  readonly version: string;
  readonly revision: number;
  readonly compacted: number;
  readonly dbSizeBytes: number;
  readonly dbSizeInUseBytes: number;
  readonly memberId: string;
  readonly clusterId: string;
  readonly name: string;
  readonly peerUrls: readonly string[];
  readonly clientUrls: readonly string[];
  readonly raftTerm: number;
  readonly raftIndex: number;
  readonly alarms: readonly string[];
}
export interface RevisionResult {
  readonly revision: number;
  /** Which data this is: another data directory or a restored snapshot has another identity. */
  readonly identity: string;
}
export interface LeaseResult {
  readonly ttlSeconds: number;
  readonly grantedSeconds: number;
  readonly keys: readonly string[];
}
export interface SnapshotResult {
  readonly revision: number;
  readonly kvs: readonly KeyValue[];
  readonly sizeBytes: number;
}

export type Frame =
  | { readonly id: number; readonly call: Call }
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: string }
  | { readonly id: number; readonly events: readonly EtcdEvent[]; readonly revision: number };

export const COMPACTED = 'etcdserver: mvcc: required revision has been compacted';
export const FUTURE_REVISION = 'etcdserver: mvcc: required revision is a future revision';
export const LEASE_NOT_FOUND = 'etcdserver: requested lease not found';
export const TOO_LARGE = 'etcdserver: request is too large';
export const NO_SPACE = 'etcdserver: mvcc: database space exceeded';
export const DUPLICATE_KEY = 'etcdserver: duplicate key given in txn request';
export const TOO_MANY_OPERATIONS = 'etcdserver: too many operations in txn request';
export const EMPTY_KEY = 'etcdserver: key is not provided';

/** The end of the range of all keys with a prefix. */
export function prefixEnd(prefix: string): string {
  if (prefix === '') return '\u{10ffff}';
  const last = prefix.charCodeAt(prefix.length - 1);
  return prefix.slice(0, -1) + String.fromCharCode(last + 1);
}

/** A key-value on the wire: its value follows the line, this says how long it is. */
/** What most frames are is written as lists, which are read faster than objects; these say what a list is. */
const TXN = 1;
const EVENTS = 2;
const RESULT = 3;

type PackedOp = string | readonly [key: string, length: number] | Op;
type PackedEvent = readonly [Packed, Packed | null] | readonly [key: string, mod: number, previous: Packed | null];
type PackedResult = {
  kvs?: Packed[];
  count?: number;
  more?: boolean;
  deleted?: number;
  previous?: Packed[];
  replaced?: Packed | null;
} | null;
type PackedFrame =
  | readonly [typeof TXN, number, Parameters<typeof unpackCompare>[0][], PackedOp[], PackedOp[]]
  | readonly [typeof EVENTS, number, number, PackedEvent[]]
  | readonly [typeof RESULT, number, boolean, number, PackedResult[]];

type Packed = readonly [key: string, create: number, mod: number, version: number, lease: number, length: number];
const NEWLINE = '\n';

export function encodeFrame(frame: Frame): Uint8Array {
  const values: string[] = [];
  const line = JSON.stringify(packed(frame, values));
  // The four bytes in front become the length.
  const bytes = utf8(`\0\0\0\0${line}${NEWLINE}${values.length === 1 ? values[0]! : values.join('')}`);
  const length = bytes.length - 4;
  bytes[0] = length >>> 24;
  bytes[1] = length >>> 16;
  bytes[2] = length >>> 8;
  bytes[3] = length;
  return bytes;
}

function pack(kv: KeyValue, values: string[]): Packed {
  values.push(kv.value);
  return [kv.key, kv.create, kv.mod, kv.version, kv.lease, kv.value.length];
}

function packMaybe(kv: KeyValue | undefined, values: string[]): Packed | null {
  return kv === undefined ? null : pack(kv, values);
}

function packed(frame: Frame, values: string[]): unknown {
  if ('call' in frame) {
    if (frame.call.verb !== 'txn') return frame;
    const packOp = (op: Op): unknown => {
      if (op.op === 'range') return isPlainRange(op) ? op.key : op;
      if (op.op !== 'put') return op;
      values.push(op.value);
      const { length } = op.value;
      return op.lease === undefined && op.previous === undefined ? [op.key, length] : { ...op, value: length };
    };
    const { when, then, otherwise } = frame.call;
    return [TXN, frame.id, when.map(packCompare), then.map(packOp), otherwise.map(packOp)];
  }
  if ('events' in frame) {
    const events = frame.events.map((event) =>
      event.type === 'put'
        ? [pack(event.kv, values), packMaybe(event.previous, values)]
        : [event.key, event.mod, packMaybe(event.previous, values)],
    );
    return [EVENTS, frame.id, frame.revision, events];
  }
  if (!('result' in frame) || typeof frame.result !== 'object' || frame.result === null) return frame;
  const result = frame.result as Partial<RangeResult> & Partial<TxnResult>;
  if (result.kvs !== undefined) return { id: frame.id, range: { ...result, kvs: result.kvs.map((kv) => pack(kv, values)) } };
  if (result.results === undefined) return frame;
  const results = result.results.map((each) => {
    if (each === null) return null;
    if ('kvs' in each) return { ...each, kvs: each.kvs.map((kv) => pack(kv, values)) };
    if ('deleted' in each) return { deleted: each.deleted, previous: each.previous?.map((kv) => pack(kv, values)) };
    return { replaced: packMaybe(each.replaced, values) };
  });
  return [RESULT, frame.id, result.succeeded, result.revision, results];
}

function packCompare(compare: Compare): unknown {
  if ('exists' in compare) return [compare.key, compare.exists];
  return 'mod' in compare ? [compare.key, compare.mod] : compare;
}

function unpackCompare(packed: Compare | readonly [string, boolean | number]): Compare {
  if (!Array.isArray(packed)) return packed as Compare;
  const [key, value] = packed as readonly [string, boolean | number];
  return typeof value === 'boolean' ? { key, exists: value } : { key, mod: value };
}

function isPlainRange({ end, revision, limit, keysOnly, countOnly }: RangeOptions): boolean {
  return end === undefined && revision === undefined && limit === undefined && keysOnly === undefined && countOnly === undefined;
}

function decodeFrame(body: string): Frame {
  const end = body.indexOf(NEWLINE);
  let at = end + 1;
  const value = (length: number): string => body.slice(at, (at += length));
  const unpack = ([key, create, mod, version, lease, length]: Packed): KeyValue => ({
    key,
    value: value(length),
    create,
    mod,
    version,
    lease,
  });
  const unpackMaybe = (kv: Packed | null | undefined): KeyValue | undefined => (kv === null || kv === undefined ? undefined : unpack(kv));
  const line = JSON.parse(body.slice(0, end)) as PackedFrame | (Record<string, unknown> & { id: number });
  if (!Array.isArray(line)) {
    const { id, range } = line as { id: number; range?: { kvs: Packed[] } };
    if (range !== undefined) return { id, result: { ...range, kvs: range.kvs.map(unpack) } };
    return line as unknown as Frame;
  }
  const frame = line as PackedFrame;
  const id = frame[1];
  switch (frame[0]) {
    case TXN: {
      const unpackOp = (op: PackedOp): Op => {
        if (typeof op === 'string') return { op: 'range', key: op };
        if ('op' in op) return op.op === 'put' ? { ...op, value: value(op.value as unknown as number) } : op;
        return { op: 'put', key: op[0], value: value(op[1]) };
      };
      const [, , when, then, otherwise] = frame;
      return { id, call: { verb: 'txn', when: when.map(unpackCompare), then: then.map(unpackOp), otherwise: otherwise.map(unpackOp) } };
    }
    case EVENTS: {
      const events = frame[3].map((event): EtcdEvent => {
        if (typeof event[0] === 'string')
          return { type: 'delete', key: event[0], mod: event[1] as number, previous: unpackMaybe(event[2]) };
        return { type: 'put', kv: unpack(event[0]), previous: unpackMaybe(event[1] as Packed | null) };
      });
      return { id, events, revision: frame[2] };
    }
    case RESULT: {
      const results = frame[4].map((each): OpResult => {
        if (each === null) return null;
        if (each.kvs !== undefined) return { kvs: each.kvs.map(unpack), count: each.count!, more: each.more! };
        if (each.deleted !== undefined)
          return { deleted: each.deleted, ...(each.previous === undefined ? {} : { previous: each.previous.map(unpack) }) };
        return { replaced: unpackMaybe(each.replaced) };
      });
      return { id, result: { succeeded: frame[2], revision: frame[3], results } };
    }
  }
}

const READ_BYTES = 1024 * 1024;

/** Hands frames on as they arrive; resolves when the peer closes. */
export async function readFrames(connection: Connection, handle: (frame: Frame) => void): Promise<void> {
  let chunks: Uint8Array[] = [];
  let held = 0;
  for (;;) {
    const chunk = await connection.read(READ_BYTES);
    if (chunk === undefined) return;
    chunks.push(chunk);
    held += chunk.length;
    if (chunks.length > 1 && held < lengthOf(chunks) + 4) continue;
    const bytes = chunks.length === 1 ? chunk : joined(chunks, held);
    let at = 0;
    while (bytes.length - at >= 4) {
      const length = lengthAt(bytes, at);
      if (bytes.length - at - 4 < length) break;
      const body = text(bytes.subarray(at + 4, at + 4 + length));
      at += 4 + length;
      handle(decodeFrame(body));
    }
    held = bytes.length - at;
    chunks = held === 0 ? [] : [bytes.slice(at)];
  }
}

/** The length the first frame announces; 0 when not even that is there. */
function lengthOf(chunks: readonly Uint8Array[]): number {
  const first = chunks[0]!;
  if (first.length < 4) return 0;
  return lengthAt(first, 0);
}

function lengthAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const out = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    out.set(chunk, at);
    at += chunk.length;
  }
  return out;
}
