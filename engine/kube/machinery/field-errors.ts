// Models validation/field: errors that name the field they are about.

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
    return new FieldError('FieldValueRequired', field, detail === '' ? 'Required value' : `Required value: ${detail}`);
  }
  static invalid(field: string, value: unknown, detail: string): FieldError {
    return new FieldError('FieldValueInvalid', field, `Invalid value: ${shown(value)}${detail === '' ? '' : `: ${detail}`}`);
  }
  /** The value is already in Go's notation. */
  static invalidGo(field: string, shownValue: string, detail: string): FieldError {
    return new FieldError('FieldValueInvalid', field, `Invalid value: ${shownValue}: ${detail}`);
  }
  static duplicate(field: string, value: unknown): FieldError {
    return new FieldError('FieldValueDuplicate', field, `Duplicate value: ${shown(value)}`);
  }
  static notFound(field: string, value: unknown): FieldError {
    return new FieldError('FieldValueNotFound', field, `Not found: ${shown(value)}`);
  }
  static forbidden(field: string, detail: string): FieldError {
    return new FieldError('FieldValueForbidden', field, detail === '' ? 'Forbidden' : `Forbidden: ${detail}`);
  }
  static notSupported(field: string, value: unknown, supported: readonly string[]): FieldError {
    const detail = supported.length === 0 ? '' : `: supported values: ${supported.map((each) => JSON.stringify(each)).join(', ')}`;
    return new FieldError('FieldValueNotSupported', field, `Unsupported value: ${shown(value)}${detail}`);
  }
  static tooLong(field: string, maxLength: number): FieldError {
    return new FieldError('FieldValueTooLong', field, `Too long: must have at most ${maxLength} bytes`);
  }
}

/** Values as Go prints them in these messages: strings quoted, structures as JSON. */
function shown(value: unknown): string {
  if (value === undefined || value === null) return 'null';
  return typeof value === 'object' ? JSON.stringify(value) : typeof value === 'string' ? JSON.stringify(value) : String(value);
}
