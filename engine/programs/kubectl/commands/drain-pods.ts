// Models drain's choice of pods and their eviction.

import { ApiError, isNotFound } from '../../../kube/machinery/api-error.ts';
import type { Context } from '../context.ts';
import { Aggregate, CliError } from '../errors.ts';
import { objects, text } from '../describe/values.ts';
import { goDuration } from '../flags/duration.ts';
import { isObject, type JsonObject } from '../printers/json.ts';
import { at, type DryRun } from './common.ts';

const DAEMONSET_FATAL = 'DaemonSet-managed Pods (use --ignore-daemonsets to ignore)';
const DAEMONSET_WARNING = 'ignoring DaemonSet-managed Pods';
const STORAGE_FATAL = 'Pods with local storage (use --delete-emptydir-data to override)';
const UNMANAGED = 'Pods not managed by ReplicationController, ReplicaSet, Job, DaemonSet or StatefulSet';
const RETRY_MS = 5_000;
const POLL_MS = 1_000;

type Verdict = { readonly leaves: boolean; readonly warning?: string; readonly error?: string };

export interface Leaving {
  readonly leaving: readonly JsonObject[];
  readonly warnings: string;
  readonly errors: readonly string[];
}

export async function podsToLeave(context: Context, pods: readonly JsonObject[]): Promise<Leaving> {
  const leaving: JsonObject[] = [];
  const warnings = new Map<string, string[]>();
  const errors = new Map<string, string[]>();
  for (const pod of pods) {
    const verdict = await judge(context, pod);
    const name = `${text(at(pod, 'metadata', 'namespace'))}/${text(at(pod, 'metadata', 'name'))}`;
    if (verdict.leaves) leaving.push(pod);
    if (verdict.warning !== undefined) warnings.set(verdict.warning, [...(warnings.get(verdict.warning) ?? []), name]);
    if (verdict.error !== undefined) errors.set(verdict.error, [...(errors.get(verdict.error) ?? []), name]);
  }
  return {
    leaving,
    warnings: [...warnings]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([message, names]) => `${message}: ${names.join(', ')}`)
      .join('; '),
    errors: [...errors].map(([message, names]) => `cannot delete ${message}: ${names.join(', ')}`),
  };
}

/** kubectl's filters in their order; the last word stands. */
async function judge(context: Context, pod: JsonObject): Promise<Verdict> {
  const { flags } = context;
  const phase = text(at(pod, 'status', 'phase'));
  const isFinished = phase === 'Succeeded' || phase === 'Failed';
  const skipSeconds = flags.int('skip-wait-for-delete-timeout');
  const deleted = at(pod, 'metadata', 'deletionTimestamp');
  if (skipSeconds > 0 && typeof deleted === 'string' && context.now() - Date.parse(deleted) > skipSeconds * 1000) return { leaves: false };
  const controller = objects(at(pod, 'metadata', 'ownerReferences')).find((owner) => owner['controller'] === true);
  if (controller?.['kind'] === 'DaemonSet' && !isFinished) {
    const orphaned = await isDaemonSetGone(context, text(at(pod, 'metadata', 'namespace')), text(controller['name']));
    if (!orphaned)
      return flags.bool('ignore-daemonsets') ? { leaves: false, warning: DAEMONSET_WARNING } : { leaves: false, error: DAEMONSET_FATAL };
  }
  if (at(pod, 'metadata', 'annotations', 'kubernetes.io/config.mirror') !== undefined) return { leaves: false };
  const hasLocalStorage = objects(at(pod, 'spec', 'volumes')).some((volume) => isObject(volume['emptyDir']));
  const mayDeleteData = flags.bool('delete-emptydir-data') || flags.bool('delete-local-data');
  if (hasLocalStorage && !isFinished && !mayDeleteData) return { leaves: false, error: STORAGE_FATAL };
  if (isFinished || controller !== undefined) return { leaves: true };
  return flags.bool('force')
    ? { leaves: true, warning: `deleting ${UNMANAGED}` }
    : { leaves: false, error: `${UNMANAGED} (use --force to override)` };
}

async function isDaemonSetGone(context: Context, namespace: string, name: string): Promise<boolean> {
  try {
    await context.rest.json('GET', `/apis/apps/v1/namespaces/${namespace}/daemonsets/${name}`);
    return false;
  } catch (error) {
    if (isNotFound(error) && context.flags.bool('force')) return true;
    throw error;
  }
}

