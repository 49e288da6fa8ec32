// Models JSON patch (RFC 6902) and JSON merge patch (RFC 7386) as the evanphx library v4.9 applies them, quirks included:
// a replaced key need not be there, and nulls inside a value that is new are dropped.

import { deepCopy, isDeepEqual, isRecord } from './deep.ts';

export interface JsonPatchOperation {
  readonly op: string;
  readonly path: string;
  readonly from?: string;
  readonly value?: unknown;
}

/** A patch that cannot be applied; worded as the library words it. */
export class PatchError extends Error {
  override readonly name = 'PatchError';
}

type Container = Record<string, unknown> | unknown[];

/** How much `copy` operations of one patch may add, in bytes of JSON: what the server lets a request body be. */
const MAX_COPIED_BYTES = 3 * 1024 * 1024;

/** Returns the patched copy. */
export function applyJsonPatch(document: unknown, patch: readonly JsonPatchOperation[]): unknown {
  const root = deepCopy(document) as Container;
  let copied = 0;
  for (const operation of patch) {
    const { op, path, from } = operation;
    // Templates below print the path: what is no string is no path to anything.
    if (typeof (path ?? '') !== 'string' || typeof (from ?? '') !== 'string') throw new PatchError('Unexpected kind: unknown');
    switch (op) {
      case 'add': {
        const { parent, key } = find(root, path, 'add', `add operation does not apply: doc is missing path: "${path}"`);
        within(`error in add for path: '${path}'`, () => add(parent, key, deepCopy(operation.value)));
        break;
      }
      case 'remove': {
        const { parent, key } = find(root, path, 'remove', `remove operation does not apply: doc is missing path: "${path}"`);
        within(`error in remove for path: '${path}'`, () => remove(parent, key));
        break;
      }
      case 'replace': {
        const { parent, key } = find(root, path, 'replace', `replace operation does not apply: doc is missing path: ${path}`);
        within(`replace operation does not apply: doc is missing key: ${path}`, () => get(parent, key), 'missing value');
        if (Array.isArray(parent)) parent[placeOf(parent, key)] = deepCopy(operation.value);
        else parent[key] = deepCopy(operation.value);
        break;
      }
      case 'move': {
        const source = find(root, from, 'move', `move operation does not apply: doc is missing from path: ${from}`, 'from');
        const value = within(`error in move for path: '${source.key}'`, () => get(source.parent, source.key));
        within(`error in move for path: '${source.key}'`, () => remove(source.parent, source.key));
        const { parent, key } = find(root, path, 'move', `move operation does not apply: doc is missing destination path: ${path}`);
        within(`error in move for path: '${path}'`, () => add(parent, key, value));
        break;
      }
      case 'copy': {
        const source = find(root, from, 'copy', `copy operation does not apply: doc is missing from path: ${from}`, 'from');
        const value = within(`error in copy for from: '${from}'`, () => get(source.parent, source.key));
        const { parent, key } = find(root, path, 'copy', `copy operation does not apply: doc is missing destination path: ${path}`);
        copied += (JSON.stringify(value) as string | undefined)?.length ?? 0;
        if (copied > MAX_COPIED_BYTES) {
          throw new PatchError(
            `Unable to complete the copy, the accumulated size increase of copy is ${copied}, exceeding the limit ${MAX_COPIED_BYTES}`,
          );
        }
        within('error while adding value during copy', () => add(parent, key, deepCopy(value)));
        break;
      }
      case 'test': {
        const { parent, key } = find(root, path, 'test', `test operation does not apply: is missing path: ${path}`);
        const value = within(`error in test for path: '${path}'`, () => get(parent, key));
        if (!isDeepEqual(value ?? null, operation.value ?? null)) throw new PatchError(`testing value ${path} failed: test failed`);
        break;
      }
      default:
        throw new PatchError(`Unexpected kind: ${typeof op === 'string' ? op : 'unknown'}`);
    }
  }
  return root;
}

function within<T>(what: string, run: () => T, cause?: string): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof PatchError)) throw error;
    throw new PatchError(`${what}: ${cause ?? error.message}`);
  }
}

/** The container a pointer leads into, and the last part of the pointer. */
function find(
  root: Container,
  pointer: unknown,
  op: string,
  missing: string,
  field: 'path' | 'from' = 'path',
): { readonly parent: Container; readonly key: string } {
  if (typeof pointer !== 'string') throw new PatchError(`${op} operation failed to decode ${field}: missing value`);
  const parts = pointer.split('/').map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  let at: unknown = root;
  for (const part of parts.slice(1, -1)) {
    try {
      at = get(at as Container, part);
    } catch (error) {
      if (!(error instanceof PatchError)) throw error;
      at = undefined;
    }
    if (!Array.isArray(at) && !isRecord(at)) throw new PatchError(`${missing}: missing value`);
  }
  if (parts.length < 2) throw new PatchError(`${missing}: missing value`);
  return { parent: at as Container, key: parts.at(-1)! };
}

function indexIn(key: string): number {
  if (!/^[+-]?\d+$/.test(key)) throw new PatchError(`strconv.Atoi: parsing ${JSON.stringify(key)}: invalid syntax`);
  return Number(key);
}

function outOfRange(index: number): PatchError {
  return new PatchError(`Unable to access invalid index: ${index}: invalid index referenced`);
}

/** Where an element is; counted from the end when the index is negative. */
function placeOf(list: readonly unknown[], key: string): number {
  const index = indexIn(key);
  if (index >= list.length || index < -list.length) throw outOfRange(index);
  return index < 0 ? index + list.length : index;
}

function get(container: Container, key: string): unknown {
  if (Array.isArray(container)) return container[placeOf(container, key)];
  return Object.hasOwn(container, key) ? container[key] : undefined;
}

function add(container: Container, key: string, value: unknown): void {
  if (!Array.isArray(container)) {
    define(container, key, value);
    return;
  }
  if (key === '-') {
    container.push(value);
    return;
  }
  const index = within(`value was not a proper array index: '${key}'`, () => indexIn(key));
  const length = container.length + 1;
  if (index >= length || index < -length) throw outOfRange(index);
  container.splice(index < 0 ? index + length : index, 0, value);
}

/** Also for keys that mean something to JavaScript. */
function define(container: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(container, key, { value, writable: true, enumerable: true, configurable: true });
}

function remove(container: Container, key: string): void {
  if (Array.isArray(container)) container.splice(placeOf(container, key), 1);
  else if (Object.hasOwn(container, key)) delete container[key];
  else throw new PatchError(`Unable to remove nonexistent key: ${key}: missing value`);
}

/** Returns the merged copy. */
export function applyMergePatch(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return deepCopy(patch);
  if (!isRecord(target)) return withoutNulls(patch);
  const out: Record<string, unknown> = { ...target };
  for (const [key, value] of Object.entries(patch)) {
    const current = Object.hasOwn(out, key) ? out[key] : undefined;
    if (value === null) delete out[key];
    else if (current === undefined || current === null) define(out, key, withoutNulls(value));
    else define(out, key, applyMergePatch(current, value));
  }
  return out;
}

/** A new value: members that are null are not there. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isRecord(value)) return value;
  const out: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value)) if (member !== null) define(out, key, withoutNulls(member));
  return out;
}
