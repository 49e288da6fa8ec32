import { describe, expect, it } from 'vitest';
import type { ApiObject } from '../definition.ts';
import { definitionErrors, definitionUpdateErrors } from './definition-validation.ts';
import { fromV1, toV1 } from './definition-versions.ts';
import type { CustomResourceDefinition, JsonSchema } from './types.ts';

const NAMES = { plural: 'foos', singular: 'foo', kind: 'Foo', listKind: 'FooList' };

function definition(schema: JsonSchema, more: { readonly spec?: object; readonly version?: object } = {}): CustomResourceDefinition {
  const spec = {
    group: 'example.com',
    scope: 'Namespaced',
    names: NAMES,
    versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema }, ...more.version }],
    conversion: { strategy: 'None' },
    ...more.spec,
  };
  const status = { conditions: null, acceptedNames: { plural: '', kind: '' }, storedVersions: ['v1'] };
  return fromV1({
    apiVersion: '',
    kind: '',
    metadata: { name: 'foos.example.com' },
    spec,
    status,
  } as unknown as ApiObject) as unknown as CustomResourceDefinition;
}

const SCHEMA = 'spec.validation.openAPIV3Schema';
const spec = (schema: JsonSchema): JsonSchema => ({ type: 'object', properties: { spec: schema } });

