// How V8 keeps house for a lab. Left alone it lets garbage grow to several times what is alive, since a lab has little that is,
// and waits long before it learns from code that runs: a lab runs a lot of different code a few times.

import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

for (const flag of ['--heap-growing-percent=50', '--no-lazy-feedback-allocation']) setFlagsFromString(flag);
limitYoungGeneration();

/**
 * Most of what a lab allocates is gone at once: a young generation of 16 MB catches it, and one of 128 MB, the default, no better.
 * The limit itself is fixed when V8 starts, but by how much it grows is not: it is made to grow once, and then no more.
 */
function limitYoungGeneration(): void {
  setFlagsFromString('--semi-space-growth-factor=8');
  let ballast: unknown[] = [];
  // What survives makes it grow; in vain where the limit is lower already.
  for (let round = 0; round < 40 && youngBytes() < 16_000_000; round++) for (let i = 0; i < 2000; i++) ballast.push([i]);
  ballast = [];
  setFlagsFromString('--semi-space-growth-factor=1');
}

function youngBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.space_size ?? Number.POSITIVE_INFINITY;
}
