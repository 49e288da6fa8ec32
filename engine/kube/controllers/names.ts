// Random suffixes of names (rand.String of apimachinery).

import type { Rng } from '../../sim/rng.ts';

const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

/** Five characters that spell no words. */
export function randomSuffix(rng: Rng, length = 5): string {
  let out = '';
  for (let i = 0; i < length; i++) out += ALPHABET[rng.int(ALPHABET.length)];
  return out;
}
