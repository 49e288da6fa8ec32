// Models kustomize's resources: an object with the identity it was read under, which changes of its name do not touch.

import { compareBytes, isObject, type JsonObject } from '../kube/machinery/go-values.ts';
import { KustomizeError } from './error.ts';
import { compareGvk, gvkOf, gvkText, isClusterKind, isSameGvk, stringAt, type Gvk } from './gvk.ts';

export interface ResId {
  readonly gvk: Gvk;
  /** The name in the file. */
  readonly name: string;
  /** Prefixes given so far, the last first, with colons between. */
  readonly prefix: string;
  readonly suffix: string;
  readonly namespace: string;
}

export type Behavior = 'unspecified' | 'create' | 'replace' | 'merge';

export interface Resource {
  id: ResId;
  object: JsonObject;
  behavior: Behavior;
  /** A hash of the contents is put behind the name. */
  needsHash: boolean;
}

export function resourceOf(object: JsonObject, options: { behavior?: Behavior; needsHash?: boolean } = {}): Resource {
  const namespace = stringAt(object, 'metadata', 'namespace') ?? '';
  return {
    id: { gvk: gvkOf(object), name: nameOf(object), prefix: '', suffix: '', namespace },
    object,
    behavior: options.behavior ?? 'unspecified',
    needsHash: options.needsHash ?? false,
  };
}

export function nameOf(object: JsonObject): string {
  return stringAt(object, 'metadata', 'name') ?? '';
}

export function setName(object: JsonObject, name: string): void {
  const metadata = isObject(object['metadata']) ? object['metadata'] : (object['metadata'] = {} as JsonObject);
  metadata['name'] = name;
}

/** How messages print an id. */
export function idText(id: ResId): string {
  return [gvkText(id.gvk), id.namespace || '~X', id.prefix || '~P', id.name || '~N', id.suffix || '~S'].join('|');
}

/** An id as %#v prints it. */
export function idSyntax({ gvk, name, prefix, suffix, namespace }: ResId): string {
  const quote = JSON.stringify;
  return (
    `resid.ResId{gvKind:gvk.Gvk{Group:${quote(gvk.group)}, Version:${quote(gvk.version)}, Kind:${quote(gvk.kind)}}, ` +
    `name:${quote(name)}, prefix:${quote(prefix)}, suffix:${quote(suffix)}, namespace:${quote(namespace)}}`
  );
}

/** Same kind and same name in the files, wherever they are. */
export function isSameObject(a: ResId, b: ResId): boolean {
  return a.name === b.name && isSameGvk(a.gvk, b.gvk);
}

export function matching(resources: readonly Resource[], id: ResId): readonly Resource[] {
  return resources.filter((resource) => isSameObject(resource.id, id));
}

/** The resources that a reference in `from` can mean: those of its namespace with the same outermost prefix and suffix. */
export function reachable(resources: readonly Resource[], from: ResId): readonly Resource[] {
  if (isClusterKind(from.gvk)) return resources;
  const first = (prefix: string): string => prefix.split(':')[0] ?? '';
  const last = (suffix: string): string => suffix.split(':').pop() ?? '';
  return resources.filter(
    ({ id }) =>
      isClusterKind(id.gvk) ||
      (id.namespace === from.namespace && first(id.prefix) === first(from.prefix) && last(id.suffix) === last(from.suffix)),
  );
}

/** Puts lists together; throws when two have one id. */
export function mergeDistinct(...lists: readonly (readonly Resource[])[]): Resource[] {
  const seen = new Set<string>();
  const out: Resource[] = [];
  for (const resource of lists.flat()) {
    const key = idText(resource.id);
    if (seen.has(key)) throw new KustomizeError(`id '${JSON.stringify(key)}' already used`);
    seen.add(key);
    out.push(resource);
  }
  return out;
}

/** Lays generated resources over what is there, as their behavior says. */
export function mergeOverriding(base: readonly Resource[], generated: readonly Resource[]): Resource[] {
  const out = [...base];
  for (const resource of generated) {
    const found = matching(out, resource.id);
    const [old] = found;
    const overrides = resource.behavior === 'replace' || resource.behavior === 'merge';
    if (found.length > 1) {
      const ids = found.map(({ id }) => idText(id)).join(' ');
      throw new KustomizeError(`merge conflict, found multiple objects [${ids}] the Resmap ${idText(resource.id)} can merge into`);
    }
    if (old === undefined) {
      if (overrides) throw new KustomizeError(`id ${idSyntax(resource.id)} does not exist; cannot merge or replace`);
      out.push(resource);
      continue;
    }
    if (!overrides) throw new KustomizeError(`id ${idSyntax(old.id)} exists; must merge or replace`);
    out[out.indexOf(old)] = overlaid(old, resource);
  }
  return out;
}

function overlaid(old: Resource, over: Resource): Resource {
  const object = over.object;
  const metadata = isObject(object['metadata']) ? object['metadata'] : {};
  const before = isObject(old.object['metadata']) ? old.object['metadata'] : {};
  const both = (key: string): JsonObject => ({ ...objectAt(before, key), ...objectAt(metadata, key) });
  const data = over.behavior === 'merge' ? { data: { ...objectAt(old.object, 'data'), ...objectAt(object, 'data') } } : {};
  return {
    id: old.id,
    object: {
      ...object,
      ...data,
      metadata: { ...metadata, labels: both('labels'), annotations: both('annotations'), name: nameOf(old.object) },
    },
    behavior: old.behavior,
    needsHash: old.needsHash,
  };
}

function objectAt(object: JsonObject, key: string): JsonObject {
  const value = object[key];
  return isObject(value) ? value : {};
}

/** The order in which resources are printed. */
export function inOrder(resources: readonly Resource[]): readonly Resource[] {
  return [...resources].sort((a, b) => compareGvk(a.id.gvk, b.id.gvk) || compareBytes(idText(a.id), idText(b.id)));
}
