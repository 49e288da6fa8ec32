// ConfigMap.

import { ageOf } from '../../machinery/time.ts';
import type { ConfigMap } from '../../machinery/types.ts';
import { AGE_COLUMN, defineResource, NAME_COLUMN, type ResourceDefinition } from '../definition.ts';
import { validateConfigMap, validateConfigMapUpdate } from './secret-validation.ts';

export const CONFIG_MAP: ResourceDefinition = defineResource<ConfigMap & { immutable?: boolean }>({
  group: '',
  version: 'v1',
  isNamespaced: true,
  kind: 'ConfigMap',
  plural: 'configmaps',
  shortNames: ['cm'],
  strategy: {
    validate: validateConfigMap,
    validateUpdate: validateConfigMapUpdate,
  },
  table: {
    columns: [NAME_COLUMN, { name: 'Data', type: 'string', description: 'Number of keys' }, AGE_COLUMN],
    cells: (map, nowMs) => [
      map.metadata.name,
      Object.keys(map.data ?? {}).length + Object.keys(map.binaryData ?? {}).length,
      ageOf(map.metadata.creationTimestamp, nowMs),
    ],
  },
});
