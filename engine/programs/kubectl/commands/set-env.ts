// Models `kubectl set env`: variables of pod templates, given, removed, listed, or taken over from a config map or a secret.

import { isNotFound } from '../../../kube/machinery/api-error.ts';
import { fromBase64, text as utf8Text } from '../../../sim/bytes.ts';
import type { Context } from '../context.ts';
import { CliError } from '../errors.ts';
import { objects, text } from '../describe/values.ts';
import { isObject, type JsonObject } from '../printers/json.ts';
import { objectsOf, type Info } from '../resource/infos.ts';
import { at, filenamesOf } from './common.ts';
import { forEach, selectObjects } from './patching.ts';
import { changeTemplates, mapContainers, split, withPodSpec } from './set-template.ts';

type Variable = JsonObject & { readonly name: string };

export async function setEnv(context: Context): Promise<void> {
  const { flags } = context;
  const { resources, pairs } = split(context, (arg) => arg.includes('=') || (arg.endsWith('-') && arg.length > 1));
  const from = flags.string('from');
  if (resources.length === 0 && filenamesOf(context).length === 0)
    throw new CliError('one or more resources must be specified as <resource> <name> or <resource>/<name>');
  if (flags.bool('list') && flags.string('output') !== '') throw new CliError('--list and --output may not be specified together');
  if (flags.list('keys').length > 0 && from === '')
    throw new CliError('when specifying --keys, a configmap or secret must be provided with --from');
  const given = new Map<string, Variable>();
  const removals: string[] = [];
  for (const pair of [...flags.list('env'), ...pairs]) {
    const equals = pair.indexOf('=');
    if (equals < 0) removals.push(pair.slice(0, -1));
    else given.set(pair.slice(0, equals), { name: pair.slice(0, equals), value: pair.slice(equals + 1) });
  }
  if (from !== '') for (const variable of await variablesOf(context, from)) given.set(variable.name, variable);
  const prefix = flags.string('prefix');
  const variables = [...given.values()].map((variable) => ({ ...variable, name: prefix + variable.name }));
  if (flags.bool('list')) {
    await listEnv(context, resources, (old) => updated(old, variables, removals));
    return;
  }
  if (variables.length === 0 && removals.length === 0) {
    const { errors } = await selectObjects(context, { args: resources });
    if (errors[0] !== undefined) throw errors[0];
    throw new CliError('at least one environment variable must be provided');
  }
  const pattern = flags.string('containers');
  let warnings = '';
  await changeTemplates(
    context,
    resources,
    'env updated',
    (spec, info) => {
      const changed = mapContainers(spec, pattern, (container) => {
        const old = objects(container['env']);
        if (!flags.bool('overwrite')) refuseOverwrites(old, variables);
        const env = updated(old, variables, removals);
        const { env: _, ...rest } = container;
        return env.length === 0 ? rest : { ...rest, env };
      });
      if (changed.count === 0) {
        warnings += `warning: ${info.mapping.kind}/${info.name} does not have any containers matching ${JSON.stringify(pattern)}\n`;
        return undefined;
      }
      return changed.spec;
    },
    'failed to patch env update to pod template',
  );
  if (warnings !== '') await context.err(warnings);
}

/** Keeps the order of what is there; new ones follow. */
function updated(old: readonly JsonObject[], variables: readonly Variable[], removals: readonly string[]): readonly JsonObject[] {
  const kept = old
    .filter((entry) => !removals.includes(text(entry['name'])))
    .map((entry) => variables.find(({ name }) => name === entry['name']) ?? entry);
  return [...kept, ...variables.filter(({ name }) => !old.some((entry) => entry['name'] === name))];
}

function refuseOverwrites(old: readonly JsonObject[], variables: readonly Variable[]): void {
  for (const { name } of variables) {
    const present = old.find((entry) => entry['name'] === name);
    if (present !== undefined) throw new CliError(`'${name}' already has a value (${text(present['value'])}), and --overwrite is false`);
  }
}

/** One variable for each key of the config maps or secrets that --from names. */
async function variablesOf(context: Context, from: string): Promise<readonly Variable[]> {
  const { infos, errors } = await objectsOf(context, {
    args: [from],
    filenames: [],
    recursive: false,
    selector: context.flags.string('selector'),
    all: context.flags.bool('all'),
    latest: true,
  });
  if (errors[0] !== undefined) throw errors[0];
  const keys = context.flags.list('keys');
  return infos.flatMap((info) => {
    const reference = info.mapping.kind === 'ConfigMap' ? 'configMapKeyRef' : info.mapping.kind === 'Secret' ? 'secretKeyRef' : undefined;
    if (reference === undefined) throw new CliError('unsupported resource specified in --from');
    const data = info.object?.['data'];
    return Object.keys(isObject(data) ? data : {})
      .sort()
      .filter((key) => keys.length === 0 || keys.includes(key))
      .map((key) => ({
        name: key.toUpperCase().replace(/[^A-Z0-9_]/g, '_'),
        valueFrom: { [reference]: { name: info.name, key } },
      }));
  });
}

