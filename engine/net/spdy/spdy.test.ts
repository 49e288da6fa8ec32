import { describe, expect, it } from 'vitest';
import { connectionPair } from '../../sim/connection-pair.ts';
import { concat, text, utf8 } from '../../sim/bytes.ts';
import { SeededRng } from '../../sim/rng.ts';
import { headerDictionary } from './dictionary.ts';
import { SpdyDecoder, SpdyEncoder, SpdyError, type SpdyFrame } from './frames.ts';
import { SpdySession } from './session.ts';

const headers = (entries: Readonly<Record<string, string>>): ReadonlyMap<string, readonly string[]> =>
  new Map(Object.entries(entries).map(([name, value]) => [name, [value]]));

const FRAMES: readonly SpdyFrame[] = [
  {
    type: 'syn-stream',
    stream: 1,
    associated: 0,
    priority: 0,
    isLast: false,
    isUnidirectional: false,
    headers: headers({ streamtype: 'error' }),
  },
  {
    type: 'syn-stream',
    stream: 3,
    associated: 0,
    priority: 2,
    isLast: true,
    isUnidirectional: true,
    headers: headers({ streamtype: 'stdin' }),
  },
  { type: 'syn-reply', stream: 1, isLast: false, headers: new Map() },
  { type: 'headers', stream: 1, isLast: true, headers: new Map([['a', ['1', '2']]]) },
  { type: 'data', stream: 1, isLast: false, bytes: utf8('hello') },
  { type: 'data', stream: 3, isLast: true, bytes: new Uint8Array() },
  { type: 'rst-stream', stream: 3, status: 5 },
  { type: 'settings', values: new Map([[7, 65536]]) },
  { type: 'ping', id: 0xfffffffe },
  { type: 'goaway', lastGoodStream: 3, status: 0 },
  { type: 'window-update', stream: 1, delta: 1000 },
];

describe('SPDY frames', () => {
  it('have the dictionary the protocol prescribes', () => {
    let [a, b] = [1, 0];
    for (const byte of headerDictionary()) {
      a = (a + byte) % 65521;
      b = (b + a) % 65521;
    }
    expect([headerDictionary().length, a, b]).toEqual([1423, 0xa7c2, 0xe3c6]);
  });

  it.each([1, 2, 7, 1000])('come out as they went in, cut into pieces of %i bytes', (size) => {
    const encoder = new SpdyEncoder();
    const wire = concat(FRAMES.map((frame) => encoder.encode(frame)));
    const decoder = new SpdyDecoder();
    const out: SpdyFrame[] = [];
    for (let at = 0; at < wire.length; at += size) out.push(...decoder.push(wire.slice(at, at + size)));
    expect(out).toEqual(FRAMES);
  });

  it.each([
    ['another version', Uint8Array.of(0x80, 2, 0, 6, 0, 0, 0, 4, 0, 0, 0, 1)],
    ['a ping that is too short', Uint8Array.of(0x80, 3, 0, 6, 0, 0, 0, 0)],
    ['headers that are no zlib', Uint8Array.of(0x80, 3, 0, 1, 0, 0, 0, 14, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4)],
    ['a stream zero', Uint8Array.of(0x80, 3, 0, 2, 0, 0, 0, 4, 0, 0, 0, 0)],
    ['data of no stream', Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1, 65)],
  ])('refuses %s', (_, wire) => {
    expect(() => [...new SpdyDecoder().push(wire)]).toThrow(SpdyError);
  });

  it('either decodes or refuses whatever arrives', () => {
    const rng = new SeededRng(20);
    const encoder = new SpdyEncoder();
    const wire = concat(FRAMES.map((frame) => encoder.encode(frame)));
    for (let round = 0; round < 3000; round++) {
      const bytes = round % 3 === 0 ? rng.bytes(1 + rng.int(80)) : wire.slice();
      if (round % 3 !== 0) for (let flips = 0; flips <= rng.int(4); flips++) bytes[rng.int(bytes.length)] = rng.int(256);
      const decoder = new SpdyDecoder();
      try {
        for (let at = 0; at < bytes.length; at += 17)
          for (const frame of decoder.push(bytes.subarray(at, at + 17))) expect(frame.type).toBeTypeOf('string');
      } catch (error) {
        expect(error).toBeInstanceOf(SpdyError);
      }
    }
  });
});

