// Models the ResourceQuota plugin: a write that would go beyond a quota is refused, and what is let through is charged before it is stored.
// Not modelled: limited resources by configuration (none are by default).

import { conflict, OBJECT_WAS_MODIFIED } from '../../machinery/status.ts';
import {
  addUsage,
  evaluatorFor,
  isInScopes,
  maskUsage,
  parseUsage,
  showUsage,
  subtractUsage,
  type Evaluator,
  type QuotaSpec,
  type Usage,
} from '../../machinery/quota.ts';
import type { ResourceAmounts } from '../../machinery/quantity.ts';
import type { ApiObject } from '../../registry/definition.ts';
import type { Stored } from '../resource-store.ts';
import { refusal, type AdmissionPlugin, type AdmissionRequest, type ClusterReader } from '../admission.ts';

const MAX_RETRIES = 3;

interface QuotaStatus {
  readonly hard?: ResourceAmounts;
  readonly used?: ResourceAmounts;
}

/** What the quotas of a namespace say to one request: how each would change. */
interface Charge {
  readonly quota: Stored;
  readonly used: Usage;
}

export function resourceQuota(reader: ClusterReader, nowMs: () => number): AdmissionPlugin {
  const quotasOf = (namespace: string): readonly Stored[] => reader.store('', 'resourcequotas').list(namespace);
  /** The last charge of each namespace: one after the other, so that two requests never share the same rest. */
  const turns = new Map<string, Promise<void>>();

  const evaluate = async (request: AdmissionRequest, evaluator: Evaluator): Promise<void> => {
    const store = reader.store('', 'resourcequotas');
    let names: ReadonlySet<string> | undefined;
    for (let retries = MAX_RETRIES; ; retries--) {
      const quotas = quotasOf(request.namespace).filter((quota) => names?.has(quota.object.metadata.name) !== false);
      const charges = check(request, evaluator, quotas, nowMs());
      if (request.isDryRun === true) return;
      const failed: Stored[] = [];
      for (const { quota, used } of charges) {
        const status = { ...(quota.object['status'] as object), used: showUsage(used) };
        if ((await store.update(quota, { ...quota.object, status })) === undefined) failed.push(quota);
      }
      if (failed.length === 0) return;
      if (retries === 0) throw conflict({ group: '', resource: 'resourcequotas' }, failed[0]!.object.metadata.name, OBJECT_WAS_MODIFIED);
      names = new Set(failed.map((quota) => quota.object.metadata.name));
    }
  };

  return {
    name: 'ResourceQuota',
    validate(request) {
      const { operation, subresource, namespace, definition } = request;
      if (subresource !== '' || namespace === '' || (operation !== 'CREATE' && operation !== 'UPDATE')) return;
      if (definition.group === '' && (definition.plural === 'events' || definition.plural === 'namespaces')) return;
      if (quotasOf(namespace).length === 0) return;
      const evaluator = evaluatorFor(definition.group, definition.plural);
      if (operation === 'UPDATE' && !evaluator.countsUpdates) return;
      const before = turns.get(namespace) ?? Promise.resolve();
      const mine = before.then(() => evaluate(request, evaluator));
      const done = mine.then(
        () => undefined,
        () => undefined,
      );
      turns.set(namespace, done);
      void done.then(() => {
        if (turns.get(namespace) === done) turns.delete(namespace);
      });
      return mine;
    },
  };
}

/** Throws the refusal, or tells what has to be charged. */
function check(request: AdmissionRequest, evaluator: Evaluator, quotas: readonly Stored[], nowMs: number): readonly Charge[] {
  const object = request.object!;
  const concerned: { readonly quota: Stored; readonly hard: Usage }[] = [];
  for (const quota of quotas) {
    const { hard: limits, used } = statusOf(quota.object);
    const name = quota.object.metadata.name;
    const resources = evaluator.matchingResources(Object.keys(limits ?? {}));
    if (resources.length === 0 || !isInScopes(evaluator, object, (quota.object['spec'] ?? {}) as QuotaSpec)) continue;
    const missing = evaluator.missing?.(object, resources) ?? [];
    if (missing.length > 0) throw refusal(request, `failed quota: ${name}: must specify ${missing.join(',')}`);
    if (!resources.every((resource) => used?.[resource] !== undefined))
      throw refusal(request, `status unknown for quota: ${name}, resources: ${[...resources].sort().join(',')}`);
    concerned.push({ quota, hard: parseUsage(limits) });
  }
  if (concerned.length === 0) return [];
  let delta = evaluator.usage(object, nowMs);
  const negative = Object.keys(delta).filter((name) => delta[name]!.nanos < 0n);
  if (negative.length > 0) throw refusal(request, `quota usage is negative for resource(s): ${negative.sort().join(',')}`);
  if (request.operation === 'UPDATE' && request.old !== undefined) delta = subtractUsage(delta, evaluator.usage(request.old, nowMs));
  delta = Object.fromEntries(Object.entries(delta).filter(([, amount]) => !amount.isZero));
  const charges: Charge[] = [];
  for (const { quota, hard } of concerned) {
    const requested = maskUsage(delta, Object.keys(hard));
    const names = Object.keys(requested);
    if (names.length === 0) continue;
    const used = parseUsage(statusOf(quota.object).used);
    const total = addUsage(used, requested);
    const exceeded = names.filter((name) => total[name]!.compare(hard[name]!) > 0);
    if (exceeded.length > 0)
      throw refusal(
        request,
        `exceeded quota: ${quota.object.metadata.name}, requested: ${pretty(maskUsage(requested, exceeded))}, used: ${pretty(
          maskUsage(used, exceeded),
        )}, limited: ${pretty(maskUsage(hard, exceeded))}`,
      );
    charges.push({ quota, used: total });
  }
  return charges;
}

function statusOf(quota: ApiObject): QuotaStatus {
  return (quota['status'] ?? {}) as QuotaStatus;
}

function pretty(usage: Usage): string {
  return Object.keys(usage)
    .sort()
    .map((name) => `${name}=${usage[name]!.toString()}`)
    .join(',');
}
