// Models the ids of an etcd cluster and its members, which come from where the peers are reached and the cluster's token.

import { sha1 } from '@noble/hashes/legacy.js';
import { utf8 } from '../sim/bytes.ts';
import type { Database } from './mvcc.ts';

export interface Member {
  /** Hexadecimal, as etcd prints it. */
  readonly memberId: string;
  readonly clusterId: string;
  readonly peerUrls: readonly string[];
}

const MEMBER = 'meta/member';
const TERM = 'meta/term';
export const DEFAULT_TOKEN = 'etcd-cluster';

export function memberOf(peerUrls: readonly string[], token: string): Member {
  const id = sha1(utf8([...peerUrls].sort().join('') + token)).slice(0, 8);
  return { memberId: hex(id), clusterId: hex(sha1(id).slice(0, 8)), peerUrls };
}

/** The member a data directory belongs to; undefined for a new one. */
export function storedMember(database: Database): Member | undefined {
  const stored = database.get(MEMBER);
  return stored === undefined ? undefined : (JSON.parse(stored) as Member);
}

export function storeMember(database: Database, member: Member): void {
  database.put(MEMBER, JSON.stringify(member));
}

/** Every start of a member is an election. */
export function nextTerm(database: Database): number {
  const term = Number(database.get(TERM) ?? '1') + 1;
  database.put(TERM, String(term));
  return term;
}

export function currentTerm(database: Database): number {
  return Number(database.get(TERM) ?? '2');
}

/** Sixteen digits without leading zeros, as Go's %x has it. */
function hex(bytes: Uint8Array): string {
  return [...bytes]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('')
    .replace(/^0+/, '');
}

/** An id as JSON and protobuf show it. */
export function decimalOf(id: string): string {
  return BigInt(`0x${id}`).toString();
}

/** Ours are smaller, which leaves room for the digits all of a member's leases begin with. */
const LARGE = 2 ** 48;

/** The id of a lease as etcdctl prints it. */
export function leaseHex(lease: number): string {
  return lease < LARGE ? `694d${lease.toString(16).padStart(12, '0')}` : lease.toString(16).padStart(16, '0');
}

/** Undefined for what is no hexadecimal number. */
export function leaseOf(text: string): number | undefined {
  if (!/^[0-9a-fA-F]{1,16}$/.test(text)) return undefined;
  const id = BigInt(`0x${text}`);
  const value = id - 0x694d_0000_0000_0000n;
  if (value >= 0n && value < BigInt(LARGE)) return Number(value);
  // Labs of earlier versions have leases of larger numbers.
  return id < 2n ** 53n ? Number(id) : -1;
}
