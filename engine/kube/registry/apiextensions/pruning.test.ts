import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deepCopy } from '../../machinery/deep.ts';
import { applyDefaults, prune, pruneNulls } from './pruning.ts';
import type { JsonSchema } from './types.ts';

const NAME = fc.constantFrom('a', 'b', 'c', 'd');

/** Structural schemas, some levels deep. */
const schemas: fc.Arbitrary<JsonSchema> = fc.letrec<{ schema: JsonSchema }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    fc.record({ type: fc.constant('string'), default: fc.constantFrom('x', 'y') }, { requiredKeys: ['type'] }),
    fc.record({ type: fc.constant('integer'), default: fc.nat(5), nullable: fc.boolean() }, { requiredKeys: ['type'] }),
    fc.record({ type: fc.constant('object'), properties: fc.dictionary(NAME, tie('schema')) }),
    fc.record({ type: fc.constant('object'), additionalProperties: tie('schema') }),
    fc.record({ type: fc.constant('array'), items: tie('schema') }),
    fc.record({
      type: fc.constant('object'),
      properties: fc.dictionary(NAME, tie('schema')),
      'x-kubernetes-preserve-unknown-fields': fc.constant(true),
    }),
  ),
})).schema;

const values = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.constantFrom<unknown>(null, 1, 'x', true),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(NAME, tie('value'), { maxKeys: 4 }),
  ),
})).value;

function pruned(value: unknown, schema: JsonSchema): unknown {
  const copy = deepCopy(value);
  prune(copy, schema);
  return copy;
}

function defaulted(value: unknown, schema: JsonSchema): unknown {
  const copy = deepCopy(value);
  pruneNulls(copy, schema);
  applyDefaults(copy, schema);
  return copy;
}

/** Paths of the value that the schema names, one after the other. */
function specified(value: unknown, schema: JsonSchema | undefined, path = ''): string[] {
  if (schema === undefined || typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value))
    return value.flatMap((element, index) => specified(element, schema.items as JsonSchema | undefined, `${path}[${index}]`));
  return Object.entries(value).flatMap(([key, member]) => {
    const inner = schema.properties?.[key] ?? (typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined);
    return inner === undefined ? [] : [`${path}.${key}`, ...specified(member, inner, `${path}.${key}`)];
  });
}

describe('pruning and defaulting', () => {
  it('pruning twice is pruning once', () => {
    fc.assert(
      fc.property(values, schemas, (value, schema) => {
        expect(pruned(pruned(value, schema), schema)).toEqual(pruned(value, schema));
      }),
    );
  });

  it('pruning keeps every field that the schema names', () => {
    fc.assert(
      fc.property(values, schemas, (value, schema) => {
        expect(specified(pruned(value, schema), schema)).toEqual(specified(value, schema));
      }),
    );
  });

  it('defaulting twice is defaulting once', () => {
    fc.assert(
      fc.property(values, schemas, (value, schema) => {
        expect(defaulted(defaulted(value, schema), schema)).toEqual(defaulted(value, schema));
      }),
    );
  });

  const schema: JsonSchema = {
    type: 'object',
    properties: {
      spec: {
        type: 'object',
        default: {},
        properties: {
          replicas: { type: 'integer', default: 3 },
          image: { type: 'string', nullable: true, default: 'nginx' },
          name: { type: 'string' },
        },
      },
    },
  };

  it.each([
    { name: 'fills in what is missing, level by level', given: {}, want: { spec: { replicas: 3, image: 'nginx' } } },
    {
      name: 'takes null for missing where it may not be null',
      given: { spec: { replicas: null } },
      want: { spec: { replicas: 3, image: 'nginx' } },
    },
    { name: 'leaves null where it may be null', given: { spec: { image: null } }, want: { spec: { image: null, replicas: 3 } } },
    { name: 'drops null where there is no default', given: { spec: { name: null } }, want: { spec: { replicas: 3, image: 'nginx' } } },
    { name: 'leaves what is there', given: { spec: { replicas: 0, image: '' } }, want: { spec: { replicas: 0, image: '' } } },
  ])('$name', ({ given, want }) => {
    expect(defaulted(given, schema)).toEqual(want);
  });
});
