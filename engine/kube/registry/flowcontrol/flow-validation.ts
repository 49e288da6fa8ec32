// Models the validation of flow schemas and priority levels.
// Not modelled: that the two fixed objects of each kind are made with their fixed contents only.

import { isDeepEqual, isRecord } from '../../machinery/deep.ts';
import { FieldError } from '../../machinery/field-errors.ts';
import { goStrings, goStruct } from '../../machinery/go-syntax.ts';
import { dns1123Label, dns1123Subdomain } from '../../machinery/names.ts';
import type { KubeObject } from '../../machinery/types.ts';
import type { Json, MetaErrors } from '../definition.ts';
import { records, specOf } from '../object-access.ts';
import { findings, int, isSet, str, strings } from '../rules.ts';

const MAX_PRECEDENCE = 10000;
const MAX_QUEUES = 10_000_000;
/** What a flow's hash is long enough for. */
const MAX_HASH_BITS = 60;
const METHODS = ['ByNamespace', 'ByUser'];
const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch'];
const FIXED = ['exempt', 'catch-all'];

export function validateFlowSchema(schema: KubeObject): FieldError[] {
  const errors = conditionErrors(schema);
  const spec = specOf(schema);
  const precedence = int(spec['matchingPrecedence']);
  const fault = (detail: string): void => void errors.push(FieldError.invalid('spec.matchingPrecedence', precedence, detail));
  if (precedence <= 0) fault('must be a positive value');
  if (precedence > MAX_PRECEDENCE) fault(`must not be greater than ${MAX_PRECEDENCE}`);
  if (precedence === 1 && schema.metadata.name !== 'exempt') fault("only the schema named 'exempt' may have matchingPrecedence 1");
  const method = spec['distinguisherMethod'];
  if (isRecord(method) && !METHODS.includes(str(method['type']))) {
    const shown = goStruct('flowcontrol/v1beta1.FlowDistinguisherMethod', method);
    errors.push(FieldError.notSupported('spec.distinguisherMethod.type', shown, METHODS));
  }
  const level = str((spec['priorityLevelConfiguration'] as Json | undefined)?.['name']);
  if (level !== '') findings(errors, 'spec.priorityLevelConfiguration.name', level, dns1123Subdomain(level));
  else errors.push(FieldError.required('spec.priorityLevelConfiguration.name', 'must reference a priority level'));
  for (const [index, rule] of records(spec['rules']).entries()) errors.push(...ruleErrors(rule, `spec.rules[${index}]`));
  return errors;
}

export function validateFlowSchemaUpdate(next: KubeObject, current: KubeObject, meta: MetaErrors): FieldError[] {
  return fixedErrors(next, current, 'FlowSchemaSpec') ?? [...meta.object, ...validateFlowSchema(next)];
}

function fixedErrors(next: KubeObject, current: KubeObject, type: string): FieldError[] | undefined {
  if (!FIXED.includes(next.metadata.name) || isDeepEqual(specOf(next), specOf(current))) return undefined;
  return [FieldError.invalid('spec', goStruct(`flowcontrol/v1beta1.${type}`, specOf(next)), 'spec of a fixed object may not be updated')];
}

export function conditionErrors(object: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  const { conditions } = ((object as unknown as Json)['status'] ?? {}) as Json;
  const seen = new Set<string>();
  for (const [index, condition] of records(conditions).entries()) {
    const type = str(condition['type']);
    const path = `status.conditions[${index}].type`;
    if (seen.has(type)) errors.push(FieldError.duplicate(path, type));
    seen.add(type);
    if (type === '') errors.push(FieldError.required(path, 'must not be empty'));
  }
  return errors;
}

