// Models su, sudo, passwd, useradd, usermod, userdel, groupadd and nologin.

import { text } from '../../sim/bytes.ts';
import { isSysError } from '../../sim/errno.ts';
import { checkPassword, hashPassword } from '../../machine/password.ts';
import type { Process, SpawnOptions } from '../../kernel/process.ts';
import {
  accounts,
  complain,
  Failure,
  groups,
  groupsOf,
  nameOf,
  parseOptions,
  print,
  program,
  readLines,
  userName,
  type Account,
} from './support.ts';

const FAIL_DELAY_MS = 2000;
const LOGIN_PATH = '/usr/local/bin:/bin:/usr/bin:/usr/local/sbin:/usr/sbin';
const ROOT_PATH = '/usr/local/sbin:/usr/local/bin:/sbin:/bin:/usr/sbin:/usr/bin:/root/bin';

function find(process: Process, name: string): Account | undefined {
  return accounts(process.sys).find((account) => account.name === name);
}

function shadow(process: Process, name: string): string {
  return (
    readLines(process.sys, '/etc/shadow')
      .find((line) => line.startsWith(`${name}:`))
      ?.split(':')[1] ?? '!!'
  );
}

/** Asks on the terminal without echo; undefined at its end. */
async function askPassword(process: Process, prompt: string): Promise<string | undefined> {
  const { stdin, stderr } = process;
  await stderr.write(new TextEncoder().encode(prompt));
  const { tty } = stdin;
  const before = tty?.termios;
  if (tty !== undefined && before !== undefined) tty.termios = { ...before, echo: false };
  try {
    const line = await stdin.read();
    return line === undefined ? undefined : text(line).replace(/\n$/, '');
  } finally {
    if (tty !== undefined && before !== undefined) {
      tty.termios = before;
      await stderr.write(new TextEncoder().encode('\n'));
    }
  }
}

/** Runs a program as somebody else in this process's place in its job. */
async function runAs(process: Process, path: string, argv: readonly string[], options: SpawnOptions): Promise<number> {
  const { sys } = process;
  try {
    const pid = sys.spawn(path, argv, options);
    for (const signal of ['SIGINT', 'SIGQUIT'] as const) sys.onSignal(signal, 'ignore');
    sys.onSignal('SIGTERM', () => sys.kill(pid, 'SIGTERM'));
    const ended = await sys.wait(pid);
    return ended?.kind === 'exited' ? ended.status : 130;
  } catch (error) {
    if (!isSysError(error, 'ENOENT', 'EACCES', 'ENOEXEC')) throw error;
    throw new Failure(`${nameOf(process)}: failed to execute ${path}: ${error.strerror}\n`, error.errno === 'ENOENT' ? 127 : 126);
  }
}

async function su(process: Process): Promise<number> {
  const argv = process.argv.map((arg) => (arg === '-' ? '-l' : arg));
  const options = parseOptions(argv, {
    short: 'c:fg:G:lmps:',
    long: { 'command=': 'c', login: 'l', 'preserve-environment': 'p', 'shell=': 's', 'group=': 'g' },
    stopsAtOperand: false,
    hint: "Try 'su --help' for more information.\n",
  });
  const [name = 'root', ...rest] = options.operands;
  const account = find(process, name);
  if (account === undefined) throw new Failure(`su: user ${name} does not exist\n`, 1);
  const { sys } = process;
  if ((sys.credentials().realUid ?? sys.credentials().uid) !== 0) {
    const password = await askPassword(process, 'Password: ');
    if (password === undefined || !checkPassword(password, shadow(process, name))) {
      await sys.sleep(FAIL_DELAY_MS);
      throw new Failure('su: Authentication failure\n', 1);
    }
  }
  const isLogin = options.has('l');
  const shell = options.value('s') ?? account.shell;
  const shellName = shell.slice(shell.lastIndexOf('/') + 1);
  const command = options.value('c');
  const args = command === undefined ? rest : ['-c', command, ...rest];
  const env = isLogin
    ? new Map([
        ['TERM', process.env.get('TERM') ?? 'linux'],
        ['PATH', account.uid === 0 ? ROOT_PATH : LOGIN_PATH],
      ])
    : new Map(process.env);
  if (!options.has('p') && !options.has('m')) {
    env.set('HOME', account.home);
    env.set('SHELL', shell);
    if (isLogin || account.uid !== 0) {
      env.set('USER', account.name);
      env.set('LOGNAME', account.name);
    }
    if (isLogin) env.set('MAIL', `/var/spool/mail/${account.name}`);
    if (isLogin) env.set('LANG', process.env.get('LANG') ?? 'en_US.UTF-8');
  }
  if (isLogin && !sys.exists(account.home))
    await complain(process, `su: warning: cannot change directory to ${account.home}: No such file or directory\n`);
  return runAs(process, shell, [isLogin ? `-${shellName}` : shellName, ...args], {
    env,
    credentials: { uid: account.uid, gid: account.gid, groups: groupsOf(sys, account) },
    ...(isLogin && sys.exists(account.home) ? { cwd: account.home } : {}),
  });
}

