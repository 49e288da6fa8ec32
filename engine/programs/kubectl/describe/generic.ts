// Models the describer of kinds kubectl has none for: every field, names split at capitals.

import type { Context } from '../context.ts';
import { goValue, isObject, type JsonObject } from '../printers/json.ts';
import { at } from '../commands/common.ts';
import { eventsOf, writeEvents } from './events.ts';
import { DescribeWriter, writeAnnotations, writeLabels } from './writer.ts';

export async function describeGeneric(context: Context, object: JsonObject, showEvents: boolean): Promise<string> {
  const writer = new DescribeWriter();
  writer.line(0, `Name:\t${String(at(object, 'metadata', 'name'))}`);
  writer.line(0, `Namespace:\t${String(at(object, 'metadata', 'namespace') ?? '')}`);
  writeLabels(writer, 0, 'Labels', at(object, 'metadata', 'labels'));
  writeAnnotations(writer, 0, 'Annotations', at(object, 'metadata', 'annotations'));
  const metadata = isObject(object['metadata']) ? { ...object['metadata'] } : {};
  for (const hidden of ['name', 'namespace', 'labels', 'annotations']) delete metadata[hidden];
  writeContent(writer, 0, { ...object, metadata });
  if (showEvents) writeEvents(context, writer, await eventsOf(context, object));
  return writer.toString();
}

function writeContent(writer: DescribeWriter, level: number, content: JsonObject): void {
  for (const key of Object.keys(content).sort()) {
    const value = content[key];
    if (isObject(value)) {
      writer.line(level, `${labelOf(key)}:`);
      writeContent(writer, level + 1, value);
    } else if (Array.isArray(value)) {
      writer.line(level, `${labelOf(key)}:`);
      for (const item of value as unknown[]) {
        if (isObject(item)) writeContent(writer, level + 1, item);
        else writer.line(level + 1, goValue(item));
      }
    } else writer.line(level, `${labelOf(key)}:\t${goValue(value)}`);
  }
}

const ACRONYMS = new Set(['API', 'URL', 'UID', 'OSB', 'GUID']);

/** `apiVersion` becomes `API Version`; a name with digits or signs stays as it is. */
function labelOf(key: string): string {
  if (/[^\p{L}-]/u.test(key)) return key;
  const words = key.match(/\p{Lu}+(?!\p{Ll})|\p{Lu}?\p{Ll}+|\p{Lu}+|-/gu) ?? [key];
  return words
    .map((word) => (ACRONYMS.has(word.toUpperCase()) ? word.toUpperCase() : word.slice(0, 1).toUpperCase() + word.slice(1)))
    .join(' ');
}