function ruleErrors(rule: Json, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const subjects = records(rule['subjects']);
  if (subjects.length === 0) errors.push(FieldError.required(`${path}.subjects`, 'subjects must contain at least one value'));
  for (const [index, subject] of subjects.entries()) errors.push(...subjectErrors(subject, `${path}.subjects[${index}]`));
  const [resources, urls] = [records(rule['resourceRules']), records(rule['nonResourceRules'])];
  if (resources.length + urls.length === 0)
    errors.push(FieldError.required(path, 'at least one of resourceRules and nonResourceRules has to be non-empty'));
  for (const [index, each] of resources.entries()) resourceRule(errors, each, `${path}.resourceRules[${index}]`);
  for (const [index, each] of urls.entries()) urlRule(errors, each, `${path}.nonResourceRules[${index}]`);
  return errors;
}

const SUBJECTS = [
  ['ServiceAccount', 'serviceAccount'],
  ['User', 'user'],
  ['Group', 'group'],
] as const;

function subjectErrors(subject: Json, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const kind = str(subject['kind']);
  const own = SUBJECTS.find(([each]) => each === kind)?.[1];
  if (own === undefined) return [FieldError.notSupported(`${path}.kind`, kind, ['Group', 'ServiceAccount', 'User'])];
  const about = subject[own];
  if (!isRecord(about)) errors.push(FieldError.required(`${path}.${own}`, `${own} is required when subject kind is '${kind}'`));
  else {
    const name = str(about['name']);
    if (name === '') errors.push(FieldError.required(`${path}.${own}.name`, ''));
    if (own === 'serviceAccount') {
      if (name !== '' && name !== '*') findings(errors, `${path}.${own}.name`, name, dns1123Subdomain(name));
      const namespace = str(about['namespace']);
      if (namespace === '') errors.push(FieldError.required(`${path}.${own}.namespace`, 'must specify namespace for service account'));
      else findings(errors, `${path}.${own}.namespace`, namespace, dns1123Label(namespace));
    }
  }
  for (const [other, field] of SUBJECTS) {
    if (other !== kind && isSet(subject[field]))
      errors.push(FieldError.forbidden(`${path}.${field}`, `${field} is forbidden when subject kind is not '${other}'`));
  }
  return errors;
}

/** A list of words or `*` alone: whether its members are still to be looked at. */
function words(
  errors: FieldError[],
  rule: Json,
  at: { readonly path: string; readonly field: string; readonly missing: string; readonly others: string },
): boolean {
  const values = strings(rule[at.field]);
  const path = `${at.path}.${at.field}`;
  if (values.length === 0) {
    if (at.missing !== '') errors.push(FieldError.required(path, at.missing));
    return false;
  }
  if (!values.includes('*')) return true;
  if (values.length > 1) errors.push(FieldError.invalid(path, goStrings(values), `if '*' is present, must not specify other ${at.others}`));
  return false;
}

function verbs(errors: FieldError[], rule: Json, path: string): void {
  const missing = 'verbs must contain at least one value';
  if (!words(errors, rule, { path, field: 'verbs', missing, others: 'verbs' })) return;
  const given = strings(rule['verbs']);
  if (!given.every((verb) => VERBS.includes(verb))) errors.push(FieldError.notSupported(`${path}.verbs`, goStrings(given), VERBS));
}

function resourceRule(errors: FieldError[], rule: Json, path: string): void {
  verbs(errors, rule, path);
  words(errors, rule, { path, field: 'apiGroups', missing: 'resource rules must supply at least one api group', others: 'api groups' });
  words(errors, rule, { path, field: 'resources', missing: 'resource rules must supply at least one resource', others: 'resources' });
  const missing = rule['clusterScope'] === true ? '' : 'resource rules that are not cluster scoped must supply at least one namespace';
  if (!words(errors, rule, { path, field: 'namespaces', missing, others: 'namespaces' })) return;
  for (const [index, namespace] of strings(rule['namespaces']).entries()) {
    const problems = dns1123Label(namespace).map((problem) => `each member of this list must be '*' or a DNS-1123 label; ${problem}`);
    findings(errors, `${path}.namespaces[${index}]`, namespace, problems);
  }
}

function urlRule(errors: FieldError[], rule: Json, path: string): void {
  verbs(errors, rule, path);
  const missing = 'nonResourceURLs must contain at least one value';
  if (!words(errors, rule, { path, field: 'nonResourceURLs', missing, others: 'non-resource URLs' })) return;
  for (const [index, url] of strings(rule['nonResourceURLs']).entries()) {
    const problem = urlProblem(url);
    if (problem !== undefined) errors.push(FieldError.invalid(`${path}.nonResourceURLs[${index}]`, url, problem));
  }
}