async function sudo(process: Process): Promise<number> {
  const options = parseOptions(process.argv, {
    short: 'AbEeg:HhiKklnPp:Sr:sT:t:U:u:Vv',
    long: {
      'user=': 'u',
      login: 'i',
      shell: 's',
      list: 'l',
      'preserve-env': 'E',
      'set-home': 'H',
      'non-interactive': 'n',
      stdin: 'S',
      validate: 'v',
      'reset-timestamp': 'k',
    },
    stopsAtOperand: true,
    hint: 'usage: sudo -h | -K | -k | -V\nusage: sudo -v [-AknS] [-g group] [-h host] [-p prompt] [-u user]\nusage: sudo -l [-AknS] [-g group] [-h host] [-p prompt] [-U user] [-u user] [command]\nusage: sudo [-AbEHknPS] [-r role] [-t type] [-C num] [-g group] [-h host] [-p prompt] [-T timeout] [-u user] [VAR=value] [-i|-s] [<command>]\n',
  });
  const { sys } = process;
  const callerUid = sys.credentials().realUid ?? sys.credentials().uid;
  const caller = userName(sys, callerUid) ?? String(callerUid);
  const target = find(process, options.value('u') ?? 'root');
  if (target === undefined) throw new Failure(`sudo: unknown user: ${options.value('u')}\nsudo: unable to initialize policy plugin\n`, 1);
  if (callerUid !== 0) await authorize(process, caller, options.has('n'));
  if (options.has('k') || options.has('K') || options.has('v')) return 0;
  if (options.has('l')) {
    await print(
      process,
      `User ${caller} may run the following commands on ${sys.hostname()}:\n    (ALL) ${caller === 'root' ? '' : 'NOPASSWD: '}ALL\n`,
    );
    return 0;
  }
  const assignments = options.operands.filter((operand, index, all) => all.slice(0, index + 1).every((each) => /^\w+=/.test(each)));
  const command = options.operands.slice(assignments.length);
  const isShell = options.has('i') || options.has('s');
  if (command.length === 0 && !isShell)
    throw new Failure('usage: sudo -h | -K | -k | -V\nusage: sudo [-AbEHknPS] [-u user] [VAR=value] [-i|-s] [<command>]\n', 1);
  const env = environmentOf(process, target, { caller, callerUid, isKept: options.has('E'), isLogin: options.has('i') });
  for (const assignment of assignments)
    env.set(assignment.slice(0, assignment.indexOf('=')), assignment.slice(assignment.indexOf('=') + 1));
  const credentials = { uid: target.uid, gid: target.gid, groups: groupsOf(sys, target) };
  if (isShell) {
    const shellName = target.shell.slice(target.shell.lastIndexOf('/') + 1);
    const args = command.length === 0 ? [] : ['-c', command.map(quote).join(' ')];
    return runAs(process, target.shell, [options.has('i') ? `-${shellName}` : shellName, ...args], {
      env,
      credentials,
      ...(options.has('i') ? { cwd: target.home } : {}),
    });
  }
  env.set('SUDO_COMMAND', command.join(' '));
  const path = lookUp(process, command[0]!, '/sbin:/bin:/usr/sbin:/usr/bin');
  if (path === undefined) throw new Failure(`sudo: ${command[0]}: command not found\n`, 1);
  return runAs(process, path, command, { env, credentials });
}

