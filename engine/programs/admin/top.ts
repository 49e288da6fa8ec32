// Models top(1) of procps-ng 3.3.10: batch mode and a screen that q, Ctrl-C and a space are understood on.
// Not modelled: the interactive fields, sorting and colour commands.

import { text } from '../../sim/bytes.ts';
import type { Process, ProcessInfo } from '../../kernel/process.ts';
import { commandLine } from './ps-columns.ts';
import { headline, memoryInfo } from './memory.ts';
import { accounts, Failure, parseOptions, print, program } from './support.ts';

const HEADER = '  PID USER      PR  NI    VIRT    RES    SHR S  %CPU %MEM     TIME+ COMMAND';

async function top(process: Process): Promise<number> {
  const options = parseOptions(process.argv, { short: 'bcd:Hin:o:Op:su:U:w:S' });
  const delayMs = Number(options.value('d') ?? 3) * 1000;
  const limit = options.value('n') === undefined ? Infinity : Number(options.value('n'));
  if (!(delayMs >= 0) || !(limit > 0)) throw new Failure('\ttop: bad delay interval or iterations argument\n', 1);
  const { tty } = process.stdin;
  if (!options.has('b') && (tty === undefined || process.stdout.tty === undefined)) throw new Failure('\ttop: failed tty get\n', 1);
  let before = new Map<number, number>();
  const frame = (rows: number): string => {
    const infos = process.sys.processes();
    const lines = draw(process, infos, before, { delayMs, isFull: options.has('c'), pids: options.value('p')?.split(',').map(Number) });
    before = new Map(infos.map((info) => [info.pid, info.cpuMs]));
    return lines.slice(0, rows).join('\n');
  };
  if (options.has('b') || tty === undefined) {
    for (let round = 0; round < limit; round++) {
      if (round > 0) await process.sys.sleep(delayMs);
      await print(process, `${round > 0 ? '\n' : ''}${frame(Infinity)}\n`);
    }
    return 0;
  }
  const saved = tty.termios;
  const end = (): void => {
    tty.termios = saved;
  };
  process.sys.onSignal('SIGINT', () => {
    end();
    process.sys.exit(0);
  });
  tty.termios = { ...saved, canonical: false, echo: false };
  try {
    for (let round = 0; round < limit; round++) {
      const { columns, rows } = tty.size;
      const lines = frame(rows - 1).split('\n');
      await print(process, `\x1b[H\x1b[J${lines.map((line) => line.slice(0, columns)).join('\r\n')}`);
      if ((await keyWithin(process, delayMs)) === 'q') break;
    }
    await print(process, `\x1b[${tty.size.rows};1H\r\n`);
    return 0;
  } finally {
    end();
  }
}

/** What was typed, or undefined when the time is over. */
async function keyWithin(process: Process, delayMs: number): Promise<string | undefined> {
  const giveUp = new AbortController();
  const timer = process.sys.clock.setTimer(delayMs, () => giveUp.abort(new Error('time is over')));
  try {
    return text((await process.stdin.read(1, giveUp.signal)) ?? new TextEncoder().encode('q'));
  } catch (error) {
    if (giveUp.signal.aborted && error === giveUp.signal.reason) return undefined;
    throw error;
  } finally {
    timer.dispose();
  }
}

function draw(
  process: Process,
  infos: readonly ProcessInfo[],
  before: ReadonlyMap<number, number>,
  options: { readonly delayMs: number; readonly isFull: boolean; readonly pids: readonly number[] | undefined },
): readonly string[] {
  const memory = memoryInfo(process);
  const kib = (name: string): number => memory.get(name) ?? 0;
  const names = new Map(accounts(process.sys).map((account) => [account.uid, account.name]));
  const spanMs = before.size === 0 ? Math.max(1, process.sys.uptimeMs()) : options.delayMs;
  const share = (info: ProcessInfo): number => ((info.cpuMs - (before.get(info.pid) ?? 0)) / spanMs) * 100;
  const busy = Math.min(
    100,
    infos.reduce((sum, info) => sum + Math.max(0, share(info)), 0),
  );
  const count = (state: ProcessInfo['state']): number => infos.filter((info) => info.state === state).length;
  const cache = kib('Buffers') + kib('Cached') + kib('SReclaimable');
  const wide = (value: number): string => String(value).padStart(8);
  const task = (value: number): string => String(value).padStart(3);
  const rows = infos
    .filter((info) => options.pids === undefined || options.pids.includes(info.pid))
    .sort((a, b) => share(b) - share(a) || a.pid - b.pid)
    .map((info) => {
      const resident = Math.floor(info.residentBytes / 1024);
      const user = (names.get(info.uid) ?? String(info.uid)).slice(0, 8).padEnd(8);
      const seconds = info.cpuMs / 1000;
      const time = `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(2).padStart(5, '0')}`;
      const sizes = `${String(Math.floor(info.virtualBytes / 1024)).padStart(7)} ${String(resident).padStart(6)} ${String(Math.floor(resident * 0.6)).padStart(6)}`;
      const percents = `${Math.max(0, share(info)).toFixed(1).padStart(5)} ${((resident / kib('MemTotal')) * 100).toFixed(1).padStart(4)}`;
      const command = options.isFull ? commandLine(info) : info.command;
      return `${String(info.pid).padStart(5)} ${user}  20   0 ${sizes} ${info.state} ${percents} ${time.padStart(9)} ${command}`;
    });
  return [
    `top -${headline(process).trimEnd()}`,
    `Tasks: ${task(infos.length)} total, ${task(count('R'))} running, ${task(count('S'))} sleeping, ${task(count('T'))} stopped, ${task(count('Z'))} zombie`,
    `%Cpu(s): ${(busy * 0.7).toFixed(1).padStart(4)} us, ${(busy * 0.3).toFixed(1).padStart(4)} sy,  0.0 ni, ${(100 - busy).toFixed(1).padStart(4)} id,  0.0 wa,  0.0 hi,  0.0 si,  0.0 st`,
    `KiB Mem : ${wide(kib('MemTotal'))} total, ${wide(kib('MemFree'))} free, ${wide(kib('MemTotal') - kib('MemFree') - cache)} used, ${wide(cache)} buff/cache`,
    `KiB Swap: ${wide(kib('SwapTotal'))} total, ${wide(kib('SwapFree'))} free, ${wide(0)} used. ${wide(kib('MemAvailable'))} avail Mem `,
    '',
    HEADER,
    ...rows,
  ];
}

export const programs = [program('top', top)];
