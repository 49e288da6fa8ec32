// Models structured-merge-diff's typed values: validation, the fields a configuration names, merging, removal of items.

import { isRecord } from '../deep.ts';
import { goValue } from '../go-value.ts';
import { elementOf, ElementError, TypedError } from './elements.ts';
import { below, hasElement, isEmptySet, LEAF, showElement, type FieldSet } from './field-set.ts';
import { shapeOf, type ListShape, type MapShape, type TypedNode } from './typed-schema.ts';

type Json = Readonly<Record<string, unknown>>;
type Building = Record<string, FieldSet>;

/** Throws TypedError with everything that does not fit. */
export function validateTyped(value: unknown, type: TypedNode): void {
  const problems: string[] = [];
  validate(value, type, '', problems);
  if (problems.length > 0) throw new TypedError(problems);
}

function validate(value: unknown, type: TypedNode, path: string, problems: string[]): void {
  const say = (problem: string): number => problems.push(path === '' ? problem : `${path}: ${problem}`);
  const shape = shapeOf(type, value);
  if (value === null || value === undefined) return;
  if (shape === 'scalar') {
    const problem = scalarProblem(type.scalar!, value);
    if (problem !== undefined) say(problem);
  } else if (shape === 'list') {
    if (!Array.isArray(value)) say(`expected list, got ${shown(value)}`);
    else validateList(value, type.list!, path, problems);
  } else if (!isRecord(value)) say(`expected map, got ${shown(value)}`);
  else validateMap(value, type.map!, path, problems);
}

function validateMap(value: Json, map: MapShape, path: string, problems: string[]): void {
  for (const name of Object.keys(value).sort()) {
    const inner = map.byName.get(name) ?? map.element;
    if (inner === undefined) {
      problems.push(`${path}.${name}: field not declared in schema`);
      return;
    }
    validate(value[name], inner, `${path}.${name}`, problems);
  }
}

function validateList(values: readonly unknown[], list: ListShape, path: string, problems: string[]): void {
  const seen = new Set<string>();
  for (const [index, value] of values.entries()) {
    let element = `i:${index}`;
    if (!list.isAtomic) {
      try {
        element = elementOf(list, value);
      } catch (error) {
        if (!(error instanceof ElementError)) throw error;
        problems.push(`${path}: element ${index}: ${error.message}`);
        return;
      }
      if (seen.has(element)) problems.push(`${path}: duplicate entries for key ${showElement(element)}`);
      seen.add(element);
    }
    validate(value, list.element, path + showElement(element), problems);
  }
}

function scalarProblem(scalar: NonNullable<TypedNode['scalar']>, value: unknown): string | undefined {
  switch (scalar) {
    case 'numeric':
      return typeof value === 'number' ? undefined : 'expected numeric (int or float), got *value.valueUnstructured';
    case 'string':
      return typeof value === 'string' ? undefined : `expected string, got &value.valueUnstructured{Value:${goSyntax(value)}}`;
    case 'boolean':
      return typeof value === 'boolean' ? undefined : `expected boolean, got ${shown(value)}`;
    default:
      return undefined;
  }
}

function shown(value: unknown): string {
  return `&{${goValue(value)}}`;
}

/** As %#v prints a decoded JSON value. */
function goSyntax(value: unknown): string {
  if (value === null || value === undefined) return 'interface {}(nil)';
  if (Array.isArray(value)) return `[]interface {}{${value.map(goSyntax).join(', ')}}`;
  if (!isRecord(value)) return typeof value === 'string' ? JSON.stringify(value) : String(value);
  const members = Object.keys(value).sort();
  return `map[string]interface {}{${members.map((key) => `${JSON.stringify(key)}:${goSyntax(value[key])}`).join(', ')}}`;
}

/** The fields that a configuration names: its values, list elements and map members; not the structs around them. */
export function fieldsNamedBy(value: unknown, type: TypedNode): FieldSet {
  return named(value, type) ?? LEAF;
}

