// Defaults of pods and pod templates (core/v1 defaulting).

import { isRecord } from '../../machinery/deep.ts';
import { Quantity, QuantityError } from '../../machinery/quantity.ts';
import type { Json } from '../definition.ts';
import { defaults, records } from '../object-access.ts';

/** What `template.spec` and a pod's spec have in common. */
export function defaultPodSpec(spec: Json): void {
  defaults(spec, {
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
    schedulerName: 'default-scheduler',
  });
  if (!isRecord(spec['securityContext'])) spec['securityContext'] = {};
  const account = spec['serviceAccountName'] ?? spec['serviceAccount'];
  if (typeof account === 'string' && account !== '') {
    spec['serviceAccountName'] = account;
    spec['serviceAccount'] = account;
  }
  for (const container of containersOf(spec)) {
    defaultContainer(container);
    if (spec['hostNetwork'] === true) {
      for (const port of records(container['ports'])) if ((port['hostPort'] ?? 0) === 0) port['hostPort'] = port['containerPort'];
    }
  }
  for (const volume of records(spec['volumes'])) defaultVolume(volume);
  roundResources(spec['overhead']);
}

/** A template's metadata and spec. */
export function defaultPodTemplate(template: unknown): void {
  if (!isRecord(template)) return;
  template['metadata'] ??= { creationTimestamp: null };
  if (!isRecord(template['spec'])) template['spec'] = {};
  defaultPodSpec(template['spec'] as Json);
}

/** What only pods themselves get. */
export function defaultPod(pod: Json): void {
  if (!isRecord(pod['spec'])) pod['spec'] = {};
  const spec = pod['spec'] as Json;
  spec['enableServiceLinks'] ??= true;
  defaultPodSpec(spec);
  // A limit without a request is a request as well.
  for (const container of containersOf(spec)) {
    const resources = container['resources'] as { limits?: Record<string, string>; requests?: Record<string, string> } | undefined;
    if (resources?.limits === undefined || resources.limits === null) continue;
    resources.requests ??= {};
    for (const [name, amount] of Object.entries(resources.limits)) resources.requests[name] ??= amount;
  }
}

export function containersOf(spec: Json): readonly Json[] {
  return [...records(spec['initContainers']), ...records(spec['containers']), ...records(spec['ephemeralContainers'])];
}

function defaultContainer(container: Json): void {
  defaults(container, {
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: pullPolicyOf(String(container['image'] ?? '')),
  });
  for (const port of records(container['ports'])) defaults(port, { protocol: 'TCP' });
  for (const variable of records(container['env'])) {
    const from = variable['valueFrom'];
    if (isRecord(from) && isRecord(from['fieldRef'])) defaults(from['fieldRef'], { apiVersion: 'v1' });
  }
  for (const probe of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
    const given = container[probe];
    if (!isRecord(given)) continue;
    for (const [field, value] of [
      ['timeoutSeconds', 1],
      ['periodSeconds', 10],
      ['successThreshold', 1],
      ['failureThreshold', 3],
    ] as const) {
      if ((given[field] ?? 0) === 0) given[field] = value;
    }
    defaultHandler(given);
  }
  const lifecycle = container['lifecycle'];
  if (isRecord(lifecycle)) for (const hook of [lifecycle['postStart'], lifecycle['preStop']]) if (isRecord(hook)) defaultHandler(hook);
  const resources = container['resources'];
  if (isRecord(resources)) {
    roundResources(resources['limits']);
    roundResources(resources['requests']);
  }
}

function defaultHandler(handler: Json): void {
  if (isRecord(handler['httpGet'])) defaults(handler['httpGet'], { path: '/', scheme: 'HTTP' });
}

/** No tag or `latest` is pulled always. */
function pullPolicyOf(image: string): string {
  if (image.includes('@')) return 'IfNotPresent';
  const tag = /:([^/:]+)$/.exec(image)?.[1] ?? 'latest';
  return tag === 'latest' ? 'Always' : 'IfNotPresent';
}

const MODE = 0o644;

function defaultVolume(volume: Json): void {
  if (!Object.keys(volume).some((key) => key !== 'name' && volume[key] !== undefined && volume[key] !== null)) volume['emptyDir'] = {};
  for (const source of ['secret', 'configMap', 'downwardAPI', 'projected']) {
    const given = volume[source];
    if (!isRecord(given)) continue;
    given['defaultMode'] ??= MODE;
    for (const item of records(given['items'])) if (isRecord(item['fieldRef'])) defaults(item['fieldRef'], { apiVersion: 'v1' });
    for (const part of records(given['sources'])) {
      if (isRecord(part['serviceAccountToken'])) part['serviceAccountToken']['expirationSeconds'] ??= 3600;
      if (isRecord(part['downwardAPI'])) {
        for (const item of records(part['downwardAPI']['items']))
          if (isRecord(item['fieldRef'])) defaults(item['fieldRef'], { apiVersion: 'v1' });
      }
    }
  }
  const hostPath = volume['hostPath'];
  if (isRecord(hostPath)) hostPath['type'] ??= '';
}

/** Resource lists are kept in thousandths and in canonical form; what does not parse is left for the decoder to refuse. */
export function roundResources(list: unknown): void {
  if (!isRecord(list)) return;
  for (const [name, amount] of Object.entries(list)) {
    try {
      list[name] = Quantity.parse(String(amount)).roundUpToMilli().toString();
    } catch (error) {
      if (!(error instanceof QuantityError)) throw error;
    }
  }
}

/** BestEffort, Burstable or Guaranteed. */
export function qosClassOf(spec: Json): string {
  let hasRequests = false;
  let isGuaranteed = true;
  for (const container of [...records(spec['containers']), ...records(spec['initContainers'])]) {
    const { limits = {}, requests = {} } = (container['resources'] ?? {}) as {
      limits?: Record<string, string>;
      requests?: Record<string, string>;
    };
    for (const name of ['cpu', 'memory']) {
      const limit = positive(limits[name]);
      const request = positive(requests[name]);
      if (limit !== undefined || request !== undefined) hasRequests = true;
      if (limit === undefined || (request !== undefined && request.compare(limit) !== 0)) isGuaranteed = false;
    }
  }
  return !hasRequests ? 'BestEffort' : isGuaranteed ? 'Guaranteed' : 'Burstable';
}

function positive(amount: string | undefined): Quantity | undefined {
  if (amount === undefined) return undefined;
  const quantity = Quantity.parse(amount);
  return quantity.isZero ? undefined : quantity;
}
