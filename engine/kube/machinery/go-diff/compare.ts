// Models go-cmp's comparison of two values of one Go type: a tree of nodes with counts of what is the same and what is not.

import { goQuantityFields } from '../go-print.ts';
import { Quantity } from '../quantity.ts';
import { type GoType, internalType, memberOf } from '../schema/internal-types.ts';
import { editsBetween } from './edits.ts';

/** A value that is not there at all (an element that only the other list has), unlike a nil. */
export const ABSENT = Symbol('absent');

export interface Comparison {
  readonly type: GoType;
  readonly x: unknown;
  readonly y: unknown;
  readonly parent: GoType['kind'] | undefined;
  same: number;
  different: number;
  children: number;
  depth: number;
  /** Fields, elements or entries, by their names. */
  readonly records: { readonly key: string; readonly node: Comparison }[];
  /** What a pointer points at. */
  target: Comparison | undefined;
}

export function compare(type: GoType, x: unknown, y: unknown, parent?: GoType['kind']): Comparison {
  const node: Comparison = { type, x, y, parent, same: 0, different: 0, children: 0, depth: 0, records: [], target: undefined };
  if (x === ABSENT || y === ABSENT) return leaf(node, false);
  switch (type.kind) {
    case 'struct':
      for (const field of type.fields)
        add(node, field.name, compare(field.type, memberOf(type, field, holderOf(x)), memberOf(type, field, holderOf(y)), 'struct'));
      return node;
    case 'intstr': {
      const [a, b] = [intOrStringFields(x), intOrStringFields(y)];
      for (const { name, type: of } of intOrStringTypes()) add(node, name, compare(of, a[name], b[name], 'struct'));
      return node;
    }
    case 'pointer':
    case 'slice':
    case 'map':
      if (isNil(x) || isNil(y)) return leaf(node, isNil(x) && isNil(y));
      if (type.kind === 'pointer') {
        node.target = compare(type.to, x, y, 'pointer');
        count(node, node.target);
      } else if (type.kind === 'map') compareMaps(node, type.of);
      else compareSlices(node, type.of);
      return node;
    case 'quantity':
      return leaf(node, Quantity.parse(String(x ?? '0')).compare(Quantity.parse(String(y ?? '0'))) === 0);
    default:
      return leaf(node, (x ?? zeroOf(type)) === (y ?? zeroOf(type)));
  }
}

function compareMaps(node: Comparison, of: GoType): void {
  const [x, y] = [holderOf(node.x), holderOf(node.y)];
  for (const key of [...new Set([...Object.keys(x), ...Object.keys(y)])].sort())
    add(node, key, compare(of, Object.hasOwn(x, key) ? x[key] : ABSENT, Object.hasOwn(y, key) ? y[key] : ABSENT, 'map'));
}

function compareSlices(node: Comparison, of: GoType): void {
  const [xs, ys] = [node.x as readonly unknown[], node.y as readonly unknown[]];
  const edits = editsBetween(xs.length, ys.length, (x, y) => compare(of, xs[x], ys[y], 'slice'));
  let [x, y] = [0, 0];
  for (const edit of edits) add(node, '', compare(of, edit === 'onlyY' ? ABSENT : xs[x++], edit === 'onlyX' ? ABSENT : ys[y++], 'slice'));
}

function leaf(node: Comparison, isEqual: boolean): Comparison {
  if (isEqual) node.same = 1;
  else node.different = 1;
  return node;
}

function add(node: Comparison, key: string, child: Comparison): void {
  node.records.push({ key, node: child });
  count(node, child);
}

function count(node: Comparison, child: Comparison): void {
  node.same += child.same;
  node.different += child.different;
  node.children += child.children + 1;
  node.depth = Math.max(node.depth, child.depth + 1);
}

export const isNil = (value: unknown): boolean => value === undefined || value === null;

export function holderOf(value: unknown): Readonly<Record<string, unknown>> {
  return (value ?? {}) as Readonly<Record<string, unknown>>;
}

function zeroOf(type: GoType): unknown {
  return type.kind === 'string' ? '' : type.kind === 'bool' ? false : type.kind === 'int' || type.kind === 'float' ? 0 : undefined;
}

/** reflect's idea of a zero value. */
export function isZero(type: GoType, value: unknown): boolean {
  if (value === ABSENT) return false;
  switch (type.kind) {
    case 'struct':
      return type.fields.every((field) => isZero(field.type, memberOf(type, field, holderOf(value))));
    case 'string':
      return isNil(value) || value === '';
    case 'bool':
      return value !== true;
    case 'int':
    case 'float':
      return isNil(value) || value === 0;
    case 'intstr':
      return isNil(value) || value === 0;
    default:
      return isNil(value);
  }
}

function intOrStringTypes(): readonly { readonly name: string; readonly type: GoType }[] {
  return [
    { name: 'Type', type: internalType('int64') },
    { name: 'IntVal', type: internalType('int32') },
    { name: 'StrVal', type: internalType('string') },
  ];
}

function intOrStringFields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'string' ? { Type: 1, IntVal: 0, StrVal: value } : { Type: 0, IntVal: value ?? 0, StrVal: '' };
}

/** Fields of what prints itself as a struct though JSON has a plain value, by their names; undefined for other types. */
export function plainFields(
  type: GoType,
  value: unknown,
): readonly { readonly name: string; readonly type: GoType; readonly value: unknown }[] | undefined {
  if (type.kind === 'intstr') {
    const fields = intOrStringFields(value);
    return intOrStringTypes().map((field) => ({ ...field, value: fields[field.name] }));
  }
  return type.kind === 'quantity' ? goQuantityFields(value) : undefined;
}
