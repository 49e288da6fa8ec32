// NetworkPolicy.

import type { LabelSelectorSpec } from '../../machinery/selectors.ts';
import { ageCell, selectorCell, textColumn } from '../columns.ts';
import { AGE_COLUMN, type ApiObject, defineResource, type Json, NAME_COLUMN, type ResourceDefinition } from '../definition.ts';
import { validateNetworkPolicy } from './network-policy-validation.ts';

const spec = (object: ApiObject): Json => (object['spec'] ?? {}) as Json;

interface Rule {
  readonly ports?: { protocol?: string }[];
}

export const NETWORK_POLICY: ResourceDefinition = defineResource<ApiObject>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'NetworkPolicy',
  strategy: {
    setDefaults(object) {
      const spec = object['spec'] as { policyTypes?: string[]; egress?: Rule[]; ingress?: Rule[] } | undefined;
      if (spec === undefined) return;
      for (const rule of [...(spec.ingress ?? []), ...(spec.egress ?? [])]) for (const port of rule.ports ?? []) port.protocol ??= 'TCP';
      if ((spec.policyTypes ?? []).length === 0) spec.policyTypes = ['Ingress', ...((spec.egress ?? []).length > 0 ? ['Egress'] : [])];
    },
    validate: validateNetworkPolicy,
    validateUpdate: (next, _current, meta) => [
      ...meta.object,
      ...validateNetworkPolicy(next),
      ...meta.update,
      ...validateNetworkPolicy(next),
    ],
  },
  plural: 'networkpolicies',
  table: {
    columns: [NAME_COLUMN, textColumn('Pod-Selector', 'Selects the pods to which this policy applies.'), AGE_COLUMN],
    cells: (object, nowMs) => [
      object.metadata.name,
      selectorCell((spec(object)['podSelector'] ?? {}) as LabelSelectorSpec),
      ageCell(object, nowMs),
    ],
  },
  shortNames: ['netpol'],
  isNamespaced: true,
  hasGeneration: true,
});
