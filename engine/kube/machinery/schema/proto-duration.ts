// Go's durations: `1h2m3.5s` and nanoseconds.

const UNIT_NS: readonly (readonly [string, bigint])[] = [
  ['h', 3_600_000_000_000n],
  ['m', 60_000_000_000n],
  ['s', 1_000_000_000n],
  ['ms', 1_000_000n],
  ['us', 1000n],
  ['µs', 1000n],
  ['ns', 1n],
];

/** `1h2m3.5s` in nanoseconds. */
export function parseDuration(text: string): bigint {
  let total = 0n;
  for (const [, amount = '0', unit = 's'] of text.matchAll(/([\d.]+)(h|ms|m|s|us|µs|ns)/g)) {
    const scale = UNIT_NS.find(([name]) => name === unit)![1];
    total += BigInt(Math.round(Number(amount) * Number(scale)));
  }
  return text.startsWith('-') ? -total : total;
}

export function showDuration(ns: bigint): string {
  if (ns === 0n) return '0s';
  const size = ns < 0n ? -ns : ns;
  const [hours, minutes] = [size / UNIT_NS[0]![1], (size / UNIT_NS[1]![1]) % 60n];
  const seconds = Number(size % UNIT_NS[1]![1]) / 1e9;
  const head = hours > 0n ? `${hours}h${minutes}m` : minutes > 0n ? `${minutes}m` : '';
  return `${ns < 0n ? '-' : ''}${head}${seconds}s`;
}
