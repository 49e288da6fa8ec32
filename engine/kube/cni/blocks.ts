// Models Calico's address blocks: a pool cut in /26 blocks, a host's first block chosen by its name, and the order in
// which a block gives out its addresses.

import { GoRandomSource } from './go-random.ts';

export const BLOCK_SIZE = 64;
const BLOCK_PREFIX = 26;

/** FNV-1 (not 1a), 32 bits. */
function fnv1(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = (Math.imul(hash, 0x01000193) ^ byte) >>> 0;
  return hash;
}

export function addressNumber(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

export function addressText(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
}

/** Blocks of the pool in the order in which the host tries them: from a seeded random one upwards, around the end. */
export function* blocksFor(host: string, poolCidr: string): Generator<string> {
  const [address = '0.0.0.0', length = '0'] = poolCidr.split('/');
  const count = 2 ** Math.max(0, BLOCK_PREFIX - Number(length));
  const first = randomBelow(new GoRandomSource(fnv1(host)), count);
  const base = addressNumber(address);
  for (let i = 0; i < count; i++) yield `${addressText(base + ((first + i) % count) * BLOCK_SIZE)}/${BLOCK_PREFIX}`;
}

/** big.Int's Rand on a 64-bit machine: two 32-bit draws a try, as many low bits as the bound has. */
function randomBelow(source: GoRandomSource, bound: number): number {
  const mask = 2 ** (Math.floor(Math.log2(bound)) + 1) - 1;
  for (;;) {
    const low = source.uint32();
    source.uint32();
    const drawn = (low & mask) >>> 0;
    if (drawn < bound) return drawn;
  }
}

export interface Block {
  readonly cidr: string;
  /** Handle of the owner by ordinal. */
  readonly allocations: Record<string, string>;
  /** Ordinals that are free, the next one first; a released one goes to the end. */
  unallocated: number[];
}

export function newBlock(cidr: string): Block {
  return { cidr, allocations: {}, unallocated: Array.from({ length: BLOCK_SIZE }, (_, i) => i) };
}

/** Takes the next free address; undefined when the block is full. */
export function assign(block: Block, handle: string): string | undefined {
  const ordinal = block.unallocated.shift();
  if (ordinal === undefined) return undefined;
  block.allocations[ordinal] = handle;
  return addressText(addressNumber(block.cidr.split('/')[0]!) + ordinal);
}

/** Gives back everything the handle has; returns the addresses. */
export function release(block: Block, handle: string): readonly string[] {
  const base = addressNumber(block.cidr.split('/')[0]!);
  const ordinals = Object.keys(block.allocations)
    .filter((ordinal) => block.allocations[ordinal] === handle)
    .map(Number);
  for (const ordinal of ordinals) {
    delete block.allocations[ordinal];
    block.unallocated.push(ordinal);
  }
  return ordinals.map((ordinal) => addressText(base + ordinal));
}
