// Models id, whoami, groups, uname, hostname, hostnamectl, timedatectl, localectl.

import { isSysError } from '../../sim/errno.ts';
import type { Process } from '../../kernel/process.ts';
import {
  accounts,
  complain,
  DAYS,
  Failure,
  groups,
  groupsOf,
  localTime,
  nameOf,
  parseOptions,
  print,
  program,
  readLines,
  two,
  userName,
} from './support.ts';

async function id(process: Process): Promise<number> {
  const options = parseOptions(process.argv, {
    short: 'agGnruzZ',
    long: { group: 'g', groups: 'G', name: 'n', real: 'r', user: 'u', context: 'Z' },
    hint: "Try 'id --help' for more information.\n",
  });
  const { sys } = process;
  const [operand] = options.operands;
  const known = accounts(sys);
  const own = sys.credentials();
  const account = operand === undefined ? undefined : known.find((each) => each.name === operand || String(each.uid) === operand);
  if (operand !== undefined && account === undefined) throw new Failure(`id: ${operand}: no such user\n`, 1);
  const uid = account?.uid ?? (options.has('r') ? (own.realUid ?? own.uid) : own.uid);
  const gid = account?.gid ?? own.gid;
  const all = account === undefined ? [...new Set([own.gid, ...own.groups])] : groupsOf(sys, account);
  const groupNames = new Map(groups(sys).map((group) => [group.gid, group.name]));
  const userLabel = userName(sys, uid);
  if (options.has('n') && !['u', 'g', 'G'].some((name) => options.has(name)))
    throw new Failure('id: cannot print only names or real IDs in default format\n', 1);
  const named = (value: number, name: string | undefined): string => (options.has('n') ? (name ?? String(value)) : String(value));
  if (options.has('u')) await print(process, `${named(uid, userLabel)}\n`);
  else if (options.has('g')) await print(process, `${named(gid, groupNames.get(gid))}\n`);
  else if (options.has('G')) await print(process, `${all.map((group) => named(group, groupNames.get(group))).join(' ')}\n`);
  else {
    const label = (value: number, name: string | undefined): string => (name === undefined ? String(value) : `${value}(${name})`);
    const context = account === undefined ? ' context=unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023' : '';
    await print(
      process,
      `uid=${label(uid, userLabel)} gid=${label(gid, groupNames.get(gid))} groups=${all.map((group) => label(group, groupNames.get(group))).join(',')}${context}\n`,
    );
  }
  return 0;
}

async function whoami(process: Process): Promise<number> {
  const { operands } = parseOptions(process.argv, { short: '', hint: "Try 'whoami --help' for more information.\n" });
  if (operands.length > 0) throw new Failure(`whoami: extra operand ‘${operands[0]}’\nTry 'whoami --help' for more information.\n`, 1);
  const { uid } = process.sys.credentials();
  const name = userName(process.sys, uid);
  if (name === undefined) throw new Failure(`whoami: cannot find name for user ID ${uid}\n`, 1);
  await print(process, `${name}\n`);
  return 0;
}

async function groupsMain(process: Process): Promise<number> {
  const { operands } = parseOptions(process.argv, { short: '' });
  const { sys } = process;
  const names = new Map(groups(sys).map((group) => [group.gid, group.name]));
  const show = (gids: readonly number[]): string => gids.map((gid) => names.get(gid) ?? String(gid)).join(' ');
  if (operands.length === 0) {
    const own = sys.credentials();
    await print(process, `${show([...new Set([own.gid, ...own.groups])])}\n`);
    return 0;
  }
  let status = 0;
  for (const name of operands) {
    const account = accounts(sys).find((each) => each.name === name);
    if (account === undefined) {
      await complain(process, `groups: ${name}: no such user\n`);
      status = 1;
    } else {
      await print(process, `${name} : ${show(groupsOf(sys, account))}\n`);
    }
  }
  return status;
}

