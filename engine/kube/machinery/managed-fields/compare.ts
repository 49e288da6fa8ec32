// Models structured-merge-diff's comparison: which fields were added, changed or removed between two objects of one type.

import { isDeepEqual, isRecord } from '../deep.ts';
import { elementOf, ElementError, TypedError } from './elements.ts';
import { LEAF, union, type FieldSet } from './field-set.ts';
import { shapeOf, type ListShape, type MapShape, type Shape, type TypedNode } from './typed-schema.ts';

export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

/** The parts of a difference below one field; what is left out is empty. */
interface Difference {
  added?: FieldSet;
  modified?: FieldSet;
  removed?: FieldSet;
}

type Json = Readonly<Record<string, unknown>>;
type Building = Record<string, FieldSet>;

/** Throws TypedError when a list has two elements of one key. */
export function compare(before: unknown, after: unknown, type: TypedNode): Comparison {
  const found = before === after ? undefined : differenceOf(before, after, type);
  return { added: found?.added ?? LEAF, modified: found?.modified ?? LEAF, removed: found?.removed ?? LEAF };
}

export function isSame({ added, modified, removed }: Comparison): boolean {
  for (const _ in added) return false;
  for (const _ in modified) return false;
  for (const _ in removed) return false;
  return true;
}

function differenceOf(before: unknown, after: unknown, type: TypedNode): Difference | undefined {
  if (before === after) return undefined;
  if (before === undefined) return { added: everything(after, type) };
  if (after === undefined) return { removed: everything(before, type) };
  const shape = shapeOf(type, after);
  const former = shapeOf(type, before);
  const found = shaped(shape, before, after, type);
  if (shape === former || before === null || after === null) return found;
  return merged(shaped(former, before, after, type), found);
}

function shaped(shape: Shape, before: unknown, after: unknown, type: TypedNode): Difference | undefined {
  if (shape === 'map' && !type.map!.isAtomic) {
    const [left, right] = [isRecord(before) ? before : undefined, isRecord(after) ? after : undefined];
    if (hasMembers(left) || hasMembers(right)) return mapDifference(left ?? NOTHING, right ?? NOTHING, type.map!);
  } else if (shape === 'list' && !type.list!.isAtomic) {
    const [left, right] = [listOf(before), listOf(after)];
    if (left.length > 0 || right.length > 0) return listDifference(left, right, type.list!);
  }
  return isDeepEqual(before, after) ? undefined : { modified: LEAF };
}

const NOTHING: Json = {};

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}

function hasMembers(value: Json | undefined): boolean {
  for (const key in value) if (value[key] !== undefined) return true;
  return false;
}

function mapDifference(before: Json, after: Json, map: MapShape): Difference | undefined {
  const out: Difference = {};
  for (const { name, element, type } of map.fields) {
    const [left, right] = [before[name], after[name]];
    if (left !== right) record(out, element, differenceOf(left, right, type));
  }
  if (map.element !== undefined) {
    for (const name in after) {
      if (map.byName.has(name) || after[name] === undefined) continue;
      record(out, `f:${name}`, differenceOf(before[name], after[name], map.element));
    }
    for (const name in before) {
      if (map.byName.has(name) || after[name] !== undefined || before[name] === undefined) continue;
      record(out, `f:${name}`, differenceOf(before[name], undefined, map.element));
    }
  }
  return out;
}

function listDifference(before: readonly unknown[], after: readonly unknown[], list: ListShape): Difference {
  const out: Difference = {};
  const left = elementsOf(before, list, 'lhs');
  const right = elementsOf(after, list, 'rhs');
  for (const [element, value] of right) record(out, element, differenceOf(left.get(element), value, list.element));
  for (const [element, value] of left) if (!right.has(element)) record(out, element, differenceOf(value, undefined, list.element));
  return out;
}

function elementsOf(values: readonly unknown[], list: ListShape, side: string): Map<string, unknown> {
  const out = new Map<string, unknown>();
  for (const [index, value] of values.entries()) {
    const element = nameOf(list, value, index, side);
    if (out.has(element)) throw new TypedError([`${side}: duplicate entries for key ${element}`]);
    out.set(element, value);
  }
  return out;
}

function nameOf(list: ListShape, value: unknown, index: number, side: string): string {
  try {
    return elementOf(list, value);
  } catch (error) {
    if (!(error instanceof ElementError)) throw error;
    throw new TypedError([`${side}: element ${index}: ${error.message}`]);
  }
}

function record(out: Difference, element: string, found: Difference | undefined): void {
  if (found === undefined) return;
  if (found.added !== undefined) ((out.added ??= {}) as Building)[element] = found.added;
  if (found.modified !== undefined) ((out.modified ??= {}) as Building)[element] = found.modified;
  if (found.removed !== undefined) ((out.removed ??= {}) as Building)[element] = found.removed;
}

function merged(a: Difference | undefined, b: Difference | undefined): Difference | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const out: Difference = {};
  for (const part of ['added', 'modified', 'removed'] as const) {
    const [left, right] = [a[part], b[part]];
    const both = left === undefined ? right : right === undefined ? left : union({ 'f:': left }, { 'f:': right })['f:'];
    if (both !== undefined) out[part] = both;
  }
  return out;
}

/** A value that is only on one side: it and everything in it. */
export function everything(value: unknown, type: TypedNode): FieldSet {
  switch (shapeOf(type, value)) {
    case 'scalar':
      return LEAF;
    case 'map': {
      const map = type.map!;
      if (map.isAtomic || !isRecord(value)) return LEAF;
      let out: Building | undefined;
      for (const field of map.fields) {
        const member = value[field.name];
        if (member !== undefined) (out ??= { '.': LEAF })[field.element] = everything(member, field.type);
      }
      if (map.element !== undefined) {
        for (const name in value) {
          if (value[name] === undefined || map.byName.has(name)) continue;
          (out ??= { '.': LEAF })[`f:${name}`] = everything(value[name], map.element);
        }
      }
      return out ?? LEAF;
    }
    case 'list': {
      const list = type.list!;
      if (list.isAtomic || !Array.isArray(value) || value.length === 0) return LEAF;
      const out: Building = { '.': LEAF };
      for (const [index, inner] of (value as readonly unknown[]).entries()) {
        const element = nameOf(list, inner, index, 'rhs');
        if (out[element] !== undefined) throw new TypedError([`rhs: duplicate entries for key ${element}`]);
        out[element] = everything(inner, list.element);
      }
      return out;
    }
  }
}
