// Models `kubectl wait`.

import { errorOf } from '../../../kube/client/rest-client.ts';
import { isNotFound } from '../../../kube/machinery/api-error.ts';
import type { Command } from '../command.ts';
import type { Context } from '../context.ts';
import { CliError, throwAll } from '../errors.ts';
import { pathOf, query } from '../factory/rest-mapper.ts';
import { linesOf } from '../factory/stream.ts';
import { objects, text } from '../describe/values.ts';
import type { JsonObject } from '../printers/json.ts';
import { getObject, objectsOf, type Info } from '../resource/infos.ts';
import { at, filenamesOf, ResultPrinter } from './common.ts';
import { waitForDeletion } from './wait-deleted.ts';

export const wait: Command = { name: 'wait', run };

const WEEK_MS = 7 * 24 * 3_600_000;

async function run(context: Context): Promise<void> {
  const { flags } = context;
  const condition = flags.string('for');
  const isDelete = condition.toLowerCase() === 'delete';
  const match = /^condition=([^=]+)(?:=(.*))?$/.exec(condition);
  if (!isDelete && match === null) throw new CliError(`unrecognized condition: ${JSON.stringify(condition)}`);
  const printer = new ResultPrinter(context, 'none');
  const given = flags.duration('timeout');
  const timeoutMs = given === 0 ? 0 : given < 0 ? WEEK_MS : given;
  const { infos, errors } = await objectsOf(context, {
    args: context.args,
    filenames: filenamesOf(context),
    recursive: flags.bool('recursive'),
    selector: flags.string('selector'),
    fieldSelector: flags.string('field-selector'),
    all: flags.bool('all'),
    allNamespaces: flags.bool('all-namespaces'),
    latest: true,
  });
  await context.flushWarnings();
  const failures: Error[] = errors.filter((error) => !(isDelete && isNotFound(error)));
  throwAll(failures);
  if (infos.length === 0) throw new CliError('no matching resources found');
  const problems: Error[] = [];
  for (const info of infos) {
    try {
      if (isDelete) {
        await waitForDeletion(context, [{ info, uid: text(at(info.object, 'metadata', 'uid')) }], Math.max(1, timeoutMs));
        await printer.print(info.object ?? {}, 'condition met');
      } else await printer.print(await waitForCondition(context, info, match?.[1] ?? '', match?.[2] ?? 'true', timeoutMs), 'condition met');
    } catch (error) {
      if (!(error instanceof Error) || error.name === 'ProcessExit') throw error;
      problems.push(error);
    }
  }
  throwAll(problems);
}

function isMet(object: JsonObject, name: string, value: string): boolean {
  const condition = objects(at(object, 'status', 'conditions')).find(
    (candidate) => text(candidate['type']).toLowerCase() === name.toLowerCase(),
  );
  const seen = at(object, 'status', 'observedGeneration');
  if (condition === undefined || (seen !== undefined && Number(seen) < Number(at(object, 'metadata', 'generation') ?? 0))) return false;
  return text(condition['status']).toLowerCase() === value.toLowerCase();
}

async function waitForCondition(context: Context, info: Info, name: string, value: string, timeoutMs: number): Promise<JsonObject> {
  const { clock } = context.process.sys;
  const timedOut = new CliError(`timed out waiting for the condition on ${info.mapping.resource}/${info.name}`);
  const controller = new AbortController();
  const timer = clock.setTimer(timeoutMs, () => controller.abort(timedOut));
  try {
    for (;;) {
      const current = await getObject(context, info);
      if (isMet(current, name, value)) return current;
      controller.signal.throwIfAborted();
      const target =
        pathOf(info.mapping, { namespace: info.namespace }) +
        query({
          fieldSelector: `metadata.name=${info.name}`,
          resourceVersion: text(at(current, 'metadata', 'resourceVersion')),
          watch: 'true',
        });
      const response = await context.rest.send({
        method: 'GET',
        target,
        headers: { accept: 'application/json' },
        signal: controller.signal,
      });
      if (response.status >= 400) throw await errorOf(response);
      for await (const line of linesOf(response.body, controller.signal)) {
        const event = JSON.parse(line) as { readonly type: string; readonly object: JsonObject };
        if (event.type === 'ERROR') break;
        if (event.type === 'DELETED') throw new CliError(`${info.mapping.resource} "${info.name}" was deleted`);
        if (event.type !== 'BOOKMARK' && isMet(event.object, name, value)) return event.object;
      }
    }
  } finally {
    timer.dispose();
    controller.abort(timedOut);
  }
}
