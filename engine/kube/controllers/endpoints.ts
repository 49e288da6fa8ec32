// Models the Endpoints controller: the addresses behind every service with a selector.

import { md5 } from '@noble/hashes/legacy.js';
import { toHex, utf8 } from '../../sim/bytes.ts';
import { isAlreadyExists, isNotFound } from '../machinery/api-error.ts';
import { isDeepEqual } from '../machinery/deep.ts';
import { ENDPOINTS, POD, SERVICE, keyOf, splitKey } from '../machinery/resources.ts';
import { selectorFromSet } from '../machinery/selectors.ts';
import { rfc3339 } from '../machinery/time.ts';
import type { Endpoints, Pod, Service } from '../machinery/types.ts';
import { messageOf, millisOf, onEach, runWorkers, type ControllerContext } from './controller.ts';
import { endpointFactsChanged, endpointReadiness, hostnameFor, targetPort } from './service-pods.ts';

type Subset = NonNullable<Endpoints['subsets']>[number];
type Address = NonNullable<Subset['addresses']>[number];
type Port = NonNullable<Subset['ports']>[number];

const TRIGGER_TIME = 'endpoints.kubernetes.io/last-change-trigger-time';
const HEADLESS = 'service.kubernetes.io/headless';

export function startEndpoints(context: ControllerContext): void {
  const services = context.informers.for<Service>(SERVICE);
  const pods = context.informers.for<Pod>(POD);
  const endpoints = context.informers.for<Endpoints>(ENDPOINTS);
  const events = context.recorder('endpoint-controller');
  const queue = context.queue('endpoint');
  const enqueueServicesOf = (pod: Pod): void => {
    for (const service of services.lister.list(pod.metadata.namespace)) {
      const selector = selectorFromSet(service.spec?.selector);
      if (!selector.isEmpty && selector.matches(pod.metadata.labels)) queue.add(keyOf(service));
    }
  };
  onEach(services, (service) => queue.add(keyOf(service)));
  onEach(endpoints, (object, _old, removed) => {
    if (removed) queue.add(keyOf(object));
  });
  onEach(pods, (pod, old, removed) => {
    if (old === undefined || removed || endpointFactsChanged(old, pod)) enqueueServicesOf(pod);
    if (old !== undefined && !isDeepEqual(old.metadata.labels, pod.metadata.labels)) {
      enqueueServicesOf(old);
      enqueueServicesOf(pod);
    }
  });

  const sync = async (key: string): Promise<void> => {
    const { namespace, name } = splitKey(key);
    const service = services.lister.get(key);
    if (service === undefined) {
      if (endpoints.lister.get(key) !== undefined) await ignoringNotFound(context.client.delete(ENDPOINTS, name, namespace));
      return;
    }
    const selector = selectorFromSet(service.spec?.selector);
    if (selector.isEmpty) return;
    const members = pods.lister.list(namespace).filter((pod) => selector.matches(pod.metadata.labels));
    const subsets = subsetsOf(service, members);
    const current = endpoints.lister.get(key);
    const labels: Record<string, string> = { ...service.metadata.labels };
    if (service.spec?.clusterIP === 'None') labels[HEADLESS] = '';
    if (
      current !== undefined &&
      isDeepEqual(withoutVersions(current.subsets ?? []), withoutVersions(subsets)) &&
      isDeepEqual(current.metadata.labels ?? {}, labels)
    ) {
      return;
    }
    const trigger = triggerTime(service, members);
    const wanted = {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: {
        ...(current?.metadata ?? { name: service.metadata.name, namespace: service.metadata.namespace ?? '' }),
        labels,
        annotations: { ...current?.metadata.annotations, ...(trigger === undefined ? {} : { [TRIGGER_TIME]: trigger }) },
      },
      subsets: [...subsets],
    } as Endpoints;
    try {
      if (current === undefined) await context.client.create<Endpoints>(ENDPOINTS, wanted);
      else await context.client.update<Endpoints>(ENDPOINTS, wanted);
    } catch (error) {
      if (current === undefined && isAlreadyExists(error)) throw error;
      const [reason, verb] = current === undefined ? ['FailedToCreateEndpoint', 'create'] : ['FailedToUpdateEndpoint', 'update'];
      events.event(service, 'Warning', reason!, `Failed to ${verb} endpoint ${key}: ${messageOf(error)}`);
      throw error;
    }
  };
  runWorkers(context, queue, { workers: 5, after: [services, pods, endpoints], what: 'endpoints' }, sync);
}

