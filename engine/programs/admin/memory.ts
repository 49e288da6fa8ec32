// Models free, uptime, w, who, users and last.

import type { Process, ProcessInfo } from '../../kernel/process.ts';
import { commandLine } from './ps-columns.ts';
import { DAYS, localTime, MONTHS, parseOptions, print, program, readLines, two, userName } from './support.ts';

const UNITS: Readonly<Record<string, number>> = { b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

async function free(process: Process): Promise<number> {
  const options = parseOptions(process.argv, {
    short: 'bkmghltws:c:V',
    long: { bytes: 'b', kilo: 'k', mega: 'm', giga: 'g', human: 'h', lohi: 'l', total: 't', wide: 'w', 'seconds=': 's', 'count=': 'c' },
    hint: '\nUsage:\n free [options]\n\nFor more details see free(1).\n',
  });
  const intervalMs = options.value('s') === undefined ? undefined : Number(options.value('s')) * 1000;
  const count = options.value('c') === undefined ? (intervalMs === undefined ? 1 : Infinity) : Number(options.value('c'));
  for (let round = 0; round < count; round++) {
    if (round > 0) await process.sys.sleep(intervalMs ?? 1000);
    await print(process, `${table(process, options)}${round + 1 < count ? '\n' : ''}`);
  }
  return 0;
}

function table(process: Process, options: { has(name: string): boolean }): string {
  const info = memoryInfo(process);
  const kib = (name: string): number => (info.get(name) ?? 0) * 1024;
  const unit = UNITS[['b', 'm', 'g', 'k'].find((letter) => options.has(letter)) ?? 'k']!;
  const show = (bytes: number): string => (options.has('h') ? human(bytes) : String(Math.floor(bytes / unit))).padStart(12);
  const total = kib('MemTotal');
  const cached = kib('Cached') + kib('SReclaimable');
  const cache = kib('Buffers') + cached;
  const used = total - kib('MemFree') - cache;
  const isWide = options.has('w');
  const header = isWide
    ? '              total        used        free      shared     buffers       cache   available\n'
    : '              total        used        free      shared  buff/cache   available\n';
  const middle = isWide ? show(kib('Buffers')) + show(cached) : show(cache);
  const memory = `Mem:   ${show(total)}${show(used)}${show(kib('MemFree'))}${show(kib('Shmem'))}${middle}${show(kib('MemAvailable'))}\n`;
  const swap = `Swap:  ${show(kib('SwapTotal'))}${show(kib('SwapTotal') - kib('SwapFree'))}${show(kib('SwapFree'))}\n`;
  const sum = options.has('t') ? `Total: ${show(total + kib('SwapTotal'))}${show(used)}${show(kib('MemFree') + kib('SwapFree'))}\n` : '';
  return header + memory + swap + sum;
}

export function memoryInfo(process: Process): ReadonlyMap<string, number> {
  return new Map(
    readLines(process.sys, '/proc/meminfo').map((line) => {
      const [name = '', value = '0'] = line.split(/:\s+/);
      return [name, parseInt(value, 10)] as const;
    }),
  );
}

function human(bytes: number): string {
  let value = bytes;
  for (const unit of ['B', 'K', 'M', 'G', 'T']) {
    if (value < 1000 || unit === 'T') return unit === 'B' || value >= 10 ? `${Math.floor(value)}${unit}` : `${value.toFixed(1)}${unit}`;
    value /= 1024;
  }
  return String(bytes);
}

interface Login {
  readonly user: string;
  readonly tty: string;
  readonly host: string;
  readonly sinceMs: number;
  readonly processes: readonly ProcessInfo[];
}

/** Who is logged in: sessions on a terminal, with what wtmp knows of them. */
function logins(process: Process): readonly Login[] {
  const { sys } = process;
  const records = readLines(sys, '/var/log/wtmp').map((line) => line.split('\t'));
  const byTty = new Map<string, ProcessInfo[]>();
  for (const info of sys.processes()) {
    if (info.tty === undefined || /^(agetty|login)$/.test(info.command)) continue;
    byTty.set(info.tty, [...(byTty.get(info.tty) ?? []), info]);
  }
  return [...byTty].map(([tty, processes]) => {
    const first = processes[0]!;
    const record = records.findLast((each) => each[1] === tty && each[0] !== '');
    return {
      user: userName(sys, first.uid) ?? String(first.uid),
      tty,
      host: record?.[2] ?? '',
      sinceMs: Number(record?.[3] ?? first.startMs),
      processes,
    };
  });
}

/** The first line of uptime, w and top. */
export function headline(process: Process): string {
  const now = localTime(process.sys.now());
  const minutes = Math.floor(process.sys.uptimeMs() / 60_000);
  const days = Math.floor(minutes / 1440);
  const hours = Math.floor(minutes / 60) % 24;
  const day = days > 0 ? `${days} day${days > 1 ? 's' : ''}, ` : '';
  const span = hours > 0 ? `${String(hours).padStart(2)}:${two(minutes % 60)}` : `${minutes % 60} min`;
  const users = logins(process).length;
  const load = (process.sys.readTextFile('/proc/loadavg').split(' ').slice(0, 3) as string[]).join(', ');
  const time = `${two(now.getUTCHours())}:${two(now.getUTCMinutes())}:${two(now.getUTCSeconds())}`;
  return ` ${time} up ${day}${span}, ${String(users).padStart(2)} user${users === 1 ? '' : 's'},  load average: ${load}\n`;
}

async function uptime(process: Process): Promise<number> {
  const options = parseOptions(process.argv, { short: 'psV', long: { pretty: 'p', since: 's' } });
  const { sys } = process;
  if (options.has('s')) {
    const boot = localTime(sys.now() - sys.uptimeMs());
    await print(process, `${boot.toISOString().slice(0, 19).replace('T', ' ')}\n`);
  } else if (options.has('p')) {
    const minutes = Math.floor(sys.uptimeMs() / 60_000);
    const parts: readonly (readonly [number, string])[] = [
      [Math.floor(minutes / 10_080), 'week'],
      [Math.floor(minutes / 1440) % 7, 'day'],
      [Math.floor(minutes / 60) % 24, 'hour'],
      [minutes % 60, 'minute'],
    ];
    const shown = parts.filter(([count]) => count > 0).map(([count, name]) => `${count} ${name}${count > 1 ? 's' : ''}`);
    await print(process, `up ${shown.length === 0 ? '0 minutes' : shown.join(', ')}\n`);
  } else {
    await print(process, headline(process));
  }
  return 0;
}

async function w(process: Process): Promise<number> {
  const options = parseOptions(process.argv, { short: 'hsufoi', long: { 'no-header': 'h', short: 's' } });
  const lines = options.has('h') ? [] : [headline(process), 'USER     TTY      FROM             LOGIN@   IDLE   JCPU   PCPU WHAT\n'];
  for (const login of logins(process)) {
    const at = localTime(login.sinceMs);
    const what = login.processes.findLast((info) => info.group === info.foregroundGroup) ?? login.processes[0]!;
    const cpu = (login.processes.reduce((sum, info) => sum + info.cpuMs, 0) / 1000).toFixed(2);
    const from = login.host === '' ? '-' : login.host;
    lines.push(
      `${login.user.padEnd(8)} ${login.tty.padEnd(8)} ${from.padEnd(16)} ${two(at.getUTCHours())}:${two(at.getUTCMinutes())}    0.00s  ${cpu}s  ${(what.cpuMs / 1000).toFixed(2)}s ${commandLine(what)}\n`,
    );
  }
  await print(process, lines.join(''));
  return 0;
}

function stamp(ms: number): string {
  const date = localTime(ms);
  return `${date.getUTCFullYear()}-${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
}

async function who(process: Process): Promise<number> {
  const options = parseOptions(process.argv, { short: 'abdHlmpqrstTu', long: { boot: 'b', heading: 'H', count: 'q', runlevel: 'r' } });
  const { sys } = process;
  if (options.has('b')) {
    await print(process, `         system boot  ${stamp(sys.now() - sys.uptimeMs())}\n`);
    return 0;
  }
  if (options.has('r')) {
    await print(process, `         run-level 3  ${stamp(sys.now() - sys.uptimeMs())}\n`);
    return 0;
  }
  const own = sys.controllingTty()?.name;
  const isOwnOnly = options.has('m') || options.operands.length === 2;
  const shown = logins(process).filter((login) => !isOwnOnly || login.tty === own);
  if (options.has('q')) {
    await print(process, `${shown.map((login) => login.user).join(' ')}\n# users=${shown.length}\n`);
    return 0;
  }
  const head = options.has('H') ? 'NAME     LINE         TIME             COMMENT\n' : '';
  const lines = shown.map(
    (login) => `${login.user.padEnd(8)} ${login.tty.padEnd(12)} ${stamp(login.sinceMs)}${login.host === '' ? '' : ` (${login.host})`}\n`,
  );
  await print(process, head + lines.join(''));
  return 0;
}

