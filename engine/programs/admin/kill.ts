// Models kill, killall, pkill, pgrep and pidof.

import { isSysError } from '../../sim/errno.ts';
import { parseSignal, signalNumber, SIGNALS } from '../../kernel/signals.ts';
import type { Process, ProcessInfo, SignalName } from '../../kernel/process.ts';
import { commandLine, isThread } from './ps-columns.ts';
import { accounts, complain, Failure, nameOf, parseOptions, print, program } from './support.ts';

async function kill(process: Process): Promise<number> {
  const args = process.argv.slice(1);
  let signal: SignalName | 0 = 'SIGTERM';
  const [first = ''] = args;
  if (first === '-l' || first === '--list') {
    await print(process, `${SIGNALS.map((name) => name.slice(3)).join(' ')}\n`);
    return 0;
  }
  if (first === '-s' || first === '--signal') {
    signal = signalOf(args[1] ?? '', 'kill');
    args.splice(0, 2);
  } else if (/^-[A-Za-z0-9]+$/.test(first)) {
    signal = signalOf(first.slice(1), 'kill');
    args.shift();
  }
  if (args[0] === '--') args.shift();
  if (args.length === 0) throw new Failure('\nUsage:\n kill [options] <pid|name> [...]\n', 1);
  let status = 0;
  for (const arg of args) {
    const pids = /^-?\d+$/.test(arg)
      ? [Number(arg)]
      : process.sys
          .processes()
          .filter((info) => info.command === arg)
          .map((info) => info.pid);
    if (pids.length === 0) {
      await complain(process, `kill: cannot find process "${arg}"\n`);
      status = 1;
    }
    for (const pid of pids) {
      try {
        process.sys.kill(pid, signal);
      } catch (error) {
        if (!isSysError(error)) throw error;
        await complain(process, `kill: sending signal to ${arg} failed: ${error.strerror}\n`);
        status = 1;
      }
    }
  }
  return status;
}

function signalOf(text: string, tool: string): SignalName | 0 {
  if (text === '0') return 0;
  const signal = parseSignal(text);
  if (signal === undefined) throw new Failure(`${tool}: unknown signal ${text}\n`, 1);
  return signal;
}

/** `-9` and `-KILL` are no getopt options: takes them out. */
function takeSignal(
  argv: readonly string[],
  letters: string,
): { readonly argv: readonly string[]; readonly signal: SignalName | 0 | undefined } {
  const at = argv.findIndex((arg, index) => {
    if (index === 0 || !/^-[A-Z0-9]+$/i.test(arg)) return false;
    return parseSignal(arg.slice(1)) !== undefined && (arg.length > 2 || !letters.includes(arg[1]!));
  });
  if (at < 0) return { argv, signal: undefined };
  return { argv: argv.filter((_, index) => index !== at), signal: parseSignal(argv[at]!.slice(1)) };
}

const GREP_SHORT = 'flnovxcad:u:U:P:g:s:t:is:eL';

async function pgrep(process: Process): Promise<number> {
  const isKill = nameOf(process) === 'pkill';
  const { argv, signal } = isKill ? takeSignal(process.argv, GREP_SHORT) : { argv: process.argv, signal: undefined };
  const options = parseOptions(argv, {
    short: GREP_SHORT,
    long: {
      full: 'f',
      'list-name': 'l',
      'list-full': 'a',
      newest: 'n',
      oldest: 'o',
      inverse: 'v',
      exact: 'x',
      count: 'c',
      'delimiter=': 'd',
      'euid=': 'u',
      'parent=': 'P',
      'terminal=': 't',
      'signal=': 'S',
      echo: 'e',
      'ignore-case': 'i',
    },
    status: 2,
    hint: `\nUsage:\n ${isKill ? 'pkill' : 'pgrep'} [options] <pattern>\n\nFor more details see pgrep(1).\n`,
  });
  const [pattern] = options.operands;
  const hasSelection = ['u', 'U', 'P', 't', 'g'].some((name) => options.has(name));
  if (pattern === undefined && !hasSelection) {
    throw new Failure(`${nameOf(process)}: no matching criteria specified\nTry \`${nameOf(process)} --help' for more information.\n`, 2);
  }
  const found = matching(process, pattern, options);
  if (isKill) return killAll(process, found, signal ?? signalOf(options.value('S') ?? 'TERM', 'pkill'), options.has('e'));
  if (options.has('c')) {
    await print(process, `${found.length}\n`);
    return found.length === 0 ? 1 : 0;
  }
  const line = (info: ProcessInfo): string =>
    options.has('a') ? `${info.pid} ${commandLine(info)}` : options.has('l') ? `${info.pid} ${info.command}` : String(info.pid);
  if (found.length > 0) await print(process, `${found.map(line).join(options.value('d') ?? '\n')}\n`);
  return found.length === 0 ? 1 : 0;
}

