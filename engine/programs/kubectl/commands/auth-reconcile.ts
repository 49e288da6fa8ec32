// Models `kubectl auth reconcile`: roles and bindings get the rules and subjects of files, and keep what else they have.

import { isAlreadyExists, isConflict, isForbidden, isNotFound } from '../../../kube/machinery/api-error.ts';
import { missingRules, type PolicyRule } from '../../../kube/machinery/policy-rules.ts';
import { klogLine } from '../klog.ts';
import type { Command } from '../command.ts';
import type { Context } from '../context.ts';
import { CliError, ExitError, throwAll } from '../errors.ts';
import { pathOf } from '../factory/rest-mapper.ts';
import { isObject, type JsonObject } from '../printers/json.ts';
import { infosFromFiles, type Info } from '../resource/infos.ts';
import { equal } from '../resource/strategic-merge.ts';
import { at, dryRunOf, filenamesOf, ResultPrinter } from './common.ts';

export const authReconcile: Command = { name: 'reconcile', run };

const GROUP = 'rbac.authorization.k8s.io';
const AUTOUPDATE = 'rbac.authorization.kubernetes.io/autoupdate';
/** An object that comes and goes is not pursued for ever. */
const MAX_ATTEMPTS = 3;
const FATAL_STATUS = 255;

interface Plan {
  readonly object: JsonObject;
  readonly operation: 'none' | 'create' | 'update' | 'recreate';
  readonly missing: readonly JsonObject[];
  readonly extra: readonly JsonObject[];
  readonly isProtected: boolean;
}

async function run(context: Context): Promise<void> {
  const files = filenamesOf(context, { required: true });
  if (context.args.length > 0) throw new CliError('no arguments are allowed');
  const dryRun = await dryRunOf(context);
  if (dryRun === 'server') {
    const text = '--dry-run=server for command reconcile is not supported yet';
    throw new ExitError(FATAL_STATUS, klogLine(context.process, 'F', 'reconcile.go:339', text));
  }
  const namespace = context.namespace();
  await context.flushWarnings();
  const { infos, errors } = await infosFromFiles(context, {
    filenames: files,
    recursive: context.flags.bool('recursive'),
    namespace: namespace.name,
    enforceNamespace: namespace.isExplicit,
  });
  const printer = new ResultPrinter(context, dryRun);
  const problems: Error[] = [...errors];
  for (const info of infos) {
    try {
      await reconcile(context, info, printer, dryRun === 'client');
    } catch (error) {
      if (!(error instanceof Error) || error.name === 'ProcessExit') throw error;
      problems.push(error);
    }
  }
  throwAll(problems);
}

async function reconcile(context: Context, info: Info, printer: ResultPrinter, isDryRun: boolean): Promise<void> {
  const { group, version, kind } = info.mapping;
  if (group !== GROUP) return;
  if (version !== 'v1') throw new CliError(`only rbac.authorization.k8s.io/v1 is supported: not *${version}.${kind}`);
  const isRole = kind.endsWith('Role');
  const plan = await carriedOut(context, info, isRole, isDryRun, 0);
  const apiVersion = `${group}/${version}`;
  await printer.print({ ...plan.object, kind, apiVersion }, 'reconciled');
  if (plan.operation === 'none') return;
  const caveat = plan.isProtected ? `, but object opted out (${AUTOUPDATE}: false)` : '';
  await context.err(`\treconciliation required ${plan.operation}${caveat}\n`);
  const what = isRole ? 'rules' : 'subjects';
  const shown = (list: readonly JsonObject[]): string =>
    list.map((item) => `\t\t${isRole ? ruleText(item) : subjectText(item)}\n`).join('');
  if (plan.missing.length > 0) await context.err(`\tmissing ${what} added:\n${shown(plan.missing)}`);
  if (removesExtra(context, isRole) && plan.extra.length > 0) await context.err(`\textra ${what} removed:\n${shown(plan.extra)}`);
}

function removesExtra(context: Context, isRole: boolean): boolean {
  return context.flags.bool(isRole ? 'remove-extra-permissions' : 'remove-extra-subjects');
}

/** Plans against what is there, and does it; starts over when somebody else was faster. */
async function carriedOut(context: Context, info: Info, isRole: boolean, isDryRun: boolean, attempt: number): Promise<Plan> {
  if (attempt > MAX_ATTEMPTS) throw new CliError('exceeded maximum attempts');
  const expected = withCreation(info.object ?? {}, info.namespace);
  const path = pathOf(info.mapping, { namespace: info.namespace, name: info.name });
  const existing = await found(context, path);
  const plan =
    existing === undefined
      ? {
          object: expected,
          operation: 'create' as const,
          missing: listAt(expected, isRole ? 'rules' : 'subjects'),
          extra: [],
          isProtected: false,
        }
      : planned(existing, expected, isRole, removesExtra(context, isRole));
  if (plan.isProtected || isDryRun || plan.operation === 'none') return plan;
  const again = (): Promise<Plan> => carriedOut(context, info, isRole, isDryRun, attempt + 1);
  try {
    if (plan.operation === 'update') return { ...plan, object: await context.rest.json<JsonObject>('PUT', path, { body: plan.object }) };
    if (plan.operation === 'recreate') await remove(context, path, at(existing, 'metadata', 'uid'));
    if (info.mapping.isNamespaced) await ensureNamespace(context, info.namespace);
    const target = pathOf(info.mapping, { namespace: info.namespace });
    return { ...plan, object: await context.rest.json<JsonObject>('POST', target, { body: plan.object }) };
  } catch (error) {
    const isOvertaken = plan.operation === 'update' ? isNotFound(error) : isAlreadyExists(error) || isConflict(error);
    if (isOvertaken) return again();
    throw error;
  }
}

