// Models the quality of service that a pod's requests and limits amount to.

import { Quantity } from '../../machinery/quantity.ts';
import type { Json } from '../definition.ts';
import { records } from '../object-access.ts';

/** BestEffort, Burstable or Guaranteed. */
export function qosClassOf(spec: Json): 'BestEffort' | 'Burstable' | 'Guaranteed' {
  const requests = { cpu: 0n, memory: 0n };
  const limits = { cpu: 0n, memory: 0n };
  let hasAllLimits = true;
  for (const kind of ['containers', 'initContainers'] as const) {
    for (const container of records(spec[kind])) {
      const resources = (container['resources'] ?? {}) as { limits?: Record<string, string>; requests?: Record<string, string> };
      for (const name of ['cpu', 'memory'] as const) {
        requests[name] += positive(resources.requests?.[name]);
        const limit = positive(resources.limits?.[name]);
        limits[name] += limit;
        if (limit === 0n) hasAllLimits = false;
      }
    }
  }
  if (requests.cpu + requests.memory + limits.cpu + limits.memory === 0n) return 'BestEffort';
  return hasAllLimits && requests.cpu === limits.cpu && requests.memory === limits.memory ? 'Guaranteed' : 'Burstable';
}

function positive(amount: string | undefined): bigint {
  if (amount === undefined) return 0n;
  const { nanos } = Quantity.parse(amount);
  return nanos > 0n ? nanos : 0n;
}
