// Models where systemd finds units, and what `enable` and `mask` change about it.

import type { Syscalls } from '../kernel/process.ts';
import { isSysError } from '../sim/errno.ts';
import { UnitFile } from './unit-file.ts';

export const ADMIN_UNITS = '/etc/systemd/system';
const RUNTIME_UNITS = '/run/systemd/system';
export const PACKAGE_UNITS = '/usr/lib/systemd/system';
const SEARCH_PATH = [ADMIN_UNITS, RUNTIME_UNITS, PACKAGE_UNITS];

export interface LoadedUnit {
  readonly name: string;
  readonly load: 'loaded' | 'not-found' | 'masked';
  readonly path: string | undefined;
  readonly dropIns: readonly string[];
  readonly file: UnitFile;
}

export type EnableState = 'enabled' | 'disabled' | 'static' | 'masked' | 'indirect' | '';

/** Reads a unit with its drop-ins. Aliases resolve to the unit they link to. */
export function loadUnit(sys: Syscalls, name: string): LoadedUnit {
  const path = findUnitFile(sys, name);
  if (path === undefined) return { name, load: 'not-found', path, dropIns: [], file: new UnitFile() };
  const real = sys.realpath(path);
  if (real === '/dev/null') return { name, load: 'masked', path, dropIns: [], file: new UnitFile() };
  const fileName = real.slice(real.lastIndexOf('/') + 1);
  const realName = fileName.includes('@.') ? name : fileName;
  const file = new UnitFile();
  file.add(specify(sys.readTextFile(real), sys, realName));
  const dropIns: string[] = [];
  for (const directory of [...SEARCH_PATH].reverse()) {
    const folder = `${directory}/${realName}.d`;
    for (const entry of listDirectory(sys, folder)) {
      if (!entry.endsWith('.conf')) continue;
      dropIns.push(`${folder}/${entry}`);
      file.add(specify(sys.readTextFile(`${folder}/${entry}`), sys, realName));
    }
  }
  return { name: realName, load: 'loaded', path: real, dropIns, file };
}

/** What is started along with `name` because of links in its .wants and .requires directories. */
export function linkedUnits(sys: Syscalls, name: string, kind: 'wants' | 'requires'): readonly string[] {
  return [...new Set(SEARCH_PATH.flatMap((directory) => listDirectory(sys, `${directory}/${name}.${kind}`)))];
}

/** Names of all unit files, sorted. */
export function unitFiles(sys: Syscalls): readonly string[] {
  const isUnit = (name: string): boolean => /\.(service|socket|target|mount|timer|path|slice|swap)$/.test(name);
  return [...new Set(SEARCH_PATH.flatMap((directory) => listDirectory(sys, directory)).filter(isUnit))].sort();
}

export function enableState(sys: Syscalls, name: string): EnableState {
  const unit = loadUnit(sys, name);
  if (unit.load === 'not-found') return '';
  if (unit.load === 'masked') return 'masked';
  if (installLinks(unit).some(({ path }) => hasLink(sys, path))) return 'enabled';
  if (!unit.file.hasSection('Install')) return 'static';
  return installLinks(unit).length === 0 && unit.file.words('Install', 'Also').length > 0 ? 'indirect' : 'disabled';
}

/** Links that `enable` makes, `disable` removes. */
export function installLinks(unit: LoadedUnit): readonly { readonly path: string; readonly target: string }[] {
  if (unit.path === undefined) return [];
  const target = unit.path;
  const links: { path: string; target: string }[] = [];
  for (const alias of unit.file.words('Install', 'Alias')) links.push({ path: `${ADMIN_UNITS}/${alias}`, target });
  for (const by of unit.file.words('Install', 'WantedBy')) links.push({ path: `${ADMIN_UNITS}/${by}.wants/${unit.name}`, target });
  for (const by of unit.file.words('Install', 'RequiredBy')) links.push({ path: `${ADMIN_UNITS}/${by}.requires/${unit.name}`, target });
  return links;
}

/** Makes the links; returns the lines systemctl prints. */
export function enableUnit(sys: Syscalls, unit: LoadedUnit): readonly string[] {
  const lines: string[] = [];
  for (const { path, target } of installLinks(unit)) {
    if (hasLink(sys, path)) continue;
    sys.mkdir(path.slice(0, path.lastIndexOf('/')), { recursive: true });
    sys.symlink(target, path);
    lines.push(`Created symlink from ${path} to ${target}.`);
  }
  for (const also of unit.file.words('Install', 'Also')) {
    const other = loadUnit(sys, also);
    if (other.load === 'loaded' && other.name !== unit.name) lines.push(...enableUnit(sys, other));
  }
  return lines;
}

/** Removes the links; returns the lines systemctl prints. */
export function disableUnit(sys: Syscalls, unit: LoadedUnit): readonly string[] {
  const lines: string[] = [];
  for (const { path } of installLinks(unit)) {
    if (!hasLink(sys, path)) continue;
    sys.unlink(path);
    lines.push(`Removed symlink ${path}.`);
  }
  return lines;
}

export function findUnitFile(sys: Syscalls, name: string): string | undefined {
  const own = SEARCH_PATH.map((directory) => `${directory}/${name}`).find((path) => hasLink(sys, path));
  // An instance without a file of its own comes from its template: getty@tty1.service from getty@.service.
  const template = name.replace(/@.+\.(?=[a-z]+$)/, '@.');
  return own ?? (template === name ? undefined : findUnitFile(sys, template));
}

/** True for a dangling link too. */
export function hasLink(sys: Syscalls, path: string): boolean {
  try {
    sys.lstat(path);
    return true;
  } catch (error) {
    if (isSysError(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}

function listDirectory(sys: Syscalls, path: string): readonly string[] {
  try {
    return [...sys.readdir(path)].sort();
  } catch (error) {
    if (isSysError(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}

/** %n, %p, %i, %H and %% (systemd.unit(5), SPECIFIERS). */
function specify(source: string, sys: Syscalls, name: string): string {
  const stem = name.replace(/\.[a-z]+$/, '');
  const [prefix = '', instance = ''] = stem.split('@');
  return source.replace(/%([npiIH%])/g, (_, letter: string) => {
    switch (letter) {
      case 'n':
        return name;
      case 'p':
        return prefix;
      case 'H':
        return sys.hostname();
      case '%':
        return '%';
      default:
        return instance;
    }
  });
}
