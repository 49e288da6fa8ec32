// RuntimeClass.

import { ageCell, textColumn } from '../columns.ts';
import { AGE_COLUMN, type ApiObject, defineResource, type Json, NAME_COLUMN, type ResourceDefinition } from '../definition.ts';
import type { FieldError } from '../../machinery/field-errors.ts';
import { dns1123Label } from '../../machinery/names.ts';
import { validateTolerations } from '../core/pod-affinity-validation.ts';
import { validateResources } from '../core/pod-resource-validation.ts';
import { immutable, validateLabels } from '../meta-validation.ts';
import { findings, str } from '../rules.ts';

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
  strategy: {
    requiresVersionOnUpdate: true,
    validate: validateRuntimeClass,
    validateUpdate: (next, current, meta) => [
      ...meta.object,
      ...validateRuntimeClass(next),
      ...meta.update,
      ...immutable('handler', next['handler'], current['handler']),
    ],
  },
  alsoServedAs: [{ group: 'node.k8s.io', version: 'v1beta1' }],
});

function validateRuntimeClass(object: ApiObject): FieldError[] {
  const errors: FieldError[] = [];
  const handler = str(object['handler']);
  findings(errors, 'handler', handler, dns1123Label(handler));
  const { overhead, scheduling } = object as { overhead?: { podFixed?: unknown }; scheduling?: Json };
  if (overhead !== undefined) validateResources(errors, { limits: overhead.podFixed }, 'overhead');
  if (scheduling === undefined) return errors;
  errors.push(...validateLabels(scheduling['nodeSelector'] as Record<string, string> | undefined, 'scheduling.nodeSelector'));
  validateTolerations(errors, scheduling['tolerations'], 'scheduling.tolerations');
  return errors;
}
