// Models --overrides (a JSON merge patch of what kubectl made) and the `a=b,c=d` lists of flags.

import { CliError } from '../errors.ts';
import { isObject, type JsonObject } from '../printers/json.ts';

/** Throws CliError when the text is no JSON object. */
export function parseOverrides(text: string, object: JsonObject): JsonObject {
  let patch: unknown;
  try {
    patch = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) throw new CliError('Invalid JSON Patch');
    throw error;
  }
  return mergeJson(object, patch) as JsonObject;
}

/** RFC 7386. */
export function mergeJson(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const out: JsonObject = { ...(isObject(target) ? target : {}) };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete out[key];
    else out[key] = mergeJson(out[key], value);
  }
  return out;
}

/** Labels as `--labels` takes them. */
export function parsePairs(text: string): JsonObject {
  const out: JsonObject = {};
  for (const pair of text.split(',').filter((part) => part !== '')) {
    const equals = pair.indexOf('=');
    if (equals < 0) throw new CliError(`unexpected label spec: ${pair}`);
    out[pair.slice(0, equals)] = pair.slice(equals + 1);
  }
  return out;
}
