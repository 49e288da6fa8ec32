// Models `kubectl config`.

import { toBase64, utf8 } from '../../../sim/bytes.ts';
import { isSysError } from '../../../sim/errno.ts';
import { refuseArguments, type Command } from '../command.ts';
import type { Context } from '../context.ts';
import { CliError } from '../errors.ts';
import { configObject, configPaths, loadKubeConfig, KubeConfig, saveKubeConfig, type Section } from '../factory/kubeconfig.ts';
import { klogLine } from '../klog.ts';
import { sortKeys, type JsonObject } from '../printers/json.ts';
import { printerFor } from '../printers/object-printer.ts';
import { plainTable } from '../printers/table.ts';
import { printRequest } from './common.ts';
import { setProperty, unsetProperty } from './config-property.ts';

export const config: Command = {
  name: 'config',
  group: { stream: 'err', status: 1 },
  subcommands: [
    { name: 'view', run: view },
    { name: 'set-cluster', run: setCluster },
    { name: 'set-credentials', run: setCredentials },
    { name: 'set-context', run: setContext },
    { name: 'set', run: (context) => property(context, 'set') },
    { name: 'unset', run: (context) => property(context, 'unset') },
    { name: 'current-context', run: currentContext },
    { name: 'use-context', aliases: ['use'], run: useContext },
    { name: 'get-contexts', run: getContexts },
    { name: 'get-clusters', run: (context) => list(context, 'clusters') },
    { name: 'get-users', run: (context) => list(context, 'users') },
    { name: 'delete-cluster', run: (context) => remove(context, 'clusters', 'cluster') },
    { name: 'delete-context', run: (context) => remove(context, 'contexts', 'context') },
    { name: 'delete-user', run: (context) => remove(context, 'users', 'user') },
    { name: 'rename-context', run: renameContext },
  ],
};

async function load(context: Context): Promise<KubeConfig> {
  const missing: string[] = [];
  let loaded: KubeConfig;
  try {
    loaded = loadKubeConfig(context.process, context.flags, (path) => missing.push(path));
  } catch (error) {
    // A file that config is to write need not be there yet.
    if (!(error instanceof CliError) || !/^stat .*: no such file/.test(error.message) || context.path === 'config view') throw error;
    return new KubeConfig();
  }
  for (const path of missing) await context.err(`${klogLine(context.process, 'W', 'loader.go:223', `Config not found: ${path}`)}\n`);
  return loaded;
}

/** The file messages name. */
function fileName(context: Context): string {
  const { paths } = configPaths(context.process, context.flags);
  return paths.find((path) => context.process.sys.exists(path)) ?? paths[paths.length - 1] ?? '';
}

/** The one operand of a command; without it the help comes first. */
async function operand(context: Context): Promise<string> {
  const [only] = context.args;
  if (context.args.length === 1 && only !== undefined && only !== '') return only;
  await context.out(context.help());
  throw new CliError(context.args.length === 1 ? 'empty context names are not allowed' : `Unexpected args: [${context.args.join(' ')}]`);
}

async function view(context: Context): Promise<void> {
  refuseArguments(context);
  const { flags } = context;
  const loaded = await load(context);
  const shown = flags.bool('minify') ? minify(context, loaded) : loaded;
  const object = configObject(shown);
  const isRaw = flags.bool('raw') || flags.bool('flatten');
  if (flags.bool('flatten')) flatten(context, object);
  if (!isRaw) redact(object);
  const request = printRequest(context);
  const printer = printerFor({ ...request, output: request.output || 'yaml' }, 'create');
  const isStruct = request.output === 'json';
  await context.out(printer?.print(isStruct ? object : (sortKeys(object) as JsonObject), '') ?? '');
}

function minify(context: Context, loaded: KubeConfig): KubeConfig {
  const name = context.flags.string('context') || loaded.currentContext;
  if (name === '') throw new CliError('current-context must exist in order to minify');
  const entry = loaded.contexts.get(name);
  if (entry === undefined) throw new CliError(`cannot locate context ${name}`);
  const keep = (section: Section, wanted: unknown): void => {
    for (const other of [...loaded[section].keys()]) if (other !== wanted) loaded[section].delete(other);
  };
  keep('contexts', name);
  keep('clusters', entry.value['cluster']);
  keep('users', entry.value['user']);
  loaded.currentContext = name;
  return loaded;
}

function redact(object: JsonObject): void {
  for (const [section, singular] of [
    ['clusters', 'cluster'],
    ['users', 'user'],
  ] as const) {
    for (const entry of (object[section] ?? []) as JsonObject[]) {
      const value = { ...(entry[singular] as JsonObject) };
      if (value['certificate-authority-data'] !== undefined) value['certificate-authority-data'] = 'DATA+OMITTED';
      for (const key of ['client-certificate-data', 'client-key-data', 'token', 'password'])
        if (value[key] !== undefined) value[key] = 'REDACTED';
      entry[singular] = value;
    }
  }
}

