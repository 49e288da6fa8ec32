// How rules reach into objects whose shape the client chose.

import { isRecord } from '../machinery/deep.ts';
import type { KubeObject } from '../machinery/types.ts';
import type { Json } from './definition.ts';

export function specOf(object: KubeObject): Json {
  const holder = object as unknown as Json;
  if (!isRecord(holder['spec'])) holder['spec'] = {};
  return holder['spec'] as Json;
}

/** Elements of a list that are objects. */
export function records(list: unknown): readonly Json[] {
  return Array.isArray(list) ? (list as unknown[]).filter(isRecord) : [];
}

/** Sets what is missing. */
export function defaults(target: Json, values: Json): void {
  for (const [key, value] of Object.entries(values)) {
    const given = target[key];
    if (given === undefined || given === null || given === '') target[key] = value;
  }
}
