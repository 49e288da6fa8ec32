// Models cli-runtime's resource builder: what a command was asked to work on, one Info per object or list.

import { ApiError, isNotFound } from '../../../kube/machinery/api-error.ts';
import type { Context } from '../context.ts';
import { CliError } from '../errors.ts';
import { apiVersionOf, pathOf, query, type MappedResource, type Mapping } from '../factory/rest-mapper.ts';
import { isObject, type JsonObject } from '../printers/json.ts';
import { documentsOf, flatten, sourcesOf, type SourceText } from './files.ts';
import { labelSyntaxError } from './label-syntax.ts';

/** One object that a command works on. */
export interface Info {
  readonly mapping: Mapping;
  readonly namespace: string;
  readonly name: string;
  /** File it came from; empty for objects named by arguments. */
  readonly source: string;
  object: JsonObject | undefined;
}

/** What the arguments select: named objects, or lists of types. */
export type Target =
  | { readonly kind: 'name'; readonly mapping: MappedResource; readonly name: string }
  | { readonly kind: 'list'; readonly mapping: MappedResource };

export const NOTHING_SELECTED = [
  'You must provide one or more resources by argument or filename.',
  'Example resource specifications include:',
  "   '-f rsrc.yaml'",
  "   '--filename=rsrc.json'",
  "   '<resource> <name>'",
  "   '<resource>'",
].join('\n');

export interface TargetOptions {
  readonly selector: string;
  readonly fieldSelector?: string;
  /** --all, or commands for which no name means everything. */
  readonly all: boolean;
  readonly allNamespaces?: boolean;
  /** --all beside a name is a mistake, not a default. */
  readonly refusesNamesWithAll?: boolean;
}

/** The types and names of the arguments. Throws CliError as the builder does. */
export async function targetsOf(
  context: Context,
  args: readonly string[],
  options: TargetOptions,
): Promise<{ readonly targets: readonly Target[]; readonly isSingle: boolean }> {
  const withSlash = args.filter((arg) => arg.includes('/'));
  if (withSlash.length > 0 && withSlash.length < args.length) {
    throw new CliError(
      "there is no need to specify a resource type as a separate argument when passing arguments in resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get resource resource/<resource_name>'",
    );
  }
  const hasSelector = options.selector !== '' || (options.fieldSelector ?? '') !== '';
  if (withSlash.length > 0) {
    const pairs = args.map(splitTypeName);
    if (hasSelector || (options.all && options.selector !== '')) throw new CliError('name cannot be provided when a selector is specified');
    if (options.allNamespaces === true) throw new CliError('a resource cannot be retrieved by name across all namespaces');
    const targets: Target[] = [];
    for (const [type, name] of pairs) targets.push({ kind: 'name', mapping: await context.mapper.resourceFor(type), name });
    return { targets, isSingle: targets.length === 1 };
  }
  const [types, ...names] = args;
  if (types === undefined) throw new CliError(NOTHING_SELECTED);
  const mappings = await mappingsOf(context, types);
  if (names.length === 0) {
    if (!hasSelector && !options.all) throw new CliError('resource(s) were provided, but no name, label selector, or --all flag specified');
    return { targets: mappings.map((mapping) => ({ kind: 'list', mapping })), isSingle: false };
  }
  if (hasSelector || (options.all && options.refusesNamesWithAll === true))
    throw new CliError('name cannot be provided when a selector is specified');
  if (options.allNamespaces === true && mappings.some(({ isNamespaced }) => isNamespaced))
    throw new CliError('a resource cannot be retrieved by name across all namespaces');
  return {
    targets: mappings.flatMap((mapping) => names.map((name): Target => ({ kind: 'name', mapping, name }))),
    isSingle: mappings.length === 1 && names.length === 1,
  };
}

async function mappingsOf(context: Context, types: string): Promise<readonly MappedResource[]> {
  const out: MappedResource[] = [];
  for (const type of types.split(',').filter((part) => part !== '')) {
    const category = type === 'all' || !/[.]/.test(type) ? await context.mapper.category(type) : [];
    const found = category.length > 0 ? category : [await context.mapper.resourceFor(type)];
    for (const mapping of found)
      if (!out.some((other) => other.resource === mapping.resource && other.group === mapping.group && other.version === mapping.version))
        out.push(mapping);
  }
  if (out.length === 0) throw new CliError(NOTHING_SELECTED);
  return out;
}

export function splitTypeName(arg: string): readonly [string, string] {
  const parts = arg.split('/');
  if (parts.length !== 2) throw new CliError('arguments in resource/name form may not have more than one slash');
  const [type = '', name = ''] = parts;
  if (type === '' || name === '' || type.includes(','))
    throw new CliError('arguments in resource/name form must have a single resource and name');
  return [type, name];
}

export interface FileOptions {
  readonly filenames: readonly string[];
  readonly recursive: boolean;
  readonly namespace: string;
  readonly enforceNamespace: boolean;
  /** Checks each document; throws CliError. */
  readonly validate?: (value: unknown, source: string) => Promise<void>;
  /** Works without a server: kinds are taken as they are. */
  readonly local?: boolean;
}

