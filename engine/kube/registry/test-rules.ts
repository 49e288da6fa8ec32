// For tests of rules: takes an object the way the API server does, without server and store, and tells what is wrong with it.

import { parse } from 'yaml';
import { deepCopy } from '../machinery/deep.ts';
import { normalize } from '../machinery/schema/codec.ts';
import { structOf } from '../machinery/schema/schema.ts';
import type { ApiObject, ResourceDefinition } from './definition.ts';

const CONTEXT = { nowMs: 0, user: { name: 'test', groups: [] } };
const NO_META_ERRORS = { object: [], update: [] };

/** The object as it would be stored, from YAML without apiVersion and kind. */
export function stored(definition: ResourceDefinition, yaml: string): ApiObject {
  const { group, version, kind } = definition;
  const struct = structOf(group, version, kind)!;
  const given = parse(yaml) as ApiObject;
  const object = normalize(struct, { ...given, kind, metadata: { ...given.metadata, uid: 'u-1' } });
  definition.strategy.setDefaults?.(object);
  definition.strategy.prepareForCreate?.(object, CONTEXT);
  return normalize(struct, object);
}

/** What creating it is refused for. */
export function createErrors(definition: ResourceDefinition, yaml: string): readonly string[] {
  return (definition.strategy.validate?.(stored(definition, yaml)) ?? []).map(String);
}

/** What changing `current` into `yaml` is refused for. */
export function updateErrors(definition: ResourceDefinition, current: string, change: (object: ApiObject) => void): readonly string[] {
  const { group, version, kind, strategy } = definition;
  const struct = structOf(group, version, kind)!;
  const old = stored(definition, current);
  const next = deepCopy(old);
  change(next);
  strategy.setDefaults?.(next);
  strategy.prepareForUpdate?.(next, old);
  return (strategy.validateUpdate?.(normalize(struct, next), old, NO_META_ERRORS) ?? []).map(String);
}
