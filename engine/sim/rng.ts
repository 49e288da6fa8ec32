// Seeded chance. xoshiro128** (Blackman and Vigna), seeded through splitmix32; a fork hashes its name into the seed.

export interface Rng {
  /** Uniform integer in [0, bound). */
  int(bound: number): number;
  /** Uniform in [0, 1). */
  float(): number;
  bytes(length: number): Uint8Array;
  /** A stream of its own: drawing from the child never shifts the parent. */
  fork(name: string): Rng;
  /** The stream's position, so that a saved lab goes on where it was. */
  save(): string;
}

export class SeededRng implements Rng {
  readonly #seed: number;
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor(seed: number) {
    this.#seed = seed >>> 0;
    let state = this.#seed;
    const next = (): number => {
      state = (state + 0x9e3779b9) >>> 0;
      let z = state;
      z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
      z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
      return (z ^ (z >>> 16)) >>> 0;
    };
    this.#a = next();
    this.#b = next();
    this.#c = next();
    this.#d = next();
  }

  /** Continues a stream from what `save` returned. */
  static restore(saved: string): SeededRng {
    const [seed = 0, a = 0, b = 0, c = 0, d = 0] = saved.split(',').map(Number);
    const rng = new SeededRng(seed);
    rng.#a = a;
    rng.#b = b;
    rng.#c = c;
    rng.#d = d;
    return rng;
  }

  int(bound: number): number {
    if (bound <= 1) return 0;
    // Rejection keeps small bounds exactly uniform.
    const limit = Math.floor(0x1_0000_0000 / bound) * bound;
    for (;;) {
      const drawn = this.#next();
      if (drawn < limit) return drawn % bound;
    }
  }

  float(): number {
    return this.#next() / 0x1_0000_0000;
  }

  bytes(length: number): Uint8Array {
    const out = new Uint8Array(length);
    for (let i = 0; i < length; i++) out[i] = this.#next() >>> 24;
    return out;
  }

  fork(name: string): Rng {
    let hash = 0x811c9dc5 ^ this.#seed;
    for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
    return new SeededRng(hash >>> 0);
  }

  save(): string {
    return [this.#seed, this.#a, this.#b, this.#c, this.#d].join(',');
  }

  #next(): number {
    const result = Math.imul(rotl(Math.imul(this.#b, 5), 7), 9) >>> 0;
    const t = (this.#b << 9) >>> 0;
    this.#c = (this.#c ^ this.#a) >>> 0;
    this.#d = (this.#d ^ this.#b) >>> 0;
    this.#b = (this.#b ^ this.#c) >>> 0;
    this.#a = (this.#a ^ this.#d) >>> 0;
    this.#c = (this.#c ^ t) >>> 0;
    this.#d = rotl(this.#d, 11);
    return result;
  }
}

function rotl(x: number, k: number): number {
  return ((x << k) | (x >>> (32 - k))) >>> 0;
}
