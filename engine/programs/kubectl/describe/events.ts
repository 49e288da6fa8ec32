// Models the events section of the describers.

import type { Context } from '../context.ts';
import { ageSince } from '../flags/duration.ts';
import type { JsonObject } from '../printers/json.ts';
import { at } from '../commands/common.ts';
import type { DescribeWriter } from './writer.ts';

/** Asks for the events about an object; none when the server will not tell. */
export async function eventsOf(context: Context, object: JsonObject): Promise<readonly JsonObject[]> {
  const namespace = String(at(object, 'metadata', 'namespace') ?? '');
  const uid = String(at(object, 'metadata', 'uid') ?? '');
  const selector = [
    `involvedObject.name=${String(at(object, 'metadata', 'name'))}`,
    `involvedObject.namespace=${namespace}`,
    ...(object['kind'] === 'Pod' ? [] : [`involvedObject.kind=${String(object['kind'])}`]),
    `involvedObject.uid=${object['kind'] === 'Node' ? String(at(object, 'metadata', 'name')) : uid}`,
  ].join(',');
  const path = namespace === '' ? '/api/v1/events' : `/api/v1/namespaces/${namespace}/events`;
  const list = await context.rest.json<JsonObject>('GET', `${path}?fieldSelector=${encodeURIComponent(selector)}`);
  return Array.isArray(list['items']) ? (list['items'] as JsonObject[]) : [];
}

/** Writes `Events:` with a table, oldest first. */
export function writeEvents(context: Context, writer: DescribeWriter, events: readonly JsonObject[]): void {
  if (events.length === 0) {
    writer.line(0, 'Events:\t<none>');
    return;
  }
  writer.write(0, 'Events:\n  Type\tReason\tAge\tFrom\tMessage\n');
  writer.write(1, '----\t------\t----\t----\t-------\n');
  const last = (event: JsonObject): number => Date.parse(String(event['lastTimestamp'] ?? event['eventTime'] ?? '')) || 0;
  for (const event of [...events].sort((a, b) => last(a) - last(b))) {
    const count = Number(at(event, 'series', 'count') ?? event['count'] ?? 1);
    const first = (event['firstTimestamp'] ?? event['eventTime']) as string | null;
    const latest = (at(event, 'series', 'lastObservedTime') ?? event['lastTimestamp']) as string | null;
    const age =
      count > 1 ? `${ageSince(latest, context.now())} (x${count} over ${ageSince(first, context.now())})` : ageSince(first, context.now());
    const source = String(at(event, 'source', 'component') ?? '') || String(event['reportingComponent'] ?? '');
    writer.write(
      1,
      `${String(event['type'] ?? '')}\t${String(event['reason'] ?? '')}\t${age}\t${source}\t${String(event['message'] ?? '').trim()}\n`,
    );
  }
}
