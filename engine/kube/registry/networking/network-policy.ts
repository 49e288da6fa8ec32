// NetworkPolicy.

import type { LabelSelectorSpec } from '../../machinery/selectors.ts';
import { ageCell, selectorCell, textColumn } from '../columns.ts';
import { AGE_COLUMN, type ApiObject, defineResource, type Json, NAME_COLUMN, type ResourceDefinition } from '../definition.ts';

const spec = (object: ApiObject): Json => (object['spec'] ?? {}) as Json;

export const NETWORK_POLICY: ResourceDefinition = defineResource<ApiObject>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'NetworkPolicy',
  strategy: {
    setDefaults(object) {
      const spec = object['spec'] as
        { policyTypes?: string[]; egress?: unknown[]; ingress?: { ports?: { protocol?: string }[] }[] } | undefined;
      if (spec === undefined) return;
      for (const rule of spec.ingress ?? []) for (const port of rule.ports ?? []) port.protocol ??= 'TCP';
      if ((spec.policyTypes ?? []).length === 0) spec.policyTypes = ['Ingress', ...((spec.egress ?? []).length > 0 ? ['Egress'] : [])];
    },
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
