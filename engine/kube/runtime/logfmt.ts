// The log lines of docker and containerd: logrus's key=value form.

import { utf8 } from '../../sim/bytes.ts';
import type { Process } from '../../kernel/process.ts';
import { offsetOf, zoneOf } from '../../kernel/time-zone.ts';
import { rfc3339Nano } from './nano-time.ts';

export type LogLevel = 'info' | 'warning' | 'error' | 'fatal';

/** A function that writes one line to the process's stderr. */
export function logfmt(process: Process): (level: LogLevel, message: string, fields?: Readonly<Record<string, string>>) => Promise<void> {
  const { offsetMinutes } = zoneOf(process.sys, process.env.get('TZ'));
  const local = (): string =>
    rfc3339Nano(process.sys.now() + offsetMinutes * 60_000).slice(0, -1) + (offsetMinutes === 0 ? 'Z' : offsetOf(offsetMinutes, ':'));
  return async (level, message, fields = {}) => {
    const more = Object.entries(fields).map(([key, value]) => ` ${key}=${quote(value)}`);
    await process.stderr.write(utf8(`time="${local()}" level=${level} msg=${quote(message)}${more.join('')}\n`));
  };
}

function quote(value: string): string {
  return /^[A-Za-z0-9._/@^+-]+$/.test(value) ? value : JSON.stringify(value);
}
