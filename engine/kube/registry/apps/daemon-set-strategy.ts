// What happens to daemon sets on their way into the store (pkg/registry/apps/daemonset).

import { isDeepEqual, isRecord } from '../../machinery/deep.ts';
import { FieldError } from '../../machinery/field-errors.ts';
import type { DaemonSet } from '../../machinery/types.ts';
import { amountOf, countOrPercent, labelSelector, nonNegative, notMoreThanAll, record, selectorOf, text } from '../checks.ts';
import { defaultPodTemplate } from '../core/pod-defaults.ts';
import { dropDisabledTemplateFields } from '../core/pod-fields.ts';
import { validatePodTemplate, validateSharedDisks } from '../core/pod-spec-validation.ts';
import type { Json, Strategy } from '../definition.ts';
import { specOf } from '../object-access.ts';
import * as workload from './workload-validation.ts';

const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation';

export const DAEMON_SET_STRATEGY: Strategy<DaemonSet> = {
  setDefaults: (set) => setDefaults(specOf(set)),
  prepareForCreate(set) {
    Object.assign(set, { status: { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 } });
    writeTemplateGeneration(set, 1);
    dropDisabledTemplateFields(workload.templateOf(set), undefined);
  },
  validate(set) {
    const errors: FieldError[] = [];
    validateSpec(errors, specOf(set));
    return errors;
  },
  prepareForUpdate(next, current) {
    dropDisabledTemplateFields(workload.templateOf(next), workload.templateOf(current));
    const before = Number(current.metadata.annotations?.[TEMPLATE_GENERATION] ?? 0);
    writeTemplateGeneration(next, isDeepEqual(next.spec?.template, current.spec?.template) ? before : before + 1);
  },
  // Upstream looks at the whole of it twice.
  validateUpdate(next, current, meta) {
    const faults: FieldError[] = [];
    validateSpec(faults, specOf(next));
    return [...meta.object, ...faults, ...meta.update, ...faults, ...workload.immutableSelector(next, current)];
  },
  validateStatusUpdate(next, current, meta) {
    const errors = [...meta.update];
    const status = workload.statusOf(next);
    workload.statusCounts(errors, status, COUNTS, []);
    workload.collisionsOnlyGrow(errors, status, workload.statusOf(current));
    return errors;
  },
};

const COUNTS = [
  'currentNumberScheduled',
  'numberMisscheduled',
  'desiredNumberScheduled',
  'numberReady',
  'observedGeneration',
  'updatedNumberScheduled',
  'numberAvailable',
  'numberUnavailable',
  'collisionCount',
];

/** A counter that apps/v1 has no field for any more: it goes on as an annotation, which clients cannot set. */
function writeTemplateGeneration({ metadata }: DaemonSet, generation: number): void {
  if (generation === 0) return;
  (metadata as { annotations?: Record<string, string> }).annotations = {
    ...metadata.annotations,
    [TEMPLATE_GENERATION]: String(generation),
  };
}

function setDefaults(spec: Json): void {
  spec['revisionHistoryLimit'] ??= 10;
  if (!isRecord(spec['updateStrategy'])) spec['updateStrategy'] = {};
  const strategy = spec['updateStrategy'] as Json;
  if (text(strategy['type']) === '') strategy['type'] = 'RollingUpdate';
  if (strategy['type'] === 'RollingUpdate') {
    if (!isRecord(strategy['rollingUpdate'])) strategy['rollingUpdate'] = {};
    (strategy['rollingUpdate'] as Json)['maxUnavailable'] ??= 1;
  }
  spec['template'] ??= {};
  defaultPodTemplate(spec['template']);
}

function validateSpec(errors: FieldError[], spec: Json): void {
  labelSelector(errors, 'spec.selector', spec['selector']);
  const template = record(spec['template']);
  const selector = selectorOf(spec['selector']);
  if (selector !== undefined) workload.templateLabelsMatch(errors, selector, template, 'spec.template');
  workload.emptySelector(errors, spec['selector'], 'daemonset');
  validatePodTemplate(errors, template, 'spec.template');
  const pod = record(template?.['spec']);
  // They run on several machines.
  validateSharedDisks(errors, pod?.['volumes'], 'spec.template.spec.volumes');
  workload.runsForever(errors, pod, 'spec.template', 'DaemonSet');
  nonNegative(errors, 'spec.minReadySeconds', spec['minReadySeconds']);
  validateStrategy(errors, record(spec['updateStrategy']) ?? {}, 'spec.updateStrategy');
  nonNegative(errors, 'spec.revisionHistoryLimit', spec['revisionHistoryLimit']);
}

function validateStrategy(errors: FieldError[], strategy: Json, path: string): void {
  if (strategy['type'] === 'OnDelete') return;
  if (strategy['type'] !== 'RollingUpdate') {
    errors.push(FieldError.notSupportedOf(path, 'apps.DaemonSetUpdateStrategy', strategy, ['RollingUpdate', 'OnDelete']));
    return;
  }
  const rolling = record(strategy['rollingUpdate']);
  if (rolling === undefined) {
    errors.push(FieldError.required(`${path}.rollingUpdate`, ''));
    return;
  }
  const { maxUnavailable } = rolling;
  const at = `${path}.rollingUpdate.maxUnavailable`;
  countOrPercent(errors, at, maxUnavailable);
  if (amountOf(maxUnavailable) === 0) errors.push(FieldError.invalidOf(at, 'intstr.IntOrString', maxUnavailable ?? 0, 'cannot be 0'));
  notMoreThanAll(errors, at, maxUnavailable);
}
