// Columns of ps(1) of procps-ng 3.3.10.

import type { ProcessInfo } from '../../kernel/process.ts';
import { DAYS, localTime, MONTHS, two } from './support.ts';

export interface PsContext {
  readonly nowMs: number;
  readonly memoryBytes: number;
  userOf(uid: number): string;
  groupOf(gid: number): string;
  readonly isCommandShort: boolean;
}

export interface Column {
  readonly header: string;
  readonly width: number;
  readonly isRight?: boolean;
  /** The last column is cut only by the screen. */
  readonly isCommand?: boolean;
  value(info: ProcessInfo, context: PsContext): string;
  /** For --sort; strings compare as strings. */
  key?(info: ProcessInfo, context: PsContext): number | string;
}

function column(header: string, width: number, value: Column['value'], more: Partial<Column> = {}): Column {
  return { header, width, value, ...more };
}

function number(header: string, width: number, get: (info: ProcessInfo, context: PsContext) => number): Column {
  return column(header, width, (info, context) => String(get(info, context)), { isRight: true, key: get });
}

const pid = number('PID', 5, (info) => info.pid);
const user = column('USER', 8, (info, context) => shortName(context.userOf(info.uid)));
const command = column('CMD', 27, (info) => commandLine(info), { isCommand: true });
const comm = column('COMMAND', 15, (info) => (info.state === 'Z' ? `${info.command} <defunct>` : info.command));
const tty = column('TT', 8, (info) => info.tty ?? '?');
const cpuPercent = column('%CPU', 4, (info, context) => cpuOf(info, context).toFixed(1), { isRight: true, key: cpuOf });
const memoryPercent = column('%MEM', 4, (info, context) => memoryOf(info, context).toFixed(1), { isRight: true, key: memoryOf });
const virtual = number('VSZ', 6, (info) => Math.floor(info.virtualBytes / 1024));
const resident = number('RSS', 5, (info) => Math.floor(info.residentBytes / 1024));
const state = column('S', 1, (info) => info.state);
const status = column('STAT', 4, (info) => statusOf(info));
const time = column('TIME', 8, (info) => clock(info.cpuMs), { isRight: true, key: (info) => info.cpuMs });
const start = column('START', 5, (info, context) => startOf(info, context), { isRight: true, key: (info) => info.startMs });

export const COLUMNS: ReadonlyMap<string, Column> = new Map<string, Column>([
  ['pid', pid],
  ['tgid', { ...pid, header: 'TGID' }],
  ['ppid', number('PPID', 5, (info) => info.parent)],
  ['pgid', number('PGID', 5, (info) => info.group)],
  ['pgrp', number('PGRP', 5, (info) => info.group)],
  ['sid', number('SID', 5, (info) => info.session)],
  ['sess', number('SESS', 5, (info) => info.session)],
  ['tpgid', number('TPGID', 5, (info) => info.foregroundGroup)],
  ['uid', number('UID', 5, (info) => info.uid)],
  ['euid', number('EUID', 5, (info) => info.uid)],
  ['user', user],
  ['euser', { ...user, header: 'EUSER' }],
  ['ruser', { ...user, header: 'RUSER' }],
  ['uname', user],
  ['comm', comm],
  ['ucmd', { ...comm, header: 'CMD' }],
  ['ucomm', comm],
  ['cmd', command],
  ['args', { ...command, header: 'COMMAND' }],
  ['command', { ...command, header: 'COMMAND' }],
  ['tty', tty],
  ['tt', tty],
  ['tname', { ...tty, header: 'TTY' }],
  ['%cpu', cpuPercent],
  ['pcpu', cpuPercent],
  ['c', number('C', 2, (info, context) => Math.floor(cpuOf(info, context)))],
  ['%mem', memoryPercent],
  ['pmem', memoryPercent],
  ['vsz', virtual],
  ['vsize', virtual],
  ['sz', number('SZ', 5, (info) => Math.floor(info.virtualBytes / 4096))],
  ['rss', resident],
  ['rssize', { ...resident, header: 'RSS' }],
  ['s', state],
  ['state', state],
  ['stat', status],
  ['time', time],
  ['cputime', time],
  ['bsdtime', column('TIME', 6, (info) => shortClock(info.cpuMs), { isRight: true, key: (info) => info.cpuMs })],
  ['start', { ...start, header: 'STARTED', width: 8 }],
  ['start_time', start],
  ['stime', { ...start, header: 'STIME' }],
  ['bsdstart', { ...start, header: 'START', width: 6 }],
  ['lstart', column('STARTED', 24, (info) => longStart(info), { isRight: true, key: (info) => info.startMs })],
  [
    'etime',
    column('ELAPSED', 11, (info, context) => elapsed(context.nowMs - info.startMs), { isRight: true, key: (info) => -info.startMs }),
  ],
  ['etimes', number('ELAPSED', 7, (info, context) => Math.floor((context.nowMs - info.startMs) / 1000))],
  ['ni', column('NI', 3, (info) => (isThread(info) && /:0H$/.test(info.command) ? '-20' : '0'), { isRight: true })],
  ['nice', column('NI', 3, () => '0', { isRight: true })],
  ['pri', number('PRI', 3, () => 19)],
  ['opri', number('PRI', 3, () => 80)],
  ['cls', column('CLS', 3, () => 'TS', { isRight: true })],
  ['psr', number('PSR', 3, () => 0)],
  ['nlwp', number('NLWP', 4, () => 1)],
  ['lwp', { ...pid, header: 'LWP' }],
  ['wchan', column('WCHAN', 6, (info) => (info.state === 'R' ? '-' : 'ep_pol'))],
  ['f', column('F', 1, (info) => (isThread(info) ? '1' : '4'))],
  ['addr', column('ADDR', 4, () => '-', { isRight: false })],
  ['cgroup', column('CGROUP', 27, (info) => `1:name=systemd:${info.cgroup}`)],
  ['unit', column('UNIT', 31, (info) => /([^/]+\.(service|scope))/.exec(info.cgroup)?.[1] ?? '-')],
]);

