// Accounts and login records as daemons that let people in use them (login, sshd): passwd, shadow, wtmp.
// wtmp's records are lines here: name, terminal, host, time; the end of a session has no name.

import type { Syscalls } from '../../kernel/process.ts';
import { isSysError } from '../../sim/errno.ts';

export interface LoginAccount {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  readonly home: string;
  readonly shell: string;
}

const WTMP = '/var/log/wtmp';
const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

export function accountOf(sys: Syscalls, name: string): LoginAccount | undefined {
  const fields = lines(sys, '/etc/passwd')
    .map((line) => line.split(':'))
    .find(([each]) => each === name);
  if (fields === undefined) return undefined;
  const [, , uid = '0', gid = '0', , home = '/', shell = ''] = fields;
  const listed = lines(sys, '/etc/group').flatMap((line) => {
    const [, , id, members = ''] = line.split(':');
    return members.split(',').includes(name) ? [Number(id)] : [];
  });
  const groups = [...new Set([Number(gid), ...listed])];
  return { name, uid: Number(uid), gid: Number(gid), groups, home, shell: shell === '' ? '/bin/sh' : shell };
}

/** The password field of /etc/shadow; undefined when the user is not in there. */
export function shadowField(sys: Syscalls, name: string): string | undefined {
  return lines(sys, '/etc/shadow')
    .map((line) => line.split(':'))
    .find(([each]) => each === name)?.[1];
}

export function loginEnvironment(account: LoginAccount, more: ReadonlyMap<string, string> = new Map()): ReadonlyMap<string, string> {
  return new Map([
    ['HOME', account.home],
    ['SHELL', account.shell],
    ['USER', account.name],
    ['LOGNAME', account.name],
    ['MAIL', `/var/spool/mail/${account.name}`],
    ['PATH', '/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin'],
    ['LANG', 'en_US.UTF-8'],
    ...more,
  ]);
}

/** `Thu Jan  1 09:00:00 from 10.0.2.2`, as login and sshd tell it; undefined at the first time. */
export function lastLogin(sys: Syscalls, name: string): string | undefined {
  const record = lines(sys, WTMP)
    .map((line) => line.split('\t'))
    .findLast(([each]) => each === name);
  if (record === undefined) return undefined;
  const [, terminal = '', host = '', at = '0'] = record;
  const date = new Date(Number(at) + 9 * 3_600_000);
  const two = (value: number): string => String(value).padStart(2, '0');
  const time = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
  const day = String(date.getUTCDate()).padStart(2);
  return `${DAYS[date.getUTCDay()]} ${MONTHS[date.getUTCMonth()]} ${day} ${time} ${host === '' ? `on ${terminal}` : `from ${host}`}`;
}

/** Adds a record to wtmp. */
export function recordLogin(sys: Syscalls, login: { readonly name: string; readonly terminal: string; readonly host: string }): void {
  sys.writeFile(WTMP, `${login.name}\t${login.terminal}\t${login.host}\t${sys.now()}\n`, { append: true });
}

/** Adds the record of a session's end to wtmp: one without a name, as login's and sshd's are. */
export function recordLogout(sys: Syscalls, terminal: string): void {
  sys.writeFile(WTMP, `\t${terminal}\t\t${sys.now()}\n`, { append: true });
}

function lines(sys: Syscalls, path: string): readonly string[] {
  try {
    return sys
      .readTextFile(path)
      .split('\n')
      .filter((line) => line !== '');
  } catch (error) {
    if (isSysError(error, 'ENOENT')) return [];
    throw error;
  }
}
