// Models what quotas count (pkg/quota): how much of each resource an object uses, and which quotas are about it.

import { labelSelectorOf } from './selectors.ts';
import { Quantity, type ResourceAmounts } from './quantity.ts';
import type { KubeObject, Pod } from './types.ts';

/** Amounts by resource name: `pods`, `requests.cpu`, `count/deployments.apps`. */
export type Usage = Readonly<Record<string, Quantity>>;

export interface ScopeRequirement {
  readonly scopeName: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

export interface QuotaSpec {
  readonly hard?: ResourceAmounts;
  readonly scopes?: readonly string[];
  readonly scopeSelector?: { readonly matchExpressions?: readonly ScopeRequirement[] };
}

/** How objects of one resource are counted. */
export interface Evaluator {
  /** Of the resources a quota limits, those this kind of object uses. */
  matchingResources(names: readonly string[]): readonly string[];
  usage(object: KubeObject, nowMs: number): Usage;
  /** Resources a quota limits and the object does not say; undefined when all is said. */
  missing?(object: KubeObject, required: readonly string[]): readonly string[];
  /** Whether a quota with this scope is about the object; without it scopes exclude the kind. */
  isInScope?(object: KubeObject, scope: ScopeRequirement): boolean;
  /** An update may change what is used. */
  readonly countsUpdates: boolean;
}

const ONE = Quantity.fromInteger(1);
const ZERO = Quantity.fromInteger(0);
const STORAGE_CLASS_SUFFIX = '.storageclass.storage.k8s.io/';
/** Kinds of the core group that quotas named before they could name any: `secrets` besides `count/secrets`. */
const OLD_NAMES = new Set(['configmaps', 'resourcequotas', 'replicationcontrollers', 'secrets']);

export function evaluatorFor(group: string, resource: string): Evaluator {
  if (group === '') {
    if (resource === 'pods') return PODS;
    if (resource === 'services') return SERVICES;
    if (resource === 'persistentvolumeclaims') return CLAIMS;
  }
  const key = `${resource}.${group}`;
  let counted = counters.get(key);
  if (counted === undefined) counters.set(key, (counted = countOf(group, resource)));
  return counted;
}

/** A pure function of its key, so all may share it. */
const counters = new Map<string, Evaluator>();

function countOf(group: string, resource: string): Evaluator {
  const count = group === '' ? `count/${resource}` : `count/${resource}.${group}`;
  const names = group === '' && OLD_NAMES.has(resource) ? [count, resource] : [count];
  const usage: Usage = Object.fromEntries(names.map((name) => [name, ONE]));
  return { matchingResources: (given) => given.filter((name) => names.includes(name)), usage: () => usage, countsUpdates: false };
}

const COMPUTE = ['cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory'];
const POD_RESOURCES = new Set([
  'count/pods',
  'pods',
  'cpu',
  'memory',
  'ephemeral-storage',
  'requests.cpu',
  'requests.memory',
  'requests.ephemeral-storage',
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
]);

const PODS: Evaluator = {
  matchingResources: (names) =>
    names.filter(
      (name) =>
        POD_RESOURCES.has(name) ||
        name.startsWith('hugepages-') ||
        name.startsWith('requests.hugepages-') ||
        // Extended resources can only be limited by their requests.
        (name.startsWith('requests.') && name.includes('/')),
    ),
  usage(object, nowMs) {
    const pod = object as unknown as Pod;
    const counted: Record<string, Quantity> = { 'count/pods': ONE };
    if (!isCharged(pod, nowMs)) return counted;
    const { requests, limits } = requirementsOf(pod);
    return { ...counted, ...computeUsage(requests, limits) };
  },
  missing(object, required) {
    const { spec } = object as unknown as Pod;
    const wanted = required.filter((name) => COMPUTE.includes(name));
    const missing = new Set<string>();
    for (const { resources } of [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])]) {
      const given = computeUsage(parsed(resources?.requests), parsed(resources?.limits));
      for (const name of wanted) if (given[name] === undefined) missing.add(name);
    }
    return [...missing].sort();
  },
  isInScope(object, scope) {
    const { spec } = object as unknown as Pod;
    const isEnding = spec?.activeDeadlineSeconds !== undefined && spec.activeDeadlineSeconds >= 0;
    switch (scope.scopeName) {
      case 'Terminating':
        return isEnding;
      case 'NotTerminating':
        return !isEnding;
      case 'BestEffort':
        return isBestEffort(object as unknown as Pod);
      case 'NotBestEffort':
        return !isBestEffort(object as unknown as Pod);
      case 'PriorityClass': {
        const name = spec?.priorityClassName ?? '';
        const expression = {
          key: 'PriorityClass',
          operator: scope.operator,
          ...(scope.values === undefined ? {} : { values: [...scope.values] }),
        };
        return labelSelectorOf({ matchExpressions: [expression] }).matches(name === '' ? {} : { PriorityClass: name });
      }
      default:
        return false;
    }
  },
  countsUpdates: false,
};

/** Pods that have ended, or should have, use nothing any more. */
function isCharged(pod: Pod, nowMs: number): boolean {
  if (pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded') return false;
  const { deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata;
  if (deletionTimestamp === undefined || deletionGracePeriodSeconds === undefined) return true;
  return nowMs <= Date.parse(deletionTimestamp) + deletionGracePeriodSeconds * 1000;
}

function isBestEffort(pod: Pod): boolean {
  return [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])].every(({ resources }) =>
    [...Object.entries(resources?.requests ?? {}), ...Object.entries(resources?.limits ?? {})].every(
      ([name, amount]) => (name !== 'cpu' && name !== 'memory') || Quantity.parse(String(amount)).isZero,
    ),
  );
}

