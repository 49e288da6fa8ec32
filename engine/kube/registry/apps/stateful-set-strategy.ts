// What happens to stateful sets on their way into the store (pkg/registry/apps/statefulset).

import { isDeepEqual, isRecord } from '../../machinery/deep.ts';
import { FieldError } from '../../machinery/field-errors.ts';
import type { KubeObject } from '../../machinery/types.ts';
import { isEmptySelector, labels, nonNegative, record, text } from '../checks.ts';
import { validatePodAnnotations } from '../core/pod-annotation-validation.ts';
import { defaultPodTemplate, roundResources } from '../core/pod-defaults.ts';
import { dropDisabledTemplateFields } from '../core/pod-fields.ts';
import type { Json, Strategy } from '../definition.ts';
import { validateAnnotations } from '../meta-validation.ts';
import { records, specOf } from '../object-access.ts';
import * as workload from './workload-validation.ts';

export const STATEFUL_SET_STRATEGY: Strategy<KubeObject> = {
  setDefaults: (set) => setDefaults(specOf(set)),
  prepareForCreate(set) {
    Object.assign(set, { status: { replicas: 0 } });
    dropDisabledTemplateFields(workload.templateOf(set), undefined);
  },
  validate(set) {
    const errors: FieldError[] = [];
    validateSpec(errors, specOf(set));
    return errors;
  },
  prepareForUpdate: (next, current) => dropDisabledTemplateFields(workload.templateOf(next), workload.templateOf(current)),
  validateUpdate(next, current, meta) {
    const errors = [...meta.object];
    validateSpec(errors, specOf(next));
    errors.push(...meta.update);
    if (!isDeepEqual(fixedFields(next), fixedFields(current))) errors.push(FieldError.forbidden('spec', ONLY_SOME_FIELDS));
    nonNegative(errors, 'spec.replicas', specOf(next)['replicas']);
    return errors;
  },
  validateStatusUpdate(next, current, meta) {
    const errors: FieldError[] = [];
    const status = workload.statusOf(next);
    workload.statusCounts(errors, status, COUNTS, ['readyReplicas', 'currentReplicas', 'updatedReplicas']);
    errors.push(...meta.update);
    workload.collisionsOnlyGrow(errors, status, workload.statusOf(current));
    return errors;
  },
};

const ONLY_SOME_FIELDS = "updates to statefulset spec for fields other than 'replicas', 'template', and 'updateStrategy' are forbidden";
const COUNTS = ['replicas', 'readyReplicas', 'currentReplicas', 'updatedReplicas', 'observedGeneration', 'collisionCount'];

function fixedFields(set: KubeObject): Json {
  const { replicas: _replicas, template: _template, updateStrategy: _updateStrategy, ...rest } = specOf(set);
  return rest;
}

function setDefaults(spec: Json): void {
  spec['replicas'] ??= 1;
  spec['revisionHistoryLimit'] ??= 10;
  if (text(spec['podManagementPolicy']) === '') spec['podManagementPolicy'] = 'OrderedReady';
  if (!isRecord(spec['updateStrategy'])) spec['updateStrategy'] = {};
  const strategy = spec['updateStrategy'] as Json;
  if (text(strategy['type']) === '') {
    strategy['type'] = 'RollingUpdate';
    strategy['rollingUpdate'] = {};
  }
  if (strategy['type'] === 'RollingUpdate' && isRecord(strategy['rollingUpdate'])) strategy['rollingUpdate']['partition'] ??= 0;
  spec['template'] ??= {};
  defaultPodTemplate(spec['template']);
  for (const claim of records(spec['volumeClaimTemplates'])) defaultClaim(claim);
}

/** Claims in the list are whole objects, with their kind and what new ones have. */
function defaultClaim(claim: Json): void {
  claim['apiVersion'] = 'v1';
  claim['kind'] = 'PersistentVolumeClaim';
  if (!isRecord(claim['spec'])) claim['spec'] = {};
  const spec = claim['spec'] as Json;
  spec['volumeMode'] ??= 'Filesystem';
  const { resources } = spec;
  if (isRecord(resources)) {
    roundResources(resources['limits']);
    roundResources(resources['requests']);
  }
  if (!isRecord(claim['status'])) claim['status'] = {};
  (claim['status'] as Json)['phase'] ??= 'Pending';
}

function validateSpec(errors: FieldError[], spec: Json): void {
  const policy = text(spec['podManagementPolicy']);
  if (policy === '') errors.push(FieldError.required('spec.podManagementPolicy', ''));
  else if (policy !== 'OrderedReady' && policy !== 'Parallel')
    errors.push(FieldError.invalid('spec.podManagementPolicy', policy, "must be 'OrderedReady' or 'Parallel'"));
  validateStrategy(errors, record(spec['updateStrategy']) ?? {}, 'spec.updateStrategy');
  nonNegative(errors, 'spec.replicas', spec['replicas']);
  workload.neededSelector(errors, spec['selector'], 'statefulset');
  const template = record(spec['template']);
  const selector = workload.usableSelector(errors, spec['selector'], '');
  if (selector !== undefined) {
    if (!isEmptySelector(spec['selector'])) workload.templateLabelsMatch(errors, selector, template, 'spec.template');
    validateTemplate(errors, template);
  }
  workload.runsForever(errors, record(template?.['spec']), 'spec.template', 'StatefulSet');
}

/** The pod's own spec is not looked at: its mounts may name volumes that only the claims will make. */
function validateTemplate(errors: FieldError[], template: Json | undefined): void {
  const metadata = record(template?.['metadata']);
  const annotations = record(metadata?.['annotations']) as Readonly<Record<string, string>> | undefined;
  labels(errors, 'spec.template.labels', metadata?.['labels']);
  errors.push(...validateAnnotations(annotations, 'spec.template.annotations'));
  validatePodAnnotations(errors, annotations, record(template?.['spec']) ?? {}, 'spec.template.annotations');
}

function validateStrategy(errors: FieldError[], strategy: Json, path: string): void {
  const rolling = record(strategy['rollingUpdate']);
  switch (strategy['type'] ?? '') {
    case '':
      errors.push(FieldError.required(path, ''));
      return;
    case 'OnDelete':
      if (rolling !== undefined) {
        const why = "only allowed for updateStrategy 'RollingUpdate'";
        errors.push(FieldError.invalidOf(`${path}.rollingUpdate`, 'apps.RollingUpdateStatefulSetStrategy', rolling, why));
      }
      return;
    case 'RollingUpdate':
      nonNegative(errors, `${path}.rollingUpdate.partition`, rolling?.['partition']);
      return;
    default:
      errors.push(FieldError.invalidOf(path, 'apps.StatefulSetUpdateStrategy', strategy, "must be 'RollingUpdate' or 'OnDelete'"));
  }
}