/** /etc/sudoers.d and the wheel group: with a password unless NOPASSWD says otherwise. */
async function authorize(process: Process, caller: string, isQuiet: boolean): Promise<void> {
  const { sys } = process;
  const own = groups(sys)
    .filter((group) => group.members.includes(caller) || group.gid === find(process, caller)?.gid)
    .map((group) => `%${group.name}`);
  const files = [
    '/etc/sudoers',
    ...(sys.exists('/etc/sudoers.d') ? [...sys.readdir('/etc/sudoers.d')].sort().map((name) => `/etc/sudoers.d/${name}`) : []),
  ];
  const rule = files
    .flatMap((file) => readLines(sys, file))
    .map((line) => line.trim())
    .findLast((line) => [caller, ...own].includes(line.split(/\s+/)[0] ?? '') && /=/.test(line));
  if (rule?.includes('NOPASSWD') === true) return;
  if (isQuiet) throw new Failure('sudo: a password is required\n', 1);
  for (let tries = 0; tries < 3; tries++) {
    const password = await askPassword(process, `[sudo] password for ${caller}: `);
    if (password === undefined) throw new Failure('sudo: no password was provided\n', 1);
    if (checkPassword(password, shadow(process, caller))) {
      if (rule !== undefined) return;
      throw new Failure(`${caller} is not in the sudoers file.  This incident will be reported.\n`, 1);
    }
    await sys.sleep(FAIL_DELAY_MS);
    if (tries < 2) await complain(process, 'Sorry, try again.\n');
  }
  throw new Failure('sudo: 3 incorrect password attempts\n', 1);
}

function environmentOf(
  process: Process,
  target: Account,
  from: { readonly caller: string; readonly callerUid: number; readonly isKept: boolean; readonly isLogin: boolean },
): Map<string, string> {
  const env = from.isKept
    ? new Map(process.env)
    : new Map([...process.env].filter(([name]) => /^(TERM|LANG|LC_\w+|DISPLAY|HOSTNAME|HISTSIZE|LS_COLORS|MAIL|PS1|PS2)$/.test(name)));
  env.set('PATH', from.isLogin ? ROOT_PATH : '/sbin:/bin:/usr/sbin:/usr/bin');
  env.set('HOME', target.home);
  env.set('SHELL', target.shell);
  env.set('USER', target.name);
  env.set('LOGNAME', target.name);
  env.set('SUDO_USER', from.caller);
  env.set('SUDO_UID', String(from.callerUid));
  env.set('SUDO_GID', String(process.sys.credentials().gid));
  return env;
}

function lookUp(process: Process, name: string, path: string): string | undefined {
  if (name.includes('/')) return process.sys.exists(name) ? name : undefined;
  return path
    .split(':')
    .map((directory) => `${directory}/${name}`)
    .find((candidate) => process.sys.exists(candidate));
}

