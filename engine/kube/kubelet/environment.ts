// Models makeEnvironmentVariables: service links, envFrom, values from elsewhere, $(VAR) expansion.

import type { ConfigMap, Container, Pod, Secret, Service } from '../machinery/types.ts';
import { isStatic } from './static-pods.ts';
import { fromBase64, text } from '../../sim/bytes.ts';

export interface EnvironmentSources {
  readonly services: readonly Service[];
  /** The API server's services have been listed once. */
  readonly areServicesKnown: boolean;
  /** Throw ApiError (NotFound) when there is none. */
  readonly configMap: (namespace: string, name: string) => Promise<ConfigMap>;
  readonly secret: (namespace: string, name: string) => Promise<Secret>;
  readonly podAddress: string | undefined;
  readonly hostAddress: string;
  readonly isNotFound: (error: unknown) => boolean;
  readonly node: { readonly cpuMilli: number; readonly memoryBytes: number };
}

/** What keeps a container from being configured: CreateContainerConfigError with this message. */
export class ContainerConfigError extends Error {
  override readonly name = 'ContainerConfigError';
}

const MASTER_SERVICES = ['kubernetes'];

export async function environmentOf(
  pod: Pod,
  container: Container,
  sources: EnvironmentSources,
): Promise<readonly { readonly name: string; readonly value: string }[]> {
  // A static pod may be what the API server itself runs in: it cannot wait.
  if (!sources.areServicesKnown && !isStatic(pod))
    throw new ContainerConfigError('services have not yet been read at least once, cannot construct envs');
  const namespace = pod.metadata.namespace ?? 'default';
  const result = new Map<string, string>();
  const serviceEnv = serviceVariables(sources.services, namespace, pod.spec!.enableServiceLinks !== false);
  for (const from of container.envFrom ?? []) {
    const reference = from.configMapRef ?? from.secretRef;
    if (reference === undefined) continue;
    const kind = from.configMapRef === undefined ? 'secret' : 'configmap';
    try {
      const data =
        kind === 'configmap'
          ? ((await sources.configMap(namespace, reference.name ?? '')).data ?? {})
          : decoded(await sources.secret(namespace, reference.name ?? ''));
      for (const [key, value] of Object.entries(data))
        if (/^[-._a-zA-Z][-._a-zA-Z0-9]*$/.test(key)) result.set(`${from.prefix ?? ''}${key}`, value);
    } catch (error) {
      if (!sources.isNotFound(error)) throw error;
      if (reference.optional !== true) throw new ContainerConfigError(`${kind} "${reference.name ?? ''}" not found`);
    }
  }
  const expanded = new Map<string, string>();
  for (const variable of container.env ?? []) {
    let value: string | undefined;
    if (variable.value !== undefined && variable.value !== '')
      value = expand(variable.value, (name) => expanded.get(name) ?? result.get(name) ?? serviceEnv.get(name));
    else if (variable.valueFrom !== undefined) value = await valueFrom(pod, container, variable.valueFrom, sources);
    else value = '';
    if (value === undefined) continue;
    expanded.set(variable.name, value);
    result.set(variable.name, value);
  }
  for (const [name, value] of serviceEnv) if (!result.has(name)) result.set(name, value);
  return [...result].map(([name, value]) => ({ name, value }));
}

/** `$(NAME)`, with `$$` for a dollar; unknown names stay as they are. */
export function expand(input: string, value: (name: string) => string | undefined): string {
  return input.replace(/\$\$|\$\(([^()]*)\)/g, (whole, name: string | undefined) => {
    if (name === undefined) return '$';
    return value(name) ?? whole;
  });
}

function serviceVariables(services: readonly Service[], namespace: string, withLinks: boolean): ReadonlyMap<string, string> {
  const variables = new Map<string, string>();
  const chosen = services
    .filter((service) => {
      const address = service.spec?.clusterIP;
      if (address === undefined || address === '' || address === 'None') return false;
      if (service.metadata.namespace === 'default' && MASTER_SERVICES.includes(service.metadata.name)) return true;
      return withLinks && service.metadata.namespace === namespace;
    })
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  for (const service of chosen) {
    const prefix = service.metadata.name.toUpperCase().replaceAll('-', '_');
    const address = service.spec!.clusterIP!;
    const ports = service.spec!.ports ?? [];
    variables.set(`${prefix}_SERVICE_HOST`, address);
    variables.set(`${prefix}_SERVICE_PORT`, String(ports[0]?.port ?? ''));
    for (const port of ports)
      if (port.name !== undefined && port.name !== '')
        variables.set(`${prefix}_SERVICE_PORT_${port.name.toUpperCase().replaceAll('-', '_')}`, String(port.port));
    const [first] = ports;
    if (first !== undefined) variables.set(`${prefix}_PORT`, `${(first.protocol ?? 'TCP').toLowerCase()}://${address}:${first.port}`);
    for (const port of ports) {
      const protocol = port.protocol ?? 'TCP';
      const name = `${prefix}_PORT_${port.port}_${protocol}`;
      variables.set(name, `${protocol.toLowerCase()}://${address}:${port.port}`);
      variables.set(`${name}_PROTO`, protocol.toLowerCase());
      variables.set(`${name}_PORT`, String(port.port));
      variables.set(`${name}_ADDR`, address);
    }
  }
  return variables;
}

