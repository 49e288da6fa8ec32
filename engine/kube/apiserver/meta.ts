// What the server does to the metadata of everything that is written.

import type { Rng } from '../../sim/rng.ts';
import type { FieldError } from '../machinery/field-errors.ts';
import { pathSegment } from '../machinery/names.ts';
import type { ObjectMeta } from '../machinery/types.ts';
import { nameRuleOf, type ApiObject, type MetaErrors, type ResourceDefinition } from '../registry/definition.ts';
import { kubeFinalizerErrors, metaUpdateErrors, objectMetaErrors } from '../registry/meta-validation.ts';

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

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

export function randomUid(rng: Rng): string {
  const bytes = rng.bytes(16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  let out = '';
  for (let i = 0; i < 16; i++) out += i === 4 || i === 6 || i === 8 || i === 10 ? `-${HEX[bytes[i]!]!}` : HEX[bytes[i]!]!;
  return out;
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
  'managedFields',
] as const;

/** Known fields in their order, without empty ones, itself when it is so already; what is unknown is dropped as decoding into ObjectMeta drops it. */
export function orderMeta(meta: Readonly<Record<string, unknown>>): ObjectMeta {
  if (isInOrder(meta)) return meta as unknown as ObjectMeta;
  const out: Record<string, unknown> = {};
  for (const field of ORDER) {
    const value = meta[field];
    if (isNothing(value)) continue;
    out[field] = value;
  }
  return out as unknown as ObjectMeta;
}

function isInOrder(meta: Readonly<Record<string, unknown>>): boolean {
  let at = 0;
  for (const field in meta) {
    while (at < ORDER.length && ORDER[at] !== field) at++;
    if (at++ === ORDER.length || isNothing(meta[field])) return false;
  }
  return true;
}

function isNothing(value: unknown): boolean {
  return value === undefined || value === null || value === '' || isEmpty(value);
}

function isEmpty(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  for (const _ in value) return false;
  return true;
}

/** ValidateObjectMeta as the kind's own validation calls it. */
export function validateMeta(definition: ResourceDefinition, object: ApiObject): FieldError[] {
  const errors = objectMetaErrors(object.metadata, definition.isNamespaced, nameRuleOf(definition));
  if (!definition.isCustom && definition.strategy.hasFreeFinalizers !== true) errors.push(...kubeFinalizerErrors(object.metadata));
  return errors;
}

/** What every kind's update checks, and the same as the kind's own validation repeats it. */
export function validateMetaUpdate(
  definition: ResourceDefinition,
  next: ApiObject,
  current: ApiObject,
): { readonly common: readonly FieldError[]; readonly meta: MetaErrors } {
  const object = objectMetaErrors(next.metadata, definition.isNamespaced, pathSegment);
  const update = metaUpdateErrors(next, current);
  const finalizers = definition.isCustom || definition.strategy.hasFreeFinalizers === true ? [] : kubeFinalizerErrors(next.metadata);
  // Many updates never ask; some ask twice.
  let ofKind: readonly FieldError[] | undefined;
  const meta = {
    get object(): readonly FieldError[] {
      ofKind ??= validateMeta(definition, next);
      return ofKind;
    },
    update: [...update, ...finalizers],
  };
  return { common: [...object, ...update], meta };
}