async function uname(process: Process): Promise<number> {
  const hint = "Try 'uname --help' for more information.\n";
  const long = {
    all: 'a',
    'kernel-name': 's',
    nodename: 'n',
    'kernel-release': 'r',
    'kernel-version': 'v',
    machine: 'm',
    processor: 'p',
    'hardware-platform': 'i',
    'operating-system': 'o',
  };
  const options = parseOptions(process.argv, { short: 'asnrvmpio', long, hint });
  if (options.operands.length > 0) throw new Failure(`uname: extra operand ‘${options.operands[0]}’\n${hint}`, 1);
  const { sys } = process;
  const read = (name: string): string => sys.readTextFile(`/proc/sys/kernel/${name}`).trim();
  const parts: readonly (readonly [string, string])[] = [
    ['s', 'Linux'],
    ['n', sys.hostname()],
    ['r', read('osrelease')],
    ['v', read('version')],
    ['m', 'x86_64'],
    ['p', 'x86_64'],
    ['i', 'x86_64'],
    ['o', 'GNU/Linux'],
  ];
  const wanted = parts.filter(([letter]) => options.has('a') || options.has(letter));
  await print(process, `${(wanted.length === 0 ? parts.slice(0, 1) : wanted).map(([, value]) => value).join(' ')}\n`);
  return 0;
}

async function hostname(process: Process): Promise<number> {
  const options = parseOptions(process.argv, {
    short: 'fsdiIayF:',
    long: { fqdn: 'f', long: 'f', short: 's', domain: 'd', 'ip-address': 'i', 'all-ip-addresses': 'I', 'file=': 'F', alias: 'a' },
  });
  const { sys } = process;
  const fromFile = options.value('F');
  const name =
    fromFile === undefined
      ? options.operands[0]
      : readLines(sys, fromFile)
          .find((line) => !line.startsWith('#'))
          ?.trim();
  if (name !== undefined) {
    try {
      sys.setHostname(name);
      return 0;
    } catch (error) {
      if (isSysError(error, 'EPERM')) throw new Failure('hostname: you must be root to change the host name\n', 1);
      throw error;
    }
  }
  const own = sys.hostname();
  if (options.has('I')) {
    const addresses = sys.net
      .addresses()
      .filter((each) => each.link !== 'lo')
      .map((each) => each.address);
    await print(process, `${addresses.map((address) => `${address} `).join('')}\n`);
  } else if (options.has('i')) {
    const line = readLines(sys, '/etc/hosts').find((each) => each.split(/\s+/).slice(1).includes(own));
    if (line === undefined) throw new Failure('hostname: Name or service not known\n', 1);
    await print(process, `${line.split(/\s+/)[0]}\n`);
  } else if (options.has('s')) {
    await print(process, `${own.split('.')[0]}\n`);
  } else if (options.has('d')) {
    await print(process, `${own.split('.').slice(1).join('.')}\n`);
  } else {
    await print(process, `${own}\n`);
  }
  return 0;
}

async function hostnamectl(process: Process): Promise<number> {
  const options = parseOptions(process.argv, {
    short: 'hH:M:',
    long: { static: 's', transient: 't', pretty: 'p', 'no-ask-password': 'n' },
  });
  const [verb = 'status', value] = options.operands;
  const { sys } = process;
  if (verb === 'set-hostname') {
    if (value === undefined) throw new Failure('Too few arguments.\n', 1);
    if (sys.credentials().uid !== 0) throw new Failure('Could not set property: Interactive authentication required.\n', 1);
    sys.writeFile('/etc/hostname', `${value}\n`);
    sys.setHostname(value);
    return 0;
  }
  if (verb !== 'status') throw new Failure(`Unknown operation ${verb}\n`, 1);
  const fixed = readLines(sys, '/etc/hostname')[0] ?? 'n/a';
  const release = sys.readTextFile('/proc/sys/kernel/osrelease').trim();
  const pretty =
    readLines(sys, '/etc/os-release')
      .find((line) => line.startsWith('PRETTY_NAME='))
      ?.slice(12)
      .replaceAll('"', '') ?? 'Linux';
  const rows: (readonly [string, string])[] = [
    ['Static hostname', fixed],
    ...(sys.hostname() === fixed ? [] : [['Transient hostname', sys.hostname()] as const]),
    ['Icon name', 'computer-vm'],
    ['Chassis', 'vm'],
    ['Machine ID', readLines(sys, '/etc/machine-id')[0] ?? ''],
    ['Boot ID', sys.readTextFile('/proc/sys/kernel/random/boot_id').trim().replaceAll('-', '')],
    ['Virtualization', 'kvm'],
    ['Operating System', pretty],
    ['CPE OS Name', 'cpe:/o:centos:centos:7'],
    ['Kernel', `Linux ${release}`],
    ['Architecture', 'x86-64'],
  ];
  await print(process, rows.map(([key, text]) => `${key.padStart(18)}: ${text}\n`).join(''));
  return 0;
}

