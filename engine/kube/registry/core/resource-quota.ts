// ResourceQuota.

import { defineResource, type ResourceDefinition } from '../definition.ts';

export const RESOURCE_QUOTA: ResourceDefinition = defineResource({
  group: '',
  version: 'v1',
  isNamespaced: true,
  kind: 'ResourceQuota',
  plural: 'resourcequotas',
  shortNames: ['quota'],
  hasStatus: true,
});
