// What the server does to the metadata of everything that is written.

import type { Rng } from '../../sim/rng.ts';
import { FieldError } from '../machinery/field-errors.ts';
import { qualifiedName } from '../machinery/names.ts';
import type { ObjectMeta } from '../machinery/types.ts';
import { validateAnnotations, validateLabels } from '../registry/meta-validation.ts';
import { nameProblems, type ApiObject, type ResourceDefinition } from '../registry/definition.ts';

const SUFFIX_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';
const SUFFIX_LENGTH = 5;
const MAX_GENERATED = 63 - SUFFIX_LENGTH;

/** utilrand.String: no vowels and no look-alikes. */
export function randomSuffix(rng: Rng, length = SUFFIX_LENGTH): string {
  let out = '';
  for (let i = 0; i < length; i++) out += SUFFIX_ALPHABET[rng.int(SUFFIX_ALPHABET.length)]!;
  return out;
}

export function generateName(rng: Rng, base: string): string {
  return base.slice(0, MAX_GENERATED) + randomSuffix(rng);
}

export function randomUid(rng: Rng): string {
  const bytes = rng.bytes(16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** The order of ObjectMeta's fields on the wire. */
const ORDER = [
  'name',
  'generateName',
  'namespace',
  'selfLink',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'labels',
  'annotations',
  'ownerReferences',
  'finalizers',
  'clusterName',
  'managedFields',
] as const;

/** Known fields in their order, without empty ones; what is unknown is dropped as decoding into ObjectMeta drops it. */
export function orderMeta(meta: Readonly<Record<string, unknown>>): ObjectMeta {
  const out: Record<string, unknown> = {};
  for (const field of ORDER) {
    const value = meta[field];
    if (value === undefined || value === null || value === '' || isEmpty(value)) continue;
    out[field] = value;
  }
  return out as unknown as ObjectMeta;
}

function isEmpty(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  for (const _ in value) return false;
  return true;
}

/** ValidateObjectMeta. */
export function validateMeta(definition: ResourceDefinition, object: ApiObject): FieldError[] {
  const errors: FieldError[] = [];
  const { name, generateName: base, namespace, labels, annotations, finalizers, ownerReferences } = object.metadata;
  if (base !== undefined) {
    for (const problem of nameProblems(definition, base.endsWith('-') ? `${base.slice(0, -1)}a` : base)) {
      errors.push(FieldError.invalid('metadata.generateName', base, problem));
    }
  }
  if ((name ?? '') === '') errors.push(FieldError.required('metadata.name', 'name or generateName is required'));
  else for (const problem of nameProblems(definition, name)) errors.push(FieldError.invalid('metadata.name', name, problem));
  if (definition.isNamespaced && (namespace ?? '') === '') errors.push(FieldError.required('metadata.namespace', ''));
  if (!definition.isNamespaced && (namespace ?? '') !== '')
    errors.push(FieldError.forbidden('metadata.namespace', 'not allowed on this type'));
  errors.push(...validateLabels(labels, 'metadata.labels'), ...validateAnnotations(annotations, 'metadata.annotations'));
  for (const [index, owner] of (ownerReferences ?? []).entries()) {
    const path = `metadata.ownerReferences[${index}]`;
    if ((owner.apiVersion ?? '') === '')
      errors.push(FieldError.invalid(`${path}.apiVersion`, owner.apiVersion ?? '', 'version must not be empty'));
    if ((owner.kind ?? '') === '') errors.push(FieldError.invalid(`${path}.kind`, owner.kind ?? '', 'kind must not be empty'));
    if ((owner.name ?? '') === '') errors.push(FieldError.invalid(`${path}.name`, owner.name ?? '', 'name must not be empty'));
    if ((owner.uid ?? '') === '') errors.push(FieldError.invalid(`${path}.uid`, owner.uid ?? '', 'uid must not be empty'));
  }
  const controllers = (ownerReferences ?? []).filter((owner) => owner.controller === true);
  if (controllers.length > 1) {
    errors.push(
      FieldError.invalid(
        'metadata.ownerReferences',
        ownerReferences,
        `Only one reference can have Controller set to true. Found "true" in references for ${controllers[0]!.name} and ${controllers[1]!.name}`,
      ),
    );
  }
  for (const finalizer of finalizers ?? []) {
    for (const problem of qualifiedName(finalizer)) errors.push(FieldError.invalid('metadata.finalizers', finalizer, problem));
  }
  return errors;
}

/** ValidateObjectMetaUpdate: what never changes. */
export function validateMetaUpdate(next: ApiObject, current: ApiObject): FieldError[] {
  const errors: FieldError[] = [];
  const immutable = (
    field: 'name' | 'namespace' | 'uid' | 'creationTimestamp' | 'deletionTimestamp' | 'deletionGracePeriodSeconds',
  ): void => {
    if (next.metadata[field] !== current.metadata[field]) {
      errors.push(FieldError.invalid(`metadata.${field}`, next.metadata[field] ?? null, 'field is immutable'));
    }
  };
  for (const field of ['name', 'namespace', 'uid', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds'] as const)
    immutable(field);
  if (current.metadata.deletionTimestamp !== undefined) {
    const known = new Set(current.metadata.finalizers ?? []);
    const added = (next.metadata.finalizers ?? []).filter((finalizer) => !known.has(finalizer));
    if (added.length > 0) {
      errors.push(
        FieldError.forbidden(
          'metadata.finalizers',
          `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map((each) => JSON.stringify(each)).join(', ')}}`,
        ),
      );
    }
  }
  return errors;
}
