// ConfigMap.

import { isDeepEqual } from '../../machinery/deep.ts';
import { FieldError } from '../../machinery/field-errors.ts';
import { configMapKey } from '../../machinery/names.ts';
import { ageOf } from '../../machinery/time.ts';
import type { ConfigMap } from '../../machinery/types.ts';
import { AGE_COLUMN, defineResource, NAME_COLUMN, type ResourceDefinition } from '../definition.ts';

export const CONFIG_MAP: ResourceDefinition = defineResource<ConfigMap & { immutable?: boolean }>({
  group: '',
  version: 'v1',
  isNamespaced: true,
  kind: 'ConfigMap',
  plural: 'configmaps',
  shortNames: ['cm'],
  strategy: {
    validate(map) {
      const errors: FieldError[] = [];
      for (const field of ['data', 'binaryData'] as const) {
        for (const key of Object.keys(map[field] ?? {})) {
          for (const problem of configMapKey(key)) errors.push(FieldError.invalid(`${field}[${key}]`, key, problem));
        }
      }
      return errors;
    },
    validateUpdate(next, current) {
      if (current.immutable !== true) return [];
      const errors: FieldError[] = [];
      if (next.immutable !== true) errors.push(FieldError.forbidden('immutable', 'field is immutable when `immutable` is set'));
      if (!isDeepEqual(next.data, current.data)) errors.push(FieldError.forbidden('data', 'field is immutable when `immutable` is set'));
      if (!isDeepEqual(next.binaryData, current.binaryData))
        errors.push(FieldError.forbidden('binaryData', 'field is immutable when `immutable` is set'));
      return errors;
    },
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
