// DaemonSet.

import { isDeepEqual, isRecord } from '../../machinery/deep.ts';
import { ageOf } from '../../machinery/time.ts';
import type { DaemonSet } from '../../machinery/types.ts';
import { countColumn, selectorCell, templateCells, WORKLOAD_COLUMNS } from '../columns.ts';
import { defaultPodTemplate } from '../core/pod-defaults.ts';
import { AGE_COLUMN, defineResource, type Json, NAME_COLUMN, type ResourceDefinition } from '../definition.ts';
import { defaults, specOf } from '../object-access.ts';
import { immutableSelector, validateWorkload } from './workload-validation.ts';

const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation';

/** A counter that apps/v1 has no field for any more: it goes on as an annotation, which clients cannot set. */
function writeTemplateGeneration({ metadata }: DaemonSet, generation: number): void {
  if (generation === 0) return;
  (metadata as { annotations?: Record<string, string> }).annotations = {
    ...metadata.annotations,
    [TEMPLATE_GENERATION]: String(generation),
  };
}

export const DAEMON_SET: ResourceDefinition = defineResource<DaemonSet>({
  group: 'apps',
  version: 'v1',
  isNamespaced: true,
  categories: ['all'],
  hasStatus: true,
  hasGeneration: true,
  kind: 'DaemonSet',
  plural: 'daemonsets',
  shortNames: ['ds'],
  strategy: {
    setDefaults(set) {
      const spec = specOf(set);
      defaults(spec, { revisionHistoryLimit: 10 });
      if (!isRecord(spec['updateStrategy'])) spec['updateStrategy'] = {};
      const strategy = spec['updateStrategy'] as Json;
      defaults(strategy, { type: 'RollingUpdate' });
      if (strategy['type'] === 'RollingUpdate') {
        if (!isRecord(strategy['rollingUpdate'])) strategy['rollingUpdate'] = {};
        defaults(strategy['rollingUpdate'] as Json, { maxUnavailable: 1 });
      }
      spec['template'] ??= {};
      defaultPodTemplate(spec['template']);
    },
    prepareForCreate(set) {
      Object.assign(set, { status: { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 } });
      writeTemplateGeneration(set, 1);
    },
    prepareForUpdate(next, current) {
      const before = Number(current.metadata.annotations?.[TEMPLATE_GENERATION] ?? 0);
      writeTemplateGeneration(next, isDeepEqual(next.spec?.template, current.spec?.template) ? before : before + 1);
    },
    validate: (set) => validateWorkload(set, { needsAlwaysRestart: true, kindOfSelector: 'set' }),
    validateUpdate: (next, current) => [
      ...validateWorkload(next, { needsAlwaysRestart: true, kindOfSelector: 'set' }),
      ...immutableSelector(next, current),
    ],
  },
  table: {
    columns: [
      NAME_COLUMN,
      countColumn(
        'Desired',
        'The total number of nodes that should be running the daemon pod (including nodes correctly running the daemon pod).',
      ),
      countColumn('Current', 'The number of nodes that are running at least 1 daemon pod and are supposed to run the daemon pod.'),
      countColumn(
        'Ready',
        'The number of nodes that should be running the daemon pod and have one or more of the daemon pod running and ready.',
      ),
      countColumn('Up-to-date', 'The total number of nodes that are running updated daemon pod'),
      countColumn(
        'Available',
        'The number of nodes that should be running the daemon pod and have one or more of the daemon pod running and available.',
      ),
      { name: 'Node Selector', type: 'string', description: 'A selector which must be true for the pod to fit on a node.' },
      AGE_COLUMN,
      ...WORKLOAD_COLUMNS,
    ],
    cells: ({ metadata, spec, status }, nowMs) => [
      metadata.name,
      status?.desiredNumberScheduled ?? 0,
      status?.currentNumberScheduled ?? 0,
      status?.numberReady ?? 0,
      status?.updatedNumberScheduled ?? 0,
      status?.numberAvailable ?? 0,
      formatNodeSelector(spec?.template.spec?.nodeSelector),
      ageOf(metadata.creationTimestamp, nowMs),
      ...templateCells(spec?.template),
      selectorCell(spec?.selector),
    ],
  },
});

function formatNodeSelector(selector: Readonly<Record<string, string>> | undefined): string {
  const entries = Object.entries(selector ?? {});
  return entries.length === 0 ? '<none>' : entries.map(([key, value]) => `${key}=${value}`).join(',');
}
