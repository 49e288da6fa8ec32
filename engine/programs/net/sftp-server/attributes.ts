// File attributes as SFTP version 3 carries them, and the line of `ls -l` that a listing has beside each name.

import type { Stat } from '../../../kernel/process.ts';
import { PacketWriter, type PacketReader } from './packet.ts';

const HAS = { size: 1, owner: 2, permissions: 4, times: 8, extended: 0x8000_0000 } as const;

const TYPE_BITS: Readonly<Record<Stat['kind'], number>> = {
  file: 0o100000,
  directory: 0o040000,
  symlink: 0o120000,
  pipe: 0o010000,
  character: 0o020000,
  block: 0o060000,
  socket: 0o140000,
};
const TYPE_LETTERS: Readonly<Record<Stat['kind'], string>> = {
  file: '-',
  directory: 'd',
  symlink: 'l',
  pipe: 'p',
  character: 'c',
  block: 'b',
  socket: 's',
};

export interface Attributes {
  readonly size?: number;
  readonly owner?: { readonly uid: number; readonly gid: number };
  readonly mode?: number;
  readonly times?: { readonly atimeMs: number; readonly mtimeMs: number };
}

export function writeStat(stat: Stat): Uint8Array {
  return new PacketWriter()
    .uint32(HAS.size | HAS.owner | HAS.permissions | HAS.times)
    .uint64(stat.sizeBytes)
    .uint32(stat.uid)
    .uint32(stat.gid)
    .uint32(TYPE_BITS[stat.kind] | stat.mode)
    .uint32(Math.floor(stat.atimeMs / 1000))
    .uint32(Math.floor(stat.mtimeMs / 1000))
    .body();
}

export function readAttributes(reader: PacketReader): Attributes {
  const flags = reader.uint32();
  const attributes: Attributes = {
    ...(flags & HAS.size ? { size: reader.uint64() } : {}),
    ...(flags & HAS.owner ? { owner: { uid: reader.uint32(), gid: reader.uint32() } } : {}),
    ...(flags & HAS.permissions ? { mode: reader.uint32() & 0o7777 } : {}),
    ...(flags & HAS.times ? { times: { atimeMs: reader.uint32() * 1000, mtimeMs: reader.uint32() * 1000 } } : {}),
  };
  if (flags & HAS.extended) {
    for (let count = reader.uint32(); count > 0; count--) {
      reader.string();
      reader.string();
    }
  }
  return attributes;
}

/** `-rw-r--r--    1 root     root          158 Jan  1 09:00 hosts`: OpenSSH's ls_file. */
export function longName(
  name: string,
  stat: Stat,
  names: { readonly user: string; readonly group: string; readonly nowMs: number },
): string {
  const bits = [stat.mode >> 6, stat.mode >> 3, stat.mode]
    .map((bit) => `${bit & 4 ? 'r' : '-'}${bit & 2 ? 'w' : '-'}${bit & 1 ? 'x' : '-'}`)
    .join('');
  const facts = [
    `${TYPE_LETTERS[stat.kind]}${bits}`,
    String(stat.nlink).padStart(4),
    names.user.padEnd(8),
    names.group.padEnd(8),
    String(stat.sizeBytes).padStart(8),
    dateOf(stat.mtimeMs, names.nowMs),
    name,
  ];
  return facts.join(' ');
}

const HALF_YEAR_MS = (365 * 86_400_000) / 2;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
/** The machines run in Korean time. */
const KST_MS = 9 * 3_600_000;

function dateOf(mtimeMs: number, nowMs: number): string {
  const date = new Date(mtimeMs + KST_MS);
  const day = `${MONTHS[date.getUTCMonth()]} ${String(date.getUTCDate()).padStart(2)}`;
  if (mtimeMs > nowMs || nowMs - mtimeMs > HALF_YEAR_MS) return `${day}  ${date.getUTCFullYear()}`;
  return `${day} ${date.toISOString().slice(11, 16)}`;
}
