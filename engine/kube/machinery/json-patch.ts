// Models JSON patch (RFC 6902) and JSON merge patch (RFC 7386).

import { deepCopy, isDeepEqual, isRecord } from './deep.ts';

export interface JsonPatchOperation {
  readonly op: string;
  readonly path: string;
  readonly from?: string;
  readonly value?: unknown;
}

/** A patch that cannot be applied; worded as the evanphx library words it. */
export class PatchError extends Error {
  override readonly name = 'PatchError';
}

/** Returns the patched copy. */
export function applyJsonPatch(document: unknown, patch: readonly JsonPatchOperation[]): unknown {
  let root = deepCopy(document);
  for (const operation of patch) {
    const path = parsePointer(operation.path);
    switch (operation.op) {
      case 'add':
        root = put(root, path, deepCopy(operation.value), true, operation.path);
        break;
      case 'replace':
        if (get(root, path) === undefined)
          throw new PatchError(`replace operation does not apply: doc is missing key: ${operation.path}: missing value`);
        root = put(root, path, deepCopy(operation.value), false, operation.path);
        break;
      case 'remove':
        root = remove(root, path, operation.path);
        break;
      case 'move':
      case 'copy': {
        const from = parsePointer(operation.from ?? '');
        const value = get(root, from);
        if (value === undefined)
          throw new PatchError(`${operation.op} operation does not apply: doc is missing from path: ${operation.from}: missing value`);
        if (operation.op === 'move') root = remove(root, from, operation.from ?? '');
        root = put(root, path, deepCopy(value), true, operation.path);
        break;
      }
      case 'test':
        if (!isDeepEqual(get(root, path) ?? null, operation.value ?? null))
          throw new PatchError(`testing value ${operation.path} failed: test failed`);
        break;
      default:
        throw new PatchError(`Unexpected kind: ${operation.op}`);
    }
  }
  return root;
}

/** Returns the merged copy. */
export function applyMergePatch(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return deepCopy(patch);
  const out: Record<string, unknown> = isRecord(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete out[key];
    else out[key] = applyMergePatch(out[key], value);
  }
  return out;
}

function parsePointer(pointer: string): readonly string[] {
  if (pointer === '') return [];
  return pointer
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function get(root: unknown, path: readonly string[]): unknown {
  let at = root;
  for (const part of path) {
    if (Array.isArray(at)) at = (at as unknown[])[indexOf(part, at.length)];
    else if (isRecord(at)) at = at[part];
    else return undefined;
  }
  return at;
}

function indexOf(part: string, length: number): number {
  const index = Number(part);
  return part.startsWith('-') && part !== '-' ? length + index : index;
}

function put(root: unknown, path: readonly string[], value: unknown, isInsert: boolean, shown: string): unknown {
  if (path.length === 0) return value;
  const parent = get(root, path.slice(0, -1));
  const last = path.at(-1)!;
  if (Array.isArray(parent)) {
    const index = last === '-' ? parent.length : indexOf(last, parent.length);
    if (!Number.isInteger(index) || index < 0 || index > parent.length)
      throw new PatchError(`Unable to access invalid index: ${last}: invalid index referenced`);
    parent.splice(index, isInsert ? 0 : 1, value);
  } else if (isRecord(parent)) parent[last] = value;
  else throw new PatchError(`add operation does not apply: doc is missing path: "${shown}": missing value`);
  return root;
}

function remove(root: unknown, path: readonly string[], shown: string): unknown {
  const parent = get(root, path.slice(0, -1));
  const last = path.at(-1)!;
  if (Array.isArray(parent)) {
    const index = indexOf(last, parent.length);
    if (!Number.isInteger(index) || index < 0 || index >= parent.length)
      throw new PatchError(`Unable to access invalid index: ${last}: invalid index referenced`);
    parent.splice(index, 1);
  } else if (isRecord(parent) && Object.hasOwn(parent, last)) delete parent[last];
  else throw new PatchError(`remove operation does not apply: doc is missing path: "${shown}": missing value`);
  return root;
}
