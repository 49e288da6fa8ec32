// What tells the elements of a list apart: the values of their keys, or themselves.

import { isRecord } from '../deep.ts';
import { goJson } from './field-set.ts';
import type { ListShape } from './typed-schema.ts';

/** An object that does not fit its type; worded as structured-merge-diff words it. */
export class TypedError extends Error {
  override readonly name = 'TypedError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.length === 1 ? problems[0]! : ['errors:', ...problems.map((problem) => `  ${problem}`)].join('\n'));
    this.problems = problems;
  }
}

/** The element of a set of fields that stands for a list element; throws an Error that says why there is none. */
export function elementOf(list: ListShape, value: unknown): string {
  if (list.keys.length === 0) {
    if (isRecord(value)) throw new ElementError("associative list without keys has an element that's a map type");
    if (Array.isArray(value)) throw new ElementError('not supported: associative list with lists as elements');
    if (value === null || value === undefined)
      throw new ElementError("associative list without keys has an element that's an explicit null");
    return `v:${goJson(value)}`;
  }
  if (value === null || value === undefined) throw new ElementError('associative list with keys may not have a null element');
  if (!isRecord(value)) throw new ElementError('associative list with keys may not have non-map elements');
  if (list.keys.length === 1) {
    const [key] = list.keys as readonly [string];
    return `k:{"${key}":${goJson(keyValue(list, value, key))}}`;
  }
  return `k:{${list.keys.map((key) => `"${key}":${goJson(keyValue(list, value, key))}`).join(',')}}`;
}

function keyValue(list: ListShape, value: Readonly<Record<string, unknown>>, key: string): unknown {
  const given = value[key] ?? list.element.keyDefaults?.[key];
  if (given !== undefined) return given;
  if (value[key] === null) return null;
  throw new ElementError(
    `associative list with keys has an element that omits key field ${JSON.stringify(key)} (and doesn't have default value)`,
  );
}

export class ElementError extends Error {
  override readonly name = 'ElementError';
}