/** --flatten: files become data. */
function flatten(context: Context, object: JsonObject): void {
  for (const [section, singular] of [
    ['clusters', 'cluster'],
    ['users', 'user'],
  ] as const) {
    for (const entry of (object[section] ?? []) as JsonObject[]) {
      const value = { ...(entry[singular] as JsonObject) };
      for (const key of ['certificate-authority', 'client-certificate', 'client-key']) {
        if (typeof value[key] !== 'string') continue;
        value[`${key}-data`] = toBase64(readBytes(context, value[key]));
        delete value[key];
      }
      entry[singular] = value;
    }
  }
}

function readBytes(context: Context, path: string): Uint8Array {
  try {
    return context.process.sys.readFile(path);
  } catch (error) {
    if (isSysError(error)) throw new CliError(`open ${path}: ${error.strerror.toLowerCase()}`);
    throw error;
  }
}

async function currentContext(context: Context): Promise<void> {
  const loaded = await load(context);
  if (loaded.currentContext === '') throw new CliError('current-context is not set');
  await context.out(`${loaded.currentContext}\n`);
}

async function useContext(context: Context): Promise<void> {
  const name = await operand(context);
  const loaded = await load(context);
  if (!loaded.contexts.has(name)) throw new CliError(`no context exists with the name: "${name}"`);
  loaded.currentContext = name;
  saveKubeConfig(context.process, context.flags, loaded);
  await context.out(`Switched to context "${name}".\n`);
}

async function getContexts(context: Context): Promise<void> {
  const { flags } = context;
  const output = flags.string('output');
  if (output !== '' && output !== 'name' && output !== 'wide')
    throw new CliError(`--output ${output} is not available in kubectl config get-contexts; resetting to default output format`);
  const loaded = await load(context);
  const names = context.args.length > 0 ? [...context.args] : [...loaded.contexts.keys()];
  const missing = names.filter((name) => !loaded.contexts.has(name));
  const present = names.filter((name) => loaded.contexts.has(name)).sort();
  const header = output === 'name' || flags.bool('no-headers') ? [] : [['CURRENT', 'NAME', 'CLUSTER', 'AUTHINFO', 'NAMESPACE']];
  const rows = present.map((name) => {
    const value = loaded.contexts.get(name)?.value ?? {};
    const cell = (key: string): string => (typeof value[key] === 'string' ? value[key] : '');
    return output === 'name' ? [name] : [name === loaded.currentContext ? '*' : '', name, cell('cluster'), cell('user'), cell('namespace')];
  });
  if (header.length + rows.length > 0) await context.out(plainTable([...header, ...rows]));
  if (missing.length > 0)
    throw new CliError(
      missing.length === 1 ? `context ${missing[0] ?? ''} not found` : `[${missing.map((name) => `context ${name} not found`).join(', ')}]`,
    );
}

async function list(context: Context, section: Section): Promise<void> {
  const loaded = await load(context);
  await context.out(['NAME', ...[...loaded[section].keys()].sort()].map((name) => `${name}\n`).join(''));
}

async function remove(context: Context, section: Section, noun: string): Promise<void> {
  const [name] = context.args;
  if (name === undefined || context.args.length !== 1) {
    await context.out(context.help());
    throw new CliError(`Unexpected args: [${context.args.join(' ')}]`);
  }
  const loaded = await load(context);
  if (!loaded[section].delete(name)) throw new CliError(`cannot delete ${noun} ${name}, not in ${fileName(context)}`);
  if (section === 'contexts' && loaded.currentContext === name)
    await context.err('warning: this removed your active context, use "kubectl config use-context" to select a different one\n');
  saveKubeConfig(context.process, context.flags, loaded);
  await context.out(`deleted ${noun} ${name} from ${fileName(context)}\n`);
}

async function renameContext(context: Context): Promise<void> {
  const [from = '', to = ''] = context.args;
  if (context.args.length !== 2) {
    await context.out(context.help());
    throw new CliError(`Unexpected args: [${context.args.join(' ')}]`);
  }
  const loaded = await load(context);
  const entry = loaded.contexts.get(from);
  if (entry === undefined) throw new CliError(`cannot rename the context "${from}", it's not in ${fileName(context)}`);
  if (loaded.contexts.has(to))
    throw new CliError(`cannot rename the context "${from}", the context "${to}" already exists in ${fileName(context)}`);
  loaded.contexts.delete(from);
  loaded.contexts.set(to, entry);
  if (loaded.currentContext === from) loaded.currentContext = to;
  saveKubeConfig(context.process, context.flags, loaded);
  await context.out(`Context "${from}" renamed to "${to}".\n`);
}