describe('SPDY sessions', () => {
  const pair = (): readonly [SpdySession, SpdySession] => {
    const [client, server] = connectionPair();
    return [new SpdySession(client, 'client'), new SpdySession(server, 'server')];
  };
  const all = async (source: { read(): Promise<Uint8Array | undefined> }): Promise<string> => {
    let out = '';
    for (let chunk = await source.read(); chunk !== undefined; chunk = await source.read()) out += text(chunk);
    return out;
  };

  it('carry several streams at once, with half closes', async () => {
    const [client, server] = pair();
    const near = [await client.open(headers({ streamtype: 'stdin' })), await client.open(headers({ streamtype: 'stdout' }))];
    const far = [(await server.accept())!, (await server.accept())!];
    expect(far.map((stream) => stream.header('streamtype'))).toEqual(['stdin', 'stdout']);
    for (const stream of far) await stream.reply();
    await near[0]!.write(utf8('in'));
    await near[0]!.finish();
    expect(await all(far[0]!)).toBe('in');
    await far[1]!.write(utf8('out'));
    await server.close();
    expect(await all(near[1]!)).toBe('out');
    expect(await client.accept()).toBeUndefined();
  });

  it('hold a writer back whose reader does not read', async () => {
    const [client, server] = pair();
    const near = await client.open(headers({ streamtype: 'stdin' }));
    const far = (await server.accept())!;
    let written = 0;
    const writing = (async () => {
      for (; written < 100; written++) await near.write(new Uint8Array(64 * 1024));
      await near.finish();
    })();
    for (let turn = 0; turn < 2000; turn++) await Promise.resolve();
    expect(written).toBeLessThan(30);
    let bytes = 0;
    for (let chunk = await far.read(); chunk !== undefined; chunk = await far.read()) bytes += chunk.length;
    await writing;
    expect(bytes).toBe(100 * 64 * 1024);
  });

  it('obey the windows of a peer that has them', async () => {
    const [raw, end] = connectionPair();
    const server = new SpdySession(end, 'server');
    const encoder = new SpdyEncoder();
    await raw.write(encoder.encode({ type: 'settings', values: new Map([[7, 10]]) }));
    await raw.write(encoder.encode({ ...FRAMES[0]!, stream: 1 } as SpdyFrame));
    const stream = (await server.accept())!;
    const writing = stream.write(new Uint8Array(25));
    const decoder = new SpdyDecoder();
    const sizes: number[] = [];
    for (let total = 0; total < 25;) {
      for (const frame of decoder.push((await raw.read())!)) {
        if (frame.type !== 'data') continue;
        sizes.push(frame.bytes.length);
        total += frame.bytes.length;
        await raw.write(encoder.encode({ type: 'window-update', stream: 1, delta: frame.bytes.length }));
      }
    }
    await writing;
    expect(sizes).toEqual([10, 10, 5]);
  });

  it('end when the peer sends nonsense', async () => {
    const [raw, end] = connectionPair();
    const server = new SpdySession(end, 'server');
    await raw.write(utf8('GET / HTTP/1.1\r\n\r\n plus enough bytes to be a frame of its own, whatever its length says'));
    raw.close();
    expect(await server.accept()).toBeUndefined();
    expect(server.ended.aborted).toBe(true);
  });

  it('refuse a stream number that is not the peer’s to give', async () => {
    const [raw, end] = connectionPair();
    const server = new SpdySession(end, 'server');
    const encoder = new SpdyEncoder();
    await raw.write(encoder.encode({ ...FRAMES[0]!, stream: 2 } as SpdyFrame));
    const [frame] = [...new SpdyDecoder().push((await raw.read())!)];
    expect(frame).toEqual({ type: 'rst-stream', stream: 2, status: 1 });
    await server.close();
  });
});
