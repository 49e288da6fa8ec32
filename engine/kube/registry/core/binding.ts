// Binding.

import { defineResource, type ResourceDefinition } from '../definition.ts';

export const BINDING: ResourceDefinition = defineResource({
  group: '',
  version: 'v1',
  isNamespaced: true,
  kind: 'Binding',
  plural: 'bindings',
  verbs: ['create'],
  discoveryOnly: true,
});