function matching(
  process: Process,
  pattern: string | undefined,
  options: { has(name: string): boolean; value(name: string): string | undefined },
): readonly ProcessInfo[] {
  const { sys } = process;
  const users = (options.value('u') ?? options.value('U'))?.split(',');
  const known = accounts(sys);
  const uids = users?.map((user) => (/^\d+$/.test(user) ? Number(user) : known.find((account) => account.name === user)?.uid));
  const parents = options.value('P')?.split(',').map(Number);
  const ttys = options.value('t')?.split(',');
  const regex =
    pattern === undefined ? undefined : new RegExp(options.has('x') ? `^(?:${pattern})$` : pattern, options.has('i') ? 'i' : '');
  let found = sys.processes().filter((info) => {
    if (info.pid === process.pid) return false;
    const subject = options.has('f') && !isThread(info) ? commandLine(info) : info.command;
    const isMatch =
      (regex === undefined || regex.test(subject)) &&
      (uids === undefined || uids.includes(info.uid)) &&
      (parents === undefined || parents.includes(info.parent)) &&
      (ttys === undefined || ttys.includes(info.tty ?? ''));
    return isMatch !== options.has('v');
  });
  const byAge = [...found].sort((a, b) => a.startMs - b.startMs || a.pid - b.pid);
  if (options.has('n')) found = byAge.slice(-1);
  if (options.has('o')) found = byAge.slice(0, 1);
  return found;
}

async function killAll(process: Process, found: readonly ProcessInfo[], signal: SignalName | 0, isEchoed: boolean): Promise<number> {
  let count = 0;
  for (const info of found) {
    try {
      process.sys.kill(info.pid, signal);
      count++;
      if (isEchoed) await print(process, `${info.command} killed (pid ${info.pid})\n`);
    } catch (error) {
      if (!isSysError(error)) throw error;
      if (error.errno !== 'ESRCH') await complain(process, `pkill: killing pid ${info.pid} failed: ${error.strerror}\n`);
    }
  }
  return count > 0 ? 0 : 1;
}

async function killall(process: Process): Promise<number> {
  const { argv, signal } = takeSignal(process.argv, 'egilqrsuvwIVZoy');
  const options = parseOptions(argv, {
    short: 'egiIqrs:u:vw',
    long: {
      exact: 'e',
      interactive: 'i',
      quiet: 'q',
      regexp: 'r',
      'signal=': 's',
      'user=': 'u',
      verbose: 'v',
      wait: 'w',
      'ignore-case': 'I',
    },
  });
  if (options.operands.length === 0) throw new Failure('Usage: killall [-Z CONTEXT] [-u USER] [ -eIgiqrvw ] [ -SIGNAL ] NAME...\n', 1);
  const sent = signal ?? signalOf(options.value('s') ?? 'TERM', 'killall');
  let status = 0;
  for (const name of options.operands) {
    const targets = process.sys
      .processes()
      .filter((info) => info.pid !== process.pid && !isThread(info) && info.command === name.slice(name.lastIndexOf('/') + 1).slice(0, 15));
    if (targets.length === 0) {
      if (!options.has('q')) await complain(process, `${name}: no process found\n`);
      status = 1;
    }
    for (const info of targets) {
      try {
        process.sys.kill(info.pid, sent);
        if (options.has('v')) await complain(process, `Killed ${name}(${info.pid}) with signal ${sent === 0 ? 0 : signalNumber(sent)}\n`);
      } catch (error) {
        if (!isSysError(error)) throw error;
        await complain(process, `${name}(${info.pid}): ${error.strerror}\n`);
        status = 1;
      }
    }
  }
  return status;
}

async function pidof(process: Process): Promise<number> {
  const options = parseOptions(process.argv, { short: 'sxo:c' });
  const pids = process.sys
    .processes()
    .filter(
      (info) =>
        !isThread(info) && options.operands.some((name) => [info.command, info.argv[0], info.argv[0]?.replace(/^.*\//, '')].includes(name)),
    )
    .map((info) => info.pid)
    .reverse();
  const shown = options.has('s') ? pids.slice(0, 1) : pids;
  if (shown.length > 0) await print(process, `${shown.join(' ')}\n`);
  return shown.length > 0 ? 0 : 1;
}

export const programs = [
  program('kill', kill),
  program('pgrep', pgrep),
  program('pkill', pgrep),
  program('killall', killall),
  program('pidof', pidof, { paths: ['/usr/sbin/pidof'] }),
];
