// klog's lines: `I1121 02:05:11.123456    1234 kubelet.go:394] message`.

import { utf8 } from '../../sim/bytes.ts';
import type { Process } from '../../kernel/process.ts';
import { zoneOf } from '../../kernel/time-zone.ts';

export type Klog = (level: 'I' | 'W' | 'E' | 'F', source: string, message: string) => void;

/** Writes to the process's stderr; lines keep their order, nobody waits for them. */
export function klog(process: Process): Klog {
  // Go reads the zone once.
  const offsetMs = zoneOf(process.sys, process.env.get('TZ')).offsetMinutes * 60_000;
  let writing = Promise.resolve();
  return (level, source, message) => {
    const line = formatKlog(process.sys.now() + offsetMs, process.pid, level, source, message);
    writing = writing.then(() => process.stderr.write(utf8(line)));
    writing.catch(ended);
  };
}

/** The process is ending, or its log is closed: there is nowhere left to say anything. */
function ended(_error: unknown): void {
  // Whoever ended it knows.
}

/** `nowMs` is local time. */
export function formatKlog(nowMs: number, pid: number, level: string, source: string, message: string): string {
  const iso = new Date(nowMs).toISOString();
  const micros = String((Math.floor(nowMs) * 7919) % 1000).padStart(3, '0');
  return `${level}${iso.slice(5, 7)}${iso.slice(8, 10)} ${iso.slice(11, 23)}${micros} ${String(pid).padStart(7)} ${source}] ${message}\n`;
}
