// What every controller of kube-controller-manager gets to work with, and the loop that feeds it keys.

import type { Clock } from '../../sim/clock.ts';
import type { Rng } from '../../sim/rng.ts';
import { ProcessExit } from '../../sim/stream.ts';
import { isConflict } from '../machinery/api-error.ts';
import type { EventRecorder, Informer, InformerSet, KubeClient, WorkQueue } from '../client/contracts.ts';
import type { KubeObject } from '../machinery/types.ts';

export interface ControllerContext {
  readonly client: KubeClient;
  readonly informers: InformerSet;
  readonly clock: Clock;
  readonly rng: Rng;
  /** Aborts when the program ends or loses its lease. */
  readonly signal: AbortSignal;
  /** The program goes on in a saved lab: what it finds at first it has announced before. */
  readonly isResumed?: boolean;
  recorder(component: string): EventRecorder;
  queue(name: string): WorkQueue;
  /** One klog line. */
  log(severity: 'I' | 'W' | 'E', text: string): void;
}

/** A controller is a function that wires informers to queues and starts its workers; it ends with the context's signal. */
export type StartController = (context: ControllerContext) => void;

/** Works on keys until the context ends; what `sync` throws is logged and tried again with back-off. */
export function runWorkers(
  context: ControllerContext,
  queue: WorkQueue,
  options: { readonly workers: number; readonly after?: readonly Pick<Informer<KubeObject>, 'synced'>[]; readonly what: string },
  sync: (key: string) => Promise<void>,
): void {
  context.signal.addEventListener('abort', () => queue.shutDown(), { once: true });
  const work = async (): Promise<void> => {
    if (options.after !== undefined) await Promise.all(options.after.map((informer) => informer.synced));
    for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
      if (context.signal.aborted) return;
      await attempt(context, queue, options.what, key, sync);
    }
  };
  for (let i = 0; i < options.workers; i++) inBackground(context, options.what, work);
}

async function attempt(
  context: ControllerContext,
  queue: WorkQueue,
  what: string,
  key: string,
  sync: (key: string) => Promise<void>,
): Promise<void> {
  try {
    await sync(key);
    queue.forget(key);
  } catch (error) {
    if (error instanceof ProcessExit || context.signal.aborted) throw error;
    if (!isConflict(error)) context.log('E', `error syncing ${what} ${JSON.stringify(key)}: ${messageOf(error)}`);
    queue.addRateLimited(key);
  } finally {
    queue.done(key);
  }
}

/** Runs a loop that ends with the context. What it throws before that is logged: a controller that stops must be seen. */
export function inBackground(context: Pick<ControllerContext, 'signal' | 'log'>, what: string, run: () => Promise<void>): void {
  run().catch((error: unknown) => {
    if (error instanceof ProcessExit || context.signal.aborted) return;
    context.log('E', `${what} ended: ${messageOf(error)}`);
  });
}

/** Calls `step` at once and then every `periodMs`, measured from the end of the step before, until the context ends. */
export function every(context: ControllerContext, what: string, periodMs: number, step: () => Promise<void>): void {
  inBackground(context, what, async () => {
    while (!context.signal.aborted) {
      try {
        await step();
      } catch (error) {
        if (error instanceof ProcessExit || context.signal.aborted) throw error;
        context.log('E', `${what}: ${messageOf(error)}`);
      }
      await context.clock.sleep(periodMs, context.signal);
    }
  });
}

/** Calls `handle` for every object that changes, with its present and its former state. */
export function onEach<T extends KubeObject>(
  informer: Informer<T>,
  handle: (object: T, old: T | undefined, removed: boolean) => void,
): void {
  informer.onChange((change) => {
    handle(change.object, change.type === 'updated' ? change.old : undefined, change.type === 'removed');
  });
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function millisOf(time: string | undefined): number {
  return time === undefined ? 0 : Date.parse(time);
}
