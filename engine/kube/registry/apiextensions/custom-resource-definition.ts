// CustomResourceDefinition.

import { FieldError } from '../../machinery/field-errors.ts';
import { apiVersionOf } from '../../machinery/resources.ts';
import type { KubeObject } from '../../machinery/types.ts';
import { type ApiObject, defineResource, type Json, NAME_COLUMN, type ResourceDefinition } from '../definition.ts';

const GROUP = 'apiextensions.k8s.io';

type Crd = KubeObject & {
  spec: {
    group: string;
    scope?: string;
    preserveUnknownFields?: boolean;
    conversion?: { strategy: string };
    names: { plural: string; singular?: string; kind: string; listKind?: string };
    versions?: { name: string; served: boolean; storage: boolean }[];
  };
  status?: unknown;
};

export const CUSTOM_RESOURCE_DEFINITION: ResourceDefinition = defineResource<Crd>({
  group: GROUP,
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  shortNames: ['crd', 'crds'],
  isNamespaced: false,
  hasStatus: true,
  hasGeneration: true,
  storagePrefix: 'apiextensions.k8s.io/customresourcedefinitions',
  categories: ['api-extensions'],
  alsoServedAs: [{ group: GROUP, version: 'v1beta1', toStorage: definitionFromV1beta1, fromStorage: definitionToV1beta1 }],
  strategy: {
    setDefaults(definition) {
      const { spec } = definition;
      if (spec?.names === undefined) return;
      if ((spec.names.singular ?? '') === '') spec.names.singular = (spec.names.kind ?? '').toLowerCase();
      if ((spec.names.listKind ?? '') === '') spec.names.listKind = `${spec.names.kind}List`;
      spec.conversion ??= { strategy: 'None' };
      if ((spec.scope ?? '') === '') spec.scope = 'Namespaced';
    },
    prepareForCreate(definition) {
      definition.status = {
        conditions: null,
        acceptedNames: { plural: '', kind: '' },
        storedVersions: (definition.spec.versions ?? []).filter((version) => version.storage).map((version) => version.name),
      };
    },
    validate(definition) {
      const errors: FieldError[] = [];
      const { spec, metadata } = definition;
      const wanted = `${spec.names.plural}.${spec.group}`;
      if (metadata.name !== wanted)
        errors.push(FieldError.invalid('metadata.name', metadata.name, 'must be spec.names.plural+"."+spec.group'));
      if ((spec.versions ?? []).filter((version) => version.storage).length !== 1) {
        errors.push(FieldError.invalid('spec.versions', spec.versions ?? null, 'must have exactly one version marked as storage version'));
      }
      return errors;
    },
  },
  table: {
    columns: [NAME_COLUMN, { name: 'Created At', type: 'date', description: 'Time of creation.' }],
    cells: (definition) => [definition.metadata.name, definition.metadata.creationTimestamp],
  },
});

/** What apiextensions/v1beta1 shows of a definition, and what it stores. */
function definitionFromV1beta1(object: ApiObject): ApiObject {
  const { version, validation, subresources, additionalPrinterColumns, versions, ...rest } = (object['spec'] ?? {}) as Json & {
    versions?: Json[];
    version?: string;
  };
  const given = versions ?? (version === undefined ? [] : [{ name: version, served: true, storage: true }]);
  const columns = (list: unknown): unknown =>
    Array.isArray(list)
      ? (list as Json[]).map(({ JSONPath, ...column }) => ({ ...column, jsonPath: JSONPath ?? column['jsonPath'] }))
      : undefined;
  return {
    ...object,
    spec: {
      ...rest,
      versions: given.map((each) => ({
        ...each,
        schema: each['schema'] ?? validation ?? { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        ...(each['subresources'] === undefined && subresources === undefined ? {} : { subresources: each['subresources'] ?? subresources }),
        ...(each['additionalPrinterColumns'] === undefined && additionalPrinterColumns === undefined
          ? {}
          : { additionalPrinterColumns: columns(each['additionalPrinterColumns'] ?? additionalPrinterColumns) }),
      })),
    },
  };
}

function definitionToV1beta1(object: ApiObject): ApiObject {
  const spec = object['spec'] as Json & { versions: Json[] };
  const columns = (list: unknown): unknown => (list as Json[]).map(({ jsonPath, ...column }) => ({ ...column, JSONPath: jsonPath }));
  return {
    ...object,
    apiVersion: apiVersionOf({ group: GROUP, version: 'v1beta1' }),
    spec: {
      ...spec,
      version: spec.versions[0]?.['name'],
      versions: spec.versions.map(({ additionalPrinterColumns, ...version }) => ({
        ...version,
        ...(additionalPrinterColumns === undefined ? {} : { additionalPrinterColumns: columns(additionalPrinterColumns) }),
      })),
    },
  };
}
