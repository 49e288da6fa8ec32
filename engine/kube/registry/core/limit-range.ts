// LimitRange.

import { defineResource, type ResourceDefinition } from '../definition.ts';

export const LIMIT_RANGE: ResourceDefinition = defineResource({
  group: '',
  version: 'v1',
  isNamespaced: true,
  kind: 'LimitRange',
  plural: 'limitranges',
  shortNames: ['limits'],
});
