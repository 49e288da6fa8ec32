// Models journalctl 219 on the volatile journal. Not modelled: catalogue texts (-x adds none), binary fields, remote journals.

import type { Process, Program } from '../../kernel/process.ts';
import { utf8 } from '../../sim/bytes.ts';
import { readJournal, type JournalEntry } from '../../systemd/journal.ts';
import { journalStamp, parseTime, timestamp } from './time.ts';

interface Options {
  units: string[];
  follow: boolean;
  lines: number | undefined;
  priority: number;
  sinceMs: number;
  untilMs: number;
  isReversed: boolean;
  isQuiet: boolean;
  isKernel: boolean;
  identifiers: string[];
  output: string;
  toEnd: boolean;
  isPagerOff: boolean;
}

class UsageError extends Error {
  override readonly name = 'UsageError';
}

const PRIORITIES = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'];
/** How often a follower looks; inotify tells the real one at once, a fraction of a second is as good to a reader. */
const FOLLOW_INTERVAL_MS = 250;

export const journalctl: Program = {
  name: 'journalctl',
  async main(process) {
    let options: Options;
    try {
      options = parse(process.argv.slice(1), process.sys.now());
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      await process.stderr.write(utf8(`${error.message}\n`));
      return 1;
    }
    const all = options.isKernel ? kernelEntries(process) : readJournal(process.sys);
    const chosen = all.filter((entry) => matches(entry, options));
    const shown = options.lines === undefined ? chosen : chosen.slice(Math.max(0, chosen.length - options.lines));
    const format = formatter(process, options.output);
    let text = '';
    if (!options.isQuiet && options.output === 'short') {
      text +=
        all.length === 0
          ? '-- No entries --\n'
          : `-- Logs begin at ${timestamp(all[0]!.timeMs)}, end at ${timestamp(all.at(-1)!.timeMs)}. --\n`;
      if (all.length > 0 && shown.length === 0 && !options.follow) text += '-- No entries --\n';
    }
    for (const entry of options.isReversed ? [...shown].reverse() : shown) text += `${format(entry)}\n`;
    if (!options.follow) return page(process, text, options);
    await process.stdout.write(utf8(text));
    return follow(process, options, format, all.length);
  },
};

/** Long output on a terminal goes through less, as SYSTEMD_PAGER has it. */
async function page(process: Process, text: string, options: Options): Promise<number> {
  const { sys, stdout } = process;
  const isLong = stdout.tty !== undefined && text.split('\n').length > stdout.tty.size.rows;
  if (!isLong || options.isPagerOff || !sys.exists('/usr/bin/less')) {
    await stdout.write(utf8(text));
    return 0;
  }
  const [read, write] = sys.pipe();
  const pid = sys.spawn('/usr/bin/less', ['less', '-FRSXMK', ...(options.toEnd ? ['+G'] : [])], {
    env: process.env,
    fds: new Map([
      [0, read],
      [1, 1],
      [2, 2],
    ]),
  });
  sys.close(read);
  await sys.file(write).write(utf8(text));
  sys.close(write);
  await sys.wait(pid);
  return 0;
}

async function follow(process: Process, options: Options, format: (entry: JournalEntry) => string, seen: number): Promise<number> {
  let last = readJournal(process.sys).at(-1);
  let count = seen;
  for (;;) {
    await process.sys.sleep(FOLLOW_INTERVAL_MS);
    const all = readJournal(process.sys);
    const from = last === undefined ? 0 : lastIndexOf(all, last) + 1;
    count = all.length;
    last = all.at(-1) ?? last;
    const fresh = all.slice(from).filter((entry) => matches(entry, options));
    if (fresh.length > 0) await process.stdout.write(utf8(fresh.map((entry) => `${format(entry)}\n`).join('')));
    if (count === 0) last = undefined;
  }
}

function lastIndexOf(entries: readonly JournalEntry[], wanted: JournalEntry): number {
  return entries.findLastIndex((entry) => entry.timeMs === wanted.timeMs && entry.message === wanted.message && entry.pid === wanted.pid);
}

