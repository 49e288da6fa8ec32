import { describe, expect, it } from 'vitest';
import type { JsonSchema } from './types.ts';
import { validateValue } from './value-validation.ts';

interface Case {
  readonly name: string;
  readonly schema: JsonSchema;
  readonly value: unknown;
  readonly want: readonly string[];
}

/** The schema of `spec.x`. */
const at = (schema: JsonSchema): JsonSchema => ({ type: 'object', properties: { spec: { type: 'object', properties: { x: schema } } } });
const x = (value: unknown): unknown => ({ spec: { x: value } });

const CASES: readonly Case[] = [
  {
    name: 'a string where an integer belongs',
    schema: at({ type: 'integer' }),
    value: x('two'),
    want: ['spec.x: Invalid value: "string": spec.x in body must be of type integer: "string"'],
  },
  {
    name: 'an integer where a string belongs',
    schema: at({ type: 'string' }),
    value: x(3),
    want: ['spec.x: Invalid value: "integer": spec.x in body must be of type string: "integer"'],
  },
  {
    name: 'a fraction where an integer belongs',
    schema: at({ type: 'integer' }),
    value: x(1.5),
    want: ['spec.x: Invalid value: "number": spec.x in body must be of type integer: "number"'],
  },
  { name: 'an integer where any number does', schema: at({ type: 'number' }), value: x(3), want: [] },
  {
    name: 'null where it may not be',
    schema: at({ type: 'string' }),
    value: x(null),
    want: ['spec.x: Invalid value: "null": spec.x in body must be of type string: "null"'],
  },
  { name: 'null where it may be', schema: at({ type: 'string', nullable: true }), value: x(null), want: [] },
  {
    name: 'a list where an object belongs',
    schema: at({ type: 'object' }),
    value: x([]),
    want: ['spec.x: Invalid value: "array": spec.x in body must be of type object: "array"'],
  },
  { name: 'a missing field', schema: { type: 'object', required: ['spec'] }, value: {}, want: ['spec: Required value'] },
  {
    name: 'a missing field further in',
    schema: at({ type: 'object', required: ['b', 'a'] }),
    value: x({}),
    want: ['spec.x.b: Required value', 'spec.x.a: Required value'],
  },
  {
    name: 'a value that is not in the list',
    schema: at({ type: 'string', enum: ['a', 'b'] }),
    value: x('c'),
    want: ['spec.x: Unsupported value: "c": supported values: "a", "b"'],
  },
  {
    name: 'a number that is not in the list',
    schema: at({ type: 'integer', enum: [1, 2] }),
    value: x(3),
    want: ['spec.x: Unsupported value: 3: supported values: "1", "2"'],
  },
  {
    name: 'too small',
    schema: at({ type: 'integer', minimum: 1 }),
    value: x(0),
    want: ['spec.x: Invalid value: 0: spec.x in body should be greater than or equal to 1'],
  },
  {
    name: 'as small as it may not be',
    schema: at({ type: 'integer', minimum: 1, exclusiveMinimum: true }),
    value: x(1),
    want: ['spec.x: Invalid value: 1: spec.x in body should be greater than 1'],
  },
  {
    name: 'too large',
    schema: at({ type: 'number', maximum: 0.5 }),
    value: x(0.75),
    want: ['spec.x: Invalid value: 0.75: spec.x in body should be less than or equal to 0.5'],
  },
  {
    name: 'no multiple',
    schema: at({ type: 'integer', multipleOf: 5 }),
    value: x(7),
    want: ['spec.x: Invalid value: 7: spec.x in body should be a multiple of 5'],
  },
  {
    name: 'too long',
    schema: at({ type: 'string', maxLength: 2 }),
    value: x('abc'),
    want: ['spec.x: Invalid value: "abc": spec.x in body should be at most 2 chars long'],
  },
  {
    name: 'too short',
    schema: at({ type: 'string', minLength: 2 }),
    value: x('가'),
    want: ['spec.x: Invalid value: "가": spec.x in body should be at least 2 chars long'],
  },
  {
    name: 'a pattern that does not match',
    schema: at({ type: 'string', pattern: '^[a-z]+$' }),
    value: x('A1'),
    want: ['spec.x: Invalid value: "A1": spec.x in body should match \'^[a-z]+$\''],
  },
  {
    name: 'a date that is none',
    schema: at({ type: 'string', format: 'date' }),
    value: x('2021-02-30'),
    want: ['spec.x: Invalid value: "2021-02-30": spec.x in body must be of type date: "2021-02-30"'],
  },
  { name: 'a time', schema: at({ type: 'string', format: 'date-time' }), value: x('2021-02-03T04:05:06Z'), want: [] },
  { name: 'a format nobody knows', schema: at({ type: 'string', format: 'made-up' }), value: x('anything'), want: [] },
  {
    name: 'an address',
    schema: at({ type: 'string', format: 'ipv4' }),
    value: x('10.0.0.256'),
    want: ['spec.x: Invalid value: "10.0.0.256": spec.x in body must be of type ipv4: "10.0.0.256"'],
  },
  {
    name: 'too many items',
    schema: at({ type: 'array', maxItems: 1 }),
    value: x([1, 2]),
    want: ['spec.x: Invalid value: 2: spec.x in body should have at most 1 items'],
  },
  {
    name: 'too few properties',
    schema: at({ type: 'object', minProperties: 1 }),
    value: x({}),
    want: ['spec.x: Invalid value: 1: spec.x in body should have at least 1 properties'],
  },
  {
    name: 'an item of another type: the index is not told',
    schema: at({ type: 'array', items: { type: 'string' } }),
    value: x(['a', 1]),
    want: ['spec.x: Invalid value: "integer": spec.x in body must be of type string: "integer"'],
  },
  {
    name: 'a value of a map of another type',
    schema: at({ type: 'object', additionalProperties: { type: 'string' } }),
    value: x({ k: 1 }),
    want: ['spec.x.k: Invalid value: "integer": spec.x.k in body must be of type string: "integer"'],
  },
  {
    name: 'an integer or a string that is neither',
    schema: at({ 'x-kubernetes-int-or-string': true }),
    value: x(true),
    want: ['spec.x: Invalid value: "boolean": spec.x in body must be of type integer,string: "boolean"'],
  },
  {
    name: 'none of several',
    schema: at({ type: 'object', oneOf: [{ required: ['a'] }, { required: ['b'] }] }),
    value: x({}),
    want: [
      '<nil>: Invalid value: "": "spec.x" must validate one and only one schema (oneOf). Found none valid',
      'spec.x.a: Required value',
    ],
  },
  {
    name: 'more than one of which only one may be',
    schema: at({ type: 'object', oneOf: [{ required: ['a'] }, { required: ['b'] }] }),
    value: x({ a: 1, b: 2 }),
    want: ['<nil>: Invalid value: "": "spec.x" must validate one and only one schema (oneOf). Found 2 valid alternatives'],
  },
  {
    name: 'not any of several',
    schema: at({ type: 'integer', anyOf: [{ minimum: 10 }, { maximum: 2 }] }),
    value: x(5),
    want: [
      '<nil>: Invalid value: "": "spec.x" must validate at least one schema (anyOf)',
      'spec.x: Invalid value: 5: spec.x in body should be greater than or equal to 10',
    ],
  },
  {
    name: 'what may not be',
    schema: at({ type: 'string', not: { enum: ['no'] } }),
    value: x('no'),
    want: ['<nil>: Invalid value: "": "spec.x" must not validate the schema (not)'],
  },
];

describe('validateValue', () => {
  it.each(CASES)('$name', ({ schema, value, want }) => {
    expect(validateValue(schema, value).map((error) => error.toString())).toEqual(want);
  });
});