function parsed(amounts: ResourceAmounts | undefined): Record<string, Quantity> {
  const out: Record<string, Quantity> = {};
  for (const name in amounts) out[name] = Quantity.parse(String(amounts[name]));
  return out;
}

function requirementsOf({ spec }: Pod): { readonly requests: Usage; readonly limits: Usage } {
  const overhead = parsed(spec?.overhead);
  const of = (which: 'requests' | 'limits'): Usage => {
    let total: Usage = {};
    for (const { resources } of spec?.containers ?? []) total = addUsage(total, parsed(resources?.[which]));
    for (const { resources } of spec?.initContainers ?? []) total = largest(total, parsed(resources?.[which]));
    return addUsage(total, overhead);
  };
  return { requests: of('requests'), limits: of('limits') };
}

function computeUsage(requests: Usage, limits: Usage): Record<string, Quantity> {
  const out: Record<string, Quantity> = { pods: ONE };
  for (const name of ['cpu', 'memory', 'ephemeral-storage']) {
    if (requests[name] !== undefined) out[name] = out[`requests.${name}`] = requests[name];
    if (limits[name] !== undefined) out[`limits.${name}`] = limits[name];
  }
  for (const [name, amount] of Object.entries(requests)) {
    if (name.startsWith('hugepages-')) out[name] = out[`requests.${name}`] = amount;
    else if (name.includes('/') && !name.startsWith('kubernetes.io/')) out[`requests.${name}`] = amount;
  }
  return out;
}

const SERVICES: Evaluator = {
  matchingResources: (names) =>
    names.filter((name) => ['count/services', 'services', 'services.loadbalancers', 'services.nodeports'].includes(name)),
  usage(object) {
    const { type, ports } = ((object as unknown as { spec?: object }).spec ?? {}) as { type?: string; ports?: readonly unknown[] };
    const nodePorts = type === 'NodePort' || type === 'LoadBalancer' ? Quantity.fromInteger(ports?.length ?? 0) : ZERO;
    return {
      'count/services': ONE,
      services: ONE,
      'services.loadbalancers': type === 'LoadBalancer' ? ONE : ZERO,
      'services.nodeports': nodePorts,
    };
  },
  countsUpdates: true,
};

const CLAIMS: Evaluator = {
  matchingResources: (names) =>
    names.filter(
      (name) =>
        ['count/persistentvolumeclaims', 'persistentvolumeclaims', 'requests.storage'].includes(name) ||
        name.endsWith(`${STORAGE_CLASS_SUFFIX}persistentvolumeclaims`) ||
        name.endsWith(`${STORAGE_CLASS_SUFFIX}requests.storage`),
    ),
  usage(object) {
    const spec = ((object as unknown as { spec?: object }).spec ?? {}) as {
      storageClassName?: string;
      resources?: { requests?: ResourceAmounts };
    };
    const out: Record<string, Quantity> = { 'count/persistentvolumeclaims': ONE, persistentvolumeclaims: ONE };
    const className = object.metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? spec.storageClassName ?? '';
    if (className !== '') out[`${className}${STORAGE_CLASS_SUFFIX}persistentvolumeclaims`] = ONE;
    const storage = spec.resources?.requests?.['storage'];
    if (storage !== undefined) {
      const amount = Quantity.parse(String(storage));
      out['requests.storage'] = amount;
      if (className !== '') out[`${className}${STORAGE_CLASS_SUFFIX}requests.storage`] = amount;
    }
    return out;
  },
  countsUpdates: true,
};

/** A quota's scopes and the terms of its selector: all of them must hold. */
export function scopesOf(spec: QuotaSpec): readonly ScopeRequirement[] {
  return [...(spec.scopes ?? []).map((scopeName) => ({ scopeName, operator: 'Exists' })), ...(spec.scopeSelector?.matchExpressions ?? [])];
}

export function isInScopes(evaluator: Evaluator, object: KubeObject, spec: QuotaSpec): boolean {
  return scopesOf(spec).every((scope) => evaluator.isInScope?.(object, scope) === true);
}

export function parseUsage(amounts: ResourceAmounts | undefined): Usage {
  return parsed(amounts);
}

export function showUsage(usage: Usage): Record<string, string> {
  const out: Record<string, string> = {};
  for (const name of Object.keys(usage).sort()) out[name] = usage[name]!.toString();
  return out;
}

export function addUsage(a: Usage, b: Usage): Usage {
  const out: Record<string, Quantity> = { ...a };
  for (const name in b) out[name] = out[name] === undefined ? b[name]! : out[name].add(b[name]!);
  return out;
}

/** Less than nothing is nothing. */
export function subtractUsage(a: Usage, b: Usage): Usage {
  const out: Record<string, Quantity> = {};
  for (const name in a) {
    const less = b[name] === undefined ? a[name]! : a[name]!.subtract(b[name]);
    out[name] = less.nanos < 0n ? ZERO : less;
  }
  return out;
}

function largest(a: Usage, b: Usage): Usage {
  const out: Record<string, Quantity> = { ...a };
  for (const name in b) if (out[name] === undefined || b[name]!.compare(out[name]) > 0) out[name] = b[name]!;
  return out;
}

/** Only the named resources. */
export function maskUsage(usage: Usage, names: readonly string[]): Usage {
  const out: Record<string, Quantity> = {};
  for (const name of names) if (usage[name] !== undefined) out[name] = usage[name];
  return out;
}
