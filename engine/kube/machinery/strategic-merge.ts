// Models strategic merge patch: maps merge by key, lists by the merge key of their type, directives steer.

import { deepCopy, isDeepEqual, isRecord } from './deep.ts';
import { goValue } from './go-value.ts';
import { fieldOf, type Field, type TypeRef } from './schema/schema.ts';

const DIRECTIVE = '$patch';
const RETAIN_KEYS = '$retainKeys';
const DELETE_FROM = '$deleteFromPrimitiveList';
const SET_ORDER = '$setElementOrder';

type Json = Record<string, unknown>;

/** How the server answers: as a bad request, as unprocessable, or as a fault of its own. */
type ErrorKind = 'bad format' | 'unprocessable' | 'fault';

export class StrategicError extends Error {
  override readonly name = 'StrategicError';
  readonly kind: ErrorKind;

  constructor(message: string, kind: ErrorKind = 'fault') {
    super(message);
    this.kind = kind;
  }
}

const badList = (what: string): StrategicError => new StrategicError(`invalid patch format of ${what}`, 'bad format');

/** Returns the patched copy; `struct` is the type of both (`apps/v1.Deployment`). */
export function applyStrategicMergePatch(original: Readonly<Json>, patch: Readonly<Json>, struct: string | undefined): Json {
  if (struct === undefined) throw new StrategicError('strategic merge patch format is not supported', 'bad format');
  return mergeMap(deepCopy(original), deepCopy(patch), { kind: 'struct', name: struct });
}

/** The field of a struct type that a JSON key names; throws as the lookup of its tags does. */
function lookup(type: TypeRef, key: string): Field {
  const inner = type.kind === 'pointer' ? type.to : type;
  if (inner.kind !== 'struct' && inner.kind !== 'raw') {
    throw new StrategicError(`merging an object in json but data type is not struct, instead is: ${inner.kind}`);
  }
  const field = inner.kind === 'struct' ? fieldOf(inner.name, key) : undefined;
  if (field !== undefined) return field;
  const name = inner.kind === 'struct' ? inner.name.slice(inner.name.lastIndexOf('.') + 1) : 'RawExtension';
  throw new StrategicError(`unable to find api field in struct ${name} for the json field ${JSON.stringify(key)}`);
}

function elementType(type: TypeRef): TypeRef {
  const inner = type.kind === 'pointer' ? type.to : type;
  if (inner.kind !== 'slice') throw new StrategicError('expected slice or array type, but got: struct');
  return inner.of;
}

function mergeMap(original: Json, patch: Json, type: TypeRef): Json {
  if (Object.hasOwn(patch, DIRECTIVE)) {
    const { [DIRECTIVE]: directive, ...rest } = patch;
    if (directive === 'replace') return rest;
    if (directive === 'delete') return {};
    throw unknownDirective(directive, patch);
  }
  retainKeys(original, patch);
  for (const key of Object.keys(patch)) if (key.startsWith(SET_ORDER)) mergeInOrder(original, patch, key, type);
  for (const [given, value] of Object.entries(patch)) {
    const isDeletion = given.startsWith(DELETE_FROM);
    const key = isDeletion ? suffix(given, 'primitive list') : given;
    if (value === null) {
      delete original[key];
      continue;
    }
    const old = Object.hasOwn(original, key) ? original[key] : undefined;
    if (isRecord(value) && isRecord(old)) original[key] = mergeMap(old, value, lookup(type, key).type);
    else if (Array.isArray(value) && Array.isArray(old)) original[key] = mergeField(old, value, lookup(type, key), isDeletion);
    else Object.defineProperty(original, key, { value, writable: true, enumerable: true, configurable: true });
  }
  return original;
}

function unknownDirective(directive: unknown, map: Json): StrategicError {
  return new StrategicError(`unknown patch type: ${goText(directive)} in map: ${goValue(map)}`);
}

