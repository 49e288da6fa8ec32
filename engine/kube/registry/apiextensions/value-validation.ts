// Models go-openapi's validation of a value against a schema, as kube-openapi has it: order, messages and what it reports of
// schemas under anyOf and oneOf.

import { isDeepEqual, isRecord } from '../../machinery/deep.ts';
import { FieldError } from '../../machinery/field-errors.ts';
import { goRegexp, RegexpError } from '../../machinery/go-regexp.ts';
import { goNumber, goSyntax } from '../../machinery/go-values.ts';
import { goQuote, GoSyntax } from '../../machinery/go-syntax.ts';
import { fitsFormat, isKnownFormat } from './formats.ts';
import { propertyOf } from './pruning.ts';
import type { JsonSchema } from './types.ts';

type Code = 'type' | 'required' | 'enum' | 'other' | 'composite';

interface Failure {
  readonly code: Code;
  readonly path: string;
  readonly value: unknown;
  readonly message: string;
  readonly allowed?: readonly unknown[];
}

class Result {
  readonly failures: Failure[] = [];
  /** How many checks were made: of several failing schemas the one with most is reported. */
  matches = 0;

  get isValid(): boolean {
    return this.failures.length === 0;
  }

  /** A message is reported once. */
  add(failure: Failure): void {
    if (!this.failures.some((known) => known.message === failure.message)) this.failures.push(failure);
  }

  merge(other: Result | undefined): void {
    if (other === undefined) return;
    for (const failure of other.failures) this.add(failure);
    this.matches += other.matches;
  }
}

/** What is wrong with a custom object, as field errors below `base`; an empty base is the object itself. */
export function validateValue(schema: JsonSchema | undefined, value: unknown, base = ''): FieldError[] {
  if (schema === undefined) return [];
  return validate(schema, value, '').failures.map((failure) => fieldErrorOf(failure, base));
}

function fieldErrorOf({ code, path, value, message, allowed = [] }: Failure, base: string): FieldError {
  if (code === 'composite') return FieldError.invalid(base === '' ? '<nil>' : base, '', message);
  const below = path.startsWith('.') ? path.slice(1) : path;
  const field = below === '' ? (base === '' ? '<nil>' : base) : base === '' ? below : `${base}.${below}`;
  if (code === 'required') return FieldError.required(field, '');
  const shown = value === null || value === undefined ? value : new GoSyntax(goSyntax(value));
  if (code === 'enum')
    return FieldError.notSupported(
      field,
      shown,
      allowed.map((each) => (typeof each === 'string' ? each : JSON.stringify(each))),
    );
  return FieldError.invalid(field, shown ?? '', message);
}

function validate(schema: JsonSchema, value: unknown, path: string): Result {
  const result = new Result();
  if (value === null) {
    result.merge(checkType(schema, value, path));
    result.merge(checkEnum(schema, value, path));
    return result;
  }
  const run = (check: Result | undefined): void => {
    result.merge(check);
    result.matches++;
  };
  const format = formatOf(schema);
  if (typesOf(schema).length > 0 || format !== undefined) run(checkType(schema, value, path));
  run(checkJunctors(schema, value, path));
  if (typeof value === 'string') {
    run(checkString(schema, value, path));
    if (format !== undefined) run(checkFormat(format, value, path));
  }
  if (typeof value === 'number') run(checkNumber(schema, value, path));
  if (Array.isArray(value)) run(checkArray(schema, value, path));
  run(checkEnum(schema, value, path));
  if (isRecord(value)) run(checkObject(schema, value, path));
  result.matches++;
  return result;
}

function only(failure: Failure): Result {
  const result = new Result();
  result.add(failure);
  return result;
}

function typesOf(schema: JsonSchema): readonly string[] {
  if (schema['x-kubernetes-int-or-string'] === true) return ['integer', 'string'];
  return (schema.type ?? '') === '' ? [] : [schema.type!];
}

/** Formats that the validator does not know are as good as none. */
function formatOf(schema: JsonSchema): string | undefined {
  const { format } = schema;
  return format === undefined || !isKnownFormat(format) ? undefined : format;
}

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value === 'object' ? 'object' : typeof value;
}

