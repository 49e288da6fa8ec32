// Models kustomize's patches: strategic ones that find their object by kind and name, and JSON patches with a target.

import { isDeepEqual } from '../kube/machinery/deep.ts';
import { goSyntax, isObject, type JsonObject } from '../kube/machinery/go-values.ts';
import { applyJsonPatch, applyMergePatch, PatchError, type JsonPatchOperation } from '../kube/machinery/json-patch.ts';
import { structOf } from '../kube/machinery/schema/schema.ts';
import { applyStrategicMergePatch, StrategicError } from '../kube/machinery/strategic-merge.ts';
import { text } from '../sim/bytes.ts';
import { KustomizeError } from './error.ts';
import { gvkText } from './gvk.ts';
import { parsed, type JsonPatchArgs } from './kustomization.ts';
import type { Loader } from './loader.ts';
import { idSyntax, idText, matching, nameOf, setName, type Resource } from './resource.ts';

export function applyPatches(resources: readonly Resource[], patches: readonly Resource[]): void {
  refuseConflicts(patches);
  for (const patch of patches) {
    const { id } = patch;
    const found = matching(resources, id);
    const [base] = found;
    if (base === undefined) throw new KustomizeError(`failed to find an object with ${gvkText(id.gvk)}|${id.name} to apply the patch`);
    if (found.length > 1) {
      const ids = found.map((each) => idSyntax(each.id)).join(', ');
      throw new KustomizeError(`found multiple objects []resid.ResId{${ids}} targeted by patch ${idSyntax(id)} (ambiguous)`);
    }
    applyPatch(base, patch.object);
  }
}

function applyPatch(base: Resource, patch: JsonObject): void {
  const { group, version, kind } = base.id.gvk;
  const struct = structOf(group, version, kind);
  if (struct === undefined) {
    base.object = applyMergePatch(base.object, patch) as JsonObject;
    return;
  }
  const name = nameOf(base.object);
  try {
    base.object = applyStrategicMergePatch(base.object, patch, struct);
  } catch (error) {
    if (error instanceof StrategicError) throw new KustomizeError(error.message);
    throw error;
  }
  // A base may have given the object another name than the one the patch calls it by.
  if (Object.keys(base.object).length > 0) setName(base.object, name);
}

/** Two patches of one object must not set one field to two values. */
function refuseConflicts(patches: readonly Resource[]): void {
  patches.forEach((patch, at) => {
    const other = patches.slice(0, at).find((earlier) => idText(earlier.id) === idText(patch.id) && conflict(earlier.object, patch.object));
    if (other !== undefined) throw new KustomizeError(`conflict between ${goSyntax(other.object)} and ${goSyntax(patch.object)}`);
  });
}

/** Items of lists that merge are compared by the key both have. */
const MERGE_KEYS = ['name', 'mountPath', 'containerPort', 'port', 'devicePath', 'ip', 'type', 'topologyKey'];

function conflict(a: unknown, b: unknown): boolean {
  if (isObject(a) && isObject(b)) {
    return Object.keys(a).some((key) => Object.hasOwn(b, key) && conflict(a[key], b[key]));
  }
  if (Array.isArray(a) && Array.isArray(b)) {
    const [left, right] = [a as unknown[], b as unknown[]];
    const key = MERGE_KEYS.find((name) => [...left, ...right].every((item) => isObject(item) && Object.hasOwn(item, name)));
    if (key === undefined) return !isDeepEqual(a, b);
    return left.some((item) => right.some((other) => (item as JsonObject)[key] === (other as JsonObject)[key] && conflict(item, other)));
  }
  return !isDeepEqual(a, b);
}

export interface JsonPatch {
  readonly target: NonNullable<JsonPatchArgs['target']>;
  readonly operations: readonly JsonPatchOperation[];
  readonly source: string;
}

export function readJsonPatches(loader: Loader, list: readonly JsonPatchArgs[]): readonly JsonPatch[] {
  return list.map(({ target, path = '' }) => {
    if (target === undefined) throw new KustomizeError('must specify the target field in patchesJson6902');
    if (path === '') throw new KustomizeError('must specify the path for a json patch file');
    const source = text(loader.load(path));
    const operations = parsed(source);
    if (operations !== null && !Array.isArray(operations)) {
      const type = isObject(operations) ? 'object' : typeof operations;
      throw new KustomizeError(`json: cannot unmarshal ${type} into Go value of type jsonpatch.Patch`);
    }
    return { target, operations: (operations ?? []) as readonly JsonPatchOperation[], source };
  });
}

export function applyJsonPatches(resources: readonly Resource[], patches: readonly JsonPatch[]): void {
  for (const { target, operations, source } of patches) {
    if (operations.length === 0) continue;
    const { group = '', version = '', kind = '', name = '', namespace = '' } = target;
    const id = { gvk: { group, version, kind }, name, prefix: '', suffix: '', namespace };
    const found = matching(resources, id).filter((resource) => namespace === '' || resource.id.namespace === namespace);
    const [resource] = found;
    if (resource === undefined) throw new KustomizeError(`couldn't find target ${idText(id)} for json patch`);
    if (found.length > 1) {
      const ids = found.map((each) => idText(each.id)).join(' ');
      throw new KustomizeError(`found multiple targets [${ids}] matching ${idText(id)} for json patch`);
    }
    try {
      resource.object = applyJsonPatch(resource.object, operations) as JsonObject;
    } catch (error) {
      if (error instanceof PatchError) throw new KustomizeError(`failed to apply json patch '${source}': ${error.message}`);
      throw error;
    }
  }
}
