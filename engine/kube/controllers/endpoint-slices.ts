// Models the EndpointSlice controller: the addresses behind a service in slices of at most 100 endpoints.

import { isNotFound } from '../machinery/api-error.ts';
import { isDeepEqual } from '../machinery/deep.ts';
import type { EndpointSlice } from '../machinery/kinds.ts';
import { ENDPOINT_SLICE, NODE, POD, SERVICE, keyOf, splitKey } from '../machinery/resources.ts';
import { selectorFromSet } from '../machinery/selectors.ts';
import type { Node, Pod, Service } from '../machinery/types.ts';
import { onEach, runWorkers, type ControllerContext } from './controller.ts';
import { ownerReference } from './objects.ts';
import { endpointFactsChanged, endpointReadiness, hostnameFor, targetPort } from './service-pods.ts';

type SlicePort = NonNullable<EndpointSlice['ports']>[number];
/** v1beta1 keeps the node's name in `topology`. */
type Endpoint = EndpointSlice['endpoints'][number] & { topology?: Record<string, string> };

const MOST_ENDPOINTS = 100;
const SERVICE_NAME = 'kubernetes.io/service-name';
const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by';
const MANAGER = 'endpointslice-controller.k8s.io';

export function startEndpointSlices(context: ControllerContext): void {
  const services = context.informers.for<Service>(SERVICE);
  const pods = context.informers.for<Pod>(POD);
  const nodes = context.informers.for<Node>(NODE);
  const slices = context.informers.for<EndpointSlice>(ENDPOINT_SLICE);
  const queue = context.queue('endpoint_slice');
  const enqueueServicesOf = (pod: Pod): void => {
    for (const service of services.lister.list(pod.metadata.namespace)) {
      const selector = selectorFromSet(service.spec?.selector);
      if (!selector.isEmpty && selector.matches(pod.metadata.labels)) queue.add(keyOf(service));
    }
  };
  onEach(services, (service) => queue.add(keyOf(service)));
  onEach(pods, (pod, old, removed) => {
    if (old === undefined || removed || endpointFactsChanged(old, pod)) enqueueServicesOf(pod);
    if (old !== undefined && !isDeepEqual(old.metadata.labels, pod.metadata.labels)) {
      enqueueServicesOf(old);
      enqueueServicesOf(pod);
    }
  });
  onEach(slices, (slice, _old, removed) => {
    const service = slice.metadata.labels?.[SERVICE_NAME];
    if (removed && service !== undefined && isOurs(slice)) queue.add(`${slice.metadata.namespace}/${service}`);
  });

  const sync = async (key: string): Promise<void> => {
    const { namespace, name } = splitKey(key);
    const existing = slices.lister.list(namespace).filter((slice) => slice.metadata.labels?.[SERVICE_NAME] === name && isOurs(slice));
    const service = services.lister.get(key);
    // Without the service the slices go by garbage collection.
    if (service === undefined || selectorFromSet(service.spec?.selector).isEmpty) return;
    const selector = selectorFromSet(service.spec?.selector);
    const members = pods.lister.list(namespace).filter((pod) => selector.matches(pod.metadata.labels));
    const wanted = slicesOf(service, members, (node) => nodes.lister.get(node));
    const labels = labelsOf(service);
    const spare = [...existing];
    for (const slice of wanted) {
      const same = spare.findIndex((candidate) => isDeepEqual(candidate.ports ?? [], slice.ports));
      const current = same < 0 ? spare.shift() : spare.splice(same, 1)[0];
      if (current === undefined) {
        await context.client.create<EndpointSlice>(ENDPOINT_SLICE, {
          apiVersion: 'discovery.k8s.io/v1beta1' as EndpointSlice['apiVersion'],
          kind: 'EndpointSlice',
          metadata: {
            generateName: `${name}-`,
            namespace: namespace ?? '',
            labels,
            ownerReferences: [ownerReference(service, SERVICE)],
          },
          addressType: 'IPv4',
          ...slice,
        });
      } else if (!isDeepEqual(comparable(current), comparable(slice)) || !isDeepEqual(current.metadata.labels, labels)) {
        await context.client.update<EndpointSlice>(ENDPOINT_SLICE, {
          ...current,
          ...slice,
          metadata: { ...current.metadata, labels },
        });
      }
    }
    for (const slice of spare) {
      try {
        await context.client.delete(ENDPOINT_SLICE, slice.metadata.name, slice.metadata.namespace);
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }
  };
  runWorkers(context, queue, { workers: 5, after: [services, pods, nodes, slices], what: 'endpoint slices' }, sync);
}

function isOurs(slice: EndpointSlice): boolean {
  return slice.metadata.labels?.[MANAGED_BY] === MANAGER;
}

function labelsOf(service: Service): Record<string, string> {
  return {
    ...service.metadata.labels,
    ...(service.spec?.clusterIP === 'None' ? { 'service.kubernetes.io/headless': '' } : {}),
    [MANAGED_BY]: MANAGER,
    [SERVICE_NAME]: service.metadata.name,
  };
}

/** At least one slice, so that a service without pods can be told from one nobody looked at. */
export function slicesOf(
  service: Service,
  pods: readonly Pod[],
  nodeOf: (name: string) => Node | undefined,
): readonly { readonly endpoints: Endpoint[]; readonly ports: SlicePort[] }[] {
  const groups = new Map<string, { ports: SlicePort[]; endpoints: Endpoint[] }>();
  for (const pod of pods) {
    const isReady = endpointReadiness(service, pod);
    if (isReady === undefined) continue;
    const ports: SlicePort[] = [];
    for (const port of service.spec?.ports ?? []) {
      const number = targetPort(pod, port);
      if (number === undefined) continue;
      ports.push({
        name: port.name ?? '',
        port: number,
        protocol: port.protocol ?? 'TCP',
        ...(port.appProtocol === undefined ? {} : { appProtocol: port.appProtocol }),
      });
    }
    const id = JSON.stringify(ports);
    const group = groups.get(id) ?? { ports, endpoints: [] };
    groups.set(id, group);
    group.endpoints.push(endpointOf(service, pod, isReady, nodeOf));
  }
  if (groups.size === 0) return [{ endpoints: [], ports: [] }];
  const out: { endpoints: Endpoint[]; ports: SlicePort[] }[] = [];
  for (const { ports, endpoints } of groups.values()) {
    for (let at = 0; at < endpoints.length; at += MOST_ENDPOINTS) out.push({ endpoints: endpoints.slice(at, at + MOST_ENDPOINTS), ports });
  }
  return out;
}

function endpointOf(service: Service, pod: Pod, isReady: boolean, nodeOf: (name: string) => Node | undefined): Endpoint {
  const hostname = hostnameFor(service, pod);
  const nodeName = pod.spec?.nodeName;
  const labels = nodeName === undefined ? undefined : nodeOf(nodeName)?.metadata.labels;
  const topology: Record<string, string> = nodeName === undefined ? {} : { 'kubernetes.io/hostname': nodeName };
  for (const key of ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region']) {
    if (labels?.[key] !== undefined) topology[key] = labels[key];
  }
  return {
    addresses: [pod.status!.podIP!],
    conditions: { ready: isReady },
    ...(hostname === undefined ? {} : { hostname }),
    targetRef: {
      kind: 'Pod',
      namespace: pod.metadata.namespace ?? '',
      name: pod.metadata.name,
      uid: pod.metadata.uid,
      resourceVersion: pod.metadata.resourceVersion,
    },
    ...(nodeName === undefined ? {} : { topology }),
  };
}

function comparable(slice: { readonly endpoints?: readonly Endpoint[] | null; readonly ports?: readonly SlicePort[] }): unknown {
  return {
    ports: slice.ports ?? [],
    endpoints: (slice.endpoints ?? [])
      .map((endpoint) => ({ ...endpoint, targetRef: { ...endpoint.targetRef, resourceVersion: undefined } }))
      .sort((a, b) => (a.addresses[0]! < b.addresses[0]! ? -1 : 1)),
  };
}