/** Without membership of the value itself, but for values that are leaves; undefined when there is nothing. */
function named(value: unknown, type: TypedNode): FieldSet | undefined {
  switch (shapeOf(type, value)) {
    case 'scalar':
      return LEAF;
    case 'map': {
      const map = type.map!;
      if (map.isAtomic) return LEAF;
      if (!isRecord(value)) return undefined;
      let out: Building | undefined;
      for (const name in value) {
        if (value[name] === undefined) continue;
        const declared = map.byName.get(name);
        const inner = named(value[name], declared ?? map.element ?? LEAFLESS);
        const node = declared === undefined ? itself(inner) : inner;
        if (node !== undefined) (out ??= {})[`f:${name}`] = node;
      }
      return out;
    }
    case 'list': {
      const list = type.list!;
      if (list.isAtomic) return LEAF;
      if (!Array.isArray(value)) return undefined;
      let out: Building | undefined;
      for (const inner of value as readonly unknown[]) (out ??= {})[elementOf(list, inner)] = itself(named(inner, list.element));
      return out;
    }
  }
}

const LEAFLESS: TypedNode = { scalar: 'untyped' };

function itself(node: FieldSet | undefined): FieldSet {
  return node === undefined || isEmptySet(node) ? LEAF : { '.': LEAF, ...node };
}

/** `base` with what `config` says put into it; elements keep the order of `base`, new ones come after. */
export function mergeTyped(base: unknown, config: unknown, type: TypedNode): unknown {
  if (base === undefined || base === null) return config === undefined ? base : config;
  if (config === undefined) return base;
  const shape = shapeOf(type, config);
  if (shape === 'map' && !type.map!.isAtomic) {
    const [left, right] = [isRecord(base) ? base : {}, isRecord(config) ? config : {}];
    if (Object.keys(left).length === 0 && Object.keys(right).length === 0) return config;
    const out: Record<string, unknown> = {};
    for (const name in left) {
      const inner = type.map!.byName.get(name) ?? type.map!.element ?? LEAFLESS;
      out[name] = mergeTyped(left[name], right[name], inner);
    }
    for (const name in right) if (left[name] === undefined) out[name] = right[name];
    return out;
  }
  if (shape === 'list' && !type.list!.isAtomic) {
    const [left, right] = [Array.isArray(base) ? (base as unknown[]) : [], Array.isArray(config) ? (config as unknown[]) : []];
    if (left.length === 0 && right.length === 0) return config;
    const list = type.list!;
    const given = new Map(right.map((value) => [elementOf(list, value), value]));
    const out: unknown[] = [];
    for (const value of left) {
      const element = elementOf(list, value);
      out.push(mergeTyped(value, given.get(element), list.element));
      given.delete(element);
    }
    return [...out, ...given.values()];
  }
  return config;
}

/** Without the list elements and map members in `items`; undefined when nothing is left. */
export function removeItems(value: unknown, items: FieldSet, type: TypedNode): unknown {
  if (isEmptySet(items)) return value;
  const shape = shapeOf(type, value);
  if (shape === 'map') {
    // One that is a single value goes as a whole or not at all.
    if (!isRecord(value) || Object.keys(value).length === 0 || type.map!.isAtomic) return undefined;
    const out: Record<string, unknown> = {};
    for (const name in value) {
      const element = `f:${name}`;
      if (hasElement(items, element)) continue;
      const inside = below(items, element);
      const inner = isEmptySet(inside)
        ? value[name]
        : removeItems(value[name], inside, type.map!.byName.get(name) ?? type.map!.element ?? LEAFLESS);
      out[name] = inner ?? null;
    }
    return Object.keys(out).length === 0 ? undefined : out;
  }
  if (shape === 'list') {
    if (!Array.isArray(value) || value.length === 0 || type.list!.isAtomic) return undefined;
    const out: unknown[] = [];
    for (const inner of value as readonly unknown[]) {
      const element = elementOf(type.list!, inner);
      if (hasElement(items, element)) continue;
      const inside = below(items, element);
      out.push(isEmptySet(inside) ? inner : (removeItems(inner, inside, type.list!.element) ?? null));
    }
    return out.length === 0 ? undefined : out;
  }
  return value;
}
