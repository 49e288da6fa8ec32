// What the Endpoints and EndpointSlice controllers have in common: which pods stand behind a service, on which ports.

import type { Pod, Service } from '../machinery/types.ts';
import { isPodReady } from './objects.ts';

type ServicePort = NonNullable<NonNullable<Service['spec']>['ports']>[number];

/** Whether a pod that is not ready is listed at all: one that will not run again is not. */
export function staysListed(pod: Pod): boolean {
  const phase = pod.status?.phase;
  switch (pod.spec?.restartPolicy) {
    case 'Never':
      return phase !== 'Failed' && phase !== 'Succeeded';
    case 'OnFailure':
      return phase !== 'Succeeded';
    default:
      return true;
  }
}

export function publishesNotReady(service: Service): boolean {
  return (
    service.spec?.publishNotReadyAddresses === true ||
    service.metadata.annotations?.['service.alpha.kubernetes.io/tolerate-unready-endpoints'] === 'true'
  );
}

/** Ready for traffic; `undefined` when the pod does not belong into the list. */
export function endpointReadiness(service: Service, pod: Pod): boolean | undefined {
  const podIp = pod.status?.podIP ?? '';
  if (podIp === '') return undefined;
  const toleratesUnready = publishesNotReady(service);
  if (!toleratesUnready && pod.metadata.deletionTimestamp !== undefined) return undefined;
  if (toleratesUnready || isPodReady(pod)) return true;
  return staysListed(pod) ? false : undefined;
}

/** The container port a service port means for this pod: a number, or the port of that name and protocol. */
export function targetPort(pod: Pod, port: ServicePort): number | undefined {
  const target = port.targetPort ?? port.port;
  if (typeof target === 'number') return target === 0 ? port.port : target;
  for (const container of pod.spec?.containers ?? []) {
    for (const candidate of container.ports ?? []) {
      if (candidate.name === target && (candidate.protocol ?? 'TCP') === (port.protocol ?? 'TCP')) return candidate.containerPort;
    }
  }
  return undefined;
}

/** Only these changes of a pod can change what is listed. */
export function endpointFactsChanged(old: Pod, pod: Pod): boolean {
  return (
    old.status?.podIP !== pod.status?.podIP ||
    old.status?.phase !== pod.status?.phase ||
    isPodReady(old) !== isPodReady(pod) ||
    (old.metadata.deletionTimestamp === undefined) !== (pod.metadata.deletionTimestamp === undefined) ||
    old.spec?.nodeName !== pod.spec?.nodeName ||
    old.spec?.hostname !== pod.spec?.hostname
  );
}

export function hostnameFor(service: Service, pod: Pod): string | undefined {
  const { hostname, subdomain } = pod.spec ?? {};
  return hostname !== undefined && hostname !== '' && subdomain === service.metadata.name ? hostname : undefined;
}
