// Models the checks of defaults in structural schemas: they have to be what pruning leaves of them, and valid.

import { deepCopy, isDeepEqual, isRecord } from '../../machinery/deep.ts';
import { FieldError } from '../../machinery/field-errors.ts';
import { goSyntax } from '../../machinery/go-values.ts';
import { GoSyntax } from '../../machinery/go-syntax.ts';
import { coerceEmbedded, embeddedErrors } from './embedded-objects.ts';
import { prune } from './pruning.ts';
import { child } from './structural.ts';
import { itemsSchema, type JsonSchema } from './types.ts';
import { validateValue } from './value-validation.ts';

/** Puts a default where it would stand in an object, so that metadata as a whole can be checked. */
type Surround = (value: unknown) => Record<string, unknown>;

interface Place {
  readonly root: JsonSchema;
  readonly surround: Surround;
  readonly isInMeta: boolean;
}

export function defaultErrors(schema: JsonSchema, path: string, requirePruned: boolean): FieldError[] {
  const root = { ...schema, 'x-kubernetes-embedded-resource': true };
  return check(root, path, { root, surround: asRoot, isInMeta: false }, requirePruned);
}

/** Whether any default holds what the schema does not name. */
export function hasUnprunedDefaults(schema: JsonSchema): boolean {
  return defaultErrors(schema, '', true).some((error) => error.toString().endsWith('must not have unknown fields'));
}

function asRoot(value: unknown): Record<string, unknown> {
  return { kind: 'Validation', apiVersion: 'validation/v1', ...(isRecord(value) ? value : {}) };
}

function check(schema: JsonSchema, path: string, place: Place, requirePruned: boolean): FieldError[] {
  const isEmbedded = schema['x-kubernetes-embedded-resource'] === true;
  const here: Place = isEmbedded ? { root: schema, surround: asRoot, isInMeta: false } : place;
  const errors: FieldError[] = [];
  const value = schema.default ?? null;
  if (value !== null) {
    const at = child(path, 'default');
    const invalid = (detail: string): FieldError => FieldError.invalid(at, new GoSyntax(goSyntax(value)), detail);
    const validated = (): FieldError[] => validateValue(schema, value, at);
    if (here.isInMeta) {
      const object = here.surround(deepCopy(value));
      const coerced = coerceEmbedded(object, here.root, '');
      const meta = coerced === undefined ? embeddedErrors(object, here.root, '') : [coerced];
      if (meta.length > 0) {
        const shown = [...new Set(meta.map((error) => error.toString()))];
        errors.push(invalid(`must result in valid metadata: ${shown.length === 1 ? shown[0]! : `[${shown.join(', ')}]`}`));
      } else errors.push(...validated());
    } else {
      const pruned = deepCopy(value);
      prune(pruned, schema);
      if (requirePruned && !isDeepEqual(pruned, value)) errors.push(invalid('must not have unknown fields'));
      const copy = deepCopy(value);
      const coerced = coerceEmbedded(copy, schema, at);
      const embedded = coerced === undefined ? embeddedErrors(copy, schema, at) : [coerced];
      errors.push(...(embedded.length > 0 ? embedded : validated()));
    }
  }
  const items = itemsSchema(schema);
  if (items !== undefined)
    errors.push(...check(items, child(path, 'items'), { ...here, surround: (inner) => here.surround([inner]) }, requirePruned));
  for (const name of Object.keys(schema.properties ?? {}).sort()) {
    const isInMeta = here.isInMeta || (isEmbedded && (name === 'metadata' || name === 'apiVersion' || name === 'kind'));
    const inner: Place = { ...here, isInMeta, surround: (member) => here.surround({ [name]: member }) };
    errors.push(...check(schema.properties![name]!, `${child(path, 'properties')}[${name}]`, inner, requirePruned));
  }
  return errors;
}
