// Models the Job controller of v1.20: pods until enough of them succeeded, with back-off of failures and a deadline.

import type { Job } from '../machinery/kinds.ts';
import { isNotFound } from '../machinery/api-error.ts';
import { isDeepEqual } from '../machinery/deep.ts';
import { JOB, POD, keyOf, splitKey } from '../machinery/resources.ts';
import { labelSelectorOf } from '../machinery/selectors.ts';
import { rfc3339 } from '../machinery/time.ts';
import type { Pod } from '../machinery/types.ts';
import { messageOf, millisOf, onEach, runWorkers, type ControllerContext } from './controller.ts';
import { Expectations } from './expectations.ts';
import { claim, controllerOf, isPodActive, ownerReference } from './objects.ts';
import { createPod, deletePod, podFromTemplate } from './pods.ts';

type JobStatus = NonNullable<Job['status']>;
type JobCondition = NonNullable<JobStatus['conditions']>[number];

/** Delay before a failed pod is replaced: doubling per failure. */
const FIRST_BACKOFF_MS = 10_000;
const LAST_BACKOFF_MS = 360_000;

export function startJob(context: ControllerContext): void {
  const jobs = context.informers.for<Job>(JOB);
  const pods = context.informers.for<Pod>(POD);
  const events = context.recorder('job-controller');
  const queue = context.queue('job');
  const expectations = new Expectations(context.clock);
  onEach(jobs, (job, _old, removed) => {
    if (removed) expectations.forget(keyOf(job));
    queue.add(keyOf(job));
  });
  onEach(pods, (pod, old, removed) => {
    const owner = controllerOf(pod);
    if (owner?.kind !== 'Job') return;
    const key = `${pod.metadata.namespace}/${owner.name}`;
    if (removed || pod.metadata.deletionTimestamp !== undefined) expectations.observedDeletion(key, keyOf(pod));
    else if (old === undefined) expectations.observedCreation(key);
    const hasJustFailed = pod.status?.phase === 'Failed' && old?.status?.phase !== 'Failed';
    const failures = jobs.lister.get(key)?.status?.failed ?? 0;
    if (hasJustFailed && !removed) queue.addAfter(key, Math.min(LAST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** failures));
    else queue.add(key);
  });

  const remove = async (job: Job, going: readonly Pod[]): Promise<void> => {
    const key = keyOf(job);
    expectations.expectDeletions(key, going.map(keyOf));
    for (const pod of going) {
      try {
        await deletePod(context.client, events, job, pod);
      } catch (error) {
        expectations.observedDeletion(key, keyOf(pod));
        if (!isNotFound(error)) throw error;
      }
    }
  };
  const create = async (job: Job, count: number): Promise<void> => {
    const key = keyOf(job);
    expectations.expectCreations(key, count);
    for (let i = 0; i < count; i++) {
      try {
        await createPod(context.client, events, job, podFromTemplate(job.spec!.template, job, ownerReference(job, JOB)));
      } catch (error) {
        for (let left = i; left < count; left++) expectations.observedCreation(key);
        throw error;
      }
    }
  };

  const sync = async (key: string): Promise<void> => {
    const job = jobs.lister.get(key);
    if (job?.spec === undefined) {
      expectations.forget(key);
      return;
    }
    if (isFinished(job)) return;
    const selector = labelSelectorOf(job.spec.selector);
    const owned = await claim(context.client, POD, pods.lister.list(splitKey(key).namespace), {
      owner: job,
      ownerResource: JOB,
      matches: (pod) => selector.matches(pod.metadata.labels),
      mayAdopt: () => true,
    });
    const nowMs = context.clock.now();
    const active = owned.filter(isPodActive);
    const succeeded = owned.filter((pod) => pod.status?.phase === 'Succeeded').length;
    const failed = owned.filter((pod) => pod.status?.phase === 'Failed').length;
    const startTime = String(job.status?.startTime ?? rfc3339(nowMs));
    const deadlineS = job.spec.activeDeadlineSeconds;
    if (job.status?.startTime === undefined && deadlineS !== undefined) queue.addAfter(key, deadlineS * 1000);
    const verdict = verdictOf(job, { active, succeeded, failed, owned, elapsedMs: nowMs - millisOf(startTime) });
    const status: JobStatus = { ...(job.status ?? {}), startTime };
    let activeCount = active.length;
    if (verdict !== undefined) {
      if (verdict.type === 'Failed') {
        await remove(job, active);
        activeCount = 0;
        events.event(job, 'Warning', verdict.reason!, verdict.message!);
      } else {
        status.completionTime = rfc3339(nowMs);
        events.event(job, 'Normal', 'Completed', 'Job completed');
      }
      const now = rfc3339(nowMs);
      status.conditions = [...(status.conditions ?? []), { ...verdict, lastProbeTime: now, lastTransitionTime: now }];
    } else if (expectations.met(key) && job.metadata.deletionTimestamp === undefined) {
      const wanted = wantedActive(job, active.length, succeeded);
      if (wanted < active.length) await remove(job, leastImportant(active).slice(0, active.length - wanted));
      else if (wanted > active.length) await create(job, wanted - active.length);
      activeCount = wanted;
    }
    const counted = withCounts(status, { active: activeCount, succeeded, failed });
    if (!isDeepEqual(counted, job.status ?? {})) await context.client.updateStatus<Job>(JOB, { ...job, status: counted });
  };
  runWorkers(context, queue, { workers: 5, after: [jobs, pods], what: 'job' }, async (key) => {
    try {
      await sync(key);
    } catch (error) {
      context.log('E', `Error syncing job: ${messageOf(error)}`);
      throw error;
    }
  });
}

