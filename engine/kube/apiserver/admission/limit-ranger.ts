// Models the LimitRanger plugin: defaults for containers, and the least, the most and the ratio a LimitRange allows.

import { isRecord } from '../../machinery/deep.ts';
import { Quantity, type ResourceAmounts } from '../../machinery/quantity.ts';
import type { ApiObject, Json } from '../../registry/definition.ts';
import { records } from '../../registry/object-access.ts';
import { isFor, refusal, type AdmissionPlugin, type AdmissionRequest, type ClusterReader } from '../admission.ts';

interface LimitItem {
  readonly type: string;
  readonly default?: ResourceAmounts;
  readonly defaultRequest?: ResourceAmounts;
  readonly min?: ResourceAmounts;
  readonly max?: ResourceAmounts;
  readonly maxLimitRequestRatio?: ResourceAmounts;
}
type Amounts = Readonly<Record<string, Quantity>>;
interface Usage {
  readonly requests: Amounts;
  readonly limits: Amounts;
}

const ANNOTATION = 'kubernetes.io/limit-ranger';
/** Up to here amounts are compared in thousandths. */
const MAX_MILLI_VALUE = 2 ** 63 / 1000;

export function limitRanger(reader: ClusterReader): AdmissionPlugin {
  const rangesFor = (request: AdmissionRequest): readonly ApiObject[] => {
    const isPod = isFor(request, '', 'pods') && request.operation === 'CREATE';
    const isClaim = isFor(request, '', 'persistentvolumeclaims') && (request.operation === 'CREATE' || request.operation === 'UPDATE');
    if (!isPod && !isClaim) return [];
    // What is on its way out only sheds its finalizers.
    if ((request.old ?? request.object)?.metadata.deletionTimestamp !== undefined) return [];
    return reader
      .store('', 'limitranges')
      .list(request.namespace)
      .map((stored) => stored.object);
  };
  return {
    name: 'LimitRanger',
    admit(request) {
      for (const range of rangesFor(request)) if (request.definition.plural === 'pods') fillDefaults(request.object!, itemsOf(range));
    },
    validate(request) {
      for (const range of rangesFor(request)) {
        const items = itemsOf(range);
        const problems = request.definition.plural === 'pods' ? podProblems(request.object!, items) : claimProblems(request.object!, items);
        const unique = [...new Set(problems)];
        if (unique.length > 0) throw refusal(request, unique.length === 1 ? unique[0]! : `[${unique.join(', ')}]`);
      }
    },
  };
}

const itemsOf = (range: ApiObject): readonly LimitItem[] => (range['spec'] as { limits?: readonly LimitItem[] } | undefined)?.limits ?? [];
const specOf = (object: ApiObject): Json => object['spec'] as Json;
const sorted = (amounts: ResourceAmounts | undefined): readonly (readonly [string, string])[] =>
  Object.entries(amounts ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));

function fillDefaults(pod: ApiObject, items: readonly LimitItem[]): void {
  const requests: Record<string, string> = {};
  const limits: Record<string, string> = {};
  for (const item of items) {
    if (item.type !== 'Container') continue;
    Object.assign(requests, item.defaultRequest);
    Object.assign(limits, item.default);
  }
  const said: string[] = [];
  for (const [field, word] of [
    ['containers', 'container'],
    ['initContainers', 'init container'],
  ] as const) {
    for (const container of records(specOf(pod)[field])) {
      const resources = isRecord(container['resources']) ? container['resources'] : (container['resources'] = {} as Json);
      for (const [key, what, defaults] of [
        ['requests', 'request', requests],
        ['limits', 'limit', limits],
      ] as const) {
        const given = (resources as Json)[key] as ResourceAmounts | undefined;
        const missing = Object.keys(defaults)
          .filter((name) => given?.[name] === undefined)
          .sort();
        if (missing.length === 0) continue;
        (resources as Json)[key] = { ...given, ...Object.fromEntries(missing.map((name) => [name, defaults[name]!])) };
        said.push(`${missing.join(', ')} ${what} for ${word} ${String(container['name'])}`);
      }
    }
  }
  if (said.length === 0) return;
  pod.metadata.annotations = { ...pod.metadata.annotations, [ANNOTATION]: `LimitRanger plugin set: ${said.join('; ')}` };
}

function usageOf(container: Json): Usage {
  const resources = (container['resources'] ?? {}) as { requests?: ResourceAmounts; limits?: ResourceAmounts };
  return { requests: parsed(resources.requests), limits: parsed(resources.limits) };
}

function parsed(amounts: ResourceAmounts | undefined): Amounts {
  return Object.fromEntries(Object.entries(amounts ?? {}).map(([name, amount]) => [name, Quantity.parse(String(amount))]));
}

