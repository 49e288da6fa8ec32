// What happens to pods on their way into the store (pkg/registry/core/pod).

import type { Pod } from '../../machinery/types.ts';
import type { Json, Strategy } from '../definition.ts';
import { defaultPod } from './pod-defaults.ts';
import { dropDisabledFields, syncSeccomp } from './pod-fields.ts';
import { qosClassOf } from './pod-qos.ts';
import { validatePodCreate, validatePodStatusUpdate, validatePodUpdate } from './pod-validation.ts';

const specOf = (pod: Pod): Json => pod.spec as unknown as Json;

export const POD_STRATEGY: Strategy<Pod> = {
  setDefaults: (pod) => defaultPod(pod as unknown as Json),
  prepareForCreate(pod) {
    Object.assign(pod, { status: { phase: 'Pending', qosClass: qosClassOf(specOf(pod)) } });
    dropDisabledFields(specOf(pod), undefined);
    syncSeccomp(pod);
  },
  validate: validatePodCreate,
  prepareForUpdate: (next, current) => dropDisabledFields(specOf(next), specOf(current)),
  validateUpdate: validatePodUpdate,
  prepareForStatusUpdate(next, current) {
    const { metadata } = next;
    // Kubelets may not touch these two.
    delete metadata.deletionTimestamp;
    if (current.metadata.deletionTimestamp !== undefined) metadata.deletionTimestamp = current.metadata.deletionTimestamp;
    if (current.metadata.ownerReferences === undefined) delete metadata.ownerReferences;
    else metadata.ownerReferences = current.metadata.ownerReferences;
  },
  validateStatusUpdate: validatePodStatusUpdate,
  gracePeriodSeconds(pod, requested) {
    // Nothing runs: nothing to wait for.
    if ((pod.spec?.nodeName ?? '') === '' || pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded') return 0;
    return Math.max(0, requested ?? pod.spec?.terminationGracePeriodSeconds ?? 0);
  },
};
