// Times as systemd prints them: the guest's zone, and how long ago.

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

/** The lab's machines keep Korean time, +09:00 without daylight saving. */
const ZONE = { name: 'KST', offsetMs: 9 * 3600_000 } as const;

const two = (value: number): string => String(value).padStart(2, '0');

function local(ms: number): Date {
  return new Date(Math.floor(ms) + ZONE.offsetMs);
}

/** `Thu 2026-01-01 09:00:00 KST`. */
export function timestamp(ms: number): string {
  const date = local(ms);
  const day = `${date.getUTCFullYear()}-${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())}`;
  return `${DAYS[date.getUTCDay()]!} ${day} ${clock(ms)} ${ZONE.name}`;
}

/** `Jan 01 09:00:00`, the stamp of a journal line. */
export function journalStamp(ms: number): string {
  const date = local(ms);
  return `${MONTHS[date.getUTCMonth()]!} ${two(date.getUTCDate())} ${clock(ms)}`;
}

function clock(ms: number): string {
  const date = local(ms);
  return `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
}

/** `5min ago`, `1h 2min ago`, `3 days ago` (format_timestamp_relative of systemd 219). */
export function ago(sinceMs: number, nowMs: number): string {
  const seconds = Math.max(0, Math.floor((nowMs - sinceMs) / 1000));
  const day = 86_400;
  if (seconds >= 30 * day) return `${Math.floor(seconds / (30 * day))} months ${Math.floor((seconds % (30 * day)) / day)} days ago`;
  if (seconds >= 7 * day) return `${Math.floor(seconds / (7 * day))} weeks ${Math.floor((seconds % (7 * day)) / day)} days ago`;
  if (seconds >= 2 * day) return `${Math.floor(seconds / day)} days ago`;
  if (seconds >= 25 * 3600) return `1 day ${Math.floor((seconds - day) / 3600)}h ago`;
  if (seconds >= 6 * 3600) return `${Math.floor(seconds / 3600)}h ago`;
  if (seconds >= 3600) return `${Math.floor(seconds / 3600)}h ${Math.floor((seconds % 3600) / 60)}min ago`;
  if (seconds >= 5 * 60) return `${Math.floor(seconds / 60)}min ago`;
  if (seconds >= 60) return `${Math.floor(seconds / 60)}min ${seconds % 60}s ago`;
  if (seconds > 0) return `${seconds}s ago`;
  return `${Math.max(0, Math.floor(nowMs - sinceMs))}ms ago`;
}

/** `2026-01-01 09:00:00`, `today`, `yesterday`, `10 minutes ago`, `-1h` as journalctl's --since takes them; undefined when it is none. */
export function parseTime(text: string, nowMs: number): number | undefined {
  const midnight = Math.floor((nowMs + ZONE.offsetMs) / 86_400_000) * 86_400_000 - ZONE.offsetMs;
  if (text === 'now') return nowMs;
  if (text === 'today') return midnight;
  if (text === 'yesterday') return midnight - 86_400_000;
  const relative = /^-?(\d+)\s*(s|sec|seconds?|m|min|minutes?|h|hours?|d|days?)(?:\s+ago)?$/.exec(text);
  if (relative !== null) {
    const units: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3600_000, d: 86_400_000 };
    return nowMs - Number(relative[1]) * units[relative[2]![0]!]!;
  }
  const absolute = /^(?:(\d{4})-(\d\d)-(\d\d))?\s*(?:(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(text);
  if (absolute === null || text.trim() === '') return undefined;
  const [, year, month, date, hour = '0', minute = '0', second = '0'] = absolute;
  const day = year === undefined ? midnight : Date.UTC(Number(year), Number(month) - 1, Number(date)) - ZONE.offsetMs;
  return day + (Number(hour) * 3600 + Number(minute) * 60 + Number(second)) * 1000;
}
