// Models ValidateObjectMeta and its kin: what may stand in the metadata of any object.

import { FieldError } from '../machinery/field-errors.ts';
import { goQuote, goStruct, goStructs } from '../machinery/go-syntax.ts';
import { dns1123Label, labelValue, pathSegment, pathSegmentPrefix, qualifiedName } from '../machinery/names.ts';
import { isDeepEqual } from '../machinery/deep.ts';
import type { KubeObject, ObjectMeta } from '../machinery/types.ts';

/** What is wrong with a name, or with the beginning of one that the server completes. */
export type NameRule = (name: string, isPrefix: boolean) => readonly string[];

export function validateLabels(labels: Readonly<Record<string, string>> | null | undefined, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const key in labels) {
    for (const problem of qualifiedName(key)) errors.push(FieldError.invalid(path, key, problem));
    const value = labels[key]!;
    for (const problem of labelValue(value)) errors.push(FieldError.invalid(path, value, problem));
  }
  return errors;
}

const MAX_ANNOTATIONS_BYTES = 256 * 1024;

export function validateAnnotations(annotations: Readonly<Record<string, string>> | null | undefined, path: string): FieldError[] {
  const errors: FieldError[] = [];
  let size = 0;
  for (const key in annotations) {
    for (const problem of qualifiedName(key.toLowerCase())) errors.push(FieldError.invalid(path, key, problem));
    size += byteLength(key) + byteLength(annotations[key]!);
  }
  if (size > MAX_ANNOTATIONS_BYTES) errors.push(FieldError.tooLong(path, MAX_ANNOTATIONS_BYTES));
  return errors;
}

/** Bytes of the text in UTF-8. */
export function byteLength(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x80) continue;
    if (code < 0x800) bytes += 1;
    // Halves of a pair: two units, four bytes.
    else bytes += code >= 0xd800 && code <= 0xdfff ? 1 : 2;
  }
  return bytes;
}

/** ValidateObjectMeta: with the kind's own rule for names, or with the one every name keeps. */
export function objectMetaErrors(metadata: ObjectMeta, isNamespaced: boolean, nameRule: NameRule): FieldError[] {
  const errors: FieldError[] = [];
  const { name, generateName: base, namespace } = metadata;
  if ((base ?? '') !== '')
    for (const problem of prefixProblems(nameRule, base!)) errors.push(FieldError.invalid('metadata.generateName', base, problem));
  if ((name ?? '') === '') errors.push(FieldError.required('metadata.name', 'name or generateName is required'));
  else for (const problem of nameRule(name, false)) errors.push(FieldError.invalid('metadata.name', name, problem));
  if (isNamespaced) {
    if ((namespace ?? '') === '') errors.push(FieldError.required('metadata.namespace', ''));
    else for (const problem of dns1123Label(namespace!)) errors.push(FieldError.invalid('metadata.namespace', namespace, problem));
  } else if ((namespace ?? '') !== '') errors.push(FieldError.forbidden('metadata.namespace', 'not allowed on this type'));
  errors.push(...managerNameErrors(metadata));
  const generation = metadata.generation ?? 0;
  if (generation < 0) errors.push(FieldError.invalid('metadata.generation', generation, 'must be greater than or equal to 0'));
  errors.push(
    ...validateLabels(metadata.labels, 'metadata.labels'),
    ...validateAnnotations(metadata.annotations, 'metadata.annotations'),
    ...ownerErrors(metadata),
    ...finalizerErrors(metadata),
    ...managedFieldsErrors(metadata),
  );
  return errors;
}

/** Finalizers of built-in kinds are fully qualified, but for the standard ones. */
export function kubeFinalizerErrors(metadata: ObjectMeta): FieldError[] {
  const errors: FieldError[] = [];
  for (const [index, finalizer] of (metadata.finalizers ?? []).entries()) {
    if (finalizer.includes('/') || isStandardFinalizer(finalizer)) continue;
    const detail = 'name is neither a standard finalizer name nor is it fully qualified';
    errors.push(FieldError.invalid(`metadata.finalizers[${index}]`, finalizer, detail));
  }
  return errors;
}

const STANDARD_FINALIZERS = ['kubernetes', 'orphan', 'foregroundDeletion'];

export function isStandardFinalizer(finalizer: string): boolean {
  return STANDARD_FINALIZERS.includes(finalizer);
}

