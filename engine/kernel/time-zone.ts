// Models the time zone of a process: TZ, or where its /etc/localtime leads (a container's own has none: universal time).

import { isSysError } from '../sim/errno.ts';
import type { Syscalls } from './process.ts';

export interface Zone {
  readonly name: string;
  readonly offsetMinutes: number;
}

/** Zones without daylight saving time that the lab's users meet; others count as UTC with their own name. */
const ZONES: Readonly<Record<string, Zone>> = {
  'Asia/Seoul': { name: 'KST', offsetMinutes: 540 },
  'Asia/Tokyo': { name: 'JST', offsetMinutes: 540 },
  'Asia/Shanghai': { name: 'CST', offsetMinutes: 480 },
  'Asia/Singapore': { name: 'SGT', offsetMinutes: 480 },
  'Asia/Kolkata': { name: 'IST', offsetMinutes: 330 },
  UTC: { name: 'UTC', offsetMinutes: 0 },
  'Etc/UTC': { name: 'UTC', offsetMinutes: 0 },
  GMT: { name: 'GMT', offsetMinutes: 0 },
};

/** The zone of this process: TZ, else where /etc/localtime points. */
export function zoneOf(sys: Syscalls, tz: string | undefined): Zone {
  if (tz !== undefined && tz !== '') return parseZone(tz);
  try {
    const target = sys.lstat('/etc/localtime').kind === 'symlink' ? sys.readlink('/etc/localtime') : '/etc/localtime';
    const name = /zoneinfo\/(.+)$/.exec(target)?.[1];
    if (name !== undefined) return parseZone(name);
  } catch (error) {
    if (!isSysError(error)) throw error;
  }
  return ZONES['UTC']!;
}

function parseZone(tz: string): Zone {
  const known = ZONES[tz.replace(/^:/, '').replace(/^.*zoneinfo\//, '')];
  if (known !== undefined) return known;
  const posix = /^([A-Za-z]{3,}|<[^>]+>)([+-]?)(\d{1,2})(?::(\d{2}))?$/.exec(tz);
  if (posix !== null) {
    const minutes = Number(posix[3]) * 60 + Number(posix[4] ?? 0);
    return { name: posix[1]!.replace(/[<>]/g, ''), offsetMinutes: posix[2] === '-' ? minutes : -minutes };
  }
  return { name: /^[A-Za-z]+$/.test(tz) ? tz.slice(0, 3) : 'UTC', offsetMinutes: 0 };
}

/** `+0900`, `-0330`; `separator` stands between hours and minutes. */
export function offsetOf(offsetMinutes: number, separator = ''): string {
  const minutes = Math.abs(offsetMinutes);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${offsetMinutes < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}${separator}${two(minutes % 60)}`;
}
