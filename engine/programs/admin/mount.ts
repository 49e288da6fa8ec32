// Models mount, umount, findmnt, mountpoint, lsblk, blkid and swapon.

import { isSysError } from '../../sim/errno.ts';
import type { Process, StatFs } from '../../kernel/process.ts';
import { complain, Failure, parseOptions, print, program, readLines } from './support.ts';

async function mount(process: Process): Promise<number> {
  const options = parseOptions(process.argv, {
    short: 'afFhilno:O:L:rRBMt:U:vVwsN:',
    long: {
      all: 'a',
      bind: 'B',
      rbind: 'R',
      move: 'M',
      'options=': 'o',
      'types=': 't',
      'read-only': 'r',
      'read-write': 'w',
      verbose: 'v',
      fake: 'f',
      'show-labels': 'l',
    },
  });
  const { operands } = options;
  const types = options.value('t')?.split(',');
  if (operands.length === 0 && !options.has('a')) {
    const shown = process.sys.mounts().filter((each) => types === undefined || types.includes(each.type));
    await print(process, shown.map((each) => `${each.source} on ${each.target} type ${each.type} (${each.options})\n`).join(''));
    return 0;
  }
  if (process.sys.credentials().uid !== 0) throw new Failure('mount: only root can do that\n', 1);
  if (options.has('a')) return mountAll(process);
  const given = [
    ...options.values('o').flatMap((value) => value.split(',')),
    ...(options.has('B') ? ['bind'] : []),
    ...(options.has('R') ? ['rbind'] : []),
    ...(options.has('r') ? ['ro'] : []),
  ];
  const entry = resolve(process, operands, given);
  return mountOne(process, { ...entry, type: types?.[0] ?? entry.type, options: [...entry.options, ...given] });
}

interface Request {
  readonly source: string;
  readonly target: string;
  readonly type: string;
  readonly options: readonly string[];
}

/** One operand is looked up in fstab, for a remount in the table of mounts too. */
function resolve(process: Process, operands: readonly string[], given: readonly string[]): Request {
  const [first = '', second] = operands;
  if (second !== undefined) return { source: first, target: second, type: 'auto', options: [] };
  const listed = fstab(process).find((entry) => entry.target === first || entry.source === first);
  if (listed !== undefined) return listed;
  const mounted = process.sys.mounts().findLast((each) => each.target === first);
  if (mounted !== undefined && given.includes('remount')) return { source: mounted.source, target: first, type: mounted.type, options: [] };
  throw new Failure(`mount: can't find ${first} in /etc/fstab\n`, 1);
}