/** Lays the given values over an entry and says whether it is new. */
function upsert(context: Context, loaded: KubeConfig, section: Section, name: string, change: (value: JsonObject) => void): boolean {
  const entry = loaded[section].get(name);
  const value: JsonObject = { ...entry?.value };
  change(value);
  loaded[section].set(name, { origin: entry?.origin ?? fileName(context), value });
  saveKubeConfig(context.process, context.flags, loaded);
  return entry === undefined;
}

async function setContext(context: Context): Promise<void> {
  const { flags, args } = context;
  if (args.length > 1) {
    await context.out(context.help());
    throw new CliError(`Unexpected args: [${args.join(' ')}]`);
  }
  const isCurrent = flags.bool('current');
  if (args.length === 1 && isCurrent) throw new CliError('you cannot specify both a context name and --current');
  const loaded = await load(context);
  if (args.length === 0 && !isCurrent) throw new CliError('you must specify a non-empty context name or --current');
  const name = isCurrent ? loaded.currentContext : (args[0] ?? '');
  if (isCurrent && name === '') throw new CliError('no current context is set');
  const isNew = upsert(context, loaded, 'contexts', name, (value) => {
    for (const key of ['cluster', 'user', 'namespace']) {
      if (!flags.isChanged(key)) continue;
      if (flags.string(key) === '' && key === 'namespace') delete value[key];
      else value[key] = flags.string(key);
    }
    value['cluster'] ??= '';
    value['user'] ??= '';
  });
  await context.out(`Context "${name}" ${isNew ? 'created' : 'modified'}.\n`);
}

async function setCluster(context: Context): Promise<void> {
  const { flags } = context;
  const name = await operand(context);
  const loaded = await load(context);
  const authority = flags.string('certificate-authority');
  if (flags.bool('embed-certs') && authority === '') throw new CliError('you must specify a --certificate-authority to embed');
  upsert(context, loaded, 'clusters', name, (value) => {
    if (flags.isChanged('server')) value['server'] = flags.string('server');
    value['server'] ??= '';
    if (flags.isChanged('tls-server-name')) value['tls-server-name'] = flags.string('tls-server-name');
    if (flags.isChanged('insecure-skip-tls-verify')) {
      if (flags.bool('insecure-skip-tls-verify')) {
        value['insecure-skip-tls-verify'] = true;
        delete value['certificate-authority'];
        delete value['certificate-authority-data'];
      } else delete value['insecure-skip-tls-verify'];
    }
    if (authority !== '') embed(context, value, 'certificate-authority', authority);
  });
  await context.out(`Cluster "${name}" set.\n`);
}

async function setCredentials(context: Context): Promise<void> {
  const { flags } = context;
  const name = await operand(context);
  if (flags.string('token') !== '' && flags.string('username') !== '')
    throw new CliError('you cannot specify more than one authentication method at the same time: [--token --username/--password]');
  const loaded = await load(context);
  upsert(context, loaded, 'users', name, (value) => {
    for (const key of ['client-certificate', 'client-key']) if (flags.string(key) !== '') embed(context, value, key, flags.string(key));
    if (flags.isChanged('token')) {
      value['token'] = flags.string('token');
      delete value['username'];
      delete value['password'];
    }
    for (const key of ['username', 'password']) {
      if (!flags.isChanged(key)) continue;
      value[key] = flags.string(key);
      delete value['token'];
    }
  });
  await context.out(`User "${name}" set.\n`);
}

/** A path, or with --embed-certs the file's bytes. */
function embed(context: Context, value: JsonObject, key: string, path: string): void {
  delete value['insecure-skip-tls-verify'];
  if (context.flags.bool('embed-certs')) {
    value[`${key}-data`] = toBase64(readBytes(context, path));
    delete value[key];
    return;
  }
  value[key] = path.startsWith('/') ? path : `${context.process.sys.cwd()}/${path}`;
  delete value[`${key}-data`];
}

async function property(context: Context, verb: 'set' | 'unset'): Promise<void> {
  const { args } = context;
  if (args.length !== (verb === 'set' ? 2 : 1)) {
    await context.out(context.help());
    throw new CliError(`Unexpected args: [${args.join(' ')}]`);
  }
  const [name = '', value = ''] = args;
  const loaded = await load(context);
  if (verb === 'set') setProperty(loaded, name, context.flags.bool('set-raw-bytes') ? toBase64(utf8(value)) : value, fileName(context));
  else unsetProperty(loaded, name);
  saveKubeConfig(context.process, context.flags, loaded);
  await context.out(`Property "${name}" ${verb}.\n`);
}
