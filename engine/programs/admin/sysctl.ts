// Models sysctl(8) of procps-ng 3.3.10, and what applies sysctl.d and modules-load.d at boot.

import { isSysError } from '../../sim/errno.ts';
import type { Process, Syscalls } from '../../kernel/process.ts';
import { complain, Failure, parseOptions, print, program, readLines } from './support.ts';

const LONG = {
  all: 'a',
  values: 'n',
  names: 'N',
  binary: 'b',
  ignore: 'e',
  write: 'w',
  load: 'p',
  system: 'S',
  'pattern=': 'r',
  quiet: 'q',
};
const DIRECTORIES = ['/run/sysctl.d', '/etc/sysctl.d', '/usr/local/lib/sysctl.d', '/usr/lib/sysctl.d', '/lib/sysctl.d'];

interface Style {
  readonly isQuiet: boolean;
  readonly valuesOnly: boolean;
  readonly namesOnly: boolean;
  readonly ignoresUnknown: boolean;
}

async function sysctl(process: Process): Promise<number> {
  const hint = `\nUsage:\n sysctl [options] [variable[=value] ...]\n`;
  // -p takes an optional file, so it is no ordinary option.
  const argv = process.argv.map((arg) => (arg.startsWith('--load=') ? `-p${arg.slice(7)}` : arg));
  const inline = argv.slice(1).find((arg) => /^-p./.test(arg));
  const options = parseOptions(
    argv.map((arg) => (arg === inline ? '-p' : arg)),
    { short: 'aAXnNbewpSr:q', long: LONG, hint },
  );
  const style: Style = {
    isQuiet: options.has('q'),
    valuesOnly: options.has('n') || options.has('b'),
    namesOnly: options.has('N'),
    ignoresUnknown: options.has('e'),
  };
  if (options.has('S')) return applySystem(process, style);
  if (options.has('p')) {
    const files = inline === undefined ? (options.operands.length === 0 ? ['/etc/sysctl.conf'] : options.operands) : [inline.slice(2)];
    let status = 0;
    for (const file of files) status = Math.max(status, await applyFile(process, file, style));
    return status;
  }
  if (options.has('a') || options.has('A') || options.has('X')) return showAll(process, style, options.value('r'));
  if (options.operands.length === 0) throw new Failure(`sysctl: no variables specified\nTry \`sysctl --help' for more information.\n`, 1);
  let status = 0;
  for (const operand of options.operands) {
    const ok = operand.includes('=') ? await assign(process, operand, style) : await show(process, operand, style);
    if (!ok) status = 255;
  }
  return status;
}

function pathOf(key: string): string {
  // Slashes first mean that dots belong to names (net/ipv4/conf/eth0.100).
  const slash = key.indexOf('/');
  const dot = key.indexOf('.');
  const path = slash >= 0 && (dot < 0 || slash < dot) ? key : key.replace(/[./]/g, (c) => (c === '.' ? '/' : '.'));
  return `/proc/sys/${path}`;
}

async function show(process: Process, key: string, style: Style): Promise<boolean> {
  const path = pathOf(key);
  try {
    if (process.sys.stat(path).kind === 'directory') {
      const below = process.sys.readdir(path).map((name) => `${key.replace(/[./]$/, '')}.${name}`);
      for (const each of below.sort()) await show(process, each, style);
      return true;
    }
    await print(process, line(key.replaceAll('/', '.'), process.sys.readTextFile(path).replace(/\n$/, ''), style));
    return true;
  } catch (error) {
    return explain(process, error, key, style, 'reading');
  }
}

async function assign(process: Process, text: string, style: Style): Promise<boolean> {
  const at = text.indexOf('=');
  const key = text.slice(0, at).trim();
  const value = text.slice(at + 1).trim();
  if (key === '') {
    await complain(process, `sysctl: malformed setting "${text}"\n`);
    return false;
  }
  if (value === '') {
    await complain(process, `sysctl: malformed setting "${text}"\n`);
    return false;
  }
  try {
    process.sys.stat(pathOf(key));
    process.sys.writeFile(pathOf(key), `${value}\n`);
    if (!style.isQuiet) await print(process, line(key.replaceAll('/', '.'), value, style));
    return true;
  } catch (error) {
    return explain(process, error, key, style, 'setting');
  }
}

async function explain(process: Process, error: unknown, key: string, style: Style, what: 'reading' | 'setting'): Promise<boolean> {
  if (!isSysError(error)) throw error;
  const name = key.replaceAll('/', '.');
  if (error.errno === 'ENOENT' || error.errno === 'ENOTDIR') {
    if (style.ignoresUnknown) return true;
    await complain(process, `sysctl: cannot stat ${pathOf(key)}: ${error.strerror}\n`);
    return false;
  }
  if (error.errno === 'EACCES' || error.errno === 'EPERM') await complain(process, `sysctl: permission denied on key '${name}'\n`);
  else await complain(process, `sysctl: ${what} key "${name}": ${error.strerror}\n`);
  return false;
}

