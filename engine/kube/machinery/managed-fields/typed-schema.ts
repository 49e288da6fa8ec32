// Types as server-side apply sees them: what is a scalar, which maps and lists are one value, and what tells list elements apart.
// Built-in kinds come from the field tables, custom ones from the schema of their definition, anything else is deduced.

import { isRecord } from '../deep.ts';
import { jsonFields, type Field, type TypeRef } from '../schema/schema.ts';

export interface MapShape {
  readonly isAtomic: boolean;
  /** Declared fields in order of their names. */
  readonly fields: readonly { readonly name: string; readonly element: string; readonly type: TypedNode }[];
  readonly byName: ReadonlyMap<string, TypedNode>;
  /** Of members that are not declared; undefined: there are none. */
  readonly element: TypedNode | undefined;
}

export interface ListShape {
  readonly isAtomic: boolean;
  /** In order; none: a set of plain values. */
  readonly keys: readonly string[];
  readonly element: TypedNode;
}

/** What a value may be; most types allow one of the three only. */
export interface TypedNode {
  readonly scalar?: 'string' | 'numeric' | 'boolean' | 'untyped';
  readonly map?: MapShape;
  readonly list?: ListShape;
  /** Values that stand in for keys an element leaves out. */
  readonly keyDefaults?: Readonly<Record<string, unknown>>;
}

const STRING: TypedNode = { scalar: 'string' };
const NUMERIC: TypedNode = { scalar: 'numeric' };
const BOOLEAN: TypedNode = { scalar: 'boolean' };
const ANY_SCALAR: TypedNode = { scalar: 'untyped' };

interface MutableNode {
  scalar?: NonNullable<TypedNode['scalar']>;
  map?: MapShape;
  list?: ListShape;
  keyDefaults?: Readonly<Record<string, unknown>>;
}

const NO_FIELDS: ReadonlyMap<string, TypedNode> = new Map();

function mapOf(element: TypedNode, isAtomic = false): MapShape {
  return { isAtomic, fields: [], byName: NO_FIELDS, element };
}

function freeForm(isAtomicMap: boolean): TypedNode {
  const node: MutableNode = { scalar: 'untyped' };
  node.list = { isAtomic: true, keys: [], element: node };
  node.map = mapOf(node, isAtomicMap);
  return node;
}

/** Anything, as one value. */
export const UNTYPED: TypedNode = freeForm(true);
/** Anything; maps merge, lists are one value. */
export const DEDUCED: TypedNode = freeForm(false);

/** Structs that are one value as a whole. */
const ATOMIC_STRUCTS = new Set(['meta/v1.LabelSelector']);
const KEY_DEFAULTS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = { 'core/v1.ContainerPort': { protocol: 'TCP' } };

const structs = new Map<string, TypedNode>();

/** The type of a built-in struct, `apps/v1.Deployment`. */
export function typeOfStruct(name: string): TypedNode {
  const known = structs.get(name);
  if (known !== undefined) return known;
  const node: MutableNode = {};
  structs.set(name, node);
  const isAtomic = ATOMIC_STRUCTS.has(name);
  const declared = jsonFields(name).filter((field) => !field.isInline && field.json !== '' && field.json !== '-');
  if (KEY_DEFAULTS[name] !== undefined) node.keyDefaults = KEY_DEFAULTS[name];
  node.map =
    declared.length === 0
      ? mapOf(UNTYPED, isAtomic)
      : structShape(
          declared.map((field) => [field.json, typeOfField(field)]),
          isAtomic,
        );
  return node;
}

function structShape(members: readonly (readonly [string, TypedNode])[], isAtomic: boolean, element?: TypedNode): MapShape {
  const fields = members.map(([name, type]) => ({ name, element: `f:${name}`, type })).sort((a, b) => (a.name < b.name ? -1 : 1));
  return { isAtomic, fields, byName: new Map(members), element };
}

function typeOfField(field: Field): TypedNode {
  const type = field.type.kind === 'pointer' ? field.type.to : field.type;
  if (field.isAtomicStruct) {
    const node = typeOf(type);
    return node.map === undefined ? node : { ...node, map: { ...node.map, isAtomic: true } };
  }
  if (type.kind !== 'slice') return typeOf(type);
  const keys = field.listType === 'map' ? [...field.mapKeys].sort() : [];
  return { list: { isAtomic: field.listType === 'atomic', keys, element: typeOf(type.of) } };
}

