// Models `kubectl get`.

import { readAll, errorOf } from '../../../kube/client/rest-client.ts';
import { text } from '../../../sim/bytes.ts';
import type { Command } from '../command.ts';
import type { Context } from '../context.ts';
import { CliError, ExitError, throwAll } from '../errors.ts';
import { query, type Mapping } from '../factory/rest-mapper.ts';
import { sortKeys, type JsonObject } from '../printers/json.ts';
import { printerFor } from '../printers/object-printer.ts';
import { clientTable, TablePrinter, type Table } from '../printers/table.ts';
import { TABLE_LAYOUT, TabWriter } from '../printers/tab-writer.ts';
import { getObject, infosFromFiles, itemsOf, listPages, targetsOf, type ListQuery, type Target } from '../resource/infos.ts';
import { sortByExpression, sortObjects, sortTable } from '../resource/sorting.ts';
import { at, filenamesOf, printRequest } from './common.ts';
import { TABLE_ACCEPT, tablePrinter } from './get-table.ts';
import { watchObjects } from './get-watch.ts';

export const get: Command = { name: 'get', run };

/** One answer of the server: a list, or one object. */
interface Part {
  readonly mapping: Mapping;
  readonly answer: JsonObject;
}

async function run(context: Context): Promise<void> {
  const { flags } = context;
  const raw = flags.string('raw');
  if (raw !== '') {
    if (context.args.length > 0) throw new CliError('arguments may not be passed when --raw is specified');
    if (filenamesOf(context).length > 0 || flags.string('selector') !== '')
      throw new CliError('--raw may not be specified with other flags that filter the server request or alter the output');
    await context.out(await rawRequest(context, 'GET', raw));
    return;
  }
  const files = filenamesOf(context);
  const isWatch = flags.bool('watch') || flags.bool('watch-only');
  if (flags.bool('output-watch-events') && !isWatch)
    throw context.usage('--output-watch-events option can only be used with --watch or --watch-only');
  const output = flags.string('output');
  if (flags.bool('show-labels') && output !== '' && output !== 'wide')
    throw new CliError(`--show-labels option cannot be used with ${output} printer`);
  if (context.args.length === 0 && files.length === 0) {
    await context.err(
      'You must specify the type of resource to get. Use "kubectl api-resources" for a complete list of supported resources.\n\n',
    );
    throw context.usage(
      'Required resource not specified.\nUse "kubectl explain <resource>" for a detailed description of that resource (e.g. kubectl explain pods).',
    );
  }
  const sortBy = flags.string('sort-by');
  if (isWatch && sortBy !== '') await context.err('warning: --watch or --watch-only requested, --sort-by will be ignored\n');
  const printer = printerFor(printRequest(context), 'get');
  const namespace = context.namespace();
  await context.flushWarnings();
  const { targets, errors, isSingle } = await selectTargets(context, files);
  if (isWatch) {
    throwAll(errors);
    await watchObjects(context, targets, printer);
    return;
  }
  const isTable = printer === undefined && flags.bool('server-print');
  const parts: Part[] = [];
  for (const target of targets) {
    try {
      parts.push(...(await fetchParts(context, target, isTable ? TABLE_ACCEPT : 'application/json', sortBy)));
    } catch (error) {
      if (!(error instanceof Error) || error.name === 'ProcessExit') throw error;
      if (!(flags.bool('ignore-not-found') && at(error, 'status', 'reason') === 'NotFound')) errors.push(error);
    }
  }
  if (printer === undefined) await printTables(context, parts, errors, sortBy, namespace.name);
  else await printObjects(context, parts, errors, { isSingle, sortBy, print: (object) => printer.print(object, '') });
  throwAll(errors);
}

interface Selected {
  readonly targets: readonly (Target & { readonly namespace: string })[];
  readonly errors: Error[];
  readonly isSingle: boolean;
}

async function selectTargets(context: Context, files: readonly string[]): Promise<Selected> {
  const { flags } = context;
  const namespace = context.namespace();
  if (files.length > 0) {
    if (context.args.length > 0)
      throw new CliError('when paths, URLs, or stdin is provided as resource input, you may not specify resource arguments as well');
    const found = await infosFromFiles(context, {
      filenames: files,
      recursive: flags.bool('recursive'),
      namespace: namespace.name,
      enforceNamespace: namespace.isExplicit,
    });
    const targets = found.infos.map((info) => ({
      kind: 'name' as const,
      mapping: { ...info.mapping, singular: '', shortNames: [], categories: [] },
      name: info.name,
      namespace: info.namespace,
    }));
    // Errors of files come in a list, whose members are printed as they are.
    const errors = found.errors.map((error) => (error instanceof CliError ? new ExitError(1, error.message) : error));
    return { targets, errors, isSingle: targets.length === 1 && !flags.bool('recursive') };
  }
  const { targets, isSingle } = await targetsOf(context, context.args, {
    selector: flags.string('selector'),
    fieldSelector: flags.string('field-selector'),
    all: true,
    allNamespaces: flags.bool('all-namespaces'),
  });
  return {
    targets: targets.map((target) => ({ ...target, namespace: target.mapping.isNamespaced ? namespace.name : '' })),
    errors: [],
    isSingle,
  };
}

