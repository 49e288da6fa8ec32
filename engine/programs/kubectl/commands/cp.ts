// Models `kubectl cp`: tar in the container, its stream over exec.

import { utf8 } from '../../../sim/bytes.ts';
import { isSysError } from '../../../sim/errno.ts';
import type { Command } from '../command.ts';
import type { Context } from '../context.ts';
import { CliError, ExitError } from '../errors.ts';
import { captureStreams } from '../factory/remote-command.ts';
import { attachablePod } from '../resource/pods-of.ts';
import { containerOf, nameOf, namespaceOf } from './exec.ts';
import { readTar, writeTar, type TarEntry } from './tar.ts';

export const cp: Command = { name: 'cp', run };

interface Place {
  readonly namespace: string;
  readonly pod: string;
  readonly path: string;
}

async function run(context: Context): Promise<void> {
  const [from, to] = context.args;
  if (from === undefined || to === undefined) throw new CliError('source and destination are required');
  const source = parse(from);
  const target = parse(to);
  if (source.pod !== '' && target.pod !== '') throw new CliError('one of src or dest must be a local file specification');
  if (source.path === '' || target.path === '') throw new CliError('filepath can not be empty');
  if (source.pod !== '') await fromPod(context, source, target.path);
  else if (target.pod !== '') await toPod(context, source.path, target);
  else throw new CliError('one of src or dest must be a remote file specification');
}

/** `pod:path`, `namespace/pod:path` or a local path. */
function parse(spec: string): Place {
  const colon = spec.indexOf(':');
  if (colon < 0) return { namespace: '', pod: '', path: spec };
  if (colon === 0) throw new CliError('filespec must match the canonical format: [[namespace/]pod:]file/path');
  const [first = '', second, ...rest] = spec.slice(0, colon).split('/');
  if (rest.length > 0) throw new CliError('filespec must match the canonical format: [[namespace/]pod:]file/path');
  return second === undefined
    ? { namespace: '', pod: first, path: spec.slice(colon + 1) }
    : { namespace: first, pod: second, path: spec.slice(colon + 1) };
}

async function execute(context: Context, place: Place, command: readonly string[], stdin: Uint8Array | undefined): Promise<Uint8Array> {
  if (place.namespace !== '') context.flags.set('namespace', place.namespace);
  const pod = await attachablePod(context, place.pod);
  const container = await containerOf(context, pod, 1);
  const query = [
    ...command.map((word) => `command=${encodeURIComponent(word)}`),
    `container=${encodeURIComponent(container)}`,
    'stderr=true',
    ...(stdin === undefined ? [] : ['stdin=true']),
    'stdout=true',
  ].join('&');
  return captureStreams(context, `/api/v1/namespaces/${namespaceOf(pod)}/pods/${nameOf(pod)}/exec?${query}`, stdin);
}

async function toPod(context: Context, local: string, target: Place): Promise<void> {
  const { sys } = context.process;
  try {
    sys.stat(local);
  } catch (error) {
    if (isSysError(error)) throw new CliError(`${local} doesn't exist in local filesystem`);
    throw error;
  }
  let path = target.path.length > 1 ? target.path.replace(/\/+$/, '') : target.path;
  if (await isFolder(context, target, path)) path = `${path.replace(/\/+$/, '')}/${baseName(local)}`;
  const folder = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
  const entries: TarEntry[] = [];
  collect(context, local, baseName(path), entries);
  const flags = context.flags.bool('no-preserve') ? ['--no-same-permissions', '--no-same-owner'] : [];
  await execute(context, target, ['tar', ...flags, '-xmf', '-', ...(folder === '' ? [] : ['-C', folder])], writeTar(entries));
}

async function isFolder(context: Context, place: Place, path: string): Promise<boolean> {
  try {
    await execute(context, place, ['test', '-d', path], undefined);
    return true;
  } catch (error) {
    if (error instanceof ExitError) return false;
    throw error;
  }
}

function collect(context: Context, local: string, name: string, entries: TarEntry[]): void {
  const { sys } = context.process;
  const stat = sys.stat(local);
  if (stat.kind === 'directory') {
    entries.push({ name: `${name}/`, mode: stat.mode, isFolder: true, contents: new Uint8Array() });
    for (const child of [...sys.readdir(local)].sort())
      collect(context, `${local.replace(/\/+$/, '')}/${child}`, `${name}/${child}`, entries);
  } else if (stat.kind === 'file') entries.push({ name, mode: stat.mode, isFolder: false, contents: sys.readFile(local) });
}

async function fromPod(context: Context, source: Place, local: string): Promise<void> {
  const { sys } = context.process;
  const archive = await archiveOf(context, source);
  const prefix = source.path.replace(/^\/+/, '').replace(/\/+$/, '');
  const target =
    sys.exists(local) && sys.stat(local).kind === 'directory' ? `${local.replace(/\/+$/, '')}/${baseName(source.path)}` : local;
  for (const entry of readTar(archive)) {
    const name = entry.name.replace(/\/+$/, '');
    if (name !== prefix && !name.startsWith(`${prefix}/`)) continue;
    const path = `${target}${name.slice(prefix.length)}`;
    if (path.split('/').includes('..') && !target.split('/').includes('..')) {
      await context.process.stderr.write(utf8(`warning: file "${path}" is outside target destination, skipping\n`));
      continue;
    }
    if (entry.isFolder) sys.mkdir(path, { recursive: true, mode: 0o755 });
    else {
      const folder = path.slice(0, path.lastIndexOf('/'));
      if (folder !== '' && !sys.exists(folder)) sys.mkdir(folder, { recursive: true, mode: 0o755 });
      sys.writeFile(path, entry.contents, { mode: entry.mode });
    }
  }
}

/** The container's archive; tar's complaints are on stderr already, and kubectl takes what came. */
async function archiveOf(context: Context, source: Place): Promise<Uint8Array> {
  try {
    return await execute(context, source, ['tar', 'cf', '-', source.path], undefined);
  } catch (error) {
    if (error instanceof ExitError) return new Uint8Array();
    throw error;
  }
}

function baseName(path: string): string {
  return path.replace(/\/+$/, '').split('/').pop() ?? path;
}