function podProblems(pod: ApiObject, items: readonly LimitItem[]): readonly string[] {
  const containers = records(specOf(pod)['containers']).map(usageOf);
  const inits = records(specOf(pod)['initContainers']).map(usageOf);
  const problems: string[] = [];
  for (const item of items) {
    if (item.type === 'Container') for (const usage of [...containers, ...inits]) problems.push(...check(item, usage));
    if (item.type === 'Pod') {
      const of = (which: keyof Usage): Amounts => {
        const total: Record<string, Quantity> = { ...sum(containers.map((usage) => usage[which])) };
        // Init containers run before the others, one by one: only the largest counts.
        for (const init of inits) {
          for (const [name, amount] of Object.entries(init[which])) {
            if (total[name] === undefined || amount.compare(total[name]) > 0) total[name] = amount;
          }
        }
        return total;
      };
      problems.push(...check(item, { requests: of('requests'), limits: of('limits') }));
    }
  }
  return problems;
}

/** Only what every container names can be added up. */
function sum(lists: readonly Amounts[]): Amounts {
  const total: Record<string, Quantity> = {};
  for (const name of new Set(lists.flatMap((list) => Object.keys(list)))) {
    if (!lists.every((list) => list[name] !== undefined)) continue;
    total[name] =
      name === 'cpu'
        ? Quantity.fromMilli(lists.reduce((so, list) => so + list[name]!.milli, 0))
        : Quantity.fromInteger(lists.reduce((so, list) => so + list[name]!.value, 0));
  }
  return total;
}

/** Amounts as LimitRanger compares them: thousandths unless one is too large for that. */
function comparable(...amounts: readonly (Quantity | undefined)[]): readonly number[] {
  const isSmall = amounts.every((amount) => amount === undefined || amount.value <= MAX_MILLI_VALUE);
  return amounts.map((amount) => (amount === undefined ? 0 : isSmall ? amount.milli : amount.value));
}

function check(item: LimitItem, { requests, limits }: Usage): readonly string[] {
  const problems: string[] = [];
  const { type } = item;
  for (const [name, amount] of sorted(item.min)) {
    const least = Quantity.parse(String(amount));
    const [request = 0, limit = 0, enforced = 0] = comparable(requests[name], limits[name], least);
    const start = `minimum ${name} usage per ${type} is ${least.toString()}`;
    if (requests[name] === undefined) problems.push(`${start}.  No request is specified`);
    else if (request < enforced) problems.push(`${start}, but request is ${requests[name].toString()}`);
    else if (limits[name] !== undefined && limit < enforced) problems.push(`${start}, but limit is ${limits[name].toString()}`);
  }
  for (const [name, amount] of sorted(item.max)) {
    const most = Quantity.parse(String(amount));
    const [request = 0, limit = 0, enforced = 0] = comparable(requests[name], limits[name], most);
    const start = `maximum ${name} usage per ${type} is ${most.toString()}`;
    if (limits[name] === undefined) problems.push(`${start}.  No limit is specified`);
    else if (limit > enforced) problems.push(`${start}, but limit is ${limits[name].toString()}`);
    else if (requests[name] !== undefined && request > enforced) problems.push(`${start}, but request is ${requests[name].toString()}`);
  }
  for (const [name, amount] of sorted(item.maxLimitRequestRatio)) {
    const most = Quantity.parse(String(amount));
    const [request = 0, limit = 0] = comparable(requests[name], limits[name], most);
    const start = `${name} max limit to request ratio per ${type} is ${most.toString()}`;
    if (request === 0) problems.push(`${start}, but no request is specified or request is 0`);
    else if (limit === 0) problems.push(`${start}, but no limit is specified or limit is 0`);
    else if ((limit / request) * 1000 > most.milli) problems.push(`${start}, but provided ratio is ${(limit / request).toFixed(6)}`);
  }
  return problems;
}

function claimProblems(claim: ApiObject, items: readonly LimitItem[]): readonly string[] {
  const requests = parsed((specOf(claim)['resources'] as { requests?: ResourceAmounts } | undefined)?.requests);
  const problems: string[] = [];
  for (const item of items) {
    if (item.type !== 'PersistentVolumeClaim') continue;
    for (const [bound, word, wrong] of [
      ['min', 'minimum', -1],
      ['max', 'maximum', 1],
    ] as const) {
      for (const [name, amount] of sorted(item[bound])) {
        const enforced = Quantity.parse(String(amount));
        const start = `${word} ${name} usage per PersistentVolumeClaim is ${enforced.toString()}`;
        const request = requests[name];
        if (request === undefined) problems.push(`${start}.  No request is specified`);
        else if (request.compare(enforced) === wrong) problems.push(`${start}, but request is ${request.toString()}`);
      }
    }
  }
  return problems;
}