function cpuOf(info: ProcessInfo, context: PsContext): number {
  const lived = context.nowMs - info.startMs;
  return lived <= 0 ? 0 : Math.min(99.9, (info.cpuMs / lived) * 100);
}

function memoryOf(info: ProcessInfo, context: PsContext): number {
  return (info.residentBytes / context.memoryBytes) * 100;
}

/** Kernel threads have no command line. */
export function isThread(info: ProcessInfo): boolean {
  return info.argv.length === 0;
}

export function commandLine(info: ProcessInfo): string {
  if (info.state === 'Z') return `[${info.command}] <defunct>`;
  return isThread(info) ? `[${info.command}]` : info.argv.join(' ');
}

function statusOf(info: ProcessInfo): string {
  const high = isThread(info) && /:0H$/.test(info.command) ? '<' : '';
  const leader = info.session === info.pid ? 's' : '';
  const foreground = info.foregroundGroup > 0 && info.foregroundGroup === info.group ? '+' : '';
  return `${info.state}${high}${leader}${foreground}`;
}

function shortName(name: string): string {
  return name.length > 8 ? `${name.slice(0, 7)}+` : name;
}

function clock(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const days = Math.floor(seconds / 86_400);
  const text = `${two(Math.floor(seconds / 3600) % 24)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return days > 0 ? `${days}-${text}` : text;
}

function shortClock(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return `${Math.floor(seconds / 60)}:${two(seconds % 60)}`;
}

function startOf(info: ProcessInfo, context: PsContext): string {
  const date = localTime(info.startMs);
  const now = localTime(context.nowMs);
  if (date.getUTCFullYear() !== now.getUTCFullYear()) return String(date.getUTCFullYear());
  if (context.nowMs - info.startMs < 86_400_000 && date.getUTCDate() === now.getUTCDate())
    return `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
  return `${MONTHS[date.getUTCMonth()]}${two(date.getUTCDate())}`;
}

function longStart(info: ProcessInfo): string {
  const date = localTime(info.startMs);
  const time = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
  return `${DAYS[date.getUTCDay()]} ${MONTHS[date.getUTCMonth()]} ${String(date.getUTCDate()).padStart(2)} ${time} ${date.getUTCFullYear()}`;
}

function elapsed(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const days = Math.floor(seconds / 86_400);
  const hours = Math.floor(seconds / 3600) % 24;
  const rest = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  if (days > 0) return `${days}-${two(hours)}:${rest}`;
  return hours > 0 ? `${two(hours)}:${rest}` : rest;
}
