// IngressClass.

import { ageCell, textColumn } from '../columns.ts';
import { AGE_COLUMN, type ApiObject, defineResource, type Json, NAME_COLUMN, type ResourceDefinition } from '../definition.ts';
import { immutable } from '../meta-validation.ts';
import { validateIngressClass } from './ingress-validation.ts';

const spec = (object: ApiObject): Json => (object['spec'] ?? {}) as Json;

export const INGRESS_CLASS: ResourceDefinition = defineResource<ApiObject>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IngressClass',
  hashedVersion: 'v1beta1',
  plural: 'ingressclasses',
  strategy: {
    validate: validateIngressClass,
    validateUpdate: (next, current, meta) => [
      ...meta.update,
      ...immutable('spec.controller', spec(next)['controller'], spec(current)['controller']),
      ...meta.object,
      ...validateIngressClass(next),
    ],
  },
  table: {
    columns: [
      NAME_COLUMN,
      textColumn('Controller', 'Controller that is responsible for handling this class'),
      textColumn('Parameters', 'A reference to a resource with additional parameters'),
      AGE_COLUMN,
    ],
    cells: (object, nowMs) => {
      const parameters = spec(object)['parameters'] as { apiGroup?: string; kind: string; name: string } | undefined;
      const shown =
        parameters === undefined
          ? '<none>'
          : `${parameters.kind}${parameters.apiGroup === undefined ? '' : `.${parameters.apiGroup}`}/${parameters.name}`;
      return [object.metadata.name, String(spec(object)['controller'] ?? ''), shown, ageCell(object, nowMs)];
    },
  },
  isNamespaced: false,
  hasGeneration: true,
  alsoServedAs: [{ group: 'networking.k8s.io', version: 'v1beta1' }],
});
