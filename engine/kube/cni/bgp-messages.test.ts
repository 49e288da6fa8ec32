import { describe, expect, test } from 'vitest';
import { BgpError, decodeBgp, encodeBgp, type BgpMessage } from './bgp-messages.ts';

describe('BGP messages', () => {
  test.each<readonly [string, BgpMessage, number]>([
    ['OPEN', { type: 'open', asNumber: 64512, holdSeconds: 240, routerId: '192.168.1.10' }, 29],
    ['KEEPALIVE', { type: 'keepalive' }, 19],
    ['a NOTIFICATION', { type: 'notification', code: 6, subcode: 2 }, 21],
    ['an UPDATE', { type: 'update', announced: ['172.16.171.64/26'], withdrawn: [], nextHop: '192.168.1.10' }, 49],
    ['a withdrawal', { type: 'update', announced: [], withdrawn: ['172.16.132.0/26'], nextHop: '' }, 28],
  ])('%s comes back as it was sent', (_name, message, length) => {
    const bytes = encodeBgp(message);
    expect(bytes).toHaveLength(length);
    expect(decodeBgp(bytes)).toEqual({ message, length });
    expect(decodeBgp(bytes.subarray(0, length - 1))).toBeUndefined();
  });

  test('bytes without the marker are refused', () => {
    expect(() => decodeBgp(new Uint8Array(19))).toThrow(BgpError);
  });
});