/** As %s prints a decoded value. */
function goText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === null || value === undefined) return '%!s(<nil>)';
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`;
  if (isRecord(value)) {
    const members = Object.keys(value).sort();
    return `map[${members.map((key) => `${key}:${goText(value[key])}`).join(' ')}]`;
  }
  if (typeof value === 'boolean') return `%!s(bool=${value})`;
  return `%!s(${Number.isInteger(value) ? 'int64' : 'float64'}=${String(value)})`;
}

/** What follows the slash of a directive's key. */
function suffix(key: string, what: string): string {
  const slash = key.indexOf('/');
  const prefix = key.startsWith(SET_ORDER) ? SET_ORDER : DELETE_FROM;
  if (slash < 0 || key.slice(0, slash) !== prefix) throw badList(what);
  return key.slice(slash + 1);
}

/** `$retainKeys`: what is not in the list goes, and the patch may not set it. */
function retainKeys(original: Json, patch: Json): void {
  if (!Object.hasOwn(patch, RETAIN_KEYS)) return;
  const retained = patch[RETAIN_KEYS];
  delete patch[RETAIN_KEYS];
  if (!Array.isArray(retained)) throw badList('retainKeys');
  for (const [key, value] of Object.entries(patch)) {
    if (value === null || key.startsWith(DELETE_FROM) || key.startsWith(SET_ORDER)) continue;
    if (!retained.includes(key)) throw badList('retainKeys');
  }
  for (const key of Object.keys(original)) if (!retained.includes(key)) delete original[key];
}

/** `$setElementOrder/field`: merges the list, if the patch has one, and puts it into that order. */
function mergeInOrder(original: Json, patch: Json, directive: string, type: TypeRef): void {
  const order = patch[directive];
  delete patch[directive];
  if (!Array.isArray(order)) throw badType(order);
  const key = suffix(directive, 'setElementOrder list');
  const [before, given] = [original[key], patch[key]];
  if (before !== undefined && !Array.isArray(before)) throw badType(before);
  if (given !== undefined && !Array.isArray(given)) throw badType(given);
  const field = lookup(type, key);
  checkOrder(given ?? [], order, field.patchKey ?? '');
  if (before === undefined && given === undefined) return;
  const merged = before === undefined ? given! : given === undefined ? before : mergeField([...before], given, field, false);
  kindOfElements([...(before ?? []), ...(given ?? [])]);
  original[key] = arrange(merged, order, before ?? [], field.patchKey ?? '');
  delete patch[key];
}

function badType(actual: unknown): StrategicError {
  const go = isRecord(actual)
    ? 'map[string]interface {}'
    : typeof actual === 'string'
      ? 'string'
      : typeof actual === 'boolean'
        ? 'bool'
        : 'int64';
  return new StrategicError(`expected a []interface {}, but received a ${go}`);
}

/** The elements of the patch come in the order of the directive. */
function checkOrder(list: readonly unknown[], order: readonly unknown[], mergeKey: string): void {
  if (list.length === 0 || order.length === 0) return;
  const kept = mergeKey === '' ? list : list.filter((element) => !isRecord(element) || element[DIRECTIVE] !== 'delete');
  let at = 0;
  for (let i = 0; at < kept.length && i < order.length;) {
    const element = kept[at];
    if (isRecord(element) && Object.hasOwn(element, DIRECTIVE)) {
      at++;
      continue;
    }
    if (mergeKey === '' ? element === order[i] : keyOf(element, mergeKey) === keyOf(order[i], mergeKey)) at++;
    i++;
  }
  if (at < kept.length) {
    throw new StrategicError(`The order in patch list:\n${goValue(list)}\n doesn't match ${SET_ORDER} list:\n${goValue(order)}\n`);
  }
}

/** The value of the merge key; throws when there is none. */
function keyOf(element: unknown, mergeKey: string): unknown {
  if (!isRecord(element)) throw new StrategicError(`expected a map[string]interface {}, but received a ${typeof element}`);
  if (!Object.hasOwn(element, mergeKey)) throw noMergeKey(element, mergeKey);
  return element[mergeKey];
}

function noMergeKey(element: Json, mergeKey: string): StrategicError {
  return new StrategicError(`map: ${goValue(element)} does not contain declared merge key: ${mergeKey}`);
}

