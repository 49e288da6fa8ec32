// Models the objects that `kubectl create KIND` makes, in the order of their Go structs.

import { CliError } from '../errors.ts';
import type { Context } from '../context.ts';
import type { JsonObject } from '../printers/json.ts';

/** metadata of an object that was never stored. */
export function newMetadata(name: string, more: JsonObject = {}): JsonObject {
  return { name, creationTimestamp: null, ...more };
}

export function deployment(
  name: string,
  options: { readonly images: readonly string[]; readonly replicas: number; readonly port: number; readonly command: readonly string[] },
): JsonObject {
  const labels = { app: name };
  return {
    kind: 'Deployment',
    apiVersion: 'apps/v1',
    metadata: newMetadata(name, { labels }),
    spec: {
      replicas: options.replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { creationTimestamp: null, labels },
        spec: {
          containers: options.images.map((image) => ({
            name: containerNameOf(image),
            image,
            ...(options.command.length === 0 ? {} : { command: options.command }),
            ...(options.port < 0 ? {} : { ports: [{ containerPort: options.port }] }),
            resources: {},
          })),
        },
      },
      strategy: {},
    },
    status: {},
  };
}

/** The last part of an image's path without tag and digest, with `_` made `-`. */
function containerNameOf(image: string): string {
  const last = image.split('/').pop() ?? image;
  return last.replace(/@.*$/, '').replace(/:.*$/, '').replace(/_/g, '-');
}

export function namespace(name: string): JsonObject {
  return { kind: 'Namespace', apiVersion: 'v1', metadata: newMetadata(name), spec: {}, status: {} };
}

export function serviceAccount(name: string): JsonObject {
  return { kind: 'ServiceAccount', apiVersion: 'v1', metadata: newMetadata(name) };
}

export function job(name: string, image: string, command: readonly string[]): JsonObject {
  return {
    kind: 'Job',
    apiVersion: 'batch/v1',
    metadata: newMetadata(name),
    spec: {
      template: {
        metadata: { creationTimestamp: null },
        spec: { containers: [{ name, image, ...(command.length === 0 ? {} : { command }), resources: {} }], restartPolicy: 'Never' },
      },
    },
    status: {},
  };
}

export function cronJob(
  name: string,
  options: { readonly image: string; readonly schedule: string; readonly restart: string; readonly command: readonly string[] },
): JsonObject {
  return {
    kind: 'CronJob',
    apiVersion: 'batch/v1beta1',
    metadata: newMetadata(name),
    spec: {
      schedule: options.schedule,
      jobTemplate: {
        metadata: newMetadata(name),
        spec: {
          template: {
            metadata: { creationTimestamp: null },
            spec: {
              containers: [
                { name, image: options.image, ...(options.command.length === 0 ? {} : { command: options.command }), resources: {} },
              ],
              restartPolicy: options.restart,
            },
          },
        },
      },
    },
    status: {},
  };
}

interface ServicePort {
  readonly name: string;
  readonly protocol: 'TCP';
  readonly port: number;
  readonly targetPort: number | string;
  readonly nodePort?: number;
}

export function service(
  name: string,
  type: string,
  options: { readonly tcp: readonly string[]; readonly clusterIp?: string; readonly externalName?: string; readonly nodePort?: number },
): JsonObject {
  const labels = { app: name };
  const ports = options.tcp.map((text) => {
    const port = servicePort(text);
    return options.nodePort === undefined || options.nodePort === 0 ? port : { ...port, nodePort: options.nodePort };
  });
  return {
    kind: 'Service',
    apiVersion: 'v1',
    metadata: newMetadata(name, { labels }),
    spec: {
      ...(ports.length === 0 ? {} : { ports }),
      selector: labels,
      ...(options.clusterIp === undefined || options.clusterIp === '' ? {} : { clusterIP: options.clusterIp }),
      type,
      ...(options.externalName === undefined ? {} : { externalName: options.externalName }),
    },
    status: { loadBalancer: {} },
  };
}

