// Models reboot, poweroff, halt, shutdown, init and runlevel of systemd 219.

import { isSysError } from '../../sim/errno.ts';
import { askManager } from '../../systemd/control.ts';
import type { Process } from '../../kernel/process.ts';
import { complain, DAYS, Failure, localTime, nameOf, parseOptions, print, program, two } from './support.ts';

type Action = 'off' | 'reboot' | 'halt';

async function request(process: Process, action: Action, isForced: boolean): Promise<number> {
  const { sys } = process;
  if (sys.credentials().uid !== 0) {
    const verb = { off: 'power off', reboot: 'reboot', halt: 'halt' }[action];
    await complain(
      process,
      `Failed to set wall message, ignoring: Interactive authentication required.\nFailed to ${verb} system via logind: Interactive authentication required.\n`,
    );
    return 1;
  }
  if (isForced) {
    sys.kernel.power(action);
    return 0;
  }
  try {
    await askManager(process, { verb: 'power', action });
    return 0;
  } catch (error) {
    if (!isSysError(error, 'ENOENT', 'ECONNREFUSED', 'ECONNRESET')) throw error;
    await complain(process, 'Failed to open /dev/initctl: No such device or address\nFailed to talk to init daemon.\n');
    return 1;
  }
}

async function powerCommand(process: Process): Promise<number> {
  const options = parseOptions(process.argv, {
    short: 'pfwdnh',
    long: { halt: 'H', poweroff: 'p', reboot: 'R', force: 'f', 'wtmp-only': 'w', 'no-wtmp': 'd', 'no-wall': 'W' },
  });
  if (options.has('w')) return 0;
  const own: Action = { reboot: 'reboot' as const, halt: 'halt' as const }[nameOf(process)] ?? 'off';
  const action = options.has('R') ? 'reboot' : options.has('p') ? 'off' : options.has('H') ? 'halt' : own;
  return request(process, action, options.has('f'));
}

const SCHEDULED = '/run/systemd/shutdown/scheduled';

async function shutdown(process: Process): Promise<number> {
  const options = parseOptions(process.argv, { short: 'HPrhkct:a', long: { halt: 'H', poweroff: 'P', reboot: 'r', 'no-wall': 'W' } });
  const { sys } = process;
  if (options.has('c')) {
    if (sys.exists(SCHEDULED)) sys.unlink(SCHEDULED);
    return 0;
  }
  const action: Action = options.has('r') ? 'reboot' : options.has('H') ? 'halt' : 'off';
  const when = options.operands[0] ?? '+1';
  const delayMs = delayOf(when, sys.now());
  if (delayMs === undefined) throw new Failure(`Failed to parse time specification: ${when}\n`, 1);
  if (delayMs === 0) return request(process, action, false);
  if (sys.credentials().uid !== 0) return request(process, action, false);
  const at = localTime(sys.now() + delayMs);
  const date = `${DAYS[at.getUTCDay()]} ${at.getUTCFullYear()}-${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())} ${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())} KST`;
  await complain(process, `Shutdown scheduled for ${date}, use 'shutdown -c' to cancel.\n`);
  sys.mkdir('/run/systemd/shutdown', { recursive: true });
  const mark = String(sys.now() + delayMs);
  sys.writeFile(SCHEDULED, mark);
  // logind holds the timer; a session of its own outlives the terminal here as well.
  sys.fork(
    async (child) => {
      await child.sys.sleep(delayMs);
      if (!child.sys.exists(SCHEDULED) || child.sys.readTextFile(SCHEDULED) !== mark) return 0;
      return request(child, action, false);
    },
    { newSession: true, ignoredSignals: ['SIGHUP'], title: 'systemd-shutdownd', cgroup: '/system.slice/systemd-logind.service' },
  );
  return 0;
}

function delayOf(when: string, nowMs: number): number | undefined {
  if (when === 'now') return 0;
  const minutes = /^\+?(\d+)$/.exec(when);
  if (minutes !== null) return Number(minutes[1]) * 60_000;
  const clock = /^(\d{1,2}):(\d{2})$/.exec(when);
  if (clock === null || Number(clock[1]) > 23 || Number(clock[2]) > 59) return undefined;
  const now = localTime(nowMs);
  const today = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate(), Number(clock[1]), Number(clock[2]));
  const delta = today - now.getTime();
  return delta > 0 ? delta : delta + 86_400_000;
}

async function telinit(process: Process): Promise<number> {
  const level = process.argv[1];
  const actions: Readonly<Record<string, Action>> = { '0': 'off', '6': 'reboot' };
  const action = level === undefined ? undefined : actions[level];
  if (action !== undefined) return request(process, action, false);
  const targets: Readonly<Record<string, string>> = {
    '1': 'rescue.target',
    s: 'rescue.target',
    '2': 'multi-user.target',
    '3': 'multi-user.target',
    '4': 'multi-user.target',
    '5': 'graphical.target',
  };
  if (level === 'q' || level === 'u') {
    await askManager(process, { verb: 'daemon-reload' });
    return 0;
  }
  const unit = level === undefined ? undefined : targets[level];
  if (unit === undefined) throw new Failure(`${nameOf(process)}: required argument missing.\n`, 1);
  await askManager(process, { verb: 'isolate', unit });
  return 0;
}

async function runlevel(process: Process): Promise<number> {
  await print(process, 'N 3\n');
  return 0;
}

const sbin = (name: string): { readonly paths: readonly string[] } => ({ paths: [`/usr/sbin/${name}`] });

export const programs = [
  ...['reboot', 'poweroff', 'halt'].map((name) => program(name, powerCommand, sbin(name))),
  program('shutdown', shutdown, sbin('shutdown')),
  program('telinit', telinit, sbin('telinit')),
  program('runlevel', runlevel, sbin('runlevel')),
];
