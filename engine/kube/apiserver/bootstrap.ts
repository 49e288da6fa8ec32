// What a server makes sure of when it starts and from then on: namespaces, policy, priority classes, the `kubernetes` service.

import { background } from '../../sim/background.ts';
import type { Clock } from '../../sim/clock.ts';
import { isSysError } from '../../sim/errno.ts';
import type { EtcdClient } from '../../etcd/client.ts';
import { EtcdError } from '../../etcd/mvcc.ts';
import { ApiError, isAlreadyExists, isConflict, isNotFound } from '../machinery/api-error.ts';
import { compactRegularly } from './compactor.ts';
import { isDeepEqual } from '../machinery/deep.ts';
import type { ApiObject } from '../registry/definition.ts';
import { bootstrapPolicy } from './bootstrap-policy.ts';
import { reconciled } from './policy-reconciliation.ts';
import type { Aggregator } from './aggregation/aggregator.ts';
import { ensureFlowControl, followFlowSchemas, MANDATORY_EVERY_MS } from './flow-control.ts';
import type { ApiServer } from './server.ts';
import type { WriteContext } from './resource-endpoint.ts';

const RBAC = 'rbac.authorization.k8s.io';
const RECONCILE_MS = 10_000;
const RETRY_MS = 1_000;
const NAMESPACES = ['kube-system', 'kube-public', 'kube-node-lease', 'default'];

