// Models utmp and lastlog as lines of text: `user TAB line TAB from TAB milliseconds TAB pid`. /var/run/utmp holds who is logged in
// now, /var/log/wtmp every login and logout, /var/log/lastlog the last login of each user.

import type { Process } from '../../kernel/process.ts';
import { isSysError } from '../../sim/errno.ts';

const UTMP = '/var/run/utmp';
const WTMP = '/var/log/wtmp';
const LASTLOG = '/var/log/lastlog';

export interface LoginRecord {
  readonly user: string;
  readonly line: string;
  readonly from: string;
  readonly pid: number;
}

export function recordLogin(process: Process, record: LoginRecord): void {
  const row = `${record.user}\t${record.line}\t${record.from}\t${process.sys.now()}\t${record.pid}\n`;
  write(process, UTMP, withoutLine(process, record.line) + row);
  write(process, WTMP, row, true);
  const others = lines(process, LASTLOG).filter((line) => line.split('\t')[0] !== record.user);
  write(process, LASTLOG, [...others, row.trimEnd()].map((line) => `${line}\n`).join(''));
}

/** `Sat Nov 21 01:28:14 2026 from 10.0.2.2`, or undefined when the user never logged in. */
recordLogin.lastOf = (process: Process, user: string): string | undefined => {
  const line = lines(process, LASTLOG).find((one) => one.split('\t')[0] === user);
  if (line === undefined) return undefined;
  const [, terminal = '', from = '', time = '0'] = line.split('\t');
  return `${formatTime(process, Number(time))} ${from === '' ? `on ${terminal}` : `from ${from}`}`;
};

export function recordLogout(process: Process, line: string): void {
  write(process, UTMP, withoutLine(process, line));
  write(process, WTMP, `\t${line}\t\t${process.sys.now()}\t0\n`, true);
}

function withoutLine(process: Process, line: string): string {
  return lines(process, UTMP)
    .filter((one) => one.split('\t')[1] !== line)
    .map((one) => `${one}\n`)
    .join('');
}

function lines(process: Process, path: string): readonly string[] {
  if (!process.sys.exists(path)) return [];
  return process.sys
    .readTextFile(path)
    .split('\n')
    .filter((line) => line !== '');
}

function write(process: Process, path: string, text: string, append = false): void {
  try {
    process.sys.writeFile(path, text, { append, mode: 0o664 });
  } catch (error) {
    // A full or read-only disk keeps nobody from logging in.
    if (!isSysError(error, 'ENOSPC', 'EROFS', 'ENOENT')) throw error;
  }
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const KST_OFFSET_MS = 9 * 3_600_000;

/** ctime(3) in the machine's zone: Korea's when /etc/localtime leads there, else universal time. */
export function formatTime(process: Process, timeMs: number): string {
  const date = new Date(timeMs + (isKorean(process) ? KST_OFFSET_MS : 0));
  const two = (value: number): string => String(value).padStart(2, '0');
  return (
    `${DAYS[date.getUTCDay()]} ${MONTHS[date.getUTCMonth()]} ${String(date.getUTCDate()).padStart(2)} ` +
    `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} ${date.getUTCFullYear()}`
  );
}

function isKorean(process: Process): boolean {
  try {
    return /Seoul|ROK/.test(process.sys.readlink('/etc/localtime'));
  } catch (error) {
    if (isSysError(error)) return false;
    throw error;
  }
}