/** `80`, `80:8080` or `80:http`. */
function servicePort(text: string): ServicePort {
  const [portText = '', target] = text.split(':');
  const port = parseUint(portText);
  if (port > 65535) throw new CliError(`strconv.ParseUint: parsing "${portText}": value out of range`);
  const targetPort = target === undefined || target === '' ? port : /^\d+$/.test(target) ? Number(target) : target;
  const name = target === undefined ? portText : `${portText}-${target}`;
  return { name, protocol: 'TCP', port, targetPort };
}

function parseUint(text: string): number {
  if (!/^\d+$/.test(text)) throw new CliError(`strconv.ParseUint: parsing "${text}": invalid syntax`);
  return Number(text);
}

export function quota(name: string, hard: string, scopes: string): JsonObject {
  const limits: JsonObject = {};
  for (const part of hard.split(',').filter((text) => text !== '')) {
    const [key = '', value, ...rest] = part.split('=');
    if (value === undefined || rest.length > 0) throw new CliError(`Invalid argument syntax ${part}, expected <resource>=<value>`);
    limits[key] = value;
  }
  return {
    kind: 'ResourceQuota',
    apiVersion: 'v1',
    metadata: newMetadata(name),
    spec: { ...(hard === '' ? {} : { hard: limits }), ...(scopes === '' ? {} : { scopes: scopes.split(',') }) },
    status: {},
  };
}

export function disruptionBudget(
  name: string,
  options: { readonly minAvailable: string; readonly maxUnavailable: string; readonly selector: string },
): JsonObject {
  if (options.selector === '') throw new CliError('a selector must be specified');
  if (options.minAvailable === '' && options.maxUnavailable === '')
    throw new CliError('one of min-available or max-unavailable must be specified');
  if (options.minAvailable !== '' && options.maxUnavailable !== '')
    throw new CliError('min-available and max-unavailable cannot be both specified');
  const amount = (text: string): number | string => (/^\d+$/.test(text) ? Number(text) : text);
  return {
    kind: 'PodDisruptionBudget',
    apiVersion: 'policy/v1beta1',
    metadata: newMetadata(name),
    spec: {
      ...(options.minAvailable === '' ? {} : { minAvailable: amount(options.minAvailable) }),
      selector: selectorObject(options.selector),
      ...(options.maxUnavailable === '' ? {} : { maxUnavailable: amount(options.maxUnavailable) }),
    },
    status: { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 },
  };
}

/** A LabelSelector of `a=b,c in (d,e),!f`. */
export function selectorObject(selector: string): JsonObject {
  const matchLabels: JsonObject = {};
  const matchExpressions: JsonObject[] = [];
  for (const part of selector.split(/,(?![^(]*\))/).map((text) => text.trim())) {
    const set = /^(\S+)\s+(in|notin)\s+\(([^)]*)\)$/.exec(part);
    const pair = /^([^=!]+)(==|=|!=)(.*)$/.exec(part);
    if (set !== null)
      matchExpressions.push({
        key: set[1],
        operator: set[2] === 'in' ? 'In' : 'NotIn',
        values: (set[3] ?? '').split(',').map((text) => text.trim()),
      });
    else if (pair !== null && pair[2] !== '!=') matchLabels[(pair[1] ?? '').trim()] = (pair[3] ?? '').trim();
    else if (pair !== null) matchExpressions.push({ key: (pair[1] ?? '').trim(), operator: 'NotIn', values: [(pair[3] ?? '').trim()] });
    else if (part.startsWith('!')) matchExpressions.push({ key: part.slice(1), operator: 'DoesNotExist' });
    else matchExpressions.push({ key: part, operator: 'Exists' });
  }
  return {
    ...(Object.keys(matchLabels).length === 0 ? {} : { matchLabels }),
    ...(matchExpressions.length === 0 ? {} : { matchExpressions }),
  };
}

export function priorityClass(
  name: string,
  options: { readonly value: number; readonly isDefault: boolean; readonly description: string; readonly preemption: string },
): JsonObject {
  return {
    kind: 'PriorityClass',
    apiVersion: 'scheduling.k8s.io/v1',
    metadata: newMetadata(name),
    value: options.value,
    ...(options.isDefault ? { globalDefault: true } : {}),
    ...(options.description === '' ? {} : { description: options.description }),
    preemptionPolicy: options.preemption,
  };
}

