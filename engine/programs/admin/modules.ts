// Models kmod: modprobe, lsmod, modinfo, insmod, rmmod, depmod.

import { isSysError } from '../../sim/errno.ts';
import { canonical } from '../../kernel/modules.ts';
import { MODULE_CATALOGUE } from '../../kernel/module-catalogue.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Process } from '../../kernel/process.ts';
import { complain, Failure, parseOptions, print, program, readLines } from './support.ts';

async function lsmod(process: Process): Promise<number> {
  if (process.argv.length > 1) throw new Failure('Usage: lsmod\n', 1);
  const rows = readLines(process.sys, '/proc/modules').map((line) => {
    const [name = '', size = '', count = '', users = '-'] = line.split(' ');
    const by = users === '-' ? '' : users.replace(/,$/, '');
    return `${name.padEnd(19)} ${size.padStart(8)}  ${count}${by === '' ? ' ' : ` ${by}`}\n`;
  });
  await print(process, `Module                  Size  Used by\n${rows.join('')}`);
  return 0;
}

const MODPROBE_LONG = {
  all: 'a',
  remove: 'r',
  'show-depends': 'D',
  'ignore-install': 'i',
  'first-time': 'F',
  quiet: 'q',
  verbose: 'v',
  'dry-run': 'n',
  'use-blacklist': 'b',
  syslog: 's',
  force: 'f',
};

async function modprobe(process: Process): Promise<number> {
  const options = parseOptions(process.argv, { short: 'arDiFqvnbsf', long: MODPROBE_LONG });
  const { operands } = options;
  if (operands.length === 0) throw new Failure('modprobe: ERROR: missing parameters. See -h.\n', 1);
  // Without -a only the first word is a module; the others are its parameters.
  const names = options.has('a') || options.has('r') ? operands : operands.slice(0, 1);
  let status = 0;
  for (const name of names) {
    const failed = options.has('D')
      ? await showDepends(process, name)
      : options.has('r')
        ? await remove(process, name, options.has('F'))
        : await load(process, name, options);
    if (failed !== undefined) {
      if (!options.has('q')) await complain(process, failed);
      status = 1;
    }
  }
  return status;
}

async function load(process: Process, name: string, options: { has(name: string): boolean }): Promise<string | undefined> {
  const spec = MODULE_CATALOGUE.get(canonical(name));
  if (spec === undefined) return `modprobe: FATAL: Module ${name} not found.\n`;
  if (process.sys.credentials().uid !== 0) return `modprobe: ERROR: could not insert '${canonical(name)}': Operation not permitted\n`;
  const { kernel } = process.sys;
  if (kernel.modules.isLoaded(name) && options.has('F'))
    return `modprobe: ERROR: could not insert '${canonical(name)}': Module already in kernel\n`;
  if (options.has('v')) await print(process, insertions(kernel, name).join(''));
  if (!options.has('n')) kernel.modules.load(name);
  return undefined;
}

async function remove(process: Process, name: string, isFirstTime: boolean): Promise<string | undefined> {
  const spec = MODULE_CATALOGUE.get(canonical(name));
  if (spec === undefined) return `modprobe: FATAL: Module ${name} not found.\n`;
  if (spec.isBuiltIn === true) return `modprobe: FATAL: Module ${name} is builtin.\n`;
  if (process.sys.credentials().uid !== 0) return `modprobe: ERROR: could not remove '${canonical(name)}': Operation not permitted\n`;
  try {
    process.sys.kernel.modules.unload(name);
    return undefined;
  } catch (error) {
    if (isSysError(error, 'EBUSY')) return `modprobe: FATAL: Module ${canonical(name)} is in use.\n`;
    if (!isSysError(error, 'ENOENT')) throw error;
    return isFirstTime ? `modprobe: FATAL: Module ${canonical(name)} is not in kernel.\n` : undefined;
  }
}

async function showDepends(process: Process, name: string): Promise<string | undefined> {
  if (MODULE_CATALOGUE.get(canonical(name)) === undefined) return `modprobe: FATAL: Module ${name} not found.\n`;
  const lines: string[] = [];
  collect(canonical(name), lines, process.sys.readTextFile('/proc/sys/kernel/osrelease').trim(), () => true);
  await print(process, lines.join(''));
  return undefined;
}

function insertions(kernel: Kernel, name: string): readonly string[] {
  const lines: string[] = [];
  collect(canonical(name), lines, kernel.release, (module) => !kernel.modules.isLoaded(module));
  return lines;
}

function collect(name: string, lines: string[], release: string, isWanted: (name: string) => boolean): void {
  const spec = MODULE_CATALOGUE.get(name);
  if (spec === undefined || !isWanted(name)) return;
  if (spec.isBuiltIn === true) {
    lines.push(`builtin ${name}\n`);
    return;
  }
  for (const need of spec.needs) collect(need, lines, release, isWanted);
  const line = `insmod /lib/modules/${release}/${spec.path} \n`;
  if (!lines.includes(line)) lines.push(line);
}