export interface FromFiles {
  readonly infos: readonly Info[];
  readonly errors: readonly Error[];
}

/** The objects of the files of -f; what could not be read is told in `errors` and the rest is there. */
export async function infosFromFiles(context: Context, options: FileOptions): Promise<FromFiles> {
  const infos: Info[] = [];
  const errors: Error[] = [];
  for (const source of sourcesOf(context, options.filenames, options.recursive)) {
    try {
      infos.push(...(await infosOfSource(context, source, options)));
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      errors.push(error);
    }
  }
  return { infos, errors };
}

/** The objects of one text. */
export async function infosOfSource(
  context: Context,
  source: SourceText,
  options: Omit<FileOptions, 'filenames'>,
): Promise<readonly Info[]> {
  const infos: Info[] = [];
  for (const document of await documentsOf(source)) {
    await options.validate?.(document.value, source.source);
    for (const object of flatten(checkObject(document.value, source.source)))
      infos.push(await infoOf(context, object, source.source, options));
  }
  return infos;
}

function checkObject(value: unknown, source: string): JsonObject {
  if (!isObject(value))
    throw new CliError(
      `unable to decode "${source}": couldn't get version/kind; json parse error: json: cannot unmarshal ${typeof value} into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`,
    );
  return value;
}

async function infoOf(context: Context, object: JsonObject, source: string, options: Omit<FileOptions, 'filenames'>): Promise<Info> {
  const json = JSON.stringify(object);
  if (typeof object['kind'] !== 'string' || object['kind'] === '')
    throw new CliError(`unable to decode "${source}": Object 'Kind' is missing in '${json}'`);
  const apiVersion = typeof object['apiVersion'] === 'string' ? object['apiVersion'] : '';
  const syntax = labelSyntaxError(object);
  if (syntax !== undefined) throw new CliError(`unable to decode "${source}": ${syntax}`);
  const mapping = options.local === true ? localMapping(apiVersion, object['kind']) : await context.mapper.kind(apiVersion, object['kind']);
  if (mapping === undefined)
    throw new CliError(`unable to recognize "${source}": no matches for kind "${object['kind']}" in version "${apiVersion}"`);
  const metadata = isObject(object['metadata']) ? object['metadata'] : {};
  let namespace = typeof metadata['namespace'] === 'string' ? metadata['namespace'] : '';
  if (mapping.isNamespaced) {
    if (namespace === '') {
      namespace = options.namespace;
      if (options.local !== true || namespace !== '') object = { ...object, metadata: { ...metadata, namespace } };
    } else if (options.enforceNamespace && namespace !== options.namespace) {
      throw new CliError(
        `the namespace from the provided object "${namespace}" does not match the namespace "${options.namespace}". You must pass '--namespace=${namespace}' to perform this operation.`,
      );
    }
  }
  return {
    mapping,
    namespace: mapping.isNamespaced ? namespace : '',
    name: typeof metadata['name'] === 'string' ? metadata['name'] : '',
    source,
    object,
  };
}

/** A mapping for objects that no server is asked about. */
export function localMapping(apiVersion: string, kind: string): Mapping {
  const slash = apiVersion.indexOf('/');
  return {
    group: slash < 0 ? '' : apiVersion.slice(0, slash),
    version: apiVersion.slice(slash + 1),
    resource: `${kind.toLowerCase()}s`,
    kind,
    isNamespaced: true,
    verbs: [],
  };
}

/** Reads one object; a missing one in a missing namespace is told as the namespace's absence. */
export async function getObject(
  context: Context,
  info: { readonly mapping: Mapping; readonly namespace: string; readonly name: string },
  options: { readonly accept?: string; readonly query?: string } = {},
): Promise<JsonObject> {
  if (info.name === '') throw new CliError('resource name may not be empty');
  try {
    return await context.rest.json('GET', `${pathOf(info.mapping, { namespace: info.namespace, name: info.name })}${options.query ?? ''}`, {
      accept: options.accept ?? 'application/json',
    });
  } catch (error) {
    if (isNotFound(error) && info.namespace !== '' && info.namespace !== 'default') {
      try {
        await context.rest.json('GET', `/api/v1/namespaces/${info.namespace}`, { accept: options.accept ?? 'application/json' });
      } catch (missing) {
        if (isNotFound(missing)) throw missing;
        throw error;
      }
    }
    throw error;
  }
}

export interface ListQuery {
  readonly namespace: string | undefined;
  readonly selector: string;
  readonly fieldSelector: string;
  readonly chunkSize: number;
  readonly includeObject?: boolean;
}