export function roleBinding(
  name: string,
  kind: 'RoleBinding' | 'ClusterRoleBinding',
  role: { readonly kind: string; readonly name: string },
  subjects: { readonly users: readonly string[]; readonly groups: readonly string[]; readonly serviceAccounts: readonly string[] },
): JsonObject {
  const list: JsonObject[] = [
    ...subjects.users.map((user) => ({ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: user })),
    ...subjects.groups.map((group) => ({ kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: group })),
    ...subjects.serviceAccounts.map((account) => {
      const [namespaceName = '', accountName, ...rest] = account.split(':');
      if (accountName === undefined || rest.length > 0 || namespaceName === '' || accountName === '')
        throw new CliError('serviceaccount must be <namespace>:<name>');
      return { kind: 'ServiceAccount', name: accountName, namespace: namespaceName };
    }),
  ];
  return {
    kind,
    apiVersion: 'rbac.authorization.k8s.io/v1',
    metadata: newMetadata(name),
    ...(list.length === 0 ? {} : { subjects: list }),
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: role.kind, name: role.name },
  };
}

const RULE = /^((?<host>[^/]*))?(?<path>\/[^=]*)?=(?<service>[^:]+):(?<port>[^,]+)(,(?<tls>tls)(=(?<secret>.*))?)?$/;

export function ingress(context: Context, name: string): JsonObject {
  const { flags } = context;
  const rules = flags.list('rule');
  const fallback = flags.string('default-backend');
  if (rules.length === 0 && fallback === '') {
    throw new CliError(
      'not enough information provided: every ingress has to either specify a default-backend (which catches all traffic) or a list of rules (which catch specific paths)',
    );
  }
  const hosts = new Map<string, JsonObject[]>();
  const tls: JsonObject[] = [];
  for (const rule of rules) {
    const groups = rule.includes('/') ? RULE.exec(rule)?.groups : undefined;
    if (groups === undefined)
      throw new CliError(`rule ${rule} is invalid and should be in format host/path=svcname:svcport[,tls[=secret]]`);
    const host = groups['host'] ?? '';
    const rawPath = groups['path'] ?? '/';
    const path = {
      path: rawPath.replace(/\*$/, ''),
      pathType: rawPath.endsWith('*') ? 'Prefix' : 'Exact',
      backend: backendOf(groups['service'] ?? '', groups['port'] ?? ''),
    };
    hosts.set(host, [...(hosts.get(host) ?? []), path]);
    if (groups['tls'] !== undefined)
      tls.push({
        ...(host === '' ? {} : { hosts: [host] }),
        ...(groups['secret'] === undefined || groups['secret'] === '' ? {} : { secretName: groups['secret'] }),
      });
  }
  const annotations: JsonObject = {};
  for (const pair of flags.list('annotation')) {
    const equals = pair.indexOf('=');
    if (equals <= 0) throw new CliError(`annotation ${pair} is invalid and should be in format key=[value]`);
    annotations[pair.slice(0, equals)] = pair.slice(equals + 1);
  }
  const [service = '', port = ''] = fallback.split(':');
  const className = flags.string('class');
  return {
    kind: 'Ingress',
    apiVersion: 'networking.k8s.io/v1',
    metadata: newMetadata(name, Object.keys(annotations).length === 0 ? {} : { annotations }),
    spec: {
      ...(className === '' ? {} : { ingressClassName: className }),
      ...(fallback === '' ? {} : { defaultBackend: backendOf(service, port) }),
      ...(tls.length === 0 ? {} : { tls }),
      ...(hosts.size === 0 ? {} : { rules: [...hosts].map(([host, paths]) => ({ ...(host === '' ? {} : { host }), http: { paths } })) }),
    },
    status: { loadBalancer: {} },
  };
}

function backendOf(service: string, port: string): JsonObject {
  return { service: { name: service, port: /^\d+$/.test(port) ? { number: Number(port) } : { name: port } } };
}