async function rmmod(process: Process): Promise<number> {
  const { operands } = parseOptions(process.argv, { short: 'fsvVh', long: { force: 'f', syslog: 's', verbose: 'v' } });
  if (operands.length === 0) throw new Failure('rmmod: ERROR: missing module name.\n', 1);
  let status = 0;
  for (const operand of operands) {
    const name = canonical(operand.slice(operand.lastIndexOf('/') + 1).replace(/\.ko(\.xz)?$/, ''));
    const message = rmmodOne(process, name);
    if (message === undefined) continue;
    await complain(process, message);
    status = 1;
  }
  return status;
}

function rmmodOne(process: Process, name: string): string | undefined {
  const info = readLines(process.sys, '/proc/modules').find((line) => line.startsWith(`${name} `));
  if (info === undefined) return `rmmod: ERROR: Module ${name} is not currently loaded\n`;
  const [, , count = '0', users = '-'] = info.split(' ');
  if (users !== '-') return `rmmod: ERROR: Module ${name} is in use by: ${users.replace(/,$/, '').replaceAll(',', ' ')}\n`;
  if (count !== '0') return `rmmod: ERROR: Module ${name} is in use\n`;
  if (process.sys.credentials().uid !== 0) {
    return `rmmod: ERROR: ../libkmod/libkmod-module.c:793 kmod_module_remove_module() could not remove '${name}': Operation not permitted\nrmmod: ERROR: could not remove module ${name}: Operation not permitted\n`;
  }
  try {
    process.sys.kernel.modules.remove(name);
    return undefined;
  } catch (error) {
    if (isSysError(error, 'EBUSY')) return `rmmod: ERROR: Module ${name} is in use\n`;
    throw error;
  }
}

async function insmod(process: Process): Promise<number> {
  const path = process.argv[1];
  if (path === undefined) throw new Failure('insmod: ERROR: missing filename.\n', 1);
  const fail = (why: string): never => {
    throw new Failure(`insmod: ERROR: could not ${why}\n`, 1);
  };
  if (!process.sys.exists(path)) fail(`load module ${path}: No such file or directory`);
  const name = canonical(path.slice(path.lastIndexOf('/') + 1).replace(/\.ko(\.xz)?$/, ''));
  const spec = MODULE_CATALOGUE.get(name);
  if (spec === undefined) return fail(`insert module ${path}: Invalid module format`);
  if (process.sys.credentials().uid !== 0) fail(`insert module ${path}: Operation not permitted`);
  const { modules } = process.sys.kernel;
  if (modules.isLoaded(name)) fail(`insert module ${path}: File exists`);
  if (spec.needs.some((need) => !modules.isLoaded(need))) fail(`insert module ${path}: Unknown symbol in module`);
  modules.load(name);
  return 0;
}

async function modinfo(process: Process): Promise<number> {
  const options = parseOptions(process.argv, {
    short: 'F:nadlpk:',
    long: { 'field=': 'F', filename: 'n', author: 'a', description: 'd', license: 'l' },
  });
  if (options.operands.length === 0) throw new Failure('modinfo: ERROR: missing module or filename.\n', 1);
  const release = process.sys.readTextFile('/proc/sys/kernel/osrelease').trim();
  const field =
    options.value('F') ?? (options.has('n') ? 'filename' : options.has('d') ? 'description' : options.has('l') ? 'license' : undefined);
  let status = 0;
  for (const operand of options.operands) {
    const name = canonical(operand);
    const spec = MODULE_CATALOGUE.get(name);
    if (spec === undefined || spec.isBuiltIn === true) {
      await complain(process, `modinfo: ERROR: Module ${operand} not found.\n`);
      status = 1;
      continue;
    }
    const rows: (readonly [string, string])[] = [['filename', `/lib/modules/${release}/${spec.path}`]];
    if (spec.description !== '') rows.push(['description', spec.description]);
    rows.push(
      ['license', 'GPL'],
      ['retpoline', 'Y'],
      ['rhelversion', '7.9'],
      ['depends', spec.needs.join(',')],
      ['intree', 'Y'],
      ['vermagic', `${release} SMP mod_unload modversions `],
    );
    if (field !== undefined)
      await print(
        process,
        rows
          .filter(([key]) => key === field)
          .map(([, value]) => `${value}\n`)
          .join(''),
      );
    else await print(process, rows.map(([key, value]) => `${`${key}:`.padEnd(16)}${value}\n`).join(''));
  }
  return status;
}

const SBIN = (name: string): { readonly paths: readonly string[] } => ({ paths: [`/usr/sbin/${name}`] });

export const programs = [
  program('lsmod', lsmod, SBIN('lsmod')),
  program('modprobe', modprobe, SBIN('modprobe')),
  program('rmmod', rmmod, SBIN('rmmod')),
  program('insmod', insmod, SBIN('insmod')),
  program('modinfo', modinfo, SBIN('modinfo')),
];
