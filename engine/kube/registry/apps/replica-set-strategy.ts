// What happens to replica sets on their way into the store (pkg/registry/apps/replicaset).

import type { FieldError } from '../../machinery/field-errors.ts';
import type { ReplicaSet } from '../../machinery/types.ts';
import { nonNegative } from '../checks.ts';
import { defaultPodTemplate } from '../core/pod-defaults.ts';
import { dropDisabledTemplateFields } from '../core/pod-fields.ts';
import type { Json, Strategy } from '../definition.ts';
import { specOf } from '../object-access.ts';
import * as workload from './workload-validation.ts';

export const REPLICA_SET_STRATEGY: Strategy<ReplicaSet> = {
  setDefaults(set) {
    const spec = specOf(set);
    spec['replicas'] ??= 1;
    spec['template'] ??= {};
    defaultPodTemplate(spec['template']);
  },
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
  // Upstream looks at the whole of it twice.
  validateUpdate(next, current, meta) {
    const faults: FieldError[] = [];
    validateSpec(faults, specOf(next));
    return [...meta.object, ...faults, ...meta.update, ...faults, ...workload.immutableSelector(next, current)];
  },
  validateStatusUpdate(next, _current, meta) {
    const errors = [...meta.update];
    validateReplicaStatus(errors, workload.statusOf(next));
    return errors;
  },
};

const COUNTS = ['replicas', 'fullyLabeledReplicas', 'readyReplicas', 'availableReplicas', 'observedGeneration'];

/** The status of replica sets and replication controllers. */
export function validateReplicaStatus(errors: FieldError[], status: Json): void {
  workload.statusCounts(errors, status, COUNTS, ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas']);
  workload.availableAmongReady(errors, status);
}

function validateSpec(errors: FieldError[], spec: Json): void {
  nonNegative(errors, 'spec.replicas', spec['replicas']);
  nonNegative(errors, 'spec.minReadySeconds', spec['minReadySeconds']);
  // It is called a deployment's here too.
  workload.neededSelector(errors, spec['selector'], 'deployment');
  const selector = workload.usableSelector(errors, spec['selector'], 'invalid label selector');
  if (selector !== undefined) workload.replicatedTemplate(errors, spec, selector, 'spec.template');
}