function fstab(process: Process): readonly Request[] {
  return readLines(process.sys, '/etc/fstab')
    .filter((line) => !/^\s*(#|$)/.test(line))
    .map((line) => line.trim().split(/\s+/))
    .map(([source = '', target = '', type = 'auto', options = 'defaults']) => ({ source, target, type, options: options.split(',') }));
}

async function mountAll(process: Process): Promise<number> {
  let status = 0;
  const mounted = new Set(process.sys.mounts().map((each) => each.target));
  for (const entry of fstab(process)) {
    if (entry.type === 'swap' || entry.options.includes('noauto') || mounted.has(entry.target)) continue;
    try {
      status = Math.max(status, await mountOne(process, entry));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      await complain(process, error.message);
      status = error.status;
    }
  }
  return status;
}

async function mountOne(process: Process, request: Request): Promise<number> {
  const { sys } = process;
  const { source, target, type } = request;
  if (!sys.exists(target)) throw new Failure(`mount: mount point ${target} does not exist\n`, 32);
  const isBind = request.options.some((option) => option === 'bind' || option === 'rbind');
  const isDevice = source.startsWith('/') && !isBind;
  if (source.startsWith('/') && !sys.exists(source)) {
    throw new Failure(isBind ? `mount: special device ${source} does not exist\n` : `mount: special device ${source} does not exist\n`, 32);
  }
  if (isDevice && !request.options.includes('remount') && sys.stat(source).kind !== 'block')
    throw new Failure(`mount: ${source} is not a block device\n`, 32);
  if (type === 'nfs' || type === 'nfs4' || /^[\w.-]+:\//.test(source)) throw new Failure(`mount.nfs: not emulated: ${source}\n`, 32);
  try {
    sys.mount({
      source,
      target,
      type: type === 'auto' ? '' : type,
      options: request.options.filter((option) => option !== 'defaults').join(','),
    });
    return 0;
  } catch (error) {
    if (isSysError(error, 'ENODEV')) throw new Failure(`mount: unknown filesystem type '${type}'\n`, 32);
    if (isSysError(error, 'ENOTDIR')) throw new Failure(`mount: mount point ${target} is not a directory\n`, 32);
    if (isSysError(error, 'EINVAL')) {
      throw new Failure(
        `mount: wrong fs type, bad option, bad superblock on ${source},\n       missing codepage or helper program, or other error\n\n       In some cases useful info is found in syslog - try\n       dmesg | tail or so.\n`,
        32,
      );
    }
    if (isSysError(error)) throw new Failure(`mount: ${source}: ${error.strerror}\n`, 32);
    throw error;
  }
}

async function umount(process: Process): Promise<number> {
  const options = parseOptions(process.argv, {
    short: 'adflnrRt:vhi',
    long: { all: 'a', force: 'f', lazy: 'l', recursive: 'R', verbose: 'v', 'read-only': 'r' },
  });
  const { sys } = process;
  if (options.operands.length === 0)
    throw new Failure(
      '\nUsage:\n umount [-hV]\n umount -a [options]\n umount [options] <source> | <directory>\n\nFor more details see umount(8).\n',
      1,
    );
  if (sys.credentials().uid !== 0) throw new Failure(`umount: ${options.operands[0]}: must be superuser to umount\n`, 32);
  let status = 0;
  for (const operand of options.operands) {
    const table = sys.mounts();
    const path = operand.length > 1 ? operand.replace(/\/+$/, '') : operand;
    const real = sys.exists(path) ? sys.realpath(path) : path;
    const found = table.findLast((each) => each.target === real) ?? table.findLast((each) => each.source === operand);
    if (found === undefined) {
      await complain(process, sys.exists(path) ? `umount: ${operand}: not mounted\n` : `umount: ${operand}: mountpoint not found\n`);
      status = 32;
      continue;
    }
    const below = options.has('R') ? table.filter((each) => each.target.startsWith(`${found.target}/`)).reverse() : [];
    for (const each of [...below, found]) {
      try {
        sys.umount(each.target, { lazy: options.has('l') });
      } catch (error) {
        if (!isSysError(error)) throw error;
        const busy = '\n        (In some cases useful info about processes that use\n         the device is found by lsof(8) or fuser(1))';
        await complain(
          process,
          error.errno === 'EBUSY' ? `umount: ${each.target}: target is busy.${busy}\n` : `umount: ${each.target}: ${error.strerror}\n`,
        );
        status = 32;
      }
    }
  }
  return status;
}

async function findmnt(process: Process): Promise<number> {
  const options = parseOptions(process.argv, {
    short: 'AaDeflno:rRPst:T:kmuvSM:O:',
    long: { noheadings: 'n', list: 'l', raw: 'r', 'output=': 'o', 'types=': 't', 'target=': 'T', 'mountpoint=': 'M', kernel: 'k' },
  });
  const { sys } = process;
  const place = options.value('T') === undefined ? (options.value('M') ?? options.operands[0]) : sys.statfs(options.value('T')!).target;
  const types = options.value('t')?.split(',');
  const chosen = sys
    .mounts()
    .filter(
      (each) =>
        (place === undefined || each.target === place || each.source === place) && (types === undefined || types.includes(each.type)),
    );
  if (chosen.length === 0) return 1;
  const columns = (options.value('o') ?? 'TARGET,SOURCE,FSTYPE,OPTIONS').toUpperCase().split(',');
  const isTree = place === undefined && types === undefined && !options.has('l') && !options.has('r');
  const rows = isTree ? mountTree(chosen) : chosen.map((each) => ({ mount: each, label: each.target }));
  const cells = rows.map(({ mount: each, label }) => columns.map((column) => cellOf(each, column, label)));
  if (!options.has('n')) cells.unshift([...columns]);
  await print(process, layOut(cells));
  return 0;
}

function cellOf(mount: StatFs, column: string, label: string): string {
  switch (column) {
    case 'TARGET':
      return label;
    case 'SOURCE':
      return mount.source;
    case 'FSTYPE':
      return mount.type;
    case 'OPTIONS':
      return mount.options;
    case 'SIZE':
      return sizeOf(mount.totalBytes);
    case 'USED':
      return sizeOf(mount.usedBytes);
    case 'AVAIL':
      return sizeOf(mount.availableBytes);
    default:
      throw new Failure(`findmnt: unknown column: ${column}\n`, 1);
  }
}

function mountTree(mounts: readonly StatFs[]): readonly { readonly mount: StatFs; readonly label: string }[] {
  const parentOf = (mount: StatFs): StatFs | undefined =>
    mounts
      .filter(
        (other) =>
          other !== mount && (other.target === '/' || mount.target.startsWith(`${other.target}/`)) && other.target !== mount.target,
      )
      .sort((a, b) => b.target.length - a.target.length)[0];
  const rows: { mount: StatFs; label: string }[] = [];
  const visit = (mount: StatFs, indent: string, branch: string): void => {
    rows.push({ mount, label: `${indent}${branch}${mount.target}` });
    const below = mounts.filter((other) => parentOf(other) === mount);
    const next = branch === '' ? indent : `${indent}${branch === '└─' ? '  ' : '│ '}`;
    below.forEach((child, index) => visit(child, next, index === below.length - 1 ? '└─' : '├─'));
  };
  for (const mount of mounts) if (parentOf(mount) === undefined) visit(mount, '', '');
  return rows;
}

function layOut(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) => `${row.map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd(widths[index]!))).join(' ')}\n`)
    .join('');
}

async function mountpoint(process: Process): Promise<number> {
  const options = parseOptions(process.argv, { short: 'qdx', long: { quiet: 'q' } });
  const [path] = options.operands;
  if (path === undefined) throw new Failure('\nUsage:\n mountpoint [-qd] /path/to/directory\n', 1);
  const { sys } = process;
  if (!sys.exists(path)) throw new Failure(options.has('q') ? '' : `mountpoint: ${path}: No such file or directory\n`, 1);
  const isPoint = sys.mounts().some((each) => each.target === sys.realpath(path));
  if (!options.has('q')) await print(process, `${path} is ${isPoint ? '' : 'not '}a mountpoint\n`);
  return isPoint ? 0 : 1;
}

function sizeOf(bytes: number): string {
  let value = bytes;
  for (const unit of ['B', 'K', 'M', 'G']) {
    if (value < 1024 || unit === 'G') return `${Number.isInteger(value) || value >= 10 ? Math.round(value) : value.toFixed(1)}${unit}`;
    value /= 1024;
  }
  return String(bytes);
}

async function lsblk(process: Process): Promise<number> {
  const options = parseOptions(process.argv, { short: 'abdfhilmno:prst', long: { noheadings: 'n', fs: 'f', list: 'l', 'output=': 'o' } });
  const size = (name: string): string => sizeOf(Number(process.sys.readTextFile(`/sys/block/${name}/size`)) * 512);
  const mounts = process.sys.mounts();
  const at = (source: string): string => mounts.find((each) => each.source === source)?.target ?? '';
  if (options.has('f')) {
    const rows = [
      ['NAME', 'FSTYPE', 'LABEL UUID', 'MOUNTPOINT'],
      ['sda', '', '', ''],
      ['├─sda1', 'xfs', '      3a3e1ae8-2f0c-4d32-9c0e-7d4f5c2a1b60', at('/dev/sda1')],
      ['└─sda2', 'LVM2_member', '      Yz0qC1-1c2J-4fGh-9dXk-3sVn-7pQe-Rk2LmT', ''],
      ['  ├─centos_k8s-root', 'xfs', '      9e3a7a1c-1d3b-4f6c-8f52-8b6f0e0d7c11', '/'],
      ['  └─centos_k8s-swap', 'swap', '      1f2c6f0e-6a5e-4d8f-a3b1-2e1c9d8b7a60', ''],
    ];
    await print(process, layOut(rows));
    return 0;
  }
  const rows = [
    `sda                   8:0    0 ${size('sda').padStart(5)}  0 disk `,
    `├─sda1                8:1    0     1G  0 part ${at('/dev/sda1')}`,
    `└─sda2                8:2    0    39G  0 part `,
    `  ├─centos_k8s-root 253:0    0 ${size('dm-0').padStart(5)}  0 lvm  /`,
    `  └─centos_k8s-swap 253:1    0 ${size('dm-1').padStart(5)}  0 lvm  `,
  ];
  await print(process, `${options.has('n') ? '' : 'NAME                MAJ:MIN RM  SIZE RO TYPE MOUNTPOINT\n'}${rows.join('\n')}\n`);
  return 0;
}

async function blkid(process: Process): Promise<number> {
  parseOptions(process.argv, { short: 'o:s:' });
  await print(
    process,
    [
      '/dev/sda1: UUID="3a3e1ae8-2f0c-4d32-9c0e-7d4f5c2a1b60" TYPE="xfs" ',
      '/dev/sda2: UUID="Yz0qC1-1c2J-4fGh-9dXk-3sVn-7pQe-Rk2LmT" TYPE="LVM2_member" ',
      '/dev/mapper/centos_k8s-root: UUID="9e3a7a1c-1d3b-4f6c-8f52-8b6f0e0d7c11" TYPE="xfs" ',
      '/dev/mapper/centos_k8s-swap: UUID="1f2c6f0e-6a5e-4d8f-a3b1-2e1c9d8b7a60" TYPE="swap" ',
      '',
    ].join('\n'),
  );
  return 0;
}

async function swapon(process: Process): Promise<number> {
  const options = parseOptions(process.argv, { short: 'ad:efp:svL:U:', long: { all: 'a', summary: 's', show: 'S', verbose: 'v' } });
  if (options.has('s') || options.has('S') || process.argv.length === 1) return 0;
  if (options.has('a')) {
    const listed = fstab(process).filter((entry) => entry.type === 'swap');
    if (listed.length > 0) throw new Failure(`swapon: not emulated: swap on ${listed[0]!.source}\n`, 255);
    return 0;
  }
  throw new Failure(`swapon: not emulated: swap on ${options.operands.join(' ')}\n`, 255);
}

async function swapoff(process: Process): Promise<number> {
  const options = parseOptions(process.argv, { short: 'av', long: { all: 'a', verbose: 'v' } });
  if (options.has('a')) return 0;
  const [device] = options.operands;
  if (device === undefined) throw new Failure('\nUsage:\n swapoff [options] [<spec>]\n', 1);
  throw new Failure(
    `swapoff: ${device}: swapoff failed: ${process.sys.exists(device) ? 'Invalid argument' : 'No such file or directory'}\n`,
    255,
  );
}

const sbin = (name: string): { readonly paths: readonly string[] } => ({ paths: [`/usr/sbin/${name}`] });

export const programs = [
  program('mount', mount),
  program('umount', umount),
  program('findmnt', findmnt),
  program('mountpoint', mountpoint),
  program('lsblk', lsblk),
  program('blkid', blkid, sbin('blkid')),
  program('swapon', swapon, sbin('swapon')),
  program('swapoff', swapoff, sbin('swapoff')),
];