export interface BootstrapOptions {
  readonly log: (line: string) => void;
  readonly server: ApiServer;
  readonly aggregator: Aggregator;
  readonly clock: Clock;
  readonly etcd: EtcdClient;
  readonly advertised: { readonly address: string; readonly port: number };
  /** The service's own address: the first of the range. */
  readonly serviceAddress: string;
  readonly authenticationConfig: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** Writes what is missing; resolves when the first round is through, and keeps on until the signal aborts. */
export async function bootstrap(options: BootstrapOptions): Promise<void> {
  for (;;) {
    try {
      await ensureAll(options);
      break;
    } catch (error) {
      if (options.signal.aborted) return;
      if (!isPassing(error)) throw error;
      await options.clock.sleep(RETRY_MS, options.signal);
    }
  }
  background(followFlowSchemas(options.server, options.clock, options.signal));
  background(reconcile(options));
  background(compactRegularly(options));
}

async function ensureAll(options: BootstrapOptions): Promise<void> {
  const { server } = options;
  for (const name of NAMESPACES) await ensure(server, '', 'namespaces', { kind: 'Namespace', apiVersion: 'v1', metadata: { name } });
  for (const { resource, object } of bootstrapPolicy()) await reconcilePolicy(server, resource, object);
  for (const { name, value, description } of PRIORITY_CLASSES) {
    await ensure(server, 'scheduling.k8s.io', 'priorityclasses', {
      kind: 'PriorityClass',
      apiVersion: 'scheduling.k8s.io/v1',
      metadata: { name },
      value,
      description,
    });
  }
  await ensure(server, '', 'configmaps', {
    kind: 'ConfigMap',
    apiVersion: 'v1',
    metadata: { name: 'extension-apiserver-authentication', namespace: 'kube-system' },
    data: options.authenticationConfig,
  });
  await options.aggregator.register();
  await ensureFlowControl(server);
  await ensureService(options);
}

const PRIORITY_CLASSES = [
  {
    name: 'system-node-critical',
    value: 2000001000,
    description: 'Used for system critical pods that must not be moved from their current node.',
  },
  {
    name: 'system-cluster-critical',
    value: 2000000000,
    description: 'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
  },
];

async function reconcile(options: BootstrapOptions): Promise<void> {
  const { clock, signal } = options;
  let mandatoryAtMs = clock.now() + MANDATORY_EVERY_MS;
  while (!signal.aborted) {
    try {
      await clock.sleep(RECONCILE_MS, signal);
      if (clock.now() >= mandatoryAtMs) {
        mandatoryAtMs = clock.now() + MANDATORY_EVERY_MS;
        await ensureFlowControl(options.server);
      }
      await ensureService(options);
      for (const name of NAMESPACES)
        await ensure(options.server, '', 'namespaces', { kind: 'Namespace', apiVersion: 'v1', metadata: { name } });
    } catch (error) {
      if (signal.aborted) return;
      if (!isPassing(error)) throw error;
    }
  }
}

/** etcd is away for now; the next round finds it again. */
function isPassing(error: unknown): boolean {
  return error instanceof ApiError || isSysError(error) || error instanceof EtcdError;
}

async function ensureService(options: BootstrapOptions): Promise<void> {
  const { server, advertised, serviceAddress } = options;
  await ensure(server, '', 'services', {
    kind: 'Service',
    apiVersion: 'v1',
    metadata: { name: 'kubernetes', namespace: 'default', labels: { component: 'apiserver', provider: 'kubernetes' } },
    spec: {
      type: 'ClusterIP',
      clusterIP: serviceAddress,
      // Asked for, and dropped again as long as dual stack is switched off: it shows among the managed fields.
      ipFamilyPolicy: 'SingleStack',
      sessionAffinity: 'None',
      ports: [{ name: 'https', protocol: 'TCP', port: 443, targetPort: advertised.port }],
    },
  });
  const subsets = [{ addresses: [{ ip: advertised.address }], ports: [{ name: 'https', port: advertised.port, protocol: 'TCP' }] }];
  await keep(server, '', 'endpoints', 'subsets', {
    kind: 'Endpoints',
    apiVersion: 'v1',
    metadata: { name: 'kubernetes', namespace: 'default', labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
    subsets,
  });
  await keep(server, 'discovery.k8s.io', 'endpointslices', 'endpoints', {
    kind: 'EndpointSlice',
    apiVersion: 'discovery.k8s.io/v1beta1',
    metadata: { name: 'kubernetes', namespace: 'default', labels: { 'kubernetes.io/service-name': 'kubernetes' } },
    addressType: 'IPv4',
    endpoints: [{ addresses: [advertised.address], conditions: { ready: true } }],
    ports: [{ name: 'https', port: advertised.port, protocol: 'TCP' }],
  });
}

function contextFor(server: ApiServer, group: string, resource: string, namespace: string): WriteContext {
  const { definition } = server.endpoint(group, resource);
  return {
    user: { name: 'system:apiserver', groups: ['system:masters'] },
    served: definition,
    namespace,
    isDryRun: false,
    manager: 'kube-apiserver',
    subresource: '',
  };
}

/** What was taken from the first roles and bindings comes back, unless they are marked as not to be updated; what was added stays. */
async function reconcilePolicy(server: ApiServer, resource: string, object: Given): Promise<void> {
  const { name, namespace = '' } = object.metadata as { name: string; namespace?: string };
  const context = contextFor(server, RBAC, resource, namespace);
  const endpoint = server.endpoint(RBAC, resource);
  const current = endpoint.store.get(namespace, name)?.object;
  if (current === undefined) return ensure(server, RBAC, resource, object);
  const wanted = reconciled(current, object as unknown as ApiObject);
  if (wanted === undefined) return;
  if (wanted === 'replace') {
    await endpoint.delete(name, {}, context);
    return ensure(server, RBAC, resource, object);
  }
  try {
    await endpoint.change(name, () => wanted, context);
  } catch (error) {
    // Somebody else writes it right now; the next start looks again.
    if (!isNotFound(error) && !isConflict(error)) throw error;
  }
}

type Given = Record<string, unknown> & { readonly metadata?: unknown };

/** Creates it unless it is there. */
async function ensure(server: ApiServer, group: string, resource: string, object: Given): Promise<void> {
  const { name, namespace = '' } = object.metadata as { name: string; namespace?: string };
  const endpoint = server.endpoint(group, resource);
  if (endpoint.store.get(namespace, name) !== undefined) return;
  try {
    await endpoint.create(object as unknown as ApiObject, contextFor(server, group, resource, namespace));
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}

/** What NamespaceAutoProvision does for the first object of a namespace. */
export function ensureNamespace(server: ApiServer, namespace: ApiObject): Promise<void> {
  return ensure(server, '', 'namespaces', namespace);
}

/** Creates it, or sets one field right. */
async function keep(server: ApiServer, group: string, resource: string, field: string, object: Given): Promise<void> {
  const { name, namespace = '' } = object.metadata as { name: string; namespace?: string };
  const endpoint = server.endpoint(group, resource);
  const current = endpoint.store.get(namespace, name);
  if (current === undefined) return ensure(server, group, resource, object);
  if (isDeepEqual(current.object[field], object[field])) return;
  try {
    await endpoint.change(name, (was) => ({ ...was, [field]: object[field] }), contextFor(server, group, resource, namespace));
  } catch (error) {
    if (!isNotFound(error) && !isConflict(error)) throw error;
  }
}
