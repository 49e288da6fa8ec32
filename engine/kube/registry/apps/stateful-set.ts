// StatefulSet.

import { isDeepEqual, isRecord } from '../../machinery/deep.ts';
import { FieldError } from '../../machinery/field-errors.ts';
import type { LabelSelectorSpec } from '../../machinery/selectors.ts';
import { ageOf } from '../../machinery/time.ts';
import type { KubeObject } from '../../machinery/types.ts';
import { templateCells, WORKLOAD_COLUMNS } from '../columns.ts';
import { defaultPodTemplate } from '../core/pod-defaults.ts';
import { AGE_COLUMN, defineResource, type Json, NAME_COLUMN, type ResourceDefinition } from '../definition.ts';
import { defaults, specOf } from '../object-access.ts';
import { validateWorkload } from './workload-validation.ts';

type StatefulSet = KubeObject & {
  spec?: { replicas?: number; serviceName?: string; selector?: LabelSelectorSpec; template?: Parameters<typeof templateCells>[0] };
  status?: { replicas?: number; readyReplicas?: number };
};

export const STATEFUL_SET: ResourceDefinition = defineResource<StatefulSet>({
  group: 'apps',
  version: 'v1',
  isNamespaced: true,
  categories: ['all'],
  hasStatus: true,
  hasGeneration: true,
  kind: 'StatefulSet',
  plural: 'statefulsets',
  shortNames: ['sts'],
  hasScale: true,
  strategy: {
    setDefaults(set) {
      const spec = specOf(set);
      defaults(spec, { replicas: 1, revisionHistoryLimit: 10, podManagementPolicy: 'OrderedReady' });
      if (!isRecord(spec['updateStrategy'])) spec['updateStrategy'] = {};
      const strategy = spec['updateStrategy'] as Json;
      defaults(strategy, { type: 'RollingUpdate' });
      if (strategy['type'] === 'RollingUpdate') {
        if (!isRecord(strategy['rollingUpdate'])) strategy['rollingUpdate'] = {};
        (strategy['rollingUpdate'] as Json)['partition'] ??= 0;
      }
      spec['template'] ??= {};
      defaultPodTemplate(spec['template']);
    },
    prepareForCreate(set) {
      Object.assign(set, { status: { replicas: 0 } });
    },
    validate: (set) => validateWorkload(set, { needsAlwaysRestart: true, kindOfSelector: 'set' }),
    validateUpdate(next, current) {
      const errors = validateWorkload(next, { needsAlwaysRestart: true, kindOfSelector: 'set' });
      const fixed = (set: StatefulSet): Json => {
        const { replicas: _r, template: _t, updateStrategy: _u, ...rest } = specOf(set);
        return rest;
      };
      if (!isDeepEqual(fixed(next), fixed(current))) {
        errors.push(
          FieldError.forbidden(
            'spec',
            "updates to statefulset spec for fields other than 'replicas', 'template', and 'updateStrategy' are forbidden",
          ),
        );
      }
      return errors;
    },
  },
  table: {
    columns: [
      NAME_COLUMN,
      { name: 'Ready', type: 'string', description: 'Number of the pod with ready state' },
      AGE_COLUMN,
      ...WORKLOAD_COLUMNS.slice(0, 2),
    ],
    cells: ({ metadata, spec, status }, nowMs) => [
      metadata.name,
      `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`,
      ageOf(metadata.creationTimestamp, nowMs),
      ...templateCells(spec?.template),
    ],
  },
});
