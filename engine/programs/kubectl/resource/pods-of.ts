// Models polymorphichelpers: the pods behind a workload, best first, and the containers of a pod.

import type { Context } from '../context.ts';
import { CliError, throwAll } from '../errors.ts';
import { compareBytes, isObject, type JsonObject } from '../printers/json.ts';
import { at } from '../commands/common.ts';
import { objectsOf } from './infos.ts';

const POD = { group: '', version: 'v1', resource: 'pods', kind: 'Pod', isNamespaced: true, verbs: [] };

/** The pods an object selects, `best first` for a use. Pods stand for themselves. */
export async function podsOf(context: Context, object: JsonObject, use: 'logs' | 'attach'): Promise<readonly JsonObject[]> {
  if (object['kind'] === 'Pod') return [object];
  const kind = String(object['kind']);
  const selector =
    kind === 'Service' || kind === 'ReplicationController'
      ? labelSelector({ matchLabels: at(object, 'spec', 'selector') })
      : labelSelector(at(object, 'spec', 'selector'));
  if (!['Service', 'ReplicationController', 'Deployment', 'ReplicaSet', 'StatefulSet', 'DaemonSet', 'Job'].includes(kind)) {
    throw new CliError(use === 'logs' ? `cannot get the logs from *${kind}` : `cannot attach to *${kind}: not implemented`);
  }
  if (kind === 'Service' && !isObject(at(object, 'spec', 'selector')))
    throw new CliError(`invalid service '${String(at(object, 'metadata', 'name'))}': Service is defined without a selector`);
  const pods = await listPods(context, String(at(object, 'metadata', 'namespace')), selector);
  return [...pods].sort((a, b) => rank(a, b, use));
}

export async function listPods(context: Context, namespace: string, selector: string): Promise<readonly JsonObject[]> {
  const list = await context.rest.json<JsonObject>(
    'GET',
    `/api/v1/namespaces/${namespace}/pods?labelSelector=${encodeURIComponent(selector)}`,
  );
  return (Array.isArray(list['items']) ? (list['items'] as JsonObject[]) : []).map((pod) => ({ ...pod, apiVersion: 'v1', kind: POD.kind }));
}

/** The text form of a LabelSelector. */
export function labelSelector(selector: unknown): string {
  const labels = at(selector, 'matchLabels');
  const parts = isObject(labels)
    ? Object.keys(labels)
        .sort(compareBytes)
        .map((key) => `${key}=${String(labels[key])}`)
    : [];
  const expressions = at(selector, 'matchExpressions');
  for (const expression of Array.isArray(expressions) ? (expressions as JsonObject[]) : []) {
    const key = String(expression['key']);
    const values = Array.isArray(expression['values']) ? `(${[...(expression['values'] as string[])].sort().join(',')})` : '';
    if (expression['operator'] === 'In') parts.push(`${key} in ${values}`);
    else if (expression['operator'] === 'NotIn') parts.push(`${key} notin ${values}`);
    else parts.push(expression['operator'] === 'Exists' ? key : `!${key}`);
  }
  return parts.join(',');
}

const PHASES: Readonly<Record<string, number>> = { Running: 0, Unknown: 1, Pending: 2 };

/** Assigned, running, ready and long so come first; restarts decide by the use; then the oldest. */
function rank(a: JsonObject, b: JsonObject, use: 'logs' | 'attach'): number {
  const by = (value: (pod: JsonObject) => number): number => value(a) - value(b);
  const restarts = (pod: JsonObject): number => Math.max(0, ...statusesOf(pod).map((status) => Number(status['restartCount'] ?? 0)));
  return (
    by((pod) => (at(pod, 'spec', 'nodeName') === undefined ? 1 : 0)) ||
    by((pod) => PHASES[String(at(pod, 'status', 'phase'))] ?? 3) ||
    by((pod) => (readySince(pod) === undefined ? 1 : 0)) ||
    by((pod) => readySince(pod) ?? 0) ||
    by((pod) => (use === 'logs' ? -restarts(pod) : restarts(pod))) ||
    by((pod) => Date.parse(String(at(pod, 'metadata', 'creationTimestamp'))))
  );
}

function readySince(pod: JsonObject): number | undefined {
  const conditions = at(pod, 'status', 'conditions');
  const ready = (Array.isArray(conditions) ? (conditions as JsonObject[]) : []).find(
    (condition) => condition['type'] === 'Ready' && condition['status'] === 'True',
  );
  return ready === undefined ? undefined : Date.parse(String(ready['lastTransitionTime']));
}

export function statusesOf(pod: JsonObject): readonly JsonObject[] {
  const statuses = at(pod, 'status', 'containerStatuses');
  return Array.isArray(statuses) ? (statuses as JsonObject[]) : [];
}

export function containerNames(
  pod: JsonObject,
  field: 'containers' | 'initContainers' | 'ephemeralContainers' = 'containers',
): readonly string[] {
  const containers = at(pod, 'spec', field);
  return (Array.isArray(containers) ? (containers as JsonObject[]) : []).map((container) => String(container['name']));
}

/** The pod of an argument like `web`, `pod/web` or `deploy/web`. */
export async function attachablePod(context: Context, name: string): Promise<JsonObject> {
  const [type, rest] = name.includes('/') ? name.split('/') : ['pods', name];
  const { infos, errors } = await objectsOf(context, {
    args: [`${type ?? 'pods'}/${rest ?? ''}`],
    filenames: [],
    recursive: false,
    selector: '',
    all: false,
    latest: true,
  });
  throwAll(errors);
  const object = infos[0]?.object ?? {};
  const [pod] = await podsOf(context, object, 'attach');
  if (pod === undefined) throw new CliError(`error: no pods found for ${name}`);
  return pod;
}