async function fetchParts(
  context: Context,
  target: Target & { readonly namespace: string },
  accept: string,
  sortBy: string,
): Promise<readonly Part[]> {
  const { flags } = context;
  const includeObject = sortBy !== '' && accept === TABLE_ACCEPT;
  if (target.kind === 'name') {
    const answer = await getObject(context, target, { accept, query: query({ includeObject: includeObject ? 'Object' : undefined }) });
    return [{ mapping: target.mapping, answer }];
  }
  const where: ListQuery = {
    namespace: flags.bool('all-namespaces') ? undefined : target.namespace,
    selector: flags.string('selector'),
    fieldSelector: flags.string('field-selector'),
    chunkSize: sortBy === '' ? flags.int('chunk-size') : 0,
    includeObject,
  };
  const parts: Part[] = [];
  for await (const answer of listPages(context, target.mapping, where, accept)) parts.push({ mapping: target.mapping, answer });
  return parts;
}

async function printTables(
  context: Context,
  parts: readonly Part[],
  errors: readonly Error[],
  sortBy: string,
  namespace: string,
): Promise<void> {
  const { flags } = context;
  const withKind = flags.bool('show-kind') || new Set(parts.map(({ mapping }) => `${mapping.group}/${mapping.kind}`)).size > 1;
  let hasWritten = false;
  let last: Mapping | undefined;
  let printer: TablePrinter | undefined;
  let writer = new TabWriter(TABLE_LAYOUT);
  let needsSeparator = false;
  const flush = async (): Promise<void> => {
    const shown = writer.flush();
    if (shown === '') return;
    await context.out(`${needsSeparator ? '\n' : ''}${shown}`);
    needsSeparator = false;
    hasWritten = true;
  };
  for (const { mapping, answer } of parts) {
    if (printer === undefined || last === undefined || mapping.resource !== last.resource || mapping.group !== last.group) {
      await flush();
      writer = new TabWriter(TABLE_LAYOUT);
      if (last !== undefined && !flags.bool('no-headers') && hasWritten) needsSeparator = true;
      printer = tablePrinter(context, mapping, withKind);
      last = mapping;
    }
    const table =
      answer['kind'] === 'Table'
        ? (answer as Table)
        : clientTable(Array.isArray(answer['items']) ? itemsOf(answer, mapping) : [answer], context.now());
    const sorted = sortBy === '' ? table : sortTable(table, sortByExpression(sortBy));
    if (sorted !== undefined) printer.print(sorted, writer);
  }
  await flush();
  if (hasWritten || flags.bool('ignore-not-found') || errors.length > 0) return;
  const isNamespaced = !flags.bool('all-namespaces') && parts.every(({ mapping }) => mapping.isNamespaced);
  await context.err(isNamespaced ? `No resources found in ${namespace} namespace.\n` : 'No resources found\n');
}

interface ObjectPrinting {
  readonly isSingle: boolean;
  readonly sortBy: string;
  print(object: JsonObject): string;
}

async function printObjects(context: Context, parts: readonly Part[], errors: readonly Error[], how: ObjectPrinting): Promise<void> {
  const isIgnoring = context.flags.bool('ignore-not-found');
  const items = parts.flatMap(({ mapping, answer }) => (Array.isArray(answer['items']) ? itemsOf(answer, mapping) : [answer]));
  if (items.length === 0 && isIgnoring) return;
  const [only] = items;
  if (how.isSingle) {
    if (only !== undefined) await context.out(how.print(sortKeys(only) as JsonObject));
    return;
  }
  if (items.length === 0 && errors.length > 0) return;
  const sorted = how.sortBy === '' ? items : sortObjects(items, sortByExpression(how.sortBy));
  if (context.flags.string('output') === 'name') {
    for (const item of sorted) await context.out(how.print(item));
    return;
  }
  const list = { apiVersion: 'v1', items: sorted, kind: 'List', metadata: { resourceVersion: '', selfLink: '' } };
  await context.out(how.print(sortKeys(list) as JsonObject));
}

/** The answer to a raw request, as it is. */
export async function rawRequest(context: Context, method: string, target: string, body?: string): Promise<string> {
  if (!/^(\/|[a-z][a-z0-9+.-]*:)/i.test(target))
    throw context.usage(`--raw must be a valid URL path: parse ${JSON.stringify(target)}: invalid URI for request`);
  const response = await context.rest.send({
    method,
    target: target.startsWith('/') ? target : `/${target}`,
    ...(body === undefined ? {} : { body, headers: { 'content-type': 'application/json' } }),
  });
  if (response.status >= 400) throw await errorOf(response);
  return text(await readAll(response.body));
}
