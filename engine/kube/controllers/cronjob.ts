// Models the CronJob controller of v1.20: every ten seconds it looks which schedules have come due.

import type { CronJob, Job } from '../machinery/kinds.ts';
import { isAlreadyExists, isNotFound } from '../machinery/api-error.ts';
import { isDeepEqual } from '../machinery/deep.ts';
import { CRON_JOB, JOB } from '../machinery/resources.ts';
import { rfc3339 } from '../machinery/time.ts';
import { every, inBackground, messageOf, millisOf, type ControllerContext } from './controller.ts';
import { nextTime, parseSchedule } from './cron-schedule.ts';
import { controllerOf, ownerReference } from './objects.ts';

const PERIOD_MS = 10_000;
/** More missed times than this are a sign of clocks gone wrong. */
const MOST_MISSED = 100;

export function startCronJob(context: ControllerContext): void {
  const crons = context.informers.for<CronJob>(CRON_JOB);
  const jobs = context.informers.for<Job>(JOB);
  const events = context.recorder('cronjob-controller');

  const removeJob = async (cron: CronJob, job: Job): Promise<void> => {
    try {
      await context.client.delete(JOB, job.metadata.name, job.metadata.namespace, { propagationPolicy: 'Background' });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    events.event(cron, 'Normal', 'SuccessfulDelete', `Deleted job ${job.metadata.name}`);
  };
  const finishedAs = (job: Job, type: string): boolean =>
    (job.status?.conditions ?? []).some((condition) => condition.type === type && condition.status === 'True');

  const sync = async (cron: CronJob): Promise<void> => {
    const nowMs = context.clock.now();
    const own = jobs.lister.list(cron.metadata.namespace).filter((job) => controllerOf(job)?.uid === cron.metadata.uid);
    const active = own.filter((job) => !finishedAs(job, 'Complete') && !finishedAs(job, 'Failed'));
    for (const [type, limit] of [
      ['Complete', cron.spec?.successfulJobsHistoryLimit ?? 3],
      ['Failed', cron.spec?.failedJobsHistoryLimit ?? 1],
    ] as const) {
      const done = own
        .filter((job) => finishedAs(job, type))
        .sort((a, b) => a.metadata.creationTimestamp.localeCompare(b.metadata.creationTimestamp));
      for (const job of done.slice(0, Math.max(0, done.length - limit))) await removeJob(cron, job);
    }
    for (const reference of cron.status?.active ?? []) {
      const job = own.find((candidate) => candidate.metadata.uid === reference.uid);
      if (job !== undefined && !active.includes(job)) {
        const status = finishedAs(job, 'Complete') ? 'Complete' : 'Failed';
        events.event(cron, 'Normal', 'SawCompletedJob', `Saw completed job: ${job.metadata.name}, status: ${status}`);
      }
    }
    let running = active;
    let lastMs: number | undefined;
    const dueMs = cron.spec?.suspend === true || cron.metadata.deletionTimestamp !== undefined ? undefined : due(cron, nowMs);
    if (dueMs !== undefined && !(cron.spec?.concurrencyPolicy === 'Forbid' && active.length > 0)) {
      if (cron.spec?.concurrencyPolicy === 'Replace') {
        for (const job of active) await removeJob(cron, job);
        running = [];
      }
      const created = await createJob(cron, dueMs);
      if (created !== undefined) running = [...running, created];
      lastMs = dueMs;
    }
    const status: NonNullable<CronJob['status']> = {
      ...cron.status,
      ...(lastMs === undefined ? {} : { lastScheduleTime: rfc3339(lastMs) }),
      active: running.map((job) => ({
        apiVersion: 'batch/v1',
        kind: 'Job',
        namespace: job.metadata.namespace ?? '',
        name: job.metadata.name,
        uid: job.metadata.uid,
        resourceVersion: job.metadata.resourceVersion,
      })),
    };
    const uids = (of: CronJob['status']): readonly unknown[] => [of?.lastScheduleTime, (of?.active ?? []).map((job) => job.uid)];
    if (!isDeepEqual(uids(status), uids(cron.status))) await context.client.updateStatus<CronJob>(CRON_JOB, { ...cron, status });
  };

  /** The latest time that is due and has not been served, if it is not too late for it. */
  const due = (cron: CronJob, nowMs: number): number | undefined => {
    const schedule = parseSchedule(cron.spec?.schedule ?? '');
    if (schedule === undefined) {
      events.event(cron, 'Warning', 'UnparseableSchedule', `unparseable schedule: ${JSON.stringify(cron.spec?.schedule ?? '')}`);
      return undefined;
    }
    let afterMs = millisOf((cron.status?.lastScheduleTime as string | undefined) ?? cron.metadata.creationTimestamp);
    const deadlineS = cron.spec?.startingDeadlineSeconds;
    if (deadlineS !== undefined) afterMs = Math.max(afterMs, nowMs - deadlineS * 1000);
    let latest: number | undefined;
    let missed = 0;
    for (let at = nextTime(schedule, afterMs); at !== undefined && at <= nowMs; at = nextTime(schedule, at)) {
      latest = at;
      if (++missed > MOST_MISSED) {
        events.event(
          cron,
          'Warning',
          'FailedNeedsStart',
          'Cannot determine if job needs to be started: too many missed start time (> 100). Set or decrease .spec.startingDeadlineSeconds or check clock skew',
        );
        return undefined;
      }
    }
    return latest;
  };

  const createJob = async (cron: CronJob, scheduledMs: number): Promise<Job | undefined> => {
    const template = cron.spec!.jobTemplate;
    const name = `${cron.metadata.name}-${Math.floor(scheduledMs / 1000)}`;
    try {
      const created = await context.client.create<Job>(JOB, {
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: {
          name,
          namespace: cron.metadata.namespace ?? '',
          ...(template.metadata?.labels === undefined ? {} : { labels: template.metadata.labels }),
          ...(template.metadata?.annotations === undefined ? {} : { annotations: template.metadata.annotations }),
          ownerReferences: [ownerReference(cron, CRON_JOB)],
        },
        ...(template.spec === undefined ? {} : { spec: template.spec }),
      });
      events.event(cron, 'Normal', 'SuccessfulCreate', `Created job ${name}`);
      return created;
    } catch (error) {
      if (isAlreadyExists(error)) return undefined;
      events.event(cron, 'Warning', 'FailedCreate', `Error creating job: ${messageOf(error)}`);
      throw error;
    }
  };

  inBackground(context, 'cronjob controller', async () => {
    await Promise.all([crons.synced, jobs.synced]);
    every(context, 'cronjob controller', PERIOD_MS, async () => {
      for (const cron of crons.lister.list()) await sync(cron);
    });
  });
}