function checkType(schema: JsonSchema, value: unknown, path: string): Result {
  const types = typesOf(schema);
  const result = new Result();
  result.matches++;
  const mismatch = (wanted: string, found: string): Result =>
    only({
      code: 'type',
      path,
      value: found,
      message: `${path} in body must be of type ${wanted}${found === '' ? ': ""' : `: ${goQuote(found)}`}`,
    });
  if (value === null) {
    return types.length > 0 && !types.includes('null') && schema.nullable !== true ? mismatch(types.join(','), 'null') : result;
  }
  const type = typeOf(value);
  const isNumeric = types.includes('number') || types.includes('integer');
  const isIntegerForNumber = type === 'integer' && types.includes('number');
  const format = formatOf(schema);
  if (format !== undefined) {
    const isText = typeof value === 'string' || Array.isArray(value);
    if (!isText && !types.includes(type) && !isIntegerForNumber) {
      return mismatch(format, type === 'integer' ? 'int64' : type === 'number' ? 'float64' : '');
    }
    if (!isNumeric && isText) return result;
  }
  return types.includes(type) || isIntegerForNumber ? result : mismatch(types.join(','), type);
}

function checkJunctors(schema: JsonSchema, value: unknown, path: string): Result {
  const result = new Result();
  const composite = (message: string): void => result.add({ code: 'composite', path, value: '', message: `${goQuote(path)} ${message}` });
  const { anyOf = [], oneOf = [], allOf = [], not } = schema;
  if (anyOf.length > 0) {
    const tried = bestOf(anyOf, value, path, true);
    if (tried.valid === 0) composite('must validate at least one schema (anyOf)');
    result.merge(tried.valid === 0 ? tried.failed : tried.passed);
  }
  if (oneOf.length > 0) {
    const tried = bestOf(oneOf, value, path, false);
    if (tried.valid === 1) result.merge(tried.passed);
    else {
      composite(
        `must validate one and only one schema (oneOf). ${tried.valid === 0 ? 'Found none valid' : `Found ${tried.valid} valid alternatives`}`,
      );
      if (tried.valid === 0) result.merge(tried.failed);
    }
  }
  if (allOf.length > 0) {
    let valid = 0;
    for (const each of allOf) {
      const inner = validate(each, value, path);
      if (inner.isValid) valid++;
      result.merge(inner);
    }
    if (valid !== allOf.length) composite(`must validate all the schemas (allOf)${valid === 0 ? '. None validated' : ''}`);
  }
  if (not !== undefined && validate(not, value, path).isValid) composite('must not validate the schema (not)');
  result.matches++;
  return result;
}

interface Tried {
  readonly valid: number;
  readonly passed: Result | undefined;
  readonly failed: Result | undefined;
}

function bestOf(schemas: readonly JsonSchema[], value: unknown, path: string, stopsAtFirst: boolean): Tried {
  let valid = 0;
  let passed: Result | undefined;
  let failed: Result | undefined;
  for (const schema of schemas) {
    const result = validate(schema, value, path);
    if (result.isValid) {
      valid++;
      passed ??= result;
      if (stopsAtFirst) break;
    } else if (failed === undefined || result.matches > failed.matches) failed = result;
  }
  return { valid, passed, failed };
}

function checkString(schema: JsonSchema, value: string, path: string): Result | undefined {
  const { maxLength, minLength, pattern } = schema;
  const fail = (message: string): Result => only({ code: 'other', path, value, message: `${path} in body should ${message}` });
  const length = maxLength === undefined && minLength === undefined ? 0 : [...value].length;
  if (maxLength !== undefined && length > maxLength) return fail(`be at most ${maxLength} chars long`);
  if (minLength !== undefined && length < minLength) return fail(`be at least ${minLength} chars long`);
  if (pattern !== undefined && pattern !== '') {
    try {
      if (!goRegexp(pattern).test(value)) return fail(`match '${pattern}'`);
    } catch (error) {
      if (!(error instanceof RegexpError)) throw error;
      return fail(`match '${pattern}, but pattern is invalid: ${error.message}'`);
    }
  }
  return undefined;
}

function checkFormat(format: string, value: string, path: string): Result | undefined {
  if (fitsFormat(format, value)) return undefined;
  return only({ code: 'type', path, value, message: `${path} in body must be of type ${format}: ${goQuote(value)}` });
}

