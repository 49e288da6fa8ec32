// Models custom resources: the ResourceDefinition that a CustomResourceDefinition amounts to.
// Not modelled: conversion by webhooks; a definition with it serves the version its objects are stored in and refuses the others.

import { deepCopy, isDeepEqual, isRecord } from '../../machinery/deep.ts';
import { FieldError } from '../../machinery/field-errors.ts';
import { goType, goValue } from '../../machinery/go-values.ts';
import { apiVersionOf } from '../../machinery/resources.ts';
import { badRequest, internalError, invalid, methodNotSupported } from '../../machinery/status.ts';
import { compareKubeVersions } from '../../machinery/versions.ts';
import {
  type ApiObject,
  defineResource,
  type MetaErrors,
  type ResourceDefinition,
  type ScalePaths,
  type ServedVersion,
  type Verb,
} from '../definition.ts';
import { coerceEmbedded, embeddedErrors, readMeta } from './embedded-objects.ts';
import { listTypeErrors } from './list-types.ts';
import { tableOfColumns } from './printer-columns.ts';
import { applyDefaults, prune, pruneNulls } from './pruning.ts';
import { unsupported } from './structural.ts';
import { effectiveVersion, type JsonSchema, type Names, type Spec, type Version, versionsOf } from './types.ts';
import { validateValue } from './value-validation.ts';

/** The extensions server lists its verbs in an order of its own. */
const VERBS: readonly Verb[] = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'];
const VERBS_WHILE_TERMINATING = ['delete', 'deletecollection', 'get', 'list', 'watch'];

export interface CustomKind {
  readonly spec: Spec;
  /** The names that were accepted. */
  readonly names: Names;
  isTerminating(): boolean;
}

/** One version of the kind, ready for use. */
interface Form extends ServedVersion {
  readonly schema: JsonSchema | undefined;
  readonly scale: ScalePaths | undefined;
  readonly hasStatus: boolean;
}

/** Undefined when no version is served. */
export function customResource(kind: CustomKind): ResourceDefinition | undefined {
  const { spec, names } = kind;
  const { group } = spec;
  const versions = versionsOf(spec).map((version) => effectiveVersion(spec, version));
  const storage = versions.find((version) => version.storage);
  const served = versions.filter((version) => version.served);
  if (storage === undefined || served.length === 0) return undefined;
  const forms = new Map(versions.map((version) => [version.name, formOf(version, storage, kind)]));
  const form = forms.get(storage.name)!;
  const formFor = ({ version }: ServedVersion): Form => forms.get(version) ?? form;
  const others = served.filter((version) => version !== storage).map((version) => forms.get(version.name)!);
  const sharesSchema = versions.every((version) => isDeepEqual(version.schema, storage.schema));
  const prunes = spec.preserveUnknownFields !== true;
  return defineResource<ApiObject>({
    group,
    version: storage.name,
    kind: names.kind,
    plural: names.plural,
    singular: names.singular ?? '',
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    isNamespaced: spec.scope === 'Namespaced',
    verbs: VERBS,
    discoveryVerbs: () => (kind.isTerminating() ? VERBS_WHILE_TERMINATING : VERBS),
    alsoServedAs: others,
    isStorageHidden: !storage.served,
    storagePrefix: `${group}/${names.plural}`,
    hasStatus: form.hasStatus,
    hasScale: form.scale !== undefined,
    hasGeneration: true,
    isCustom: true,
    decode: form.decode!,
    mergeSchema: form.mergeSchema,
    keepsUnknownFields: spec.preserveUnknownFields === true,
    ...(form.warning === undefined ? {} : { warning: form.warning }),
    fromEtcd: (object) => fromEtcd(object, forms, form, prunes),
    ...(sharesSchema || !prunes ? {} : { toEtcd: (object) => pruned(object, form.schema) }),
    scaleOf: (version) => formFor(version).scale,
    table: form.table!,
    strategy: {
      hasFreeFinalizers: true,
      requiresVersionOnUpdate: true,
      prepareForCreate(object, context) {
        if (kind.isTerminating()) {
          const refusal = methodNotSupported({ group, resource: names.plural }, 'create');
          const message = 'create not allowed while custom resource definition is terminating';
          throw Object.assign(refusal, { status: { ...refusal.status, message } });
        }
        if (formFor(context.served).hasStatus) delete object['status'];
      },
      validate(object, version) {
        const { schema, scale } = formFor(version);
        return [
          ...validateValue(schema, inVersion(object, version)),
          ...scaleErrors(object, scale, true),
          ...embeddedErrors(object, schema, ''),
          ...listTypeErrors(schema, object),
        ];
      },
      prepareForUpdate(next, current, version) {
        const hasStatus = formFor(version).hasStatus;
        if (hasStatus) return;
        // Without the subresource the status is a field like others, and its changes count.
        if (!isDeepEqual(withoutMeta(next), withoutMeta(current))) next.metadata.generation = (current.metadata.generation ?? 0) + 1;
      },
      validateUpdate(next, current, meta: MetaErrors, version) {
        const { schema, scale } = formFor(version);
        return [
          ...meta.update,
          ...validateValue(schema, inVersion(next, version)),
          ...scaleErrors(next, scale, true),
          ...embeddedErrors(next, schema, ''),
          ...(listTypeErrors(schema, current).length > 0 ? [] : listTypeErrors(schema, next)),
        ];
      },
      validateStatusUpdate(next, _current, meta, version) {
        const { schema, scale } = formFor(version);
        return [...meta.update, ...validateValue(schema, inVersion(next, version)), ...scaleErrors(next, scale, false)];
      },
    },
  });
}