export function subsetsOf(service: Service, pods: readonly Pod[]): readonly Subset[] {
  const groups = new Map<string, { ports: Port[]; ready: Address[]; notReady: Address[] }>();
  // Per pod the ports that exist on it; pods with the same ports share a subset.
  for (const pod of pods) {
    const isReady = endpointReadiness(service, pod);
    if (isReady === undefined) continue;
    const ports: Port[] = [];
    for (const port of service.spec?.ports ?? []) {
      const number = targetPort(pod, port);
      if (number === undefined) continue;
      ports.push({
        ...(port.name === undefined || port.name === '' ? {} : { name: port.name }),
        port: number,
        protocol: port.protocol ?? 'TCP',
        ...(port.appProtocol === undefined ? {} : { appProtocol: port.appProtocol }),
      });
    }
    const isHeadlessWithoutPorts = (service.spec?.ports ?? []).length === 0 && service.spec?.clusterIP === 'None';
    if (ports.length === 0 && !isHeadlessWithoutPorts) continue;
    ports.sort((a, b) => (hashOf(a) < hashOf(b) ? -1 : 1));
    const id = JSON.stringify(ports);
    const group = groups.get(id) ?? { ports, ready: [], notReady: [] };
    groups.set(id, group);
    (isReady ? group.ready : group.notReady).push(addressOf(service, pod));
  }
  const byAddress = (a: Address, b: Address): number => (a.ip < b.ip ? -1 : a.ip > b.ip ? 1 : 0);
  return [...groups.keys()].sort().map((id) => {
    const { ports, ready, notReady } = groups.get(id)!;
    return {
      ...(ready.length === 0 ? {} : { addresses: ready.sort(byAddress) }),
      ...(notReady.length === 0 ? {} : { notReadyAddresses: notReady.sort(byAddress) }),
      ...(ports.length === 0 ? {} : { ports }),
    };
  });
}

function addressOf(service: Service, pod: Pod): Address {
  const hostname = hostnameFor(service, pod);
  return {
    ip: pod.status!.podIP!,
    ...(hostname === undefined ? {} : { hostname }),
    ...(pod.spec?.nodeName === undefined ? {} : { nodeName: pod.spec.nodeName }),
    targetRef: {
      kind: 'Pod',
      namespace: pod.metadata.namespace ?? '',
      name: pod.metadata.name,
      uid: pod.metadata.uid,
      resourceVersion: pod.metadata.resourceVersion,
    },
  };
}

/** The order of ports is that of the hash upstream sorts by, so it looks arbitrary there and must look the same here. */
function hashOf(port: Port): string {
  const app = port.appProtocol === undefined ? '<nil>' : port.appProtocol;
  const dump = `(v1.EndpointPort){Name:(string)${port.name ?? ''} Port:(int32)${port.port} Protocol:(v1.Protocol)${port.protocol ?? ''} AppProtocol:(*string)${app}}`;
  return toHex(md5(utf8(dump)));
}

/** A pod's version changes without any change of where it is reached. */
function withoutVersions(subsets: readonly Subset[]): unknown {
  const strip = (address: Address): unknown => ({ ...address, targetRef: { ...address.targetRef, resourceVersion: undefined } });
  return subsets.map((subset) => ({
    ports: subset.ports,
    addresses: subset.addresses?.map(strip),
    notReadyAddresses: subset.notReadyAddresses?.map(strip),
  }));
}

function triggerTime(service: Service, pods: readonly Pod[]): string | undefined {
  const times = pods.map((pod) =>
    millisOf(pod.status?.conditions?.find((condition) => condition.type === 'Ready')?.lastTransitionTime as string | undefined),
  );
  const latest = Math.max(millisOf(service.metadata.creationTimestamp), ...times);
  return latest > 0 ? rfc3339(latest) : undefined;
}

async function ignoringNotFound(done: Promise<void>): Promise<void> {
  try {
    await done;
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