async function listEnv(
  context: Context,
  resources: readonly string[],
  change: (old: readonly JsonObject[]) => readonly JsonObject[],
): Promise<void> {
  const { infos, errors } = await selectObjects(context, { args: resources, all: context.flags.bool('all') });
  const cache = new Map<string, JsonObject>();
  await forEach(infos, errors, async (info) => {
    let containers: readonly JsonObject[] = [];
    withPodSpec(info.object ?? {}, (spec) => {
      containers = objects(spec['containers']);
      return undefined;
    });
    const failures = new Map<string, string[]>();
    for (const container of containers) {
      await context.out(`# ${info.mapping.kind} ${info.name}, container ${text(container['name'])}\n`);
      for (const entry of change(objects(container['env']))) {
        const source = entry['valueFrom'];
        const name = text(entry['name']);
        if (!isObject(source)) {
          await context.out(`${name}=${text(entry['value'])}\n`);
          continue;
        }
        const resolved = context.flags.bool('resolve') ? await resolve(context, source, info, container, cache) : { error: '' };
        if ('value' in resolved) await context.out(`${name}=${resolved.value}\n`);
        else {
          await context.out(`# ${name} from ${referenceText(source)}\n`);
          if (resolved.error !== '') failures.set(resolved.error, [...(failures.get(resolved.error) ?? []), name]);
        }
      }
    }
    const lines = [...failures].map(([error, names]) => `error retrieving reference for ${names.sort().join(', ')}: ${error}`).sort();
    for (const line of lines) await context.err(`${line}\n`);
    if (lines.length > 0) throw new CliError('failed to retrieve valueFrom references');
  });
}

function referenceText(source: JsonObject): string {
  const configMap = source['configMapKeyRef'];
  if (isObject(configMap)) return `configmap ${text(configMap['name'])}, key ${text(configMap['key'])}`;
  const secret = source['secretKeyRef'];
  if (isObject(secret)) return `secret ${text(secret['name'])}, key ${text(secret['key'])}`;
  const field = source['fieldRef'];
  if (isObject(field)) return `field path ${text(field['fieldPath'])}`;
  const resource = source['resourceFieldRef'];
  if (!isObject(resource)) return 'invalid valueFrom';
  const container = text(resource['containerName']);
  return `resource field ${container === '' ? '' : `${container}/`}${text(resource['resource'])}`;
}

async function resolve(
  context: Context,
  source: JsonObject,
  info: Info,
  container: JsonObject,
  cache: Map<string, JsonObject>,
): Promise<{ readonly value: string } | { readonly error: string }> {
  const field = at(source, 'fieldRef', 'fieldPath');
  if (typeof field === 'string') {
    const [, ...path] = field.split('.');
    const value = field.startsWith('metadata.') ? at(info.object, 'metadata', ...path) : undefined;
    return value === undefined ? { error: `unsupported fieldPath: ${field}` } : { value: text(value) };
  }
  const resource = at(source, 'resourceFieldRef', 'resource');
  if (typeof resource === 'string') {
    const [kind = '', ...name] = resource.split('.');
    return { value: text(at(container, 'resources', kind, name.join('.')) ?? 0) };
  }
  const isSecret = isObject(source['secretKeyRef']);
  const reference = isSecret ? source['secretKeyRef'] : source['configMapKeyRef'];
  const [plural, noun] = isSecret ? ['secrets', 'secret'] : ['configmaps', 'config map'];
  const name = text(at(reference, 'name'));
  const key = text(at(reference, 'key'));
  const path = `/api/v1/namespaces/${info.namespace}/${plural}/${name}`;
  try {
    const object = cache.get(path) ?? (await context.rest.json<JsonObject>('GET', path));
    cache.set(path, object);
    const value = at(object, 'data', key);
    if (typeof value !== 'string') return { error: `key ${key} not found in ${noun} ${name}` };
    return { value: isSecret ? utf8Text(fromBase64(value)) : value };
  } catch (error) {
    if (!isNotFound(error)) throw error;
    return { error: error.message };
  }
}
