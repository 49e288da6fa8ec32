// ResourceQuota.

import type { ResourceQuota } from '../../machinery/kinds.ts';
import { ageCell, textColumn } from '../columns.ts';
import { defineResource, type ResourceDefinition, AGE_COLUMN, NAME_COLUMN } from '../definition.ts';
import { roundResources } from './pod-defaults.ts';
import { statusErrors, validateResourceQuota, validateResourceQuotaUpdate } from './resource-quota-validation.ts';

export const RESOURCE_QUOTA: ResourceDefinition = defineResource<ResourceQuota>({
  group: '',
  version: 'v1',
  isNamespaced: true,
  kind: 'ResourceQuota',
  plural: 'resourcequotas',
  shortNames: ['quota'],
  hasStatus: true,
  strategy: {
    setDefaults(quota) {
      roundResources(quota.spec?.hard);
      roundResources(quota.status?.hard);
      roundResources(quota.status?.used);
    },
    prepareForCreate: (quota) => void (quota.status = {}),
    validate: validateResourceQuota,
    validateUpdate: validateResourceQuotaUpdate,
    validateStatusUpdate: (next, _current, meta) => [...meta.update, ...statusErrors(next)],
  },
  table: {
    columns: [
      NAME_COLUMN,
      AGE_COLUMN,
      textColumn('Request', 'Request represents a minimum amount of cpu/memory that a container may consume.'),
      textColumn(
        'Limit',
        'Limits control the maximum amount of cpu/memory that a container may use independent of contention on the node.',
      ),
    ],
    cells(quota, nowMs) {
      const { hard, used } = quota.status ?? {};
      const shown = Object.keys(hard ?? {}).sort();
      const isLimit = (resource: string): boolean => resource.startsWith('limits.');
      const list = (resources: readonly string[]): string =>
        resources.map((resource) => `${resource}: ${used?.[resource] ?? '0'}/${hard![resource]!}`).join(', ');
      return [
        quota.metadata.name,
        ageCell(quota, nowMs),
        list(shown.filter((resource) => !isLimit(resource))),
        list(shown.filter(isLimit)),
      ];
    },
  },
});
