// A text for everything about a new object that decides which fields it sets: which members it has, the keys of its list elements,
// and where it still is what an empty object of its kind is. Objects with the same text set the same fields.

import { isDeepEqual, isRecord } from '../deep.ts';
import { shapeOf, type TypedNode } from './typed-schema.ts';

export function shapeKey(value: unknown, type: TypedNode, empty: unknown): string {
  if (value === null) return empty === undefined || empty === null ? (empty === null ? '=' : 'n') : '!';
  switch (shapeOf(type, value)) {
    case 'scalar':
      return empty === undefined ? '' : value === empty ? '=' : '!';
    case 'map': {
      const map = type.map!;
      if (map.isAtomic || !isRecord(value)) break;
      const base = isRecord(empty) ? empty : undefined;
      let out = empty === undefined ? '{' : '[';
      for (const name in value) {
        const member = value[name];
        if (member === undefined) continue;
        const inner = map.byName.get(name) ?? map.element;
        if (inner === undefined) continue;
        out += `${name.length}:${name}${shapeKey(member, inner, base?.[name])},`;
      }
      return `${out}}`;
    }
    case 'list': {
      const list = type.list!;
      if (list.isAtomic || !Array.isArray(value)) break;
      // Elements of a list that is not empty to begin with are not worth the trouble.
      let out = empty === undefined ? '(' : '<';
      for (const element of value as readonly unknown[]) {
        if (list.keys.length === 0) out += JSON.stringify(element);
        else
          for (const key of list.keys)
            out += `${JSON.stringify(isRecord(element) ? (element[key] ?? list.element.keyDefaults?.[key]) : element)};`;
        out += `${shapeKey(element, list.element, undefined)},`;
      }
      return `${out})`;
    }
  }
  return empty === undefined ? '' : isDeepEqual(value, empty) ? '=' : '!';
}
