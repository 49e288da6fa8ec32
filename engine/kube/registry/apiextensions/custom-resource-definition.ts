// CustomResourceDefinition. Stored as v1beta1, which can say what v1 says, and validated in that form: upstream's field paths show it.

import { isRecord } from '../../machinery/deep.ts';
import { FieldError } from '../../machinery/field-errors.ts';
import { DecodeError } from '../../machinery/schema/codec.ts';
import { badRequest } from '../../machinery/status.ts';
import { rfc3339 } from '../../machinery/time.ts';
import type { ObjectMeta } from '../../machinery/types.ts';
import { defineResource, type Json, NAME_COLUMN, type ResourceDefinition } from '../definition.ts';
import { definitionErrors, definitionStatusErrors, definitionUpdateErrors } from './definition-validation.ts';
import { fromV1, fromV1beta1, toV1 } from './definition-versions.ts';
import { CLEANUP_FINALIZER, EXTENSIONS_GROUP, type CustomResourceDefinition, type DefinitionStatus, versionsOf } from './types.ts';
import { withCondition } from './conditions.ts';

export const CUSTOM_RESOURCE_DEFINITION: ResourceDefinition = defineResource<CustomResourceDefinition>({
  group: EXTENSIONS_GROUP,
  version: 'v1beta1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  shortNames: ['crd', 'crds'],
  isNamespaced: false,
  hasStatus: true,
  hasGeneration: true,
  storagePrefix: 'apiextensions.k8s.io/customresourcedefinitions',
  categories: ['api-extensions'],
  alsoServedAs: [{ group: EXTENSIONS_GROUP, version: 'v1', toStorage: fromV1, fromStorage: toV1 }],
  // What was stored in the form of v1 is as good.
  fromEtcd: (object) =>
    object.apiVersion === `${EXTENSIONS_GROUP}/v1` ? { ...fromV1(object), apiVersion: `${EXTENSIONS_GROUP}/v1beta1` } : object,
  strategy: {
    hasFreeFinalizers: true,
    requiresVersionOnUpdate: true,
    setDefaults(definition, served) {
      const spec = cleanSpec(definition, served.version);
      (definition as unknown as Json)['spec'] = spec;
      const names = (isRecord(spec['names']) ? spec['names'] : {}) as Json;
      spec['names'] = names;
      const { kind = '' } = names as { kind?: string };
      names['plural'] ??= '';
      names['kind'] ??= '';
      if ((names['singular'] ?? '') === '' && kind !== '') names['singular'] = kind.toLowerCase();
      if ((names['listKind'] ?? '') === '' && kind !== '') names['listKind'] = `${kind}List`;
      spec['group'] ??= '';
      spec['scope'] ??= '';
      if (served.version === 'v1beta1') {
        if (spec['scope'] === '') spec['scope'] = 'Namespaced';
        const versions = (spec['versions'] ?? []) as Json[];
        if (versions.length === 0 && (spec['version'] ?? '') !== '')
          spec['versions'] = [{ name: spec['version'], served: true, storage: true }];
        if ((spec['version'] ?? '') === '' && versions.length > 0) spec['version'] = versions[0]!['name'];
        spec['preserveUnknownFields'] ??= true;
      }
      const conversion = (spec['conversion'] ??= { strategy: 'None' }) as Json;
      const client = conversion['webhookClientConfig'] as { service?: { port?: number } } | undefined;
      if (client?.service !== undefined) client.service.port ??= 443;
      if (
        served.version === 'v1beta1' &&
        conversion['strategy'] === 'Webhook' &&
        ((conversion['conversionReviewVersions'] ?? []) as unknown[]).length === 0
      )
        conversion['conversionReviewVersions'] = ['v1beta1'];
      definition.status = statusOf(definition);
    },
    prepareForCreate(definition) {
      definition.status = { conditions: null, acceptedNames: { plural: '', kind: '' }, storedVersions: null };
      rememberStoredVersion(definition);
    },
    validate: (definition, served) => [...nameErrors(definition), ...definitionErrors(definition, served.version)],
    prepareForUpdate: (next) => rememberStoredVersion(next),
    validateUpdate: (next, current, meta, served) => [...meta.update, ...definitionUpdateErrors(next, current, served.version)],
    prepareForStatusUpdate(next, current) {
      const { labels, annotations, ownerReferences, generation } = current.metadata;
      const metadata: Record<string, unknown> = { ...next.metadata, labels, annotations, ownerReferences, generation };
      next.metadata = metadata as unknown as ObjectMeta;
    },
    validateStatusUpdate: (next, _current, meta) => [...meta.update, ...definitionStatusErrors(next)],
    markDeleted(definition, nowMs) {
      const finalizers = definition.metadata.finalizers ?? [];
      return {
        ...definition,
        metadata: {
          ...definition.metadata,
          deletionTimestamp: rfc3339(nowMs),
          finalizers: finalizers.includes(CLEANUP_FINALIZER) ? finalizers : [...finalizers, CLEANUP_FINALIZER],
        },
        status: withCondition(
          definition.status,
          {
            type: 'Terminating',
            status: 'True',
            reason: 'InstanceDeletionPending',
            message: 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon',
          },
          nowMs,
        ),
      };
    },
  },
  table: {
    columns: [
      NAME_COLUMN,
      {
        name: 'Created At',
        type: 'date',
        description:
          'CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata',
      },
    ],
    cells: (definition) => [definition.metadata.name, definition.metadata.creationTimestamp],
  },
});

function statusOf(definition: CustomResourceDefinition): DefinitionStatus {
  const status = (definition.status ?? {}) as Partial<DefinitionStatus>;
  const stored = status.storedVersions ?? [];
  const storage = versionsOf(definition.spec).find((version) => version.storage);
  return {
    conditions: status.conditions ?? null,
    acceptedNames: status.acceptedNames ?? { plural: '', kind: '' },
    storedVersions: stored.length > 0 || storage === undefined ? (status.storedVersions ?? null) : [storage.name],
  };
}

function rememberStoredVersion(definition: CustomResourceDefinition): void {
  const storage = versionsOf(definition.spec).find((version) => version.storage);
  const stored = definition.status.storedVersions ?? [];
  if (storage === undefined || stored.includes(storage.name)) return;
  definition.status = { ...definition.status, storedVersions: [...stored, storage.name] };
}

function nameErrors({ metadata, spec }: CustomResourceDefinition): readonly FieldError[] {
  if ((metadata.name ?? '') === '' || metadata.name === `${spec.names.plural}.${spec.group}`) return [];
  return [FieldError.invalid('metadata.name', metadata.name, 'must be spec.names.plural+"."+spec.group')];
}

/** Throws what the decoder of `version` would refuse the definition with. */
function cleanSpec(definition: CustomResourceDefinition, version: string): Json {
  try {
    return fromV1beta1(definition as never)['spec'] as Json;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const kind = 'CustomResourceDefinition';
    throw badRequest(`${kind} in version "${version}" cannot be handled as a ${kind}: ${error.message}`);
  }
}
