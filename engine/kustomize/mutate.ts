// Models kustomize's walk to a field: through objects, into every item of a list.

import { goSyntax, isObject, type JsonObject } from '../kube/machinery/go-values.ts';
import { KustomizeError } from './error.ts';

export interface FieldSpec {
  readonly group?: string;
  readonly version?: string;
  readonly kind?: string;
  /** Keys with slashes between; `\/` is a slash in a key. */
  readonly path: string;
  readonly create?: boolean;
}

export function keysOf(path: string): readonly string[] {
  return path.split(/(?<!\\)\//).map((key) => key.replaceAll('\\/', '/'));
}

/** Replaces what stands at the path by what `change` makes of it. */
export function mutateField(
  object: JsonObject,
  keys: readonly string[],
  options: { readonly create: boolean; readonly log: (text: string) => void },
  change: (value: unknown) => unknown,
): void {
  const [key, ...rest] = keys;
  if (key === undefined) return;
  if (!Object.hasOwn(object, key)) {
    if (!options.create) return;
    object[key] = {};
  }
  if (rest.length === 0) {
    object[key] = change(object[key]);
    return;
  }
  const value = object[key];
  if (value === null || value === undefined) {
    options.log(`nil value at \`${keys.join('.')}\` ignored in mutation attempt`);
    return;
  }
  if (isObject(value)) mutateField(value, rest, options, change);
  else if (Array.isArray(value)) {
    for (const item of value as unknown[]) {
      if (!isObject(item)) throw new KustomizeError(`${goSyntax(item)} is expected to be map[string]interface {}`);
      mutateField(item, rest, options, change);
    }
  } else throw new KustomizeError(`${goSyntax(value)} is not expected to be a primitive type`);
}
