// Models agetty(8) and login(1): the prompt on a terminal and who may pass it.

import { text, utf8 } from '../../sim/bytes.ts';
import { isSysError } from '../../sim/errno.ts';
import { checkPassword } from '../../machine/password.ts';
import type { OpenFile, Process, Program } from '../../kernel/process.ts';
import { accountOf, lastLogin, loginEnvironment, recordLogin, recordLogout, shadowField } from './accounts.ts';

/** What login gives a person to type in. */
const LOGIN_TIMEOUT_MS = 60_000;
const MAX_TRIES = 3;
/** pam_unix's pause after a wrong password. */
const FAIL_DELAY_MS = 2000;

async function agetty(process: Process): Promise<number> {
  const { sys, argv } = process;
  const name = argv.slice(1).find((arg) => /^(tty|pts)/.test(arg));
  if (name === undefined) {
    await process.stderr.write(utf8('agetty: not enough arguments\n'));
    return 1;
  }
  takeTerminal(process, `/dev/${name}`);
  const tty = sys.file(0);
  const release = sys.readTextFile('/proc/sys/kernel/osrelease').trim();
  for (;;) {
    await tty.write(utf8(`\n${prettyName(process)}\nKernel ${release} on an x86_64\n\n`));
    const user = await askName(process, tty);
    if (user === undefined) return 0;
    if (user !== '')
      await sys.exec(
        '/usr/bin/login',
        ['login', '--', user],
        new Map([
          ['TERM', 'linux'],
          ['PATH', '/usr/local/bin:/usr/bin:/bin'],
        ]),
      );
  }
}

/** Makes the terminal this session's own, on descriptors 0, 1 and 2. */
function takeTerminal(process: Process, path: string): void {
  const { sys } = process;
  try {
    sys.setSession();
  } catch (error) {
    // A process that leads its session already keeps it.
    if (!isSysError(error, 'EPERM')) throw error;
  }
  const fd = sys.open(path, { read: true, write: true });
  for (const target of [0, 1, 2]) sys.dup2(fd, target);
  if (fd > 2) sys.close(fd);
  const { tty } = sys.file(0);
  if (tty !== undefined) {
    tty.termios = { canonical: true, echo: true, signals: true, inputCrToNl: true, outputNlToCrNl: true, flowControl: true };
    tty.flushInput();
  }
}

async function askName(process: Process, tty: OpenFile): Promise<string | undefined> {
  await tty.write(utf8(`${process.sys.hostname()} login: `));
  const line = await tty.read();
  return line === undefined ? undefined : text(line).trim();
}

function prettyName(process: Process): string {
  try {
    return /^PRETTY_NAME="?([^"\n]*)/m.exec(process.sys.readTextFile('/etc/os-release'))?.[1] ?? 'Linux';
  } catch (error) {
    if (isSysError(error, 'ENOENT')) return 'Linux';
    throw error;
  }
}

async function login(process: Process): Promise<number> {
  const { sys, argv, stdin, stdout } = process;
  if (sys.credentials().uid !== 0) {
    await stdout.write(utf8('login: Cannot possibly work without effective root\n'));
    return 1;
  }
  const isPreauthenticated = argv[1] === '-f';
  let name = argv.slice(1).find((arg) => !arg.startsWith('-'));
  // A person who does not answer gets a fresh prompt from the next getty.
  const timer = sys.clock.setTimer(LOGIN_TIMEOUT_MS, () => sys.kill(process.pid, 'SIGALRM'));
  try {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      name ??= await askName(process, stdin);
      if (name === undefined) return 1;
      if (isPreauthenticated || (await isAdmitted(process, name))) {
        timer.dispose();
        return await startSession(process, name);
      }
      await sys.sleep(FAIL_DELAY_MS);
      await stdout.write(utf8('Login incorrect\n\n'));
      name = undefined;
    }
    return 1;
  } finally {
    timer.dispose();
  }
}

async function isAdmitted(process: Process, name: string): Promise<boolean> {
  const { stdin, stdout } = process;
  await stdout.write(utf8('Password: '));
  const { tty } = stdin;
  const before = tty?.termios;
  if (tty !== undefined && before !== undefined) tty.termios = { ...before, echo: false };
  const line = await stdin.read();
  if (tty !== undefined && before !== undefined) tty.termios = before;
  await stdout.write(utf8('\n'));
  const field = shadowField(process.sys, name);
  return line !== undefined && field !== undefined && checkPassword(text(line).replace(/\n$/, ''), field);
}

async function startSession(process: Process, name: string): Promise<number> {
  const { sys, stdin, stdout } = process;
  const account = accountOf(sys, name);
  if (account === undefined) return 1;
  const terminal = stdin.tty?.name ?? 'tty1';
  const last = lastLogin(sys, name);
  if (last !== undefined) await stdout.write(utf8(`Last login: ${last}\n`));
  recordLogin(sys, { name, terminal, host: '' });
  const home = sys.exists(account.home) ? account.home : '/';
  const shellName = account.shell.slice(account.shell.lastIndexOf('/') + 1);
  const pid = sys.spawn(account.shell, [`-${shellName}`], {
    cwd: home,
    credentials: { uid: account.uid, gid: account.gid, groups: account.groups },
    env: loginEnvironment(account, new Map([['TERM', process.env.get('TERM') ?? 'linux']])),
    processGroup: 0,
    foreground: true,
    cgroup: `/user.slice/user-${account.uid}.slice/session-1.scope`,
  });
  sys.onSignal('SIGHUP', () => sys.kill(-pid, 'SIGHUP'));
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGTSTP'] as const) sys.onSignal(signal, 'ignore');
  const ended = await sys.wait(pid);
  recordLogout(sys, terminal);
  return ended?.kind === 'exited' ? ended.status : 1;
}

export const programs: readonly Program[] = [
  { name: 'agetty', paths: ['/usr/sbin/agetty'], main: agetty },
  { name: 'login', paths: ['/usr/bin/login'], main: login },
];
