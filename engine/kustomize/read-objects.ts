// Models reading resource files: YAML streams and JSON, lists taken apart, every object with a kind and a name.

import { goValue, isObject, marshal, sortKeys, type JsonObject } from '../kube/machinery/go-values.ts';
import { decodeYaml, YamlError } from '../kube/machinery/yaml-decode.ts';
import { text } from '../sim/bytes.ts';
import { KustomizeError, wrapped } from './error.ts';
import type { Loader } from './loader.ts';
import { idSyntax, idText, mergeDistinct, nameOf, resourceOf, type Resource } from './resource.ts';

/** The objects of resource files. */
export function readResources(loader: Loader, paths: readonly string[]): Resource[] {
  return mergeDistinct(
    ...paths.map((path) => {
      const contents = wrapped(`Load from path ${path} failed`, () => loader.load(path));
      const resources = objectsIn(text(contents), path);
      const seen = new Set<string>();
      for (const { id } of resources) {
        if (seen.has(idText(id))) throw new KustomizeError(`GroupVersionKindName: ${idSyntax(id)} already exists b the map`);
        seen.add(idText(id));
      }
      return resources;
    }),
  );
}

/** The objects of patch files. */
export function readPatches(loader: Loader, paths: readonly string[]): readonly Resource[] {
  return paths.flatMap((path) => objectsIn(text(loader.load(path)), path));
}

function objectsIn(contents: string, path: string): Resource[] {
  const out: Resource[] = [];
  for (const part of contents.split(/(?:^|\n)---[^\n]*(?:\n|$)/)) {
    const value = decoded(part, path);
    if (value === null || value === undefined) continue;
    collect(value, path, out);
  }
  return out;
}

function decoded(part: string, path: string): unknown {
  try {
    return decodeYaml(part);
  } catch (error) {
    if (error instanceof YamlError) throw formatError(path, `error converting YAML to JSON: yaml: ${error.message}`);
    throw error;
  }
}

function collect(value: unknown, path: string, out: Resource[]): void {
  const kind = isObject(value) ? value['kind'] : undefined;
  if (!isObject(value) || typeof kind !== 'string' || kind === '') {
    const json = marshal(sortKeys(value));
    throw formatError(
      path,
      isObject(value)
        ? `error unmarshaling JSON: while decoding JSON: Object 'Kind' is missing in '${json}'`
        : `error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${Array.isArray(value) ? 'array' : typeof value} into Go value of type struct { Kind string "json:\\"kind\\""; APIVersion string "json:\\"apiVersion\\"" }`,
    );
  }
  if (!kind.endsWith('List')) {
    if (nameOf(value) === '') throw new KustomizeError(`missing metadata.name in object {${goValue(value)}}`);
    out.push(resourceOf(value));
    return;
  }
  const items = value['items'] ?? [];
  if (!Array.isArray(items)) throw new KustomizeError(`items in List is type ${typeof items}, expected array`);
  for (const item of items as JsonObject[]) collect(item, path, out);
}

function formatError(path: string, message: string): KustomizeError {
  return new KustomizeError(`YAML file [${path}] encounters a format error.\n${message}\n`);
}