/** Evicts (or with --disable-eviction deletes) and waits until all are gone; returns the word for it. */
export async function evictPods(
  context: Context,
  node: string,
  pods: readonly JsonObject[],
  dryRun: DryRun,
): Promise<'evicted' | 'deleted'> {
  const verb = context.flags.bool('disable-eviction') ? 'deleted' : 'evicted';
  const timeoutMs = context.flags.duration('timeout');
  const untilMs = timeoutMs === 0 ? Number.POSITIVE_INFINITY : context.process.sys.clock.now() + timeoutMs;
  const outcomes = await Promise.allSettled(pods.map((pod) => removePod(context, pod, { verb, dryRun, untilMs, timeoutMs })));
  const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as Error] : []));
  const killed = failures.find((failure) => failure.name === 'ProcessExit');
  if (killed !== undefined) throw killed;
  if (failures.length === 0) return verb;
  const all = new Aggregate(failures);
  await context.err(`There are pending pods in node "${node}" when an error occurred: ${all.message}\n`);
  for (const pod of pods) if (await exists(context, pod)) await context.err(`pod/${text(at(pod, 'metadata', 'name'))}\n`);
  throw failures.length === 1 ? failures[0] : all;
}

interface Removal {
  readonly verb: 'evicted' | 'deleted';
  readonly dryRun: DryRun;
  readonly untilMs: number;
  readonly timeoutMs: number;
}

async function removePod(context: Context, pod: JsonObject, how: Removal): Promise<void> {
  const namespace = text(at(pod, 'metadata', 'namespace'));
  const name = text(at(pod, 'metadata', 'name'));
  const { clock } = context.process.sys;
  const suffix = how.dryRun === 'client' ? ' (dry run)' : how.dryRun === 'server' ? ' (server dry run)' : '';
  const label = `error when evicting pods/"${name}" -n "${namespace}"`;
  for (;;) {
    if (how.verb === 'evicted') await context.out(`evicting pod ${namespace}/${name}${suffix}\n`);
    if (how.dryRun === 'client') return;
    if (clock.now() >= how.untilMs) throw new CliError(`${label}: global timeout reached: ${goDuration(how.timeoutMs)}`);
    try {
      await requestRemoval(context, namespace, name, how);
      break;
    } catch (error) {
      if (isNotFound(error)) return;
      if (!(error instanceof ApiError)) throw error;
      if (error.status.code !== 429) throw new CliError(`${label}: ${error.message}`);
      await context.err(`${label} (will retry after 5s): ${error.message}\n`);
      await context.process.sys.sleep(RETRY_MS);
    }
  }
  if (how.dryRun === 'server') return;
  while (await exists(context, pod)) {
    if (clock.now() >= how.untilMs)
      throw new CliError(`error when waiting for pod "${name}" terminating: global timeout reached: ${goDuration(how.timeoutMs)}`);
    await context.process.sys.sleep(POLL_MS);
  }
  await context.out(`pod/${name} ${how.verb}\n`);
}

async function requestRemoval(context: Context, namespace: string, name: string, how: Removal): Promise<void> {
  const grace = context.flags.int('grace-period');
  const options = { ...(grace >= 0 ? { gracePeriodSeconds: grace } : {}), ...(how.dryRun === 'server' ? { dryRun: ['All'] } : {}) };
  const path = `/api/v1/namespaces/${namespace}/pods/${name}`;
  if (how.verb === 'deleted') await context.rest.json('DELETE', path, { body: options });
  else {
    await context.rest.json('POST', `${path}/eviction`, {
      body: {
        kind: 'Eviction',
        apiVersion: 'policy/v1beta1',
        metadata: { name, namespace, creationTimestamp: null },
        deleteOptions: options,
      },
    });
  }
}

async function exists(context: Context, pod: JsonObject): Promise<boolean> {
  try {
    const now = await context.rest.json(
      'GET',
      `/api/v1/namespaces/${text(at(pod, 'metadata', 'namespace'))}/pods/${text(at(pod, 'metadata', 'name'))}`,
    );
    return at(now, 'metadata', 'uid') === at(pod, 'metadata', 'uid');
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}