function line(key: string, value: string, style: Style): string {
  if (style.valuesOnly) return `${value}\n`;
  return style.namesOnly ? `${key}\n` : `${key} = ${value}\n`;
}

async function showAll(process: Process, style: Style, pattern: string | undefined): Promise<number> {
  const wanted = pattern === undefined ? undefined : new RegExp(pattern);
  const lines: string[] = [];
  const visit = (path: string, prefix: string): void => {
    for (const name of [...process.sys.readdir(path)].sort()) {
      const key = prefix === '' ? name : `${prefix}.${name}`;
      if (process.sys.stat(`${path}/${name}`).kind === 'directory') visit(`${path}/${name}`, key);
      else if (wanted === undefined || wanted.test(key))
        lines.push(line(key, process.sys.readTextFile(`${path}/${name}`).replace(/\n$/, ''), style));
    }
  };
  visit('/proc/sys', '');
  await print(process, lines.join(''));
  return 0;
}

async function applySystem(process: Process, style: Style): Promise<number> {
  let status = 0;
  for (const file of [...configurations(process.sys, DIRECTORIES, '.conf'), '/etc/sysctl.conf']) {
    if (!process.sys.exists(file)) continue;
    if (!style.isQuiet) await print(process, `* Applying ${file} ...\n`);
    status = Math.max(status, await applyFile(process, file, style));
  }
  return status;
}

async function applyFile(process: Process, file: string, style: Style): Promise<number> {
  if (!process.sys.exists(file)) {
    await complain(process, `sysctl: cannot open "${file}": No such file or directory\n`);
    return 255;
  }
  let status = 0;
  for (const setting of settings(process.sys, file)) {
    if (!setting.includes('=')) {
      await complain(process, `sysctl: ${file}(1): invalid syntax, continuing...\n`);
      continue;
    }
    const ignores = setting.startsWith('-');
    if (!(await assign(process, ignores ? setting.slice(1) : setting, { ...style, ignoresUnknown: style.ignoresUnknown || ignores })))
      status = 255;
  }
  return status;
}

function settings(sys: Syscalls, file: string): readonly string[] {
  return readLines(sys, file)
    .map((each) => each.trim())
    .filter((each) => each !== '' && !each.startsWith('#') && !each.startsWith(';'));
}

/** Files of drop-in directories in the order of their names; one in an earlier directory hides the same name in a later. */
function configurations(sys: Syscalls, directories: readonly string[], suffix: string): readonly string[] {
  const byName = new Map<string, string>();
  for (const directory of directories) {
    if (!sys.exists(directory)) continue;
    for (const name of sys.readdir(directory)) if (name.endsWith(suffix) && !byName.has(name)) byName.set(name, `${directory}/${name}`);
  }
  return [...byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => path);
}

async function systemdSysctl(process: Process): Promise<number> {
  const files = [...configurations(process.sys, DIRECTORIES.slice(0, 4), '.conf'), '/etc/sysctl.conf'];
  for (const file of files.filter((path) => process.sys.exists(path))) {
    for (const setting of settings(process.sys, file)) {
      const [key = '', value = ''] = setting.replace(/^-/, '').split('=', 2);
      try {
        process.sys.stat(pathOf(key.trim()));
        process.sys.writeFile(pathOf(key.trim()), value.trim());
      } catch (error) {
        // Keys of modules that are not loaded yet are passed over, as at a real boot.
        if (!isSysError(error, 'ENOENT', 'ENOTDIR', 'EINVAL', 'EACCES')) throw error;
      }
    }
  }
  return 0;
}

async function systemdModulesLoad(process: Process): Promise<number> {
  let status = 0;
  for (const file of configurations(process.sys, ['/etc/modules-load.d', '/run/modules-load.d', '/usr/lib/modules-load.d'], '.conf')) {
    for (const name of settings(process.sys, file)) {
      try {
        process.sys.kernel.modules.load(name);
      } catch (error) {
        if (!isSysError(error, 'ENOENT')) throw error;
        await complain(process, `Failed to find module '${name}'\n`);
        status = 1;
      }
    }
  }
  return status;
}

export const programs = [
  program('sysctl', sysctl, { paths: ['/usr/sbin/sysctl'] }),
  program('systemd-sysctl', systemdSysctl, { paths: ['/usr/lib/systemd/systemd-sysctl'] }),
  program('systemd-modules-load', systemdModulesLoad, { paths: ['/usr/lib/systemd/systemd-modules-load'] }),
];
