// Models validation/field: errors that name the field they are about.

import { goPrint } from './go-print.ts';
import { goQuote, GoSyntax, goStringMap, goStrings } from './go-syntax.ts';

export class FieldError {
  readonly reason: string;
  readonly field: string;
  readonly body: string;

  private constructor(reason: string, field: string, body: string) {
    this.reason = reason;
    this.field = field;
    this.body = body;
  }

  toString(): string {
    return `${this.field}: ${this.body}`;
  }

  static required(field: string, detail: string): FieldError {
    return new FieldError('FieldValueRequired', field, withDetail('Required value', detail));
  }
  static invalid(field: string, value: unknown, detail: string): FieldError {
    return new FieldError('FieldValueInvalid', field, withDetail(`Invalid value: ${shown(value)}`, detail));
  }
  /** The value is already in Go's notation. */
  static invalidGo(field: string, shownValue: string, detail: string): FieldError {
    return FieldError.invalid(field, new GoSyntax(shownValue), detail);
  }
  /** A structure: `type` is the Go type of the value (what it points at, for a pointer), which is printed as %#v. */
  static invalidOf(field: string, type: string, value: unknown, detail: string): FieldError {
    // Only behind a pointer is nothing null; maps and lists are nil ones.
    const isNull = (value === undefined || value === null) && !/^(map)?\[/.test(type);
    return FieldError.invalid(field, isNull ? null : new GoSyntax(goPrint(type, value)), detail);
  }
  static notSupportedOf(field: string, type: string, value: unknown, supported: readonly string[]): FieldError {
    return FieldError.notSupported(field, new GoSyntax(goPrint(type, value)), supported);
  }
  static duplicate(field: string, value: unknown, detail = ''): FieldError {
    return new FieldError('FieldValueDuplicate', field, withDetail(`Duplicate value: ${shown(value)}`, detail));
  }
  static duplicateOf(field: string, type: string, value: unknown): FieldError {
    return FieldError.duplicate(field, new GoSyntax(goPrint(type, value)));
  }
  static notFound(field: string, value: unknown): FieldError {
    return new FieldError('FieldValueNotFound', field, `Not found: ${shown(value)}`);
  }
  static forbidden(field: string, detail: string): FieldError {
    return new FieldError('FieldValueForbidden', field, withDetail('Forbidden', detail));
  }
  static notSupported(field: string, value: unknown, supported: readonly string[]): FieldError {
    const detail = supported.length === 0 ? '' : `supported values: ${supported.map(goQuote).join(', ')}`;
    return new FieldError('FieldValueNotSupported', field, withDetail(`Unsupported value: ${shown(value)}`, detail));
  }
  static tooLong(field: string, maxLength: number): FieldError {
    return new FieldError('FieldValueTooLong', field, `Too long: must have at most ${maxLength} bytes`);
  }
  static tooMany(field: string, actual: number, max: number): FieldError {
    return new FieldError('FieldValueTooMany', field, `Too many: ${actual}: must have at most ${max} items`);
  }
  static internal(field: string, detail: string): FieldError {
    return new FieldError('InternalError', field, withDetail('Internal error', detail));
  }
}

function withDetail(what: string, detail: string): string {
  return detail === '' ? what : `${what}: ${detail}`;
}

/** Values as Go prints them in these messages: text quoted, numbers plain, what is not there as the text "null". */
function shown(value: unknown): string {
  if (value === undefined || value === null) return '"null"';
  if (typeof value === 'string') return goQuote(value);
  if (typeof value !== 'object') return String(value);
  if (value instanceof GoSyntax) return value.text;
  if (Array.isArray(value)) return value.every((each) => typeof each === 'string') ? goStrings(value).text : JSON.stringify(value);
  return Object.values(value).every((each) => typeof each === 'string')
    ? goStringMap(value as Record<string, string>).text
    : JSON.stringify(value);
}