/** Pages of a list; `accept` chooses tables or objects. */
export async function* listPages(context: Context, mapping: Mapping, options: ListQuery, accept: string): AsyncIterable<JsonObject> {
  let next: string | undefined;
  do {
    const target =
      pathOf(mapping, { namespace: options.namespace }) +
      query({
        labelSelector: options.selector,
        fieldSelector: options.fieldSelector,
        limit: options.chunkSize > 0 ? String(options.chunkSize) : undefined,
        continue: next,
        includeObject: options.includeObject === true ? 'Object' : undefined,
      });
    const page = await explainBadSelector(context.rest.json('GET', target, { accept }), mapping, options);
    const metadata = isObject(page['metadata']) ? page['metadata'] : {};
    next = typeof metadata['continue'] === 'string' && metadata['continue'] !== '' ? metadata['continue'] : undefined;
    yield page;
  } while (next !== undefined);
}

async function explainBadSelector(request: Promise<JsonObject>, mapping: Mapping, options: ListQuery): Promise<JsonObject> {
  try {
    return await request;
  } catch (error) {
    if (!(error instanceof ApiError) || (error.status.reason !== 'BadRequest' && error.status.reason !== 'NotFound')) throw error;
    const resource = `${mapping.group}/${mapping.version}, Resource=${mapping.resource}`;
    if (options.selector === '' && options.fieldSelector === '')
      throw new ApiError({ ...error.status, message: `Unable to list "${resource}": ${error.status.message ?? ''}` });
    throw new ApiError({
      ...error.status,
      message: `Unable to find "${resource}" that match label selector "${options.selector}", field selector "${options.fieldSelector}": ${error.status.message ?? ''}`,
    });
  }
}

/** The objects of a list answer, each with its kind and version. */
export function itemsOf(list: JsonObject, mapping: Mapping): readonly JsonObject[] {
  return (Array.isArray(list['items']) ? (list['items'] as unknown[]) : [])
    .filter(isObject)
    .map((item) => ({ ...item, apiVersion: apiVersionOf(mapping), kind: mapping.kind }));
}

export interface ObjectsOptions extends TargetOptions {
  readonly args: readonly string[];
  readonly filenames: readonly string[];
  readonly recursive: boolean;
  readonly chunkSize?: number;
  readonly validate?: (value: unknown, source: string) => Promise<void>;
  /** Named objects and those of files are read from the server. */
  readonly latest: boolean;
  readonly local?: boolean;
}

/** Every object a command selects by files or arguments, errors beside. */
export async function objectsOf(
  context: Context,
  options: ObjectsOptions,
): Promise<{ readonly infos: readonly Info[]; readonly errors: readonly Error[]; readonly isSingle: boolean }> {
  const namespace = options.local === true ? { name: context.flags.string('namespace'), isExplicit: false } : context.namespace();
  const errors: Error[] = [];
  const infos: Info[] = [];
  let isSingle = false;
  const attempt = async (read: () => Promise<readonly Info[]>): Promise<void> => {
    try {
      infos.push(...(await read()));
    } catch (error) {
      if (!(error instanceof Error) || error.name === 'ProcessExit') throw error;
      errors.push(error);
    }
  };
  if (options.filenames.length > 0) {
    if (options.args.length > 0)
      throw new CliError('when paths, URLs, or stdin is provided as resource input, you may not specify resource arguments as well');
    const found = await infosFromFiles(context, {
      filenames: options.filenames,
      recursive: options.recursive,
      namespace: namespace.name,
      enforceNamespace: namespace.isExplicit,
      ...(options.validate === undefined ? {} : { validate: options.validate }),
      ...(options.local === undefined ? {} : { local: options.local }),
    });
    errors.push(...found.errors);
    isSingle = found.infos.length === 1 && !options.recursive;
    for (const info of found.infos) {
      if (!options.latest) infos.push(info);
      else await attempt(async () => [{ ...info, object: await getObject(context, info) }]);
    }
    return { infos, errors, isSingle };
  }
  const selected = await targetsOf(context, options.args, options);
  isSingle = selected.isSingle;
  for (const target of selected.targets) {
    const inNamespace = target.mapping.isNamespaced ? namespace.name : '';
    if (target.kind === 'name') {
      const info: Info = { mapping: target.mapping, namespace: inNamespace, name: target.name, source: '', object: undefined };
      await attempt(async () => [options.latest ? { ...info, object: await getObject(context, info) } : info]);
      continue;
    }
    await attempt(async () => {
      const found: Info[] = [];
      const where: ListQuery = {
        namespace: options.allNamespaces === true ? undefined : inNamespace,
        selector: options.selector,
        fieldSelector: options.fieldSelector ?? '',
        chunkSize: options.chunkSize ?? 0,
      };
      for await (const page of listPages(context, target.mapping, where, 'application/json')) {
        for (const object of itemsOf(page, target.mapping)) found.push(infoFor(target.mapping, object));
      }
      return found;
    });
  }
  return { infos, errors, isSingle };
}

export function infoFor(mapping: Mapping, object: JsonObject, source = ''): Info {
  const metadata = isObject(object['metadata']) ? object['metadata'] : {};
  return { mapping, namespace: String(metadata['namespace'] ?? ''), name: String(metadata['name'] ?? ''), source, object };
}