async function timedatectl(process: Process): Promise<number> {
  const { operands } = parseOptions(process.argv, {
    short: 'hH:M:',
    long: { 'no-pager': 'P', 'no-ask-password': 'n', 'adjust-system-clock': 'a' },
  });
  const [verb = 'status'] = operands;
  if (verb !== 'status') throw new Failure(`Unknown operation ${verb}\n`, 1);
  const stamp = (date: Date): string =>
    `${DAYS[date.getUTCDay()]} ${date.getUTCFullYear()}-${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
  const now = process.sys.now();
  const isNtp = process.sys.processes().some((info) => info.command === 'chronyd');
  const rows: readonly (readonly [string, string])[] = [
    ['Local time', `${stamp(localTime(now))} KST`],
    ['Universal time', `${stamp(new Date(now))} UTC`],
    ['RTC time', stamp(new Date(now))],
    ['Time zone', 'Asia/Seoul (KST, +0900)'],
    ['NTP enabled', isNtp ? 'yes' : 'no'],
    ['NTP synchronized', isNtp ? 'yes' : 'no'],
    ['RTC in local TZ', 'no'],
    ['DST active', 'n/a'],
  ];
  await print(process, rows.map(([key, value]) => `${key.padStart(16)}: ${value}\n`).join(''));
  return 0;
}

async function localectl(process: Process): Promise<number> {
  const [, verb = 'status'] = process.argv;
  if (verb !== 'status') throw new Failure(`Unknown operation ${verb}\n`, 1);
  const lang = readLines(process.sys, '/etc/locale.conf')[0]?.replaceAll('"', '') ?? 'n/a';
  await print(process, `   System Locale: ${lang}\n       VC Keymap: us\n      X11 Layout: us\n`);
  return 0;
}

async function getenforce(process: Process): Promise<number> {
  await print(process, `${process.sys.readTextFile('/sys/fs/selinux/enforce').trim() === '1' ? 'Enforcing' : 'Permissive'}\n`);
  return 0;
}

async function setenforce(process: Process): Promise<number> {
  const [, mode] = process.argv;
  if (mode === undefined || !/^(0|1|enforcing|permissive)$/i.test(mode))
    throw new Failure('usage:  setenforce [ Enforcing | Permissive | 1 | 0 ]\n', 1);
  if (process.sys.credentials().uid !== 0) throw new Failure(`${nameOf(process)}:  setenforce() failed\n`, 1);
  // The lab's policy is not modelled, so nothing could be enforced.
  if (/^(1|enforcing)$/i.test(mode)) throw new Failure('setenforce: not emulated: enforcing mode\n', 1);
  return 0;
}

export const programs = [
  program('id', id),
  program('whoami', whoami),
  program('groups', groupsMain),
  program('uname', uname),
  program('hostname', hostname),
  program('hostnamectl', hostnamectl),
  program('timedatectl', timedatectl),
  program('localectl', localectl),
  program('getenforce', getenforce, { paths: ['/usr/sbin/getenforce'] }),
  program('setenforce', setenforce, { paths: ['/usr/sbin/setenforce'] }),
];
