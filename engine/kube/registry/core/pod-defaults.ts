// Defaults of pods and pod templates (core/v1 defaulting), and what converting a pod's spec to the internal version and back does to it.

import { isRecord } from '../../machinery/deep.ts';
import { Quantity, QuantityError } from '../../machinery/quantity.ts';
import type { Json } from '../definition.ts';
import { defaults, records } from '../object-access.ts';

/** What `template.spec` and a pod's spec have in common. */
export function defaultPodSpec(spec: Json): void {
  defaults(spec, POD_SPEC);
  if (!isRecord(spec['securityContext'])) spec['securityContext'] = {};
  // The account has an old name, which is kept in step; the new one wins.
  const account = notEmpty(spec['serviceAccountName']) ?? notEmpty(spec['serviceAccount']);
  if (account === undefined) delete spec['serviceAccount'];
  else {
    spec['serviceAccountName'] = account;
    spec['serviceAccount'] = account;
  }
  const sharesNetwork = spec['hostNetwork'] === true;
  for (const list of ['initContainers', 'containers', 'ephemeralContainers'] as const) {
    for (const container of records(spec[list])) {
      defaultContainer(container);
      if (!sharesNetwork || list === 'ephemeralContainers') continue;
      for (const port of records(container['ports'])) if ((port['hostPort'] ?? 0) === 0) port['hostPort'] = port['containerPort'];
    }
  }
  for (const volume of records(spec['volumes'])) defaultVolume(volume);
  roundResources(spec['overhead']);
}

const POD_SPEC: Json = {
  restartPolicy: 'Always',
  terminationGracePeriodSeconds: 30,
  dnsPolicy: 'ClusterFirst',
  schedulerName: 'default-scheduler',
};

