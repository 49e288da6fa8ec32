// What happens to replication controllers on their way into the store (pkg/registry/core/replicationcontroller).

import { FieldError } from '../../machinery/field-errors.ts';
import type { KubeObject } from '../../machinery/types.ts';
import { validateReplicaStatus } from '../apps/replica-set-strategy.ts';
import * as workload from '../apps/workload-validation.ts';
import { hasMembers, nonNegative, number, record, selectorOf } from '../checks.ts';
import type { Json, Strategy } from '../definition.ts';
import { specOf } from '../object-access.ts';
import { defaultPodTemplate } from './pod-defaults.ts';
import { dropDisabledTemplateFields } from './pod-fields.ts';
import { validatePodTemplate, validateSharedDisks } from './pod-spec-validation.ts';

export const REPLICATION_CONTROLLER_STRATEGY: Strategy<KubeObject> = {
  setDefaults(controller) {
    const spec = specOf(controller);
    const labels = record(record(record(spec['template'])?.['metadata'])?.['labels']) as Record<string, string> | undefined;
    if (labels !== undefined) {
      if (!hasMembers(spec['selector'])) spec['selector'] = { ...labels };
      if (!hasMembers(controller.metadata.labels)) controller.metadata.labels = { ...labels };
    }
    spec['replicas'] ??= 1;
    defaultPodTemplate(spec['template']);
  },
  prepareForCreate(controller) {
    Object.assign(controller, { status: { replicas: 0 } });
    dropDisabledTemplateFields(workload.templateOf(controller), undefined);
  },
  validate(controller) {
    const errors: FieldError[] = [];
    validateSpec(errors, specOf(controller));
    return errors;
  },
  prepareForUpdate: (next, current) => dropDisabledTemplateFields(workload.templateOf(next), workload.templateOf(current)),
  // Upstream looks at the whole of it twice.
  validateUpdate(next, _current, meta) {
    const faults: FieldError[] = [];
    validateSpec(faults, specOf(next));
    return [...meta.object, ...faults, ...meta.update, ...faults];
  },
  validateStatusUpdate(next, _current, meta) {
    const errors = [...meta.update];
    validateReplicaStatus(errors, workload.statusOf(next));
    return errors;
  },
  // As it was before there was a garbage collector.
  garbageCollection: 'OrphanDependents',
};

function validateSpec(errors: FieldError[], spec: Json): void {
  nonNegative(errors, 'spec.minReadySeconds', spec['minReadySeconds']);
  const hasSelector = hasMembers(spec['selector']);
  if (!hasSelector) errors.push(FieldError.required('spec.selector', ''));
  nonNegative(errors, 'spec.replicas', spec['replicas']);
  const template = record(spec['template']);
  const path = 'spec.template';
  if (template === undefined) {
    errors.push(FieldError.required(path, ''));
    return;
  }
  const selector = hasSelector ? selectorOf({ matchLabels: spec['selector'] }) : undefined;
  if (selector !== undefined) workload.templateLabelsMatch(errors, selector, template, path);
  validatePodTemplate(errors, template, path);
  const pod = record(template['spec']);
  if (number(spec['replicas']) > 1) validateSharedDisks(errors, pod?.['volumes'], `${path}.spec.volumes`);
  workload.runsForever(errors, pod, path, 'ReplicationController');
}
