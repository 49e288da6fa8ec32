// Models `kubectl get -w`: the list, then every event as a row.

import { errorOf } from '../../../kube/client/rest-client.ts';
import { ApiError } from '../../../kube/machinery/api-error.ts';
import type { Status } from '../../../kube/machinery/types.ts';
import type { Context } from '../context.ts';
import { CliError } from '../errors.ts';
import { apiVersionOf, pathOf, query } from '../factory/rest-mapper.ts';
import { linesOf } from '../factory/stream.ts';
import { sortKeys, type JsonObject } from '../printers/json.ts';
import type { ObjectPrinter } from '../printers/object-printer.ts';
import { clientTable, type Table } from '../printers/table.ts';
import { TABLE_LAYOUT, TabWriter } from '../printers/tab-writer.ts';
import { getObject, itemsOf, type Target } from '../resource/infos.ts';
import { at } from './common.ts';
import { TABLE_ACCEPT, tablePrinter } from './get-table.ts';

export async function watchObjects(
  context: Context,
  targets: readonly (Target & { readonly namespace: string })[],
  printer: ObjectPrinter | undefined,
): Promise<void> {
  const { flags } = context;
  const [target] = targets;
  if (target === undefined || targets.length !== 1)
    throw new CliError(`watch is only supported on individual resources and resource collections - ${targets.length} resources were found`);
  const accept = printer === undefined && flags.bool('server-print') ? TABLE_ACCEPT : 'application/json';
  const { mapping } = target;
  const rows = tablePrinter(context, mapping, flags.bool('show-kind'));
  const writer = new TabWriter(TABLE_LAYOUT);
  const show = async (answer: JsonObject, event?: string): Promise<void> => {
    if (printer !== undefined) {
      const objects = Array.isArray(answer['items'])
        ? itemsOf(answer, mapping)
        : [{ ...answer, apiVersion: apiVersionOf(mapping), kind: mapping.kind }];
      for (const object of objects) {
        const shown = event === undefined ? object : { type: event, object };
        await context.out(printer.print(sortKeys(shown) as JsonObject, ''));
      }
      return;
    }
    rows.print(
      answer['kind'] === 'Table'
        ? (answer as Table)
        : clientTable(Array.isArray(answer['items']) ? itemsOf(answer, mapping) : [answer], context.now()),
      writer,
      event,
    );
    await context.out(writer.flush());
  };
  const withEvents = flags.bool('output-watch-events');
  const path = pathOf(mapping, { namespace: flags.bool('all-namespaces') ? undefined : target.namespace });
  const selectors = {
    labelSelector: flags.string('selector'),
    fieldSelector: target.kind === 'name' ? `metadata.name=${target.name}` : flags.string('field-selector'),
  };
  const first =
    target.kind === 'name'
      ? await getObject(context, target, { accept })
      : await context.rest.json('GET', path + query({ ...selectors, limit: String(flags.int('chunk-size')) }), { accept });
  const version = String(at(first, 'metadata', 'resourceVersion') ?? '');
  if (!flags.bool('watch-only')) await show(first, withEvents ? 'ADDED' : undefined);
  const controller = new AbortController();
  const timeoutMs = context.rest.config.timeoutMs;
  const timer = timeoutMs === 0 ? undefined : context.process.sys.clock.setTimer(timeoutMs, () => controller.abort());
  try {
    const response = await context.rest.send({
      method: 'GET',
      target: path + query({ ...selectors, resourceVersion: version, watch: 'true' }),
      headers: { accept },
      signal: controller.signal,
    });
    if (response.status >= 400) throw await errorOf(response);
    for await (const line of linesOf(response.body, controller.signal)) {
      const event = JSON.parse(line) as { readonly type: string; readonly object: JsonObject };
      if (event.type === 'ERROR') throw new ApiError(event.object as unknown as Status);
      if (event.type === 'BOOKMARK') continue;
      await show(event.object, withEvents ? event.type : undefined);
    }
  } catch (error) {
    // --request-timeout is how a watch may be told to end.
    if (!controller.signal.aborted) throw error;
  } finally {
    timer?.dispose();
  }
}