function notEmpty(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A template's metadata and spec. */
export function defaultPodTemplate(template: unknown): void {
  if (!isRecord(template)) return;
  template['metadata'] ??= { creationTimestamp: null };
  dropInitAnnotations(template['metadata']);
  if (!isRecord(template['spec'])) template['spec'] = {};
  defaultPodSpec(template['spec'] as Json);
}

/** What only pods themselves get. */
export function defaultPod(pod: Json): void {
  if (!isRecord(pod['spec'])) pod['spec'] = {};
  const spec = pod['spec'] as Json;
  dropInitAnnotations(pod['metadata']);
  spec['enableServiceLinks'] ??= true;
  if (isRecord(pod['status'])) oneIp(pod['status']);
  defaultPodSpec(spec);
  // A limit without a request is a request as well.
  for (const list of ['containers', 'initContainers'] as const) {
    for (const container of records(spec[list])) {
      const resources = container['resources'] as { limits?: Record<string, string>; requests?: Record<string, string> } | undefined;
      if (resources?.limits === undefined || resources.limits === null) continue;
      resources.requests ??= {};
      for (const [name, amount] of Object.entries(resources.limits)) resources.requests[name] ??= amount;
    }
  }
}

/** The address stands there alone and in a list, which in a cluster of one family has one element. Alone is what counts. */
function oneIp(status: Json): void {
  const own = notEmpty(status['podIP']);
  const [first] = records(status['podIPs']);
  const ip = own ?? notEmpty(first?.['ip']);
  if (ip === undefined) return;
  status['podIP'] = ip;
  status['podIPs'] = [{ ip }];
}

/** Where init containers stood before they had a field. */
const INIT_ANNOTATIONS = [
  'pod.beta.kubernetes.io/init-containers',
  'pod.alpha.kubernetes.io/init-containers',
  'pod.beta.kubernetes.io/init-container-statuses',
  'pod.alpha.kubernetes.io/init-container-statuses',
];

function dropInitAnnotations(metadata: unknown): void {
  const annotations = isRecord(metadata) ? metadata['annotations'] : undefined;
  if (!isRecord(annotations)) return;
  for (const key of INIT_ANNOTATIONS) delete annotations[key];
}

const CONTAINER: Json = { terminationMessagePath: '/dev/termination-log', terminationMessagePolicy: 'File' };

function defaultContainer(container: Json): void {
  defaults(container, CONTAINER);
  if (notEmpty(container['imagePullPolicy']) === undefined)
    container['imagePullPolicy'] = isLatest(String(container['image'] ?? '')) ? 'Always' : 'IfNotPresent';
  for (const port of records(container['ports'])) if (notEmpty(port['protocol']) === undefined) port['protocol'] = 'TCP';
  for (const variable of records(container['env'])) {
    const from = variable['valueFrom'];
    if (isRecord(from)) defaultFieldRef(from);
  }
  for (const probe of ['livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
    const given = container[probe];
    if (!isRecord(given)) continue;
    for (const [field, value] of PROBE) if ((given[field] ?? 0) === 0) given[field] = value;
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

const PROBE = [
  ['timeoutSeconds', 1],
  ['periodSeconds', 10],
  ['successThreshold', 1],
  ['failureThreshold', 3],
] as const;

function defaultHandler(handler: Json): void {
  if (isRecord(handler['httpGet'])) defaults(handler['httpGet'], { path: '/', scheme: 'HTTP' });
}

function defaultFieldRef(holder: Json): void {
  const reference = holder['fieldRef'];
  if (isRecord(reference) && notEmpty(reference['apiVersion']) === undefined) reference['apiVersion'] = 'v1';
}

/** A reference to an image: the registry has a dot, a port or is localhost; names are lower case; a tag, a digest. */
const IMAGE =
  /^(?:(?:localhost|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+|[A-Za-z0-9-]+(?=:\d+\/))(?::\d+)?\/)?[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*(?::([\w][\w.-]{0,127}))?(@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9A-Fa-f]{32,})?$/;

/** What is pulled always: the tag `latest`, or neither tag nor digest. A name that cannot be read has no tag. */
function isLatest(image: string): boolean {
  const parts = IMAGE.exec(image);
  if (parts === null) return false;
  const [, tag, digest] = parts;
  return tag === 'latest' || (tag === undefined && digest === undefined);
}

const MODE = 0o644;

function defaultVolume(volume: Json): void {
  let hasSource = false;
  for (const key in volume) {
    if (key === 'name') continue;
    const source = volume[key];
    if (source === undefined || source === null) continue;
    hasSource = true;
    if (isRecord(source)) defaultVolumeSource(key, source);
  }
  if (!hasSource) volume['emptyDir'] = {};
}

const SOURCES: Readonly<Record<string, Json>> = {
  iscsi: { iscsiInterface: 'default' },
  rbd: { pool: 'rbd', user: 'admin', keyring: '/etc/ceph/keyring' },
  scaleIO: { storageMode: 'ThinProvisioned', fsType: 'xfs' },
};
/** Of pointers: an empty word is a value there. */
const POINTERS: Readonly<Record<string, Json>> = {
  azureDisk: { cachingMode: 'ReadWrite', kind: 'Shared', fsType: 'ext4', readOnly: false },
  hostPath: { type: '' },
  secret: { defaultMode: MODE },
  configMap: { defaultMode: MODE },
  downwardAPI: { defaultMode: MODE },
  projected: { defaultMode: MODE },
};

/** The source of a volume of a pod or of a persistent volume. */
export function defaultVolumeSource(name: string, source: Json): void {
  const missing = SOURCES[name];
  if (missing !== undefined) defaults(source, missing);
  const pointers = POINTERS[name];
  for (const key in pointers) source[key] ??= pointers[key];
  for (const item of records(source['items'])) defaultFieldRef(item);
  for (const part of records(source['sources'])) {
    if (isRecord(part['serviceAccountToken'])) part['serviceAccountToken']['expirationSeconds'] ??= 3600;
    if (isRecord(part['downwardAPI'])) for (const item of records(part['downwardAPI']['items'])) defaultFieldRef(item);
  }
  const template = source['volumeClaimTemplate'];
  if (name === 'ephemeral' && isRecord(template) && isRecord(template['spec'])) template['spec']['volumeMode'] ??= 'Filesystem';
}

/** Resource lists are kept in thousandths and in canonical form; what does not parse is left for the decoder to refuse. */
export function roundResources(list: unknown): void {
  if (!isRecord(list)) return;
  for (const name in list) {
    try {
      list[name] = Quantity.parse(String(list[name])).roundUpToMilli().toString();
    } catch (error) {
      if (!(error instanceof QuantityError)) throw error;
    }
  }
}
