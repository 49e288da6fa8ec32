import { describe, expect, test } from 'vitest';
import { assign, blocksFor, newBlock, release } from './blocks.ts';

describe('the first block of a host in 172.16.0.0/16', () => {
  test.each([
    ['m-k8s', '172.16.171.64/26'],
    ['w1-k8s', '172.16.221.128/26'],
    ['w2-k8s', '172.16.103.128/26'],
    ['w3-k8s', '172.16.132.0/26'],
    ['w4-k8s', '172.16.180.0/26'],
    ['w5-k8s', '172.16.109.0/26'],
    ['w6-k8s', '172.16.120.0/26'],
    ['cp-k8s', '172.16.196.128/26'],
  ])('%s has %s', (host, block) => {
    expect(blocksFor(host, '172.16.0.0/16').next().value).toBe(block);
  });
});

test('a block gives addresses upwards and a released one only after all others', () => {
  const block = newBlock('172.16.103.128/26');
  expect([assign(block, 'tunnel'), assign(block, 'a'), assign(block, 'b')]).toEqual(['172.16.103.128', '172.16.103.129', '172.16.103.130']);
  expect(release(block, 'a')).toEqual(['172.16.103.129']);
  expect(assign(block, 'c')).toBe('172.16.103.131');
  for (let i = 0; i < 60; i++) assign(block, `x${i}`);
  expect(assign(block, 'd')).toBe('172.16.103.129');
  expect(assign(block, 'e')).toBeUndefined();
});