/** `- 09:05  (00:05)`: when a session ended and how long it was. */
function until(fromMs: number, toMs: number): string {
  const end = localTime(toMs);
  const minutes = Math.floor((toMs - fromMs) / 60_000);
  const days = Math.floor(minutes / 1440);
  const span = `${two(Math.floor(minutes / 60) % 24)}:${two(minutes % 60)}`;
  return `- ${two(end.getUTCHours())}:${two(end.getUTCMinutes())} ${days > 0 ? `(${days}+${span})` : ` (${span})`}`.padEnd(20);
}

async function last(process: Process): Promise<number> {
  const options = parseOptions(process.argv, { short: 'n:aFiwxR' });
  const { sys } = process;
  const active = new Set(logins(process).map((login) => login.tty));
  const moment = (ms: number): string => {
    const date = localTime(ms);
    return `${DAYS[date.getUTCDay()]} ${MONTHS[date.getUTCMonth()]} ${String(date.getUTCDate()).padStart(2)} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
  };
  const records = readLines(sys, '/var/log/wtmp').map((line) => line.split('\t'));
  const seen = new Set<string>();
  const lines: string[] = [];
  const logoutOf = new Map<string, number>();
  for (const [user = '', tty = '', host = '', at = '0'] of [...records].reverse()) {
    if (user === '') {
      logoutOf.set(tty, Number(at));
      continue;
    }
    const logout = logoutOf.get(tty);
    logoutOf.delete(tty);
    if (options.operands.length > 0 && !options.operands.includes(user)) continue;
    const isOn = logout === undefined && active.has(tty) && !seen.has(tty);
    seen.add(tty);
    lines.push(
      `${user.padEnd(8)} ${tty.padEnd(12)} ${host.padEnd(16)} ${moment(Number(at))} ${logout !== undefined ? until(Number(at), logout) : isOn ? '  still logged in   ' : '  gone - no logout  '}\n`,
    );
  }
  const limit = options.value('n') === undefined ? Infinity : Number(options.value('n'));
  const first = records[0]?.[3];
  const begins = first === undefined ? '' : `\nwtmp begins ${moment(Number(first))}:00 ${localTime(Number(first)).getUTCFullYear()}\n`;
  await print(process, lines.slice(0, limit).join('') + begins);
  return 0;
}

export const programs = [program('free', free), program('uptime', uptime), program('w', w), program('who', who), program('last', last)];