function quote(word: string): string {
  return /^[\w./:=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

async function passwd(process: Process): Promise<number> {
  const options = parseOptions(process.argv, {
    short: 'dluefSkn:x:w:i:',
    long: { delete: 'd', lock: 'l', unlock: 'u', status: 'S', stdin: 'I', expire: 'e' },
  });
  const { sys } = process;
  const callerUid = sys.credentials().realUid ?? sys.credentials().uid;
  const caller = userName(sys, callerUid) ?? String(callerUid);
  const name = options.operands[0] ?? caller;
  if (callerUid !== 0 && (name !== caller || options.has('d') || options.has('l') || options.has('I')))
    throw new Failure('passwd: Only root can do that.\n', 1);
  if (find(process, name) === undefined) throw new Failure(`passwd: Unknown user name '${name}'.\n`, 1);
  const old = shadow(process, name);
  if (options.has('S')) {
    const state = old.startsWith('!') ? 'LK' : old === '' ? 'NP' : 'PS';
    const words = { LK: 'Password locked.', NP: 'Empty password.', PS: 'Password set, SHA512 crypt.' };
    await print(process, `${name} ${state} 2020-12-02 0 99999 7 -1 (${words[state]})\n`);
    return 0;
  }
  if (options.has('l') || options.has('u') || options.has('d')) {
    const [verb, field] = options.has('l')
      ? ['Locking', `!!${old.replace(/^!+/, '')}`]
      : options.has('u')
        ? ['Unlocking', old.replace(/^!+/, '')]
        : ['Removing', ''];
    setShadow(process, name, field);
    await print(process, `${verb} password for user ${name}.\npasswd: Success\n`);
    return 0;
  }
  await print(process, `Changing password for user ${name}.\n`);
  let fresh: string | undefined;
  if (options.has('I')) {
    fresh = text((await process.stdin.read()) ?? new Uint8Array(0)).replace(/\n$/, '');
  } else {
    if (callerUid !== 0) {
      await print(process, `Changing password for ${name}.\n`);
      const current = await askPassword(process, '(current) UNIX password: ');
      if (current === undefined || !checkPassword(current, old)) throw new Failure('passwd: Authentication token manipulation error\n', 1);
    }
    fresh = await askPassword(process, 'New password: ');
    if (fresh !== undefined && fresh.length < 8) await complain(process, 'BAD PASSWORD: The password is shorter than 8 characters\n');
    if (fresh === undefined || fresh === '' || (fresh.length < 8 && callerUid !== 0))
      throw new Failure('passwd: Authentication token manipulation error\n', 1);
    const again = await askPassword(process, 'Retype new password: ');
    if (again !== fresh) throw new Failure('Sorry, passwords do not match.\npasswd: Authentication token manipulation error\n', 1);
  }
  setShadow(process, name, hashPassword(fresh, saltOf(process)));
  await print(process, 'passwd: all authentication tokens updated successfully.\n');
  return 0;
}

function saltOf(process: Process): string {
  return [...process.sys.rng.bytes(4)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

function setShadow(process: Process, name: string, field: string): void {
  const lines = readLines(process.sys, '/etc/shadow');
  const changed = lines.map((line) => {
    const fields = line.split(':');
    if (fields[0] !== name) return line;
    fields[1] = field;
    return fields.join(':');
  });
  process.sys.writeFile('/etc/shadow', `${changed.join('\n')}\n`);
}

async function useradd(process: Process): Promise<number> {
  const options = parseOptions(process.argv, {
    short: 'b:c:d:De:f:g:G:k:lmMNop:rs:u:UZ:',
    long: {
      'comment=': 'c',
      'home-dir=': 'd',
      'gid=': 'g',
      'groups=': 'G',
      'create-home': 'm',
      'no-create-home': 'M',
      'password=': 'p',
      system: 'r',
      'shell=': 's',
      'uid=': 'u',
    },
    status: 2,
  });
  const { sys } = process;
  const [name] = options.operands;
  if (name === undefined) throw new Failure('Usage: useradd [options] LOGIN\n       useradd -D\n       useradd -D [options]\n', 2);
  requireRoot(process, '/etc/passwd');
  if (!/^[a-z_][a-z0-9_-]*\$?$/i.test(name)) throw new Failure(`useradd: invalid user name '${name}'\n`, 3);
  const known = accounts(sys);
  if (known.some((account) => account.name === name)) throw new Failure(`useradd: user '${name}' already exists\n`, 9);
  const knownGroups = groups(sys);
  const uid =
    options.value('u') === undefined
      ? firstFree(
          known.map((account) => account.uid),
          options.has('r'),
        )
      : Number(options.value('u'));
  if (known.some((account) => account.uid === uid)) throw new Failure(`useradd: UID ${uid} is not unique\n`, 4);
  const primary = options.value('g');
  const gid =
    primary === undefined
      ? firstFree(
          knownGroups.map((group) => group.gid),
          options.has('r'),
        )
      : knownGroups.find((group) => group.name === primary || String(group.gid) === primary)?.gid;
  if (gid === undefined) throw new Failure(`useradd: group '${primary}' does not exist\n`, 6);
  const home = options.value('d') ?? `/home/${name}`;
  sys.writeFile('/etc/passwd', `${name}:x:${uid}:${gid}:${options.value('c') ?? ''}:${home}:${options.value('s') ?? '/bin/bash'}\n`, {
    append: true,
  });
  sys.writeFile('/etc/shadow', `${name}:${options.value('p') ?? '!!'}:18597:0:99999:7:::\n`, { append: true });
  if (primary === undefined) sys.writeFile('/etc/group', `${name}:x:${gid}:\n`, { append: true });
  addToGroups(process, name, options.value('G'), 'useradd');
  if (!options.has('M') && !options.has('r') && !sys.exists(home)) {
    sys.mkdir(home, { mode: 0o700 });
    for (const file of sys.readdir('/etc/skel')) {
      sys.writeFile(`${home}/${file}`, sys.readFile(`/etc/skel/${file}`));
      sys.chown(`${home}/${file}`, uid, gid);
    }
    sys.chown(home, uid, gid);
    sys.chmod(home, 0o700);
  }
  return 0;
}

function firstFree(taken: readonly number[], isSystem: boolean): number {
  let id = isSystem ? 201 : 1000;
  while (taken.includes(id)) id++;
  return id;
}

function addToGroups(process: Process, name: string, list: string | undefined, tool: string): void {
  if (list === undefined) return;
  const wanted = list.split(',');
  const known = groups(process.sys);
  for (const group of wanted)
    if (!known.some((each) => each.name === group)) throw new Failure(`${tool}: group '${group}' does not exist\n`, 6);
  const lines = known.map((group) => {
    const members = wanted.includes(group.name) && !group.members.includes(name) ? [...group.members, name] : group.members;
    return `${group.name}:x:${group.gid}:${members.join(',')}`;
  });
  process.sys.writeFile('/etc/group', `${lines.join('\n')}\n`);
}

async function usermod(process: Process): Promise<number> {
  const options = parseOptions(process.argv, {
    short: 'ac:d:e:f:g:G:hl:Lmop:s:u:U',
    long: { append: 'a', 'comment=': 'c', 'home=': 'd', 'gid=': 'g', 'groups=': 'G', 'shell=': 's', lock: 'L', unlock: 'U', 'uid=': 'u' },
    status: 2,
  });
  const [name] = options.operands;
  if (name === undefined) throw new Failure('Usage: usermod [options] LOGIN\n', 2);
  requireRoot(process, '/etc/passwd');
  if (find(process, name) === undefined) throw new Failure(`usermod: user '${name}' does not exist\n`, 6);
  const lines = readLines(process.sys, '/etc/passwd').map((line) => {
    const fields = line.split(':');
    if (fields[0] !== name) return line;
    const places: readonly (readonly [string, number])[] = [
      ['u', 2],
      ['g', 3],
      ['c', 4],
      ['d', 5],
      ['s', 6],
    ];
    for (const [letter, place] of places) fields[place] = options.value(letter) ?? fields[place]!;
    return fields.join(':');
  });
  process.sys.writeFile('/etc/passwd', `${lines.join('\n')}\n`);
  if (options.value('G') !== undefined && !options.has('a')) removeFromGroups(process, name);
  addToGroups(process, name, options.value('G'), 'usermod');
  const old = shadow(process, name);
  if (options.has('L')) setShadow(process, name, `!${old.replace(/^!/, '')}`);
  if (options.has('U')) setShadow(process, name, old.replace(/^!+/, ''));
  if (options.value('p') !== undefined) setShadow(process, name, options.value('p')!);
  return 0;
}

function removeFromGroups(process: Process, name: string): void {
  const lines = groups(process.sys).map(
    (group) => `${group.name}:x:${group.gid}:${group.members.filter((member) => member !== name).join(',')}`,
  );
  process.sys.writeFile('/etc/group', `${lines.join('\n')}\n`);
}

async function userdel(process: Process): Promise<number> {
  const options = parseOptions(process.argv, { short: 'fhrZ', long: { force: 'f', remove: 'r' }, status: 2 });
  const [name] = options.operands;
  if (name === undefined) throw new Failure('Usage: userdel [options] LOGIN\n', 2);
  requireRoot(process, '/etc/passwd');
  const account = find(process, name);
  if (account === undefined) throw new Failure(`userdel: user '${name}' does not exist\n`, 6);
  const { sys } = process;
  const user = sys.processes().find((info) => info.uid === account.uid);
  if (user !== undefined && !options.has('f')) throw new Failure(`userdel: user ${name} is currently used by process ${user.pid}\n`, 8);
  for (const file of ['/etc/passwd', '/etc/shadow']) {
    sys.writeFile(
      file,
      `${readLines(sys, file)
        .filter((line) => !line.startsWith(`${name}:`))
        .join('\n')}\n`,
    );
  }
  removeFromGroups(process, name);
  const own = groups(sys).filter((group) => !(group.name === name && group.members.length === 0));
  sys.writeFile('/etc/group', `${own.map((group) => `${group.name}:x:${group.gid}:${group.members.join(',')}`).join('\n')}\n`);
  if (options.has('r') && sys.exists(account.home)) removeTree(process, account.home);
  return 0;
}

function removeTree(process: Process, path: string): void {
  const { sys } = process;
  for (const name of sys.readdir(path)) {
    if (sys.lstat(`${path}/${name}`).kind === 'directory') removeTree(process, `${path}/${name}`);
    else sys.unlink(`${path}/${name}`);
  }
  sys.rmdir(path);
}

async function groupadd(process: Process): Promise<number> {
  const options = parseOptions(process.argv, { short: 'fg:hoprK:', long: { force: 'f', 'gid=': 'g', system: 'r' }, status: 2 });
  const [name] = options.operands;
  if (name === undefined) throw new Failure('Usage: groupadd [options] GROUP\n', 2);
  requireRoot(process, '/etc/group');
  const known = groups(process.sys);
  if (known.some((group) => group.name === name)) {
    if (options.has('f')) return 0;
    throw new Failure(`groupadd: group '${name}' already exists\n`, 9);
  }
  const gid =
    options.value('g') === undefined
      ? firstFree(
          known.map((group) => group.gid),
          options.has('r'),
        )
      : Number(options.value('g'));
  process.sys.writeFile('/etc/group', `${name}:x:${gid}:\n`, { append: true });
  return 0;
}

async function groupdel(process: Process): Promise<number> {
  const [, name] = process.argv;
  if (name === undefined) throw new Failure('Usage: groupdel [options] GROUP\n', 2);
  requireRoot(process, '/etc/group');
  const known = groups(process.sys);
  const group = known.find((each) => each.name === name);
  if (group === undefined) throw new Failure(`groupdel: group '${name}' does not exist\n`, 6);
  const user = accounts(process.sys).find((account) => account.gid === group.gid);
  if (user !== undefined) throw new Failure(`groupdel: cannot remove the primary group of user '${user.name}'\n`, 8);
  const rest = known.filter((each) => each !== group);
  process.sys.writeFile('/etc/group', `${rest.map((each) => `${each.name}:x:${each.gid}:${each.members.join(',')}`).join('\n')}\n`);
  return 0;
}

function requireRoot(process: Process, file: string): void {
  if (process.sys.credentials().uid !== 0)
    throw new Failure(`${nameOf(process)}: Permission denied.\n${nameOf(process)}: cannot lock ${file}; try again later.\n`, 1);
}

async function nologin(process: Process): Promise<number> {
  await print(process, 'This account is currently not available.\n');
  return 1;
}

const sbin = (name: string): { readonly paths: readonly string[] } => ({ paths: [`/usr/sbin/${name}`] });

export const programs = [
  program('su', su),
  program('sudo', sudo),
  program('passwd', passwd),
  program('useradd', useradd, { paths: ['/usr/sbin/useradd', '/usr/sbin/adduser'] }),
  program('usermod', usermod, sbin('usermod')),
  program('userdel', userdel, sbin('userdel')),
  program('groupadd', groupadd, sbin('groupadd')),
  program('groupdel', groupdel, sbin('groupdel')),
  program('nologin', nologin, sbin('nologin')),
];