function parse(args: readonly string[], nowMs: number): Options {
  const options: Options = {
    units: [],
    follow: false,
    lines: undefined,
    priority: 7,
    sinceMs: -Infinity,
    untilMs: Infinity,
    isReversed: false,
    isQuiet: false,
    isKernel: false,
    identifiers: [],
    output: 'short',
    toEnd: false,
    isPagerOff: false,
  };
  const queue = args.flatMap((arg) =>
    /^-[a-zA-Z]{2,}$/.test(arg) && !/^-[unpSUto]/.test(arg) ? [...arg.slice(1)].map((letter) => `-${letter}`) : [arg],
  );
  const isHex = /^_?[A-Z_]+=/;
  for (let i = 0; i < queue.length; i++) {
    const arg = queue[i]!;
    const [name, inline] = arg.startsWith('--')
      ? splitOption(arg)
      : /^-[unpSUto]./.test(arg)
        ? [arg.slice(0, 2), arg.slice(2)]
        : [arg, undefined];
    const value = (): string => {
      const found = inline ?? queue[++i];
      if (found === undefined) throw new UsageError(`journalctl: option requires an argument -- '${name.replace(/^-+/, '')}'`);
      return found;
    };
    switch (name) {
      case '-u':
      case '--unit': {
        const unit = value();
        options.units.push(/\.[a-z]+$/.test(unit) ? unit : `${unit}.service`);
        break;
      }
      case '-f':
      case '--follow':
        options.follow = true;
        options.lines ??= 10;
        break;
      case '-n':
      case '--lines': {
        const next = inline ?? (/^(\d+|all)$/.test(queue[i + 1] ?? '') ? queue[++i] : undefined);
        options.lines = next === undefined ? 10 : next === 'all' ? undefined : Number(next);
        if (Number.isNaN(options.lines)) throw new UsageError(`Failed to parse lines '${next ?? ''}'`);
        break;
      }
      case '-e':
      case '--pager-end':
        options.toEnd = true;
        options.lines ??= 1000;
        break;
      case '-p':
      case '--priority': {
        const text = value();
        const upTo = /^\d$/.test(text) ? Number(text) : PRIORITIES.indexOf(text.replace(/^error$/, 'err'));
        if (upTo < 0 || upTo > 7) throw new UsageError(`Unknown log level ${text}`);
        options.priority = upTo;
        break;
      }
      case '-S':
      case '--since':
      case '-U':
      case '--until': {
        const text = value();
        const time = parseTime(text, nowMs);
        if (time === undefined) throw new UsageError(`Failed to parse timestamp: ${text}`);
        if (name === '-S' || name === '--since') options.sinceMs = time;
        else options.untilMs = time;
        break;
      }
      case '-r':
      case '--reverse':
        options.isReversed = true;
        break;
      case '-q':
      case '--quiet':
        options.isQuiet = true;
        break;
      case '-k':
      case '--dmesg':
        options.isKernel = true;
        break;
      case '-t':
      case '--identifier':
        options.identifiers.push(value());
        break;
      case '-o':
      case '--output': {
        const output = value();
        if (!['short', 'cat', 'short-iso', 'json'].includes(output)) throw new UsageError(`Unknown output format '${output}'.`);
        options.output = output;
        break;
      }
      case '--no-pager':
        options.isPagerOff = true;
        break;
      case '-x':
      case '--catalog':
      case '-b':
      case '--boot':
      case '-a':
      case '--all':
      case '-l':
      case '--full':
      case '--no-tail':
        if (name === '--no-tail') options.lines = undefined;
        break;
      default:
        if (arg.startsWith('--')) throw new UsageError(`journalctl: unrecognized option '${arg}'`);
        if (arg.startsWith('-')) throw new UsageError(`journalctl: invalid option -- '${arg.slice(1, 2)}'`);
        if (!isHex.test(arg)) throw new UsageError(`Failed to add match '${arg}': Invalid argument`);
        if (arg.startsWith('_SYSTEMD_UNIT=')) options.units.push(arg.slice('_SYSTEMD_UNIT='.length));
        else if (arg.startsWith('SYSLOG_IDENTIFIER=')) options.identifiers.push(arg.slice('SYSLOG_IDENTIFIER='.length));
        else throw new UsageError(`Failed to add match '${arg}': not emulated`);
    }
  }
  return options;
}

function splitOption(arg: string): [string, string | undefined] {
  const equals = arg.indexOf('=');
  return equals < 0 ? [arg, undefined] : [arg.slice(0, equals), arg.slice(equals + 1)];
}

function matches(entry: JournalEntry, options: Options): boolean {
  return (
    (options.units.length === 0 || (entry.unit !== undefined && options.units.includes(entry.unit))) &&
    (options.identifiers.length === 0 || options.identifiers.includes(entry.identifier)) &&
    entry.priority <= options.priority &&
    entry.timeMs >= options.sinceMs &&
    entry.timeMs <= options.untilMs
  );
}

function kernelEntries(process: Process): readonly JournalEntry[] {
  const { kernel } = process.sys;
  const bootMs = process.sys.now() - process.sys.uptimeMs();
  return kernel.messages.map((message) => ({
    timeMs: bootMs + message.uptimeMs,
    unit: undefined,
    identifier: 'kernel',
    pid: 0,
    priority: message.level,
    message: message.text,
  }));
}

function formatter(process: Process, output: string): (entry: JournalEntry) => string {
  const host = process.sys.hostname().split('.')[0]!;
  const isColored = process.stdout.tty !== undefined;
  const pidOf = (entry: JournalEntry): string => (entry.identifier === 'kernel' ? '' : `[${entry.pid}]`);
  switch (output) {
    case 'cat':
      return (entry) => entry.message;
    case 'json':
      return (entry) =>
        JSON.stringify({
          __REALTIME_TIMESTAMP: String(Math.floor(entry.timeMs * 1000)),
          PRIORITY: String(entry.priority),
          _HOSTNAME: host,
          SYSLOG_IDENTIFIER: entry.identifier,
          _PID: String(entry.pid),
          ...(entry.unit === undefined ? {} : { _SYSTEMD_UNIT: entry.unit }),
          MESSAGE: entry.message,
        });
    case 'short-iso':
      return (entry) =>
        `${new Date(entry.timeMs + 9 * 3600_000).toISOString().slice(0, 19)}+0900 ${host} ${entry.identifier}${pidOf(entry)}: ${entry.message}`;
    default:
      return (entry) => {
        const head = `${journalStamp(entry.timeMs)} ${host} ${entry.identifier}${pidOf(entry)}: `;
        if (!isColored || entry.priority > 5) return head + entry.message;
        return `${head}\x1b[1;${entry.priority <= 3 ? '31' : '39'}m${entry.message}\x1b[0m`;
      };
  }
}
