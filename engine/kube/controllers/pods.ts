// Models the pod control shared by workload controllers: creating pods from a template, deleting them, and the events that tell.

import type { EventRecorder, KubeClient } from '../client/contracts.ts';
import { POD } from '../machinery/resources.ts';
import type { KubeObject, OwnerReference, Pod, PodTemplateSpec } from '../machinery/types.ts';
import { isNotFound } from '../machinery/api-error.ts';
import { messageOf } from './controller.ts';

export type NewPod = Omit<Pod, 'metadata'> & { metadata: Partial<Pod['metadata']> };

/** The pod a template asks for; the server completes it. */
export function podFromTemplate(template: PodTemplateSpec, owner: KubeObject, reference: OwnerReference): NewPod {
  const meta = template.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: `${owner.metadata.name}-`,
      ...(owner.metadata.namespace === undefined ? {} : { namespace: owner.metadata.namespace }),
      ...(meta?.labels === undefined ? {} : { labels: { ...meta.labels } }),
      ...(meta?.annotations === undefined ? {} : { annotations: { ...meta.annotations } }),
      ...(meta?.finalizers === undefined ? {} : { finalizers: [...meta.finalizers] }),
      ownerReferences: [reference],
    },
    ...(template.spec === undefined ? {} : { spec: structuredClone(template.spec) }),
  };
}

/** Creates it and says so; a failure is an event of the owner's and is thrown on. */
export async function createPod(client: KubeClient, events: EventRecorder, owner: KubeObject, pod: NewPod): Promise<Pod> {
  let created: Pod;
  try {
    created = await client.create<Pod>(POD, pod);
  } catch (error) {
    events.event(owner, 'Warning', 'FailedCreate', `Error creating: ${messageOf(error)}`);
    throw error;
  }
  events.event(owner, 'Normal', 'SuccessfulCreate', `Created pod: ${created.metadata.name}`);
  return created;
}

/** Deletes it and says so; one that is gone already is no failure. */
export async function deletePod(client: KubeClient, events: EventRecorder, owner: KubeObject, pod: Pod): Promise<void> {
  try {
    await client.delete(POD, pod.metadata.name, pod.metadata.namespace);
  } catch (error) {
    if (isNotFound(error)) throw error;
    events.event(owner, 'Warning', 'FailedDelete', `Error deleting: ${messageOf(error)}`);
    throw error;
  }
  events.event(owner, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`);
}