function typeOf(type: TypeRef): TypedNode {
  switch (type.kind) {
    case 'struct':
      return typeOfStruct(type.name);
    case 'pointer':
      return typeOf(type.to);
    case 'slice':
      return { list: { isAtomic: true, keys: [], element: typeOf(type.of) } };
    case 'map':
      return { map: mapOf(typeOf(type.of)) };
    case 'string':
    case 'bytes':
    case 'duration':
    case 'quantity':
      return STRING;
    case 'bool':
      return BOOLEAN;
    case 'int':
    case 'float':
      return NUMERIC;
    case 'time':
    case 'microtime':
    case 'intstr':
      return ANY_SCALAR;
    case 'raw':
      return UNTYPED;
    case 'fields':
      return { map: mapOf(UNTYPED) };
  }
}

/** The part of a custom resource's schema that merging looks at. */
export interface MergeSchema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, MergeSchema>>;
  readonly additionalProperties?: MergeSchema | boolean;
  readonly items?: MergeSchema;
  readonly default?: unknown;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-embedded-resource'?: boolean;
  readonly 'x-kubernetes-list-type'?: string;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-map-type'?: string;
}

/** The type of a custom resource; `keepsUnknown` is its definition's preserveUnknownFields. */
export function typeOfSchema(schema: MergeSchema | undefined, keepsUnknown = false): TypedNode {
  if (schema === undefined) return keepsUnknown ? DEDUCED : { map: mapOf(UNTYPED) };
  const node = typeOfPart(schema, keepsUnknown);
  const members = new Map(node.map?.byName ?? []);
  members.set('apiVersion', STRING).set('kind', STRING).set('metadata', typeOfStruct('meta/v1.ObjectMeta'));
  const keeps = keepsUnknown || schema['x-kubernetes-preserve-unknown-fields'] === true;
  return { map: structShape([...members], node.map?.isAtomic ?? false, keeps ? DEDUCED : undefined) };
}

function typeOfPart(schema: MergeSchema, keepsUnknown: boolean): TypedNode {
  switch (schema.type) {
    case 'object': {
      const isAtomic = schema['x-kubernetes-map-type'] === 'atomic';
      const keeps = keepsUnknown || schema['x-kubernetes-preserve-unknown-fields'] === true;
      const members = Object.entries(schema.properties ?? {}).map(([name, inner]) => [name, typeOfPart(inner, keeps)] as const);
      if (schema['x-kubernetes-embedded-resource'] === true) {
        const known = new Set(members.map(([name]) => name));
        for (const name of ['apiVersion', 'kind']) if (!known.has(name)) members.push([name, STRING]);
        if (!known.has('metadata')) members.push(['metadata', typeOfStruct('meta/v1.ObjectMeta')]);
      }
      if (members.length > 0) {
        const keyDefaults = Object.entries(schema.properties ?? {}).flatMap(([name, { default: value }]) =>
          value === undefined ? [] : [[name, value]],
        );
        return {
          map: structShape(members, isAtomic, keeps ? DEDUCED : undefined),
          ...(keyDefaults.length === 0 ? {} : { keyDefaults: Object.fromEntries(keyDefaults) as Record<string, unknown> }),
        };
      }
      const values = schema.additionalProperties;
      return {
        map: mapOf(isRecord(values) ? typeOfPart(values as MergeSchema, keepsUnknown) : keepsUnknown ? DEDUCED : UNTYPED, isAtomic),
      };
    }
    case 'array': {
      const kind = schema['x-kubernetes-list-type'] ?? 'atomic';
      const keys = kind === 'map' ? [...(schema['x-kubernetes-list-map-keys'] ?? [])].sort() : [];
      const element = schema.items === undefined ? UNTYPED : typeOfPart(schema.items, keepsUnknown);
      return { list: { isAtomic: kind !== 'set' && kind !== 'map', keys, element } };
    }
    case 'string':
      return STRING;
    case 'integer':
    case 'number':
      return NUMERIC;
    case 'boolean':
      return BOOLEAN;
    default:
      return keepsUnknown ? DEDUCED : UNTYPED;
  }
}

export type Shape = 'map' | 'scalar' | 'list';

/** How `value` is to be read: as what it is where the type allows that, else as what the type allows first. */
export function shapeOf(type: TypedNode, value: unknown): Shape {
  if (value !== undefined && value !== null) {
    const own: Shape = typeof value !== 'object' ? 'scalar' : Array.isArray(value) ? 'list' : 'map';
    if (type[own] !== undefined) return own;
  }
  return type.map !== undefined ? 'map' : type.scalar !== undefined ? 'scalar' : 'list';
}
