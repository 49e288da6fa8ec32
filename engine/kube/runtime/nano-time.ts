// Times with nanoseconds, as docker writes them. The lab's clock has milliseconds; the rest is made up from the time itself,
// so that it is the same in every run.

/** `2021-01-13T15:22:33.123456789Z`; `sequence` orders what happens within one millisecond. */
export function rfc3339Nano(ms: number, sequence = 0): string {
  const nanos = Math.min(999_999, ((Math.floor(ms) * 7919) % 500_009) + sequence * 101);
  return `${new Date(ms).toISOString().slice(0, -1)}${String(nanos).padStart(6, '0')}Z`.replace(/0+Z$/, 'Z').replace(/\.Z$/, 'Z');
}

/** Milliseconds of an RFC 3339 time; 0 for Go's zero time. */
export function parseNano(time: string): number {
  if (time === '' || time.startsWith('0001-')) return 0;
  return Date.parse(time.replace(/(\.\d{3})\d*/, '$1'));
}
