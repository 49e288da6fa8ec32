// Objects between the version they are stored in and the version they are asked for.

import { apiVersionOf } from '../machinery/resources.ts';
import { normalize } from '../machinery/schema/codec.ts';
import { structOf } from '../machinery/schema/schema.ts';
import type { ApiObject, ResourceDefinition, ServedVersion } from '../registry/definition.ts';

/** The version of a definition that a path names; undefined when it serves none such. */
export function servedVersion(definition: ResourceDefinition, group: string, version: string): ServedVersion | undefined {
  if (definition.group === group && definition.version === version) return definition;
  return definition.alsoServedAs.find((served) => served.group === group && served.version === version);
}

export function fromStorage(object: ApiObject, definition: ResourceDefinition, served: ServedVersion): ApiObject {
  if (isStorage(definition, served)) return object;
  const apiVersion = apiVersionOf(served);
  if (served.fromStorage === undefined) return { ...object, apiVersion };
  const converted = { ...served.fromStorage(object), apiVersion };
  const struct = definition.isCustom ? undefined : structOf(served.group, served.version, definition.kind);
  return struct === undefined ? converted : normalize(struct, converted);
}

export function toStorage(object: ApiObject, definition: ResourceDefinition, served: ServedVersion): ApiObject {
  const converted = isStorage(definition, served) || served.toStorage === undefined ? object : served.toStorage(object);
  const { kind: _kind, apiVersion: _apiVersion, metadata, ...rest } = converted;
  return { kind: definition.kind, apiVersion: apiVersionOf(definition), metadata, ...rest } as ApiObject;
}

export function isStorage(definition: ResourceDefinition, served: ServedVersion): boolean {
  return served.group === definition.group && served.version === definition.version;
}
