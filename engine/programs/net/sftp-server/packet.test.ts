import { expect, test } from 'vitest';
import { concat } from '../../../sim/bytes.ts';
import type { ByteSource } from '../../../sim/stream.ts';
import { longName, readAttributes, writeStat } from './attributes.ts';
import { BadPacket, PacketReader, PacketStream, PacketWriter } from './packet.ts';

function sourceOf(chunks: readonly Uint8Array[]): ByteSource {
  const rest = [...chunks];
  return { read: () => Promise.resolve(rest.shift()) };
}

test('fields come out as they went in', () => {
  const body = new PacketWriter()
    .byte(3)
    .uint32(7)
    .string('파드')
    .uint64(2 ** 40)
    .bytes(Uint8Array.of(1, 2))
    .body();
  const reader = new PacketReader(body);
  expect([reader.byte(), reader.uint32(), reader.string(), reader.uint64(), [...reader.bytes()]]).toEqual([3, 7, '파드', 2 ** 40, [1, 2]]);
});

test('packets are cut out of a stream wherever its chunks end', async () => {
  const whole = concat([new PacketWriter().string('one').packet(), new PacketWriter().string('two').packet()]);
  for (let size = 1; size <= whole.length; size++) {
    const chunks = Array.from({ length: Math.ceil(whole.length / size) }, (_, i) => whole.subarray(i * size, (i + 1) * size));
    const stream = new PacketStream(sourceOf(chunks));
    const first = await stream.next();
    const second = await stream.next();
    expect([new PacketReader(first!).string(), new PacketReader(second!).string(), await stream.next()]).toEqual(['one', 'two', undefined]);
  }
});

test('a length that no client sends ends the session', async () => {
  await expect(new PacketStream(sourceOf([Uint8Array.of(0x7f, 0, 0, 0)])).next()).rejects.toThrow(BadPacket);
  expect(() => new PacketReader(Uint8Array.of(0, 0, 0, 9, 1)).string()).toThrow(BadPacket);
});

const STAT = {
  kind: 'file',
  dev: 1,
  ino: 2,
  mode: 0o644,
  nlink: 1,
  uid: 0,
  gid: 0,
  rdev: 0,
  sizeBytes: 158,
  atimeMs: Date.UTC(2026, 0, 1),
  mtimeMs: Date.UTC(2026, 0, 1),
  ctimeMs: 0,
} as const;

test('attributes of a file', () => {
  expect(readAttributes(new PacketReader(writeStat(STAT)))).toEqual({
    size: 158,
    owner: { uid: 0, gid: 0 },
    mode: 0o644,
    times: { atimeMs: STAT.atimeMs, mtimeMs: STAT.mtimeMs },
  });
});

test.each([
  ['a young file', Date.UTC(2026, 0, 2), '-rw-r--r--    1 root     root          158 Jan  1 09:00 hosts'],
  ['an old file', Date.UTC(2027, 0, 2), '-rw-r--r--    1 root     root          158 Jan  1  2026 hosts'],
])('the long name of %s', (_, nowMs, want) => {
  expect(longName('hosts', STAT, { user: 'root', group: 'root', nowMs })).toBe(want);
});
