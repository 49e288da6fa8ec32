// PodTemplate.

import { defineResource, type Json, type ResourceDefinition } from '../definition.ts';
import { defaultPodTemplate } from './pod-defaults.ts';

export const POD_TEMPLATE: ResourceDefinition = defineResource({
  group: '',
  version: 'v1',
  isNamespaced: true,
  kind: 'PodTemplate',
  plural: 'podtemplates',
  strategy: { setDefaults: (object) => defaultPodTemplate((object as unknown as Json)['template']) },
});
