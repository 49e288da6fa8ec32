// Random objects of the API's types, for property tests: any field may be there or not.

import fc from 'fast-check';
import { declaredFields, jsonFields, type TypeRef } from './schema.ts';

/** Objects of a struct as a client may send them; `depth` levels of optional structs deep. */
export function objectOf(struct: string, depth = 3): fc.Arbitrary<Record<string, unknown>> {
  const members: Record<string, fc.Arbitrary<unknown>> = {};
  // An object's type stands beside it.
  const isTyped = declaredFields(struct).some((field) => field.isInline && field.goName === 'TypeMeta');
  for (const field of jsonFields(struct)) {
    if (field.isInline || field.json === '' || field.json === '-' || field.json === 'managedFields') continue;
    if (isTyped && (field.json === 'kind' || field.json === 'apiVersion')) continue;
    const isDeep = depth === 0 && isStructural(field.type);
    if (!isDeep) members[field.json] = valueOf(field.type, depth, field.goType);
  }
  return fc.record(members, { requiredKeys: [] }) as fc.Arbitrary<Record<string, unknown>>;
}

function isStructural(type: TypeRef): boolean {
  return (
    type.kind === 'struct' ||
    (type.kind === 'pointer' && isStructural(type.to)) ||
    ((type.kind === 'slice' || type.kind === 'map') && isStructural(type.of))
  );
}

const NAME = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
const TEXT = fc.oneof(NAME, fc.string({ maxLength: 12 }), fc.constantFrom('', 'é', '서버', '𝒳'));

function valueOf(type: TypeRef, depth: number, go: string): fc.Arbitrary<unknown> {
  switch (type.kind) {
    case 'pointer':
      return valueOf(type.to, depth, go);
    case 'struct':
      return fc.oneof(
        { weight: 1, arbitrary: fc.constant({}) },
        { weight: 3, arbitrary: fc.noShrink(fc.constant(type.name)).chain((name) => objectOf(name, depth - 1)) },
      );
    case 'slice':
      // Protobuf does not tell an empty list from none.
      return fc.array(valueOf(type.of, depth, go), { minLength: 1, maxLength: 2 });
    case 'map':
      return fc.dictionary(NAME, valueOf(type.of, depth, go), { minKeys: 1, maxKeys: 3, noNullPrototype: true });
    case 'string':
      return TEXT;
    case 'bool':
      return fc.boolean();
    case 'int':
      return type.go === 'int64' ? fc.maxSafeInteger() : fc.integer();
    case 'float':
      return fc.double({ noNaN: true, noDefaultInfinity: true });
    case 'bytes':
      return fc.uint8Array({ maxLength: 8 }).map((bytes) => btoa(String.fromCharCode(...bytes)));
    case 'quantity':
      return fc.constantFrom('1', '100m', '128Mi', '2Gi', '0', '1500m', '3');
    case 'intstr':
      return fc.oneof(fc.integer({ min: 0, max: 65535 }), fc.constantFrom('http', '25%'));
    case 'time':
      return fc.integer({ min: 0, max: 4_000_000_000 }).map((seconds) => `${new Date(seconds * 1000).toISOString().slice(0, -5)}Z`);
    case 'microtime':
      return fc.integer({ min: 0, max: 4_000_000_000_000 }).map((ms) => `${new Date(ms).toISOString().slice(0, -1)}000Z`);
    case 'duration':
      return fc.constantFrom('1h0m0s', '30s', '5m0s');
    case 'raw':
      return freeOf(go);
    case 'fields':
      return fc.constant({ 'f:spec': {} });
  }
}

function freeOf(go: string): fc.Arbitrary<unknown> {
  if (go.endsWith('OrBool')) return fc.boolean();
  if (go.endsWith('OrArray') || go.endsWith('OrStringArray') || go.endsWith('Dependencies')) return fc.constant({ type: 'string' });
  return fc.constantFrom<unknown>({ a: [1, 'x'] }, 'text', 7, true);
}