function formOf(version: Version, storage: Version, { spec, names }: CustomKind): Form {
  const { group } = spec;
  const schema = version.schema?.openAPIV3Schema;
  const apiVersion = apiVersionOf({ group, version: version.name });
  const prunes = spec.preserveUnknownFields !== true;
  const isStored = version === storage;
  const mustConvert = spec.conversion?.strategy === 'Webhook' && !isStored;
  const refuse = (): never => {
    throw internalError(
      `conversion webhook for ${group}/${storage.name}, Kind=${names.kind} failed: not emulated: conversion of custom resources by webhooks`,
    );
  };
  const needsPruning = prunes && !isDeepEqual(version.schema, storage.schema);
  return {
    group,
    version: version.name,
    schema: schema !== undefined && unsupported(schema) === undefined ? schema : undefined,
    scale: version.subresources?.scale,
    mergeSchema: schema,
    hasStatus: version.subresources?.status !== undefined,
    hasScale: version.subresources?.scale !== undefined,
    table: tableOfColumns(version.additionalPrinterColumns),
    decode(object) {
      if (object.kind !== names.kind)
        throw invalid({ group, kind: names.kind }, object.metadata?.name ?? '', [
          FieldError.invalid('kind', object.kind, `must be ${names.kind}`),
        ]);
      return decode(object, schema, { kind: names.kind, version: version.name, prunes });
    },
    ...(mustConvert ? { toStorage: refuse } : {}),
    fromStorage: (object) => (mustConvert ? refuse() : needsPruning ? { ...pruned(object, schema), apiVersion } : object),
    ...(version.deprecated === true ? { warning: version.deprecationWarning ?? deprecationOf(version, spec) } : {}),
  };
}

function deprecationOf(version: Version, spec: Spec): string {
  const better = versionsOf(spec)
    .filter((each) => each.served && each.deprecated !== true && compareKubeVersions(version.name, each.name) < 0)
    .map((each) => each.name)
    .sort((a, b) => compareKubeVersions(b, a));
  const told = `${spec.group}/${version.name} ${spec.names.kind} is deprecated`;
  return better.length === 0 ? told : `${told}; use ${spec.group}/${better[0]!} ${spec.names.kind}`;
}

/** The root is an object like those embedded: its type and metadata are not the schema's business. */
function rootOf(schema: JsonSchema | undefined): JsonSchema {
  return { ...schema, 'x-kubernetes-embedded-resource': true };
}

function pruned(object: ApiObject, schema: JsonSchema | undefined): ApiObject {
  const copy = deepCopy(object);
  prune(copy, rootOf(schema));
  return copy;
}