/** What a client may not change in the metadata: ValidateObjectMetaUpdate. */
export function metaUpdateErrors(next: KubeObject, current: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  const [after, before] = [next.metadata, current.metadata];
  if (before.deletionTimestamp !== undefined) {
    const known = new Set(before.finalizers ?? []);
    const added = [...new Set((after.finalizers ?? []).filter((finalizer) => !known.has(finalizer)))].sort();
    if (added.length > 0) {
      errors.push(
        FieldError.forbidden(
          'metadata.finalizers',
          `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map(goQuote).join(', ')}}`,
        ),
      );
    }
  }
  errors.push(...managerNameErrors(after));
  for (const field of ['name', 'namespace', 'uid', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds'] as const) {
    if (after[field] === before[field]) continue;
    const value = after[field];
    const isTime = field === 'creationTimestamp' || field === 'deletionTimestamp';
    errors.push(
      isTime && typeof value === 'string'
        ? FieldError.invalidGo(`metadata.${field}`, goTime(value), 'field is immutable')
        : FieldError.invalid(
            `metadata.${field}`,
            value ?? (typeof before[field] === 'string' && !isTime ? '' : null),
            'field is immutable',
          ),
    );
  }
  errors.push(
    ...validateLabels(after.labels, 'metadata.labels'),
    ...validateAnnotations(after.annotations, 'metadata.annotations'),
    ...ownerErrors(after),
    ...managedFieldsErrors(after),
  );
  return errors;
}

/** ValidateImmutableField. */
export function immutable(path: string, next: unknown, current: unknown, shown: unknown = next): FieldError[] {
  return isDeepEqual(next, current) ? [] : [FieldError.invalid(path, shown, 'field is immutable')];
}

/** time.Time.String() of what the wire writes as RFC 3339. */
export function goTime(time: string): string {
  const at = new Date(time);
  return Number.isNaN(at.getTime()) ? time : `${at.toISOString().slice(0, 19).replace('T', ' ')} +0000 UTC`;
}

function prefixProblems(rule: NameRule, base: string): readonly string[] {
  if (rule === pathSegment) return pathSegmentPrefix(base);
  // The last but one letter goes with the dash, as upstream cuts it.
  return rule(base.endsWith('-') ? `${base.slice(0, Math.max(0, base.length - 2))}a` : base, true);
}

const MAX_MANAGER_BYTES = 128;

function managerNameErrors(metadata: ObjectMeta): FieldError[] {
  const errors: FieldError[] = [];
  for (const { manager = '' } of metadata.managedFields ?? []) errors.push(...fieldManagerErrors(manager, 'metadata.fieldManager'));
  return errors;
}

/** What nearly all managers are called, and nothing is wrong with. */
const PLAIN = /^[\x20-\x7e]*$/;

/** ValidateFieldManager: short and printable. */
export function fieldManagerErrors(manager: string, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (manager.length <= MAX_MANAGER_BYTES && PLAIN.test(manager)) return errors;
  if (byteLength(manager) > MAX_MANAGER_BYTES) errors.push(FieldError.tooLong(path, MAX_MANAGER_BYTES));
  let position = 0;
  for (const char of manager) {
    const quoted = goQuote(char);
    if (quoted.startsWith('"\\') && char !== '"' && char !== '\\') {
      const code = char.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
      errors.push(FieldError.invalid(path, manager, `invalid character U+${code} (at position ${position})`));
    }
    position += byteLength(char);
  }
  return errors;
}

function managedFieldsErrors(metadata: ObjectMeta): FieldError[] {
  const errors: FieldError[] = [];
  for (const { operation, fieldsType } of metadata.managedFields ?? []) {
    if (operation !== 'Apply' && operation !== 'Update')
      errors.push(FieldError.invalid('metadata.managedFields.operation', operation ?? '', 'must be `Apply` or `Update`'));
    if ((fieldsType ?? '') !== '' && fieldsType !== 'FieldsV1')
      errors.push(FieldError.invalid('metadata.managedFields.fieldsType', fieldsType, 'must be `FieldsV1`'));
  }
  return errors;
}

function ownerErrors(metadata: ObjectMeta): FieldError[] {
  const errors: FieldError[] = [];
  const path = 'metadata.ownerReferences';
  const owners = metadata.ownerReferences ?? [];
  let controller = '';
  for (const owner of owners) {
    const version = owner.apiVersion ?? '';
    if (version === '') errors.push(FieldError.invalid(`${path}.apiVersion`, version, 'version must not be empty'));
    if ((owner.kind ?? '') === '') errors.push(FieldError.invalid(`${path}.kind`, '', 'kind must not be empty'));
    if ((owner.name ?? '') === '') errors.push(FieldError.invalid(`${path}.name`, '', 'name must not be empty'));
    if ((owner.uid ?? '') === '') errors.push(FieldError.invalid(`${path}.uid`, '', 'uid must not be empty'));
    if (version === 'v1' && owner.kind === 'Event')
      errors.push(FieldError.invalid(path, goStruct('meta/v1.OwnerReference', owner), '/v1, Kind=Event is disallowed from being an owner'));
    if (owner.controller !== true) continue;
    if (controller === '') controller = owner.name;
    else {
      errors.push(
        FieldError.invalid(
          path,
          goStructs('meta/v1.OwnerReference', owners),
          `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${owner.name}`,
        ),
      );
    }
  }
  return errors;
}

function finalizerErrors(metadata: ObjectMeta): FieldError[] {
  const errors: FieldError[] = [];
  const finalizers = metadata.finalizers ?? [];
  for (const finalizer of finalizers) {
    for (const problem of qualifiedName(finalizer)) errors.push(FieldError.invalid('metadata.finalizers', finalizer, problem));
  }
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    errors.push(FieldError.invalid('metadata.finalizers', finalizers, 'finalizer orphan and foregroundDeletion cannot be both set'));
  }
  return errors;
}