function checkNumber(schema: JsonSchema, value: number, path: string): Result {
  const result = new Result();
  const fail = (message: string): void => result.add({ code: 'other', path, value, message: `${path} in body should be ${message}` });
  const { multipleOf, maximum, minimum } = schema;
  const isInteger = Number.isInteger(value);
  // Integers are compared with the whole part of a bound.
  const bound = (limit: number): number => (isInteger ? Math.trunc(limit) : limit);
  if (multipleOf !== undefined) {
    const factor = multipleOf < 1 ? (1 / multipleOf) * value : value / multipleOf;
    if (!isWhole(factor)) fail(`a multiple of ${goNumber(multipleOf)}`);
  }
  if (minimum !== undefined) {
    const isExclusive = schema.exclusiveMinimum === true;
    const limit = bound(minimum);
    if (isExclusive ? value <= limit : value < limit) fail(`greater than ${isExclusive ? '' : 'or equal to '}${goNumber(limit)}`);
  }
  if (maximum !== undefined) {
    const isExclusive = schema.exclusiveMaximum === true;
    const limit = bound(maximum);
    if (isExclusive ? value >= limit : value > limit) fail(`less than ${isExclusive ? '' : 'or equal to '}${goNumber(limit)}`);
  }
  result.matches++;
  return result;
}

/** Floats that are integers but for rounding, as swag has it. */
function isWhole(value: number): boolean {
  if (!Number.isFinite(value) || Math.abs(value) > Number.MAX_SAFE_INTEGER) return false;
  const rest = Math.abs(value - Math.trunc(value));
  return rest < 1e-9 || (value !== 0 && rest / Math.abs(value) < 1e-9);
}

function checkArray(schema: JsonSchema, value: readonly unknown[], path: string): Result {
  const result = new Result();
  const { items, minItems, maxItems } = schema;
  // Elements are reported under the name of the list: the index goes missing upstream too.
  if (items !== undefined && !Array.isArray(items)) for (const element of value) result.merge(validate(items as JsonSchema, element, path));
  const fail = (message: string): void => result.add({ code: 'other', path, value: value.length, message: `${path} in body ${message}` });
  if (minItems !== undefined && value.length < minItems) fail(`should have at least ${minItems} items`);
  if (maxItems !== undefined && value.length > maxItems) fail(`should have at most ${maxItems} items`);
  if (schema.uniqueItems === true && value.some((element, index) => value.slice(0, index).some((known) => isDeepEqual(known, element)))) {
    result.add({ code: 'other', path, value: undefined, message: `${path} in body shouldn't contain duplicates` });
  }
  result.matches++;
  return result;
}

function checkEnum(schema: JsonSchema, value: unknown, path: string): Result | undefined {
  const allowed = schema.enum ?? [];
  if (allowed.length === 0) return undefined;
  if (value !== null && allowed.some((each) => each !== null && isDeepEqual(each, value))) return undefined;
  return only({ code: 'enum', path, value, allowed, message: `${path} in body should be one of ${JSON.stringify(allowed)}` });
}

function checkObject(schema: JsonSchema, value: Readonly<Record<string, unknown>>, path: string): Result {
  const { minProperties, maxProperties, properties = {}, additionalProperties, required = [] } = schema;
  const keys = Object.keys(value).sort();
  if (minProperties !== undefined && keys.length < minProperties) {
    return only({
      code: 'other',
      path,
      value: minProperties,
      message: `${path} in body should have at least ${minProperties} properties`,
    });
  }
  if (maxProperties !== undefined && keys.length > maxProperties) {
    return only({ code: 'other', path, value: maxProperties, message: `${path} in body should have at most ${maxProperties} properties` });
  }
  const result = new Result();
  for (const key of keys) {
    if (propertyOf(schema, key) !== undefined) continue;
    if (additionalProperties === false) {
      result.add({ code: 'other', path, value: key, message: `${path}.${key} in body is a forbidden property` });
    } else if (typeof additionalProperties === 'object') result.merge(validate(additionalProperties, value[key], `${path}.${key}`));
  }
  for (const name of Object.keys(properties).sort()) {
    if (Object.hasOwn(value, name) && value[name] !== undefined)
      result.merge(validate(properties[name]!, value[name], path === '' ? name : `${path}.${name}`));
  }
  for (const name of required) {
    if (Object.hasOwn(value, name)) continue;
    result.add({ code: 'required', path: `${path}.${name}`, value: undefined, message: `${path}.${name} in body is required` });
  }
  return result;
}