describe('definitionErrors', () => {
  it.each([
    { name: 'what is right', given: definition(spec({ type: 'object' })), want: [] },
    { name: 'no type at the root', given: definition({}), want: [`${SCHEMA}.type: Required value: must not be empty at the root`] },
    {
      name: 'a field and an item without type',
      given: definition(spec({ type: 'object', properties: { a: {}, b: { type: 'array', items: {} } } })),
      want: [
        `${SCHEMA}.properties[spec].properties[a].type: Required value: must not be empty for specified object fields`,
        `${SCHEMA}.properties[spec].properties[b].items.type: Required value: must not be empty for specified array items`,
      ],
    },
    {
      name: 'a list without items',
      given: definition(spec({ type: 'array' })),
      want: [`${SCHEMA}.properties[spec].items: Required value: must be specified`],
    },
    {
      name: 'a type within a junctor',
      given: definition(spec({ type: 'integer', anyOf: [{ type: 'integer' }] })),
      want: [`${SCHEMA}.properties[spec].anyOf[0].type: Forbidden: must be empty to be structural`],
    },
    {
      name: 'the pair of types that stands for either',
      given: definition(spec({ 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] })),
      want: [],
    },
    {
      name: 'a field that only a junctor knows',
      given: definition({ type: 'object', oneOf: [{ properties: { spec: { minimum: 1 } } }] }),
      want: [`${SCHEMA}.properties[spec]: Required value: because it is defined in ${SCHEMA}.oneOf[0].properties[spec]`],
    },
    {
      name: 'unique items',
      given: definition(spec({ type: 'array', items: { type: 'string' }, uniqueItems: true })),
      want: [
        `${SCHEMA}.properties[spec].uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic`,
      ],
    },
    {
      name: 'properties and additional properties',
      given: definition(spec({ type: 'object', properties: { a: { type: 'string' } }, additionalProperties: { type: 'string' } })),
      want: [`${SCHEMA}.properties[spec].additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive`],
    },
    {
      name: 'a default that does not fit',
      given: definition(spec({ type: 'object', properties: { a: { type: 'integer', default: 'x' } } })),
      want: [`${SCHEMA}.properties[spec].properties[a].default: Invalid value: "string":  in body must be of type integer: "string"`],
    },
    {
      name: 'a default with fields nobody knows',
      given: definition(spec({ type: 'object', default: { z: 1 } })),
      want: [`${SCHEMA}.properties[spec].default: Invalid value: map[string]interface {}{"z":1}: must not have unknown fields`],
    },
    {
      name: 'a pattern that is none',
      given: definition(spec({ type: 'string', pattern: '(' })),
      want: [
        `${SCHEMA}.properties[spec].pattern: Invalid value: "(": must be a valid regular expression, but isn't: error parsing regexp: missing closing ): \`(\``,
      ],
    },
    {
      name: 'metadata that says too much',
      given: definition({ type: 'object', properties: { metadata: { type: 'object', properties: { labels: { type: 'object' } } } } }),
      want: [
        `${SCHEMA}.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified`,
      ],
    },
    {
      name: 'keys of a list map that need not be there',
      given: definition(
        spec({
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['k'],
          items: { type: 'object', properties: { k: { type: 'string' } } },
        }),
      ),
      want: [
        `${SCHEMA}.properties[spec].items.properties[k].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property`,
      ],
    },
    {
      name: 'a column without path and of a type nobody knows',
      given: definition(spec({ type: 'object' }), {
        version: { additionalPrinterColumns: [{ name: 'A', type: 'text', jsonPath: 'spec.a' }] },
      }),
      want: [
        'spec.additionalPrinterColumns[0].type: Invalid value: "text": must be one of boolean,date,integer,number,string',
        'spec.additionalPrinterColumns[0].JSONPath: Invalid value: "spec.a": must be a simple json path starting with .',
      ],
    },
    {
      name: 'scale paths elsewhere',
      given: definition(spec({ type: 'object' }), {
        version: { subresources: { scale: { specReplicasPath: '.status.a', statusReplicasPath: '.spec.b' } } },
      }),
      want: [
        'spec.subresources.scale.specReplicasPath: Invalid value: ".status.a": should be a json path under .spec',
        'spec.subresources.scale.statusReplicasPath: Invalid value: ".spec.b": should be a json path under .status',
      ],
    },
    {
      name: 'a group of the community without approval',
      given: definition(spec({ type: 'object' }), { spec: { group: 'foo.k8s.io' } }),
      want: [
        'metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must have approval annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111',
      ],
    },
    {
      name: 'a webhook for conversion without a place',
      given: definition(spec({ type: 'object' }), { spec: { conversion: { strategy: 'Webhook' } } }),
      want: [
        'spec.conversion.webhookClientConfig: Required value: required when strategy is set to Webhook',
        'spec.conversion.conversionReviewVersions: Required value',
      ],
    },
    {
      name: 'a group without dot',
      given: definition(spec({ type: 'object' }), { spec: { group: 'example' } }),
      want: ['spec.group: Invalid value: "example": should be a domain with at least one dot'],
    },
  ])('$name', ({ given, want }) => {
    expect(definitionErrors(given, 'v1').map((error) => error.toString())).toEqual(want);
  });

  it('holds scope and kind once the names are in use', () => {
    const established = { type: 'Established', status: 'True' as const };
    const old = definition(spec({ type: 'object' }));
    const known = { ...old, status: { ...old.status, conditions: [established] } };
    const next = { ...known, spec: { ...known.spec, scope: 'Cluster', names: { ...NAMES, kind: 'Bar' } } };
    expect(definitionUpdateErrors(next, known, 'v1').map((error) => error.toString())).toEqual([
      'spec.scope: Invalid value: "Cluster": field is immutable',
      'spec.names.kind: Invalid value: "Bar": field is immutable',
    ]);
  });

  it('does not hold new rules against what was let in before', () => {
    const old = definition({});
    expect(definitionUpdateErrors(old, old, 'v1beta1').map((error) => error.toString())).toEqual([
      `${SCHEMA}.type: Required value: must not be empty at the root`,
    ]);
    const loose = { ...old, spec: { ...old.spec, preserveUnknownFields: true } };
    expect(definitionUpdateErrors(loose, loose, 'v1')).toEqual([]);
  });
});

describe('conversion of definitions', () => {
  it('shows what all versions share once in v1beta1 and for each in v1', () => {
    const version = {
      served: true,
      schema: { openAPIV3Schema: { type: 'object' } },
      additionalPrinterColumns: [{ name: 'A', type: 'string', jsonPath: '.a' }],
    };
    const given = {
      apiVersion: '',
      kind: '',
      metadata: {},
      spec: {
        group: 'example.com',
        names: NAMES,
        scope: 'Cluster',
        versions: [
          { name: 'v2', storage: true, ...version },
          { name: 'v1', storage: false, ...version, subresources: { status: {} } },
        ],
        conversion: { strategy: 'None' },
      },
    } as unknown as ApiObject;
    const stored = fromV1(given)['spec'];
    expect(stored).toMatchObject({
      version: 'v2',
      validation: { openAPIV3Schema: { type: 'object' } },
      additionalPrinterColumns: [{ JSONPath: '.a' }],
      versions: [{ name: 'v2' }, { name: 'v1', subresources: { status: {} } }],
      preserveUnknownFields: false,
    });
    expect(toV1(fromV1(given))['spec']).toEqual(given['spec']);
  });
});