function mergeField(original: unknown[], patch: readonly unknown[], field: Field, isDeletion: boolean): unknown[] {
  if (field.patchKey === undefined) return [...patch];
  if (original.length === 0 && patch.length === 0) return original;
  if (kindOfElements([...original, ...patch]) !== 'map') {
    if (isDeletion) return original.filter((element) => !patch.includes(element));
    return arrange([...new Set([...original, ...patch])], patch, original, '');
  }
  if (field.patchKey === '') throw new StrategicError('cannot merge lists without merge key for struct');
  return mergeMaps(original, patch as readonly Json[], field.patchKey, elementType(field.type));
}

/** All elements are of one kind; lists in lists do not merge. */
function kindOfElements(elements: readonly unknown[]): string {
  const kinds = new Set(
    elements.map((element) => (Array.isArray(element) ? 'slice' : isRecord(element) ? 'map' : element === null ? 'nil' : typeof element)),
  );
  if (kinds.has('slice')) throw new StrategicError('lists of lists are not supported', 'unprocessable');
  if (kinds.size > 1) throw new StrategicError(`list element types are not identical: ${goValue([elements])}`);
  const [kind] = kinds;
  if (kind === undefined) throw new StrategicError('no elements in any of the given slices');
  return kind;
}

function mergeMaps(original: readonly unknown[], patch: readonly Json[], mergeKey: string, type: TypeRef): unknown[] {
  let merged = [...original] as Json[];
  const plain: Json[] = [];
  let replaces = false;
  for (const element of patch) {
    if (!Object.hasOwn(element, DIRECTIVE)) {
      plain.push(element);
      continue;
    }
    switch (element[DIRECTIVE]) {
      case 'delete':
        if (!Object.hasOwn(element, mergeKey)) throw noMergeKey(element, mergeKey);
        merged = merged.filter((other) => other[mergeKey] !== element[mergeKey]);
        break;
      case 'replace':
        replaces = true;
        break;
      case 'merge':
        throw new StrategicError('merging lists cannot yet be specified in the patch');
      default:
        throw unknownDirective(element[DIRECTIVE], element);
    }
  }
  // The list of the patch instead of what was there.
  const [base, rest] = replaces ? [plain, []] : [merged, plain];
  const out = [...base];
  for (const element of rest) {
    if (!Object.hasOwn(element, mergeKey)) throw noMergeKey(element, mergeKey);
    const at = out.findIndex((other) => isDeepEqual(other[mergeKey], element[mergeKey]));
    if (at < 0) out.push(element);
    else out[at] = mergeMap(out[at]!, element, type);
  }
  return arrange(out, rest, base, mergeKey);
}

/**
 * What `order` names comes in its order, what only the server has in the server's; an element of the server goes before
 * one of the patch where it was before it.
 */
function arrange(merged: readonly unknown[], order: readonly unknown[], server: readonly unknown[], mergeKey: string): unknown[] {
  const identity = (element: unknown): unknown => (mergeKey === '' ? element : isRecord(element) ? element[mergeKey] : undefined);
  const places = (list: readonly unknown[]): Map<unknown, number> => {
    const out = new Map<unknown, number>();
    for (const [index, element] of list.entries()) if (!out.has(identity(element))) out.set(identity(element), index);
    return out;
  };
  const [inOrder, inServer] = [places(order), places(server)];
  for (const element of mergeKey === '' ? [] : merged)
    if (isRecord(element) && !Object.hasOwn(element, mergeKey)) throw noMergeKey(element, mergeKey);
  const rank = (element: unknown): number => inOrder.get(identity(element)) ?? -1;
  const place = (element: unknown): number => inServer.get(identity(element)) ?? -1;
  const named = merged.filter((element) => inOrder.has(identity(element))).sort((a, b) => rank(a) - rank(b));
  const others = merged.filter((element) => !inOrder.has(identity(element))).sort((a, b) => place(a) - place(b));
  const out: unknown[] = [];
  let [i, j] = [0, 0];
  while (i < others.length && j < named.length) {
    const [mine, theirs] = [place(others[i]), place(named[j])];
    out.push(mine >= 0 && theirs >= 0 && mine < theirs ? others[i++] : named[j++]);
  }
  return [...out, ...named.slice(j), ...others.slice(i)];
}
