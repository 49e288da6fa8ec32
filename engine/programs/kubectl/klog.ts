// Models klog's lines: `I1121 00:17:26.743993   11291 loader.go:223] text`.

import type { Process } from '../../kernel/process.ts';
import { zoneOf } from '../../kernel/time-zone.ts';

export function klogLine(process: Process, level: string, place: string, text: string): string {
  const at = new Date(process.sys.now() + zoneOf(process.sys, process.env.get('TZ')).offsetMinutes * 60_000);
  const two = (value: number): string => String(value).padStart(2, '0');
  const date = `${two(at.getUTCMonth() + 1)}${two(at.getUTCDate())}`;
  const time = `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())}.${String(at.getUTCMilliseconds()).padStart(3, '0')}000`;
  return `${level}${date} ${time} ${String(process.pid).padStart(7)} ${place}] ${text}`;
}

/** How Go's log package begins its lines: `2026/11/21 00:17:26`. */
export function goLogStamp(nowMs: number, zone: { readonly offsetMinutes: number }): string {
  return new Date(nowMs + zone.offsetMinutes * 60_000).toISOString().slice(0, 19).replaceAll('-', '/').replace('T', ' ');
}