async function found(context: Context, path: string): Promise<JsonObject | undefined> {
  try {
    return await context.rest.json<JsonObject>('GET', path);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

async function remove(context: Context, path: string, uid: unknown): Promise<void> {
  try {
    await context.rest.json('DELETE', path, { body: { kind: 'DeleteOptions', apiVersion: 'v1', preconditions: { uid } } });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/** The namespace is made when it is missing, as far as the user may. */
async function ensureNamespace(context: Context, name: string): Promise<void> {
  try {
    await context.rest.json('GET', `/api/v1/namespaces/${name}`);
    return;
  } catch (error) {
    if (!isNotFound(error) && !isForbidden(error)) throw error;
  }
  try {
    await context.rest.json('POST', '/api/v1/namespaces', { body: { kind: 'Namespace', apiVersion: 'v1', metadata: { name } } });
  } catch (error) {
    if (!isAlreadyExists(error) && !isForbidden(error)) throw error;
  }
}

function planned(existing: JsonObject, expected: JsonObject, isRole: boolean, removes: boolean): Plan {
  const isProtected = at(existing, 'metadata', 'annotations', AUTOUPDATE) === 'false';
  if (!isRole && !equal(roleRef(existing), roleRef(expected)))
    return { object: expected, operation: 'recreate', missing: [], extra: [], isProtected };
  const field = isRole ? 'rules' : 'subjects';
  const [old, wanted] = [listAt(existing, field), listAt(expected, field)];
  const isAggregated = existing['aggregationRule'] !== undefined && expected['aggregationRule'] !== undefined;
  const missing = isRole ? uncovered(old, wanted) : without(wanted, old);
  const extra = isRole ? (isAggregated ? [] : uncovered(wanted, old)) : without(old, wanted);
  const object = withMetadata(existing, expected);
  let isChanged = !equal(object['metadata'], existing['metadata']);
  if (removes ? missing.length + extra.length > 0 : missing.length > 0) {
    object[field] = removes ? wanted : [...old, ...missing];
    isChanged = true;
  }
  if (isRole && reconcileAggregation(object, existing, expected, removes)) isChanged = true;
  return { object, operation: isChanged ? 'update' : 'none', missing, extra, isProtected };
}

/** True when the selectors of an aggregated role had to change. */
function reconcileAggregation(object: JsonObject, existing: JsonObject, expected: JsonObject, removes: boolean): boolean {
  const wanted = expected['aggregationRule'];
  if (wanted === undefined) {
    delete object['aggregationRule'];
    return existing['aggregationRule'] !== undefined;
  }
  const selectors = (role: JsonObject): readonly JsonObject[] => listAt(role['aggregationRule'], 'clusterRoleSelectors');
  const missing = without(selectors(expected), selectors(existing));
  const extra = without(selectors(existing), selectors(expected));
  if (removes ? missing.length + extra.length === 0 : missing.length === 0) return false;
  object['aggregationRule'] = removes ? wanted : { clusterRoleSelectors: [...selectors(existing), ...missing] };
  return true;
}

function withMetadata(existing: JsonObject, expected: JsonObject): JsonObject {
  const metadata: JsonObject = { ...(isObject(existing['metadata']) ? existing['metadata'] : {}) };
  for (const key of ['annotations', 'labels']) {
    const [own, added] = [metadata[key], at(expected, 'metadata', key)];
    if (isObject(added)) metadata[key] = { ...added, ...(isObject(own) ? own : {}) };
  }
  return { ...existing, metadata };
}

/** What a typed object has that a file need not say. */
function withCreation(object: JsonObject, namespace: string): JsonObject {
  const metadata = isObject(object['metadata']) ? object['metadata'] : {};
  const inNamespace = namespace === '' ? {} : { namespace };
  return { ...object, metadata: { ...metadata, ...inNamespace, creationTimestamp: null } };
}

function roleRef(binding: JsonObject): JsonObject {
  const text = (key: string): unknown => at(binding, 'roleRef', key) ?? '';
  return { apiGroup: text('apiGroup'), kind: text('kind'), name: text('name') };
}

function uncovered(held: readonly JsonObject[], wanted: readonly JsonObject[]): readonly JsonObject[] {
  const rules = (list: readonly JsonObject[]): readonly PolicyRule[] =>
    list.map((rule) => ({ ...rule, verbs: (rule['verbs'] ?? []) as readonly string[] }));
  return missingRules(rules(held), rules(wanted)).map((rule) => ({ ...rule }));
}

/** The distinct items of `list` that are not in `other`. */
function without(list: readonly JsonObject[], other: readonly JsonObject[]): readonly JsonObject[] {
  return list.filter((item, index) => !other.some((each) => equal(each, item)) && list.findIndex((each) => equal(each, item)) === index);
}

function listAt(object: unknown, key: string): readonly JsonObject[] {
  const list = at(object, key);
  return Array.isArray(list) ? (list as JsonObject[]) : [];
}

function ruleText(rule: JsonObject): string {
  const field = (name: string, key: string): string => `${name}:[${((rule[key] ?? []) as readonly string[]).join(' ')}]`;
  const fields = [field('Verbs', 'verbs'), field('APIGroups', 'apiGroups'), field('Resources', 'resources')];
  return `{${[...fields, field('ResourceNames', 'resourceNames'), field('NonResourceURLs', 'nonResourceURLs')].join(' ')}}`;
}

function subjectText(subject: JsonObject): string {
  const field = (name: string, key: string): string => `${name}:${String(subject[key] ?? '')}`;
  return `{${[field('Kind', 'kind'), field('APIGroup', 'apiGroup'), field('Name', 'name'), field('Namespace', 'namespace')].join(' ')}}`;
}