function urlProblem(url: string): string | undefined {
  if (url === '') return 'must not be empty';
  if (url === '/') return undefined;
  if (!url.startsWith('/')) return 'must start with slash';
  if (url.includes(' ')) return 'must not contain white-space';
  if (url.includes('//')) return 'must not contain double slash';
  const stars = url.split('*').length - 1;
  return stars > 1 || (stars === 1 && !url.endsWith('/*')) ? 'wildcard can only do suffix matching' : undefined;
}

export function validatePriorityLevel(level: KubeObject): FieldError[] {
  const errors = conditionErrors(level);
  const { type, limited } = specOf(level) as { type?: string; limited?: Json };
  if ((level.metadata.name === 'exempt') !== (type === 'Exempt'))
    errors.push(FieldError.invalid('spec.type', type ?? '', "type must be 'Exempt' if and only if name is 'exempt'"));
  if (type === 'Exempt') {
    if (isSet(limited)) errors.push(FieldError.forbidden('spec.limited', 'must be nil if the type is not Limited'));
  } else if (type !== 'Limited') errors.push(FieldError.notSupported('spec.type', type ?? '', ['Exempt', 'Limited']));
  else if (!isRecord(limited)) errors.push(FieldError.required('spec.limited', 'must not be empty when type is Limited'));
  else {
    const shares = int(limited['assuredConcurrencyShares']);
    if (shares <= 0) errors.push(FieldError.invalid('spec.limited.assuredConcurrencyShares', shares, 'must be positive'));
    errors.push(...responseErrors((limited['limitResponse'] ?? {}) as Json));
  }
  return errors;
}

export function validatePriorityLevelUpdate(next: KubeObject, current: KubeObject, meta: MetaErrors): FieldError[] {
  return fixedErrors(next, current, 'PriorityLevelConfigurationSpec') ?? [...meta.object, ...validatePriorityLevel(next)];
}

function responseErrors(response: Json): FieldError[] {
  const path = 'spec.limited.limitResponse';
  const { type, queuing } = response as { type?: string; queuing?: unknown };
  if (type === 'Reject')
    return isSet(queuing) ? [FieldError.forbidden(`${path}.queuing`, 'must be nil if limited.limitResponse.type is not Limited')] : [];
  if (type !== 'Queue') return [FieldError.notSupported(`${path}.type`, type ?? '', ['Queue', 'Reject'])];
  if (!isRecord(queuing)) return [FieldError.required(`${path}.queuing`, 'must not be empty if limited.limitResponse.type is Limited')];
  const errors: FieldError[] = [];
  const [limit, queues, hand] = [int(queuing['queueLengthLimit']), int(queuing['queues']), int(queuing['handSize'])];
  const fault = (field: string, value: number, detail: string): void =>
    void errors.push(FieldError.invalid(`${path}.queuing.${field}`, value, detail));
  if (limit <= 0) fault('queueLengthLimit', limit, 'must be positive');
  if (queues <= 0) fault('queues', queues, 'must be positive');
  else if (queues > MAX_QUEUES) fault('queues', queues, `must not be greater than ${MAX_QUEUES}`);
  if (hand <= 0) fault('handSize', hand, 'must be positive');
  else if (hand > queues) fault('handSize', hand, `should not be greater than queues (${queues})`);
  else if (entropyBits(queues, hand) > MAX_HASH_BITS)
    fault('handSize', hand, `required entropy bits of deckSize ${queues} and handSize ${hand} should not be greater than ${MAX_HASH_BITS}`);
  return errors;
}

/** Bits it takes to draw the hand from the deck, card by card. */
function entropyBits(deck: number, hand: number): number {
  let bits = 0;
  for (let card = 0; card < hand && bits <= MAX_HASH_BITS; card++) bits += Math.log2(deck - card);
  return Math.ceil(bits);
}