type ValueSource = NonNullable<NonNullable<Container['env']>[number]['valueFrom']>;

async function valueFrom(pod: Pod, container: Container, source: ValueSource, sources: EnvironmentSources): Promise<string | undefined> {
  const namespace = pod.metadata.namespace ?? 'default';
  if (source.fieldRef !== undefined) return fieldValue(pod, source.fieldRef.fieldPath, sources);
  if (source.resourceFieldRef !== undefined) return resourceValue(pod, container, source.resourceFieldRef, sources);
  const reference = source.configMapKeyRef ?? source.secretKeyRef;
  if (reference === undefined) return '';
  const kind = source.configMapKeyRef === undefined ? 'secret' : 'configmap';
  const name = reference.name ?? '';
  try {
    const data =
      kind === 'configmap' ? ((await sources.configMap(namespace, name)).data ?? {}) : decoded(await sources.secret(namespace, name));
    const value = data[reference.key];
    if (value !== undefined) return value;
    if (reference.optional === true) return undefined;
    throw new ContainerConfigError(
      `couldn't find key ${reference.key} in ${kind === 'configmap' ? 'ConfigMap' : 'Secret'} ${namespace}/${name}`,
    );
  } catch (error) {
    if (!sources.isNotFound(error)) throw error;
    if (reference.optional === true) return undefined;
    throw new ContainerConfigError(`${kind} "${name}" not found`);
  }
}

export function decoded(secret: Secret): Record<string, string> {
  return Object.fromEntries(Object.entries(secret.data ?? {}).map(([key, value]) => [key, text(fromBase64(value))]));
}

export function fieldValue(pod: Pod, path: string, sources: Pick<EnvironmentSources, 'podAddress' | 'hostAddress'>): string {
  const subscript = /^metadata\.(labels|annotations)\['([^']+)'\]$/.exec(path);
  if (subscript !== null) return pod.metadata[subscript[1] as 'labels' | 'annotations']?.[subscript[2]!] ?? '';
  switch (path) {
    case 'metadata.name':
      return pod.metadata.name;
    case 'metadata.namespace':
      return pod.metadata.namespace ?? '';
    case 'metadata.uid':
      return pod.metadata.uid;
    case 'metadata.labels':
    case 'metadata.annotations': {
      const map = path === 'metadata.labels' ? pod.metadata.labels : pod.metadata.annotations;
      return Object.keys(map ?? {})
        .sort()
        .map((key) => `${key}=${JSON.stringify(map![key])}`)
        .join('\n');
    }
    case 'spec.nodeName':
      return pod.spec!.nodeName ?? '';
    case 'spec.serviceAccountName':
      return pod.spec!.serviceAccountName ?? '';
    case 'status.hostIP':
      return sources.hostAddress;
    case 'status.podIP':
    case 'status.podIPs':
      return sources.podAddress ?? '';
    default:
      throw new ContainerConfigError(`unsupported fieldPath: ${path}`);
  }
}

interface ResourceRef {
  readonly containerName?: string;
  readonly resource: string;
  readonly divisor?: string | number;
}

export function resourceValue(
  pod: Pod,
  container: Container | undefined,
  reference: ResourceRef,
  sources: Pick<EnvironmentSources, 'node'>,
): string {
  const of =
    reference.containerName === undefined
      ? container
      : pod.spec!.containers.find((candidate) => candidate.name === reference.containerName);
  const [kind = '', name = ''] = reference.resource.split('.');
  const list = (kind === 'limits' ? of?.resources?.limits : of?.resources?.requests) as Record<string, string | number> | undefined;
  const given = list?.[name];
  const otherwise = kind === 'limits' ? (name === 'cpu' ? sources.node.cpuMilli / 1000 : sources.node.memoryBytes) : 0;
  const amount = given === undefined ? otherwise : quantity(given);
  const divisor = reference.divisor === undefined ? 1 : quantity(reference.divisor) || 1;
  return String(Math.ceil(amount / divisor - 1e-9));
}

const SUFFIXES: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
  Ti: 1024 ** 4,
  Pi: 1024 ** 5,
};

/** The number a quantity stands for: cores or bytes. */
export function quantity(value: string | number): number {
  if (typeof value === 'number') return value;
  const match = /^([+-]?[\d.]+(?:[eE][+-]?\d+)?)([A-Za-z]*)$/.exec(value);
  return match === null ? 0 : Number(match[1]) * (SUFFIXES[match[2]!] ?? 1);
}