function isFinished(job: Job): boolean {
  return (job.status?.conditions ?? []).some(
    (condition) => (condition.type === 'Complete' || condition.type === 'Failed') && condition.status === 'True',
  );
}

/** Whether the job is over by now, and how. */
export function verdictOf(
  job: Job,
  seen: {
    readonly active: readonly Pod[];
    readonly succeeded: number;
    readonly failed: number;
    readonly owned: readonly Pod[];
    readonly elapsedMs: number;
  },
): JobCondition | undefined {
  const spec = job.spec!;
  const limit = spec.backoffLimit ?? 6;
  const isOnFailure = spec.template.spec?.restartPolicy === 'OnFailure';
  const restarts = seen.owned
    .filter((pod) => pod.status?.phase === 'Running' || pod.status?.phase === 'Pending')
    .flatMap((pod) => [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])])
    .reduce((sum, status) => sum + status.restartCount, 0);
  const isPastRestarts = isOnFailure && (limit === 0 ? restarts > 0 : restarts >= limit);
  if (seen.failed > limit || isPastRestarts) {
    return { type: 'Failed', status: 'True', reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' };
  }
  if (spec.activeDeadlineSeconds !== undefined && seen.elapsedMs >= spec.activeDeadlineSeconds * 1000) {
    return { type: 'Failed', status: 'True', reason: 'DeadlineExceeded', message: 'Job was active longer than specified deadline' };
  }
  const isDone = spec.completions === undefined ? seen.succeeded > 0 && seen.active.length === 0 : seen.succeeded >= spec.completions;
  return isDone ? { type: 'Complete', status: 'True' } : undefined;
}

/** How many pods should run now. */
export function wantedActive(job: Job, active: number, succeeded: number): number {
  const parallelism = job.spec?.parallelism ?? 1;
  const completions = job.spec?.completions;
  // A work queue: after the first success nobody new starts.
  if (completions === undefined) return succeeded > 0 ? active : parallelism;
  return Math.min(parallelism, Math.max(0, completions - succeeded));
}

function leastImportant(pods: readonly Pod[]): readonly Pod[] {
  const rank = (pod: Pod): number => (pod.spec?.nodeName === undefined ? 0 : pod.status?.phase === 'Pending' ? 1 : 2);
  return [...pods].sort((a, b) => rank(a) - rank(b) || b.metadata.creationTimestamp.localeCompare(a.metadata.creationTimestamp));
}

function withCounts(
  status: JobStatus,
  counts: { readonly active: number; readonly succeeded: number; readonly failed: number },
): JobStatus {
  const { active: _active, succeeded: _succeeded, failed: _failed, ...rest } = status;
  return {
    ...rest,
    ...(counts.active === 0 ? {} : { active: counts.active }),
    ...(counts.succeeded === 0 ? {} : { succeeded: counts.succeeded }),
    ...(counts.failed === 0 ? {} : { failed: counts.failed }),
  };
}
