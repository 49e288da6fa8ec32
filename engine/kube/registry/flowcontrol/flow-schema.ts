// FlowSchema.

import { ageCell, countColumn, textColumn } from '../columns.ts';
import { AGE_COLUMN, defineResource, NAME_COLUMN, type ApiObject, type ResourceDefinition } from '../definition.ts';
import { specOf } from '../object-access.ts';
import { conditionErrors, validateFlowSchema, validateFlowSchemaUpdate } from './flow-validation.ts';

interface Spec {
  readonly priorityLevelConfiguration?: { readonly name?: string };
  readonly matchingPrecedence?: number;
  readonly distinguisherMethod?: { readonly type: string } | null;
}
interface Condition {
  readonly type: string;
  readonly status: string;
}

const DEFAULT_PRECEDENCE = 1000;

const spec = (object: ApiObject): Spec => (object['spec'] ?? {}) as Spec;

export const FLOW_SCHEMA: ResourceDefinition = defineResource<ApiObject>({
  group: 'flowcontrol.apiserver.k8s.io',
  version: 'v1beta1',
  kind: 'FlowSchema',
  plural: 'flowschemas',
  isNamespaced: false,
  hasStatus: true,
  hasGeneration: true,
  strategy: {
    setDefaults(object) {
      const given = specOf(object);
      if ((given['matchingPrecedence'] ?? 0) === 0) given['matchingPrecedence'] = DEFAULT_PRECEDENCE;
    },
    prepareForCreate(object) {
      object['status'] = {};
    },
    validate: validateFlowSchema,
    validateUpdate: validateFlowSchemaUpdate,
    validateStatusUpdate: conditionErrors,
  },
  table: {
    columns: [
      NAME_COLUMN,
      textColumn('PriorityLevel', 'The priority level that requests of this schema go to.'),
      countColumn('MatchingPrecedence', 'Which schema is asked first: the smallest number.'),
      textColumn('DistinguisherMethod', 'How flows of this schema are told apart.'),
      AGE_COLUMN,
      textColumn('MissingPL', 'Whether the priority level is missing.'),
    ],
    cells(object, nowMs) {
      const { priorityLevelConfiguration, matchingPrecedence, distinguisherMethod } = spec(object);
      const conditions = ((object['status'] ?? {}) as { conditions?: readonly Condition[] }).conditions ?? [];
      return [
        object.metadata.name,
        priorityLevelConfiguration?.name ?? '',
        matchingPrecedence ?? 0,
        distinguisherMethod?.type ?? '<none>',
        ageCell(object, nowMs),
        conditions.find((condition) => condition.type === 'Dangling')?.status ?? '?',
      ];
    },
    order: (a, b) => (spec(a).matchingPrecedence ?? 0) - (spec(b).matchingPrecedence ?? 0) || (a.metadata.name < b.metadata.name ? -1 : 1),
  },
});
