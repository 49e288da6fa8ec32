// Models the message of json-iterator for labels and annotations that are no strings, which kubectl meets when it reads a file.

import { isObject, marshal, sortKeys, type JsonObject } from '../printers/json.ts';

const NEAR = 10;
const WIDE = 50;

/** Undefined when all labels and annotations are strings. */
export function labelSyntaxError(object: JsonObject): string | undefined {
  const metadata = isObject(object['metadata']) ? object['metadata'] : {};
  for (const [key, field] of [
    ['annotations', 'Annotations'],
    ['labels', 'Labels'],
  ] as const) {
    const values = sortKeys(metadata[key]);
    if (!isObject(values)) continue;
    const bad = Object.keys(values).find((name) => typeof values[name] !== 'string' && values[name] !== null);
    if (bad === undefined) continue;
    return `resource.metadataOnlyObject.ObjectMeta: v1.ObjectMeta.${field}: ${readStringError(object, key, bad)}`;
  }
  return undefined;
}

function readStringError(object: JsonObject, key: string, bad: string): string {
  const json = marshal(sortKeys(object));
  const from = json.indexOf(`"${key}":{`);
  const head = json.indexOf(`${JSON.stringify(bad)}:`, from) + JSON.stringify(bad).length + 2;
  const start = Math.max(0, head - NEAR);
  const near = json.slice(start, head + NEAR);
  const wide = json.slice(Math.max(0, head - WIDE), head + WIDE);
  return `ReadString: expects " or n, but found ${json[head - 1] ?? ''}, error found in #${head - start} byte of ...|${near}|..., bigger context ...|${wide}|...`;
}
