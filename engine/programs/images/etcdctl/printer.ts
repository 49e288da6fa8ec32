// etcdctl's forms of output: simple, fields, JSON and tables.

import { utf8 } from '../../../sim/bytes.ts';
import { decimalOf } from '../../../etcd/membership.ts';
import type { KeyValue, StatusResult } from '../../../etcd/protocol.ts';
import { EXIT_BAD_FEATURE, Failure } from './failure.ts';

/** The header of an answer; its ids are too large for a number. */
export interface Header {
  readonly clusterId: string;
  readonly memberId: string;
  readonly revision: number;
  readonly term: number;
}

export function headerOf(status: StatusResult, revision = status.revision): Header {
  return { clusterId: status.clusterId, memberId: status.memberId, revision, term: status.raftTerm };
}

export function headerJson({ clusterId, memberId, revision, term }: Header): string {
  return `"header":{"cluster_id":${decimalOf(clusterId)},"member_id":${decimalOf(memberId)},"revision":${revision},"raft_term":${term}}`;
}

export function headerFields({ clusterId, memberId, revision, term }: Header): string {
  return `"ClusterID" : ${decimalOf(clusterId)}\n"MemberID" : ${decimalOf(memberId)}\n"Revision" : ${revision}\n"RaftTerm" : ${term}\n`;
}

const base64 = (text: string): string => btoa(String.fromCharCode(...utf8(text)));

export function kvJson(kv: KeyValue): string {
  const fields = [
    `"key":"${base64(kv.key)}"`,
    `"create_revision":${kv.create}`,
    `"mod_revision":${kv.mod}`,
    `"version":${kv.version}`,
    ...(kv.value === '' ? [] : [`"value":"${largeBase64(kv.value)}"`]),
    ...(kv.lease === 0 ? [] : [`"lease":${leaseDecimal(kv.lease)}`]),
  ];
  return `{${fields.join(',')}}`;
}

/** Values may be longer than a call can have arguments. */
function largeBase64(value: string): string {
  let binary = '';
  for (const byte of utf8(value)) binary += String.fromCharCode(byte);
  return btoa(binary);
}

export function leaseDecimal(lease: number): string {
  return lease === 0 ? '0' : (0x694d_0000_0000_0000n + BigInt(lease)).toString();
}

export function kvFields(kv: KeyValue, prefix = ''): string {
  return `"${prefix}Key" : ${JSON.stringify(kv.key)}\n"${prefix}CreateRevision" : ${kv.create}\n"${prefix}ModRevision" : ${kv.mod}\n"${prefix}Version" : ${kv.version}\n"${prefix}Value" : ${JSON.stringify(kv.value)}\n"${prefix}Lease" : ${leaseDecimal(kv.lease)}\n`;
}

export function kvSimple(kv: KeyValue, options: { readonly hex?: boolean; readonly valueOnly?: boolean } = {}): string {
  const shown = (text: string): string =>
    options.hex === true ? [...utf8(text)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('') : text;
  return `${options.valueOnly === true ? '' : `${shown(kv.key)}\n`}${shown(kv.value)}\n`;
}

/** A format that a command does not have. */
export function unsupported(format: string): Failure {
  return new Failure(`${format === 'table' ? 'table' : format} is not supported as output format`, EXIT_BAD_FEATURE);
}

/** As tablewriter draws it for etcdctl: headings centred, cells to the right. */
export function drawTable(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = headings.map((heading, index) => Math.max(heading.length, ...rows.map((row) => row[index]!.length)));
  const rule = `+${widths.map((width) => '-'.repeat(width + 2)).join('+')}+\n`;
  const centred = (text: string, width: number): string => {
    const left = Math.floor((width - text.length) / 2);
    return ' '.repeat(left) + text + ' '.repeat(width - text.length - left);
  };
  const line = (cells: readonly string[]): string => `|${cells.map((each) => ` ${each} `).join('|')}|\n`;
  const head = line(headings.map((heading, index) => centred(heading, widths[index]!)));
  return rule + head + rule + rows.map((row) => line(row.map((each, index) => each.padStart(widths[index]!)))).join('') + rule;
}

/** As go-humanize writes sizes. */
export function sizeOf(bytes: number): string {
  if (bytes < 10) return `${bytes} B`;
  const units = ['B', 'kB', 'MB', 'GB'];
  let unit = 0;
  let size = bytes;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit++;
  }
  const rounded = Math.floor(size * 10 + 0.5) / 10;
  return `${rounded < 10 ? rounded.toFixed(1) : String(halfToEven(rounded))} ${units[unit]!}`;
}

/** Go's %.0f. */
function halfToEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
