// The fields of a struct as protocol buffers have them; numbers come from proto-fields.json, which scripts/api-fields.mjs makes.

import numbers from './proto-fields.json' with { type: 'json' };
import { declaredFields, type TypeRef } from './schema.ts';

export interface ProtoField {
  readonly number: number;
  /** '' for an embedded struct: its members are the parent's in JSON. */
  readonly json: string;
  readonly type: TypeRef;
  readonly isPointer: boolean;
  /** A list that is a message of its own with the elements as field 1. */
  readonly isWrapped: boolean;
  /** Go's name of a type that JSON has in a free form. */
  readonly free: string;
}

const NUMBERS = numbers as unknown as Readonly<Record<string, Readonly<Record<string, string>>>>;

export interface Plan {
  /** By number, highest first: the order in which they are written from the end. */
  readonly fields: readonly ProtoField[];
  readonly byNumber: ReadonlyMap<number, ProtoField>;
}

const plans = new Map<string, Plan>();

/** The name of a type without its package; a named map's is that of its values. */
function freeName(goType: string): string {
  const name = goType.replace(/^.*[\]*.]/, '');
  return name === 'JSONSchemaDependencies' ? 'JSONSchemaPropsOrStringArray' : name;
}

export function planOf(struct: string): Plan {
  const known = plans.get(struct);
  if (known !== undefined) return known;
  const dot = struct.lastIndexOf('.');
  const given = new Map(
    (NUMBERS[struct.slice(0, dot)]?.[struct.slice(dot + 1)] ?? '')
      .split(',')
      .map((entry) => entry.split('=') as [string, string | undefined]),
  );
  const fields: ProtoField[] = [];
  for (const field of declaredFields(struct)) {
    const number = given.get(field.goName);
    if (number === undefined) continue;
    const isPointer = field.type.kind === 'pointer';
    const type = field.type.kind === 'pointer' ? field.type.to : field.type;
    fields.push({
      number: Number(number),
      json: field.isInline ? '' : field.json,
      type,
      isPointer,
      isWrapped: type.kind === 'slice' && !field.goType.includes('[]'),
      free: freeName(field.goType),
    });
  }
  fields.sort((a, b) => b.number - a.number);
  const plan = { fields, byNumber: new Map(fields.map((field) => [field.number, field])) };
  plans.set(struct, plan);
  return plan;
}

/** Schemas refer to schemas of their own version; the two have the same numbers. */
export const SCHEMA = 'apiextensions/v1.JSONSchemaProps';
