// RuntimeClass.

import { ageCell, textColumn } from '../columns.ts';
import { AGE_COLUMN, type ApiObject, defineResource, NAME_COLUMN, type ResourceDefinition } from '../definition.ts';

export const RUNTIME_CLASS: ResourceDefinition = defineResource<ApiObject>({
  group: 'node.k8s.io',
  version: 'v1',
  kind: 'RuntimeClass',
  hashedVersion: 'v1beta1',
  plural: 'runtimeclasses',
  table: {
    columns: [NAME_COLUMN, textColumn('Handler', 'Handler of the underlying runtime.'), AGE_COLUMN],
    cells: (object, nowMs) => [object.metadata.name, String(object['handler'] ?? ''), ageCell(object, nowMs)],
  },
  isNamespaced: false,
  alsoServedAs: [{ group: 'node.k8s.io', version: 'v1beta1' }],
});
