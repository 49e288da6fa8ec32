// Models how kubectl waits for objects to go: a list, then a watch until the deletion is seen.

import { errorOf } from '../../../kube/client/rest-client.ts';
import { ApiError } from '../../../kube/machinery/api-error.ts';
import type { Status } from '../../../kube/machinery/types.ts';
import type { Context } from '../context.ts';
import { CliError, throwAll } from '../errors.ts';
import { pathOf, query } from '../factory/rest-mapper.ts';
import { linesOf } from '../factory/stream.ts';
import type { JsonObject } from '../printers/json.ts';
import type { Info } from '../resource/infos.ts';
import { at } from './common.ts';

/** Returns when all are gone (or another object has taken the name). 0 ms waits for a week, as kubectl does. */
export async function waitForDeletion(
  context: Context,
  targets: readonly { readonly info: Info; readonly uid: string }[],
  timeoutMs: number,
): Promise<void> {
  const WEEK_MS = 7 * 24 * 3_600_000;
  const untilMs = context.process.sys.clock.now() + (timeoutMs === 0 ? WEEK_MS : timeoutMs);
  const errors: Error[] = [];
  for (const { info, uid } of targets) {
    try {
      if (!(await isGone(context, info, uid, untilMs)))
        errors.push(new CliError(`timed out waiting for the condition on ${info.mapping.resource}/${info.name}`));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status.reason !== 'Forbidden' && error.status.reason !== 'MethodNotAllowed') errors.push(error);
    }
  }
  throwAll(errors);
}

async function isGone(context: Context, info: Info, uid: string, untilMs: number): Promise<boolean> {
  const path = pathOf(info.mapping, { namespace: info.namespace });
  const fieldSelector = `metadata.name=${info.name}`;
  for (;;) {
    const list = await context.rest.json<JsonObject>('GET', path + query({ fieldSelector }), { accept: 'application/json' });
    const [item] = Array.isArray(list['items']) ? (list['items'] as unknown[]) : [];
    if (item === undefined || (uid !== '' && at(item, 'metadata', 'uid') !== uid)) return true;
    const verdict = await watchUntilDeleted(
      context,
      path + query({ fieldSelector, resourceVersion: String(at(list, 'metadata', 'resourceVersion') ?? ''), watch: 'true' }),
      uid,
      untilMs,
    );
    if (verdict !== 'ended') return verdict === 'deleted';
  }
}

async function watchUntilDeleted(context: Context, target: string, uid: string, untilMs: number): Promise<'deleted' | 'timeout' | 'ended'> {
  const { clock } = context.process.sys;
  const controller = new AbortController();
  const timer = clock.setTimer(untilMs - clock.now(), () => controller.abort());
  try {
    const response = await context.rest.send({ method: 'GET', target, headers: { accept: 'application/json' }, signal: controller.signal });
    if (response.status >= 400) throw await errorOf(response);
    for await (const line of linesOf(response.body, controller.signal)) {
      const event = JSON.parse(line) as { readonly type: string; readonly object: JsonObject };
      if (event.type === 'ERROR') {
        const status = event.object as unknown as Status;
        if (status.code === 410) return 'ended';
        throw new ApiError(status);
      }
      if (event.type === 'DELETED') return 'deleted';
      if (uid !== '' && event.type !== 'BOOKMARK' && at(event.object, 'metadata', 'uid') !== uid) return 'deleted';
    }
    return 'ended';
  } catch (error) {
    if (controller.signal.aborted) return 'timeout';
    throw error;
  } finally {
    timer.dispose();
    controller.abort();
  }
}
