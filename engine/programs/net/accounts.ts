// Reading /etc/passwd, /etc/group and /etc/shadow, as getpwnam(3) and friends do.

import type { Credentials, Process } from '../../kernel/process.ts';
import { readIfThere } from './io.ts';

export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
}

export function accountOf(process: Process, name: string): Account | undefined {
  return accounts(process).find((one) => one.name === name);
}

export function accountOfUid(process: Process, uid: number): Account | undefined {
  return accounts(process).find((one) => one.uid === uid);
}

function accounts(process: Process): readonly Account[] {
  return readIfThere(process, '/etc/passwd')
    .split('\n')
    .map((line) => line.split(':'))
    .filter((fields) => fields.length >= 7)
    .map(([name, , uid, gid, , home, shell]) => ({
      name: name!,
      uid: Number(uid),
      gid: Number(gid),
      home: home!,
      shell: shell === '' ? '/bin/sh' : shell!,
    }));
}

/** Password field of /etc/shadow; `*` when there is no such entry. */
export function shadowField(process: Process, name: string): string {
  const line = readIfThere(process, '/etc/shadow')
    .split('\n')
    .find((one) => one.startsWith(`${name}:`));
  return line?.split(':')[1] ?? '*';
}

export function credentialsOf(process: Process, account: Account): Credentials {
  const groups = readIfThere(process, '/etc/group')
    .split('\n')
    .map((line) => line.split(':'))
    .filter((fields) => fields[3]?.split(',').includes(account.name) === true)
    .map((fields) => Number(fields[2]));
  return { uid: account.uid, gid: account.gid, groups: [...new Set([account.gid, ...groups])] };
}