/** What a request's object is after decoding; changes `object`. */
function decode(
  object: ApiObject,
  schema: JsonSchema | undefined,
  { kind, version, prunes }: { readonly kind: string; readonly version: string; readonly prunes: boolean },
): ApiObject {
  const refuse = (why: string): never => {
    throw badRequest(`${kind} in version "${version}" cannot be handled as a ${kind}: ${why}`);
  };
  const meta = readMeta(object.metadata ?? {});
  if (typeof meta === 'string') return refuse(meta);
  object.metadata = meta as unknown as ApiObject['metadata'];
  if (prunes) {
    prune(object, rootOf(schema));
    pruneNulls(object, schema);
  }
  const error = coerceEmbedded(object, schema, '');
  if (error !== undefined) return refuse(error.toString());
  if (prunes) applyDefaults(object, schema);
  return object;
}

/** What is read is pruned and defaulted by the version it was stored in, then takes the one that is stored now. */
function fromEtcd(object: ApiObject, forms: ReadonlyMap<string, Form>, form: Form, prunes: boolean): ApiObject {
  const apiVersion = apiVersionOf(form);
  const stored = forms.get(object.apiVersion.slice(object.apiVersion.indexOf('/') + 1)) ?? form;
  if (!prunes && object.apiVersion === apiVersion) return object;
  const copy = deepCopy(object);
  if (prunes) {
    prune(copy, rootOf(stored.schema));
    pruneNulls(copy, stored.schema);
    coerceEmbedded(copy, stored.schema, '', { dropsInvalid: true });
    applyDefaults(copy, stored.schema);
    if (stored !== form) prune(copy, rootOf(form.schema));
  }
  copy.apiVersion = apiVersion;
  return isDeepEqual(copy, object) ? object : copy;
}

/** Validation sees the object under the version of the request. */
function inVersion(object: ApiObject, version: ServedVersion): ApiObject {
  const apiVersion = apiVersionOf(version);
  return object.apiVersion === apiVersion ? object : { ...object, apiVersion };
}

function withoutMeta(object: ApiObject): Record<string, unknown> {
  const { metadata: _, ...rest } = object;
  return rest;
}

export type Nested = { readonly isFound: true; readonly value: unknown } | { readonly isFound: false; readonly error?: string };

/** What stands at a path in dot notation, or why nothing can. */
export function nestedValue(object: unknown, path: string, type: 'int64' | 'string'): Nested {
  const steps = path.replace(/^\./, '').split('.');
  let at = object;
  for (const [index, step] of steps.entries()) {
    if (at === null || at === undefined) return { isFound: false };
    if (!isRecord(at))
      return {
        isFound: false,
        error: `.${steps.slice(0, index + 1).join('.')} accessor error: ${goValue(at)} is of the type ${goType(at)}, expected map[string]interface{}`,
      };
    if (at[step] === undefined) return { isFound: false };
    at = at[step];
  }
  if (goType(at) !== type)
    return { isFound: false, error: `.${steps.join('.')} accessor error: ${goValue(at)} is of the type ${goType(at)}, expected ${type}` };
  return { isFound: true, value: at };
}

const MAX_INT32 = 2147483647;

function scaleErrors(object: ApiObject, scale: ScalePaths | undefined, withSpec: boolean): FieldError[] {
  if (scale === undefined) return [];
  const errors: FieldError[] = [];
  const replicas = (path: string): void => {
    const found = nestedValue(object, path, 'int64');
    const value = found.isFound ? (found.value as number) : 0;
    if (!found.isFound && found.error !== undefined) errors.push(FieldError.invalid(path, 0, found.error));
    else if (value < 0) errors.push(FieldError.invalid(path, value, 'should be a non-negative integer'));
    else if (value > MAX_INT32) errors.push(FieldError.invalid(path, value, `should be less than or equal to ${MAX_INT32}`));
  };
  if (withSpec) replicas(scale.specReplicasPath);
  replicas(scale.statusReplicasPath);
  const { labelSelectorPath = '' } = scale;
  if (labelSelectorPath !== '') {
    const found = nestedValue(object, labelSelectorPath, 'string');
    if (!found.isFound && found.error !== undefined) errors.push(FieldError.invalid(labelSelectorPath, '', found.error));
  }
  return errors;
}
