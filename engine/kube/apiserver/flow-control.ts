// Models what the server does with flow schemas: those it needs are there, and each says whether its priority level is.
// Not modelled: the queues of priority levels; which schema a request is of is told by flow-match.ts.

import type { Clock } from '../../sim/clock.ts';
import { background } from '../../sim/background.ts';
import { ApiError, isAlreadyExists } from '../machinery/api-error.ts';
import { isSysError } from '../../sim/errno.ts';
import { EtcdError } from '../../etcd/mvcc.ts';
import { rfc3339 } from '../machinery/time.ts';
import type { ApiObject } from '../registry/definition.ts';
import { bootstrapFlowControl, MANDATORY } from './bootstrap-flow-control.ts';
import type { ResourceEndpoint, WriteContext } from './resource-endpoint.ts';
import type { ApiServer } from './server.ts';

const GROUP = 'flowcontrol.apiserver.k8s.io';
const CONSUMER = 'api-priority-and-fairness-config-consumer-v1';
/** How often the server looks whether what it cannot do without is still there. */
export const MANDATORY_EVERY_MS = 60_000;

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly message: string;
}

/** Creates what is missing: everything on a new cluster, later only what the server cannot do without. */
export async function ensureFlowControl(server: ApiServer): Promise<void> {
  const isNew = server.store(GROUP, 'prioritylevelconfigurations').get(undefined, 'exempt') === undefined;
  for (const { resource, object } of bootstrapFlowControl()) {
    const { name } = object.metadata;
    if (!isNew && !MANDATORY.includes(name)) continue;
    const endpoint = server.endpoint(GROUP, resource);
    if (endpoint.store.get(undefined, name) !== undefined) continue;
    try {
      await endpoint.create(object as unknown as ApiObject, contextOf(endpoint, 'kube-apiserver', ''));
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
  }
}

/** Keeps the conditions of flow schemas right, now and from now on. */
export async function followFlowSchemas(server: ApiServer, clock: Clock, signal: AbortSignal): Promise<void> {
  const schemas = server.store(GROUP, 'flowschemas');
  const levels = server.store(GROUP, 'prioritylevelconfigurations');
  while (!signal.aborted) {
    await Promise.all([schemas.whenReady, levels.whenReady]);
    let ended!: () => void;
    const end = new Promise<void>((resolve) => (ended = resolve));
    signal.addEventListener('abort', () => ended(), { once: true });
    const watcher = { event: () => background(sync(server, clock, signal)), end: () => ended() };
    const stops = [schemas.watch(undefined, watcher), levels.watch(undefined, watcher)];
    await sync(server, clock, signal);
    await end;
    for (const stop of stops) stop();
  }
}

async function sync(server: ApiServer, clock: Clock, signal: AbortSignal): Promise<void> {
  const endpoint = server.endpoint(GROUP, 'flowschemas');
  const levels = server.store(GROUP, 'prioritylevelconfigurations');
  for (const { object } of endpoint.store.list()) {
    if (signal.aborted) return;
    const { name } = (object['spec'] as { priorityLevelConfiguration: { name: string } }).priorityLevelConfiguration;
    const conditions = conditionsWith(object, name, levels.get(undefined, name) === undefined, rfc3339(clock.now()));
    if (conditions === undefined) continue;
    try {
      const { metadata } = object;
      const change = (current: ApiObject): ApiObject => ({ ...current, metadata: { ...current.metadata }, status: { conditions } });
      await endpoint.change(metadata.name, change, contextOf(endpoint, CONSUMER, 'status'));
    } catch (error) {
      // Gone, changed meanwhile, or etcd is away: the next event or list looks again.
      if (!(error instanceof ApiError) && !isSysError(error) && !(error instanceof EtcdError)) throw error;
    }
  }
}

/** The conditions as they should be; undefined when they are. */
function conditionsWith(schema: ApiObject, level: string, isDangling: boolean, now: string): readonly Condition[] | undefined {
  const { conditions = [] } = (schema['status'] ?? {}) as { conditions?: readonly Condition[] };
  const status = isDangling ? 'True' : 'False';
  const about = `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(level)}`;
  const message = isDangling ? `${about} but there is no such object` : `${about} and it exists`;
  const current = conditions.find((condition) => condition.type === 'Dangling');
  if (current?.status === status && current.message === message) return undefined;
  const dangling = { type: 'Dangling', status, lastTransitionTime: now, reason: isDangling ? 'NotFound' : 'Found', message };
  return [...conditions.filter((condition) => condition.type !== 'Dangling'), dangling];
}

function contextOf({ definition }: ResourceEndpoint, manager: string, subresource: string): WriteContext {
  const user = { name: 'system:apiserver', groups: ['system:masters'] };
  return { user, served: definition, namespace: '', isDryRun: false, manager, subresource };
}
