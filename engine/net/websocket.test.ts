import { describe, expect, it } from 'vitest';
import { concat, text, utf8 } from '../sim/bytes.ts';
import { connectionPair } from '../sim/connection-pair.ts';
import { SeededRng } from '../sim/rng.ts';
import { WebSocket, WebSocketDecoder, WebSocketError, webSocketFrame } from './websocket.ts';

/** A frame as a client sends it. */
function masked(opcode: number, payload: Uint8Array, isFinal = true): Uint8Array {
  const mask = Uint8Array.of(1, 2, 3, 4);
  const whole = webSocketFrame(
    opcode,
    payload.map((byte, index) => byte ^ mask[index & 3]!),
  );
  const head = whole.length - payload.length;
  const out = concat([whole.subarray(0, head), mask, whole.subarray(head)]);
  out[1]! |= 0x80;
  if (!isFinal) out[0]! &= 0x7f;
  return out;
}

describe('WebSocket frames', () => {
  it.each([0, 1, 125, 126, 65535, 65536, 200_000])('of %i bytes come out as they went in, in whatever pieces', (size) => {
    const rng = new SeededRng(size);
    const payload = rng.bytes(size);
    const wire = concat([masked(2, payload), webSocketFrame(1, payload)]);
    const decoder = new WebSocketDecoder();
    const out = [];
    for (let at = 0; at < wire.length;) {
      const length = 1 + rng.int(size > 1000 ? 50_000 : 9);
      out.push(...decoder.push(wire.slice(at, at + length)));
      at += length;
    }
    expect(out.map((frame) => [frame.opcode, frame.isMasked, frame.payload.length])).toEqual([
      [2, true, size],
      [1, false, size],
    ]);
    expect(out[0]!.payload).toEqual(payload);
    expect(out[1]!.payload).toEqual(payload);
  });

  it.each([
    ['reserved bits', Uint8Array.of(0xc1, 0)],
    ['an unknown opcode', Uint8Array.of(0x83, 0)],
    ['a ping in pieces', Uint8Array.of(0x09, 0)],
    ['a ping that is too long', Uint8Array.of(0x89, 126, 0, 200)],
    ['a length beyond all limits', Uint8Array.of(0x82, 127, 0, 0, 0, 1, 0, 0, 0, 0)],
    ['a length that nobody has memory for', Uint8Array.of(0x82, 127, 0, 0, 0, 0, 0xf0, 0, 0, 0)],
  ])('are refused with %s', (_, wire) => {
    expect(() => [...new WebSocketDecoder().push(wire)]).toThrow(WebSocketError);
  });

  it('are decoded or refused, whatever arrives', () => {
    const rng = new SeededRng(9);
    for (let round = 0; round < 5000; round++) {
      const bytes = round % 2 === 0 ? rng.bytes(1 + rng.int(60)) : masked(rng.int(16), rng.bytes(rng.int(200)));
      if (round % 2 === 1) bytes[rng.int(bytes.length)] = rng.int(256);
      const decoder = new WebSocketDecoder();
      try {
        for (let at = 0; at < bytes.length; at += 13)
          for (const frame of decoder.push(bytes.slice(at, at + 13))) expect(frame.opcode).toBeLessThan(11);
      } catch (error) {
        expect(error).toBeInstanceOf(WebSocketError);
      }
    }
  });
});

describe('a WebSocket', () => {
  const said = async (connection: { read(): Promise<Uint8Array | undefined> }): Promise<Uint8Array> => {
    const chunks: Uint8Array[] = [];
    for (let chunk = await connection.read(); chunk !== undefined; chunk = await connection.read()) chunks.push(chunk);
    return concat(chunks);
  };

  it('puts messages together, answers pings and says goodbye', async () => {
    const [client, server] = connectionPair();
    const socket = new WebSocket(server);
    await client.write(
      concat([masked(1, utf8('a'), false), masked(9, utf8('hey')), masked(0, utf8('b')), masked(8, Uint8Array.of(3, 232))]),
    );
    expect(text((await socket.read())!)).toBe('ab');
    expect(await socket.read()).toBeUndefined();
    expect([...new WebSocketDecoder().push(await said(client))].map((frame) => frame.opcode)).toEqual([10, 8]);
  });

  it.each([
    ['does not mask', webSocketFrame(1, utf8('a'))],
    ['goes on with what was not begun', masked(0, utf8('a'))],
    ['begins anew in the middle', concat([masked(1, utf8('a'), false), masked(1, utf8('b'))])],
  ])('closes with 1002 when the client %s', async (_, wire) => {
    const [client, server] = connectionPair();
    const socket = new WebSocket(server);
    await client.write(wire);
    expect(await socket.read()).toBeUndefined();
    const [frame] = [...new WebSocketDecoder().push(await said(client))];
    expect([frame!.opcode, ...frame!.payload]).toEqual([8, 0x03, 0xea]);
  });
});
