// The wire between etcd and its clients: frames of a four-byte length and JSON. Verbs are those of etcd's v3 API.
// Not modelled: gRPC; nobody but our own API server and etcdctl speaks to it.

import { concat, text, utf8 } from '../sim/bytes.ts';
import type { Connection } from '../sim/stream.ts';

export interface KeyValue {
  readonly key: string;
  readonly value: string;
  readonly create: number;
  readonly mod: number;
  readonly version: number;
  readonly lease: number;
}

export type Compare = { readonly key: string; readonly mod: number } | { readonly key: string; readonly exists: boolean };

export type Op =
  | { readonly op: 'put'; readonly key: string; readonly value: string; readonly lease?: number }
  | { readonly op: 'delete'; readonly key: string; readonly end?: string }
  | { readonly op: 'range'; readonly key: string; readonly end?: string; readonly limit?: number; readonly keysOnly?: boolean };

export interface RangeAnswer {
  readonly kvs: readonly KeyValue[];
  readonly count: number;
  readonly more: boolean;
}

export type EtcdEvent =
  | { readonly type: 'put'; readonly kv: KeyValue }
  /** `previous` is what was deleted. */
  | { readonly type: 'delete'; readonly key: string; readonly mod: number; readonly previous: KeyValue | undefined };

export type Call =
  | {
      readonly verb: 'range';
      readonly key: string;
      readonly end?: string;
      readonly revision?: number;
      readonly limit?: number;
      readonly keysOnly?: boolean;
    }
  | { readonly verb: 'txn'; readonly when: readonly Compare[]; readonly then: readonly Op[]; readonly otherwise: readonly Op[] }
  | { readonly verb: 'watch'; readonly key: string; readonly end?: string; readonly revision: number }
  | { readonly verb: 'cancel'; readonly watch: number }
  | { readonly verb: 'compact'; readonly revision: number }
  | { readonly verb: 'grant'; readonly ttlSeconds: number }
  | { readonly verb: 'revoke'; readonly lease: number }
  | { readonly verb: 'status' };

export interface RangeResult extends RangeAnswer {
  readonly revision: number;
}
export interface TxnResult {
  readonly succeeded: boolean;
  readonly revision: number;
  /** One for each operation that ran: a range's answer, or how many keys a delete took; null for a put. */
  readonly results: readonly (RangeAnswer | { readonly deleted: number } | null)[];
}
export interface StatusResult {
  readonly version: string;
  readonly revision: number;
  readonly compacted: number;
  readonly dbSizeBytes: number;
  readonly memberId: string;
  readonly name: string;
  readonly raftTerm: number;
  readonly raftIndex: number;
}

export type Frame =
  | { readonly id: number; readonly call: Call }
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: string }
  | { readonly id: number; readonly events: readonly EtcdEvent[]; readonly revision: number };

export const COMPACTED = 'etcdserver: mvcc: required revision has been compacted';
export const FUTURE_REVISION = 'etcdserver: mvcc: required revision is a future revision';
export const LEASE_NOT_FOUND = 'etcdserver: requested lease not found';

/** The end of the range of all keys with a prefix. */
export function prefixEnd(prefix: string): string {
  if (prefix === '') return '\u{10ffff}';
  const last = prefix.charCodeAt(prefix.length - 1);
  return prefix.slice(0, -1) + String.fromCharCode(last + 1);
}

export function encodeFrame(frame: Frame): Uint8Array {
  const body = utf8(JSON.stringify(frame));
  const out = new Uint8Array(body.length + 4);
  new DataView(out.buffer).setUint32(0, body.length);
  out.set(body, 4);
  return out;
}

/** Frames as they arrive; ends when the peer closes. */
export async function* framesOf(connection: Connection): AsyncIterable<Frame> {
  let pending = new Uint8Array(0);
  for (;;) {
    let at = 0;
    while (pending.length - at >= 4) {
      const length = new DataView(pending.buffer, pending.byteOffset + at).getUint32(0);
      if (pending.length - at - 4 < length) break;
      yield JSON.parse(text(pending.subarray(at + 4, at + 4 + length))) as Frame;
      at += 4 + length;
    }
    const rest = pending.subarray(at);
    const chunk = await connection.read();
    if (chunk === undefined) return;
    pending = rest.length === 0 ? new Uint8Array(chunk) : new Uint8Array(concat([rest, chunk]));
  }
}
