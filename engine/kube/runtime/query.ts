// The query of a request's target.

export class Query {
  readonly #values = new Map<string, string[]>();

  constructor(text: string) {
    for (const part of text.split('&')) {
      if (part === '') continue;
      const at = part.indexOf('=');
      const name = decode(at < 0 ? part : part.slice(0, at));
      this.#values.set(name, [...(this.#values.get(name) ?? []), at < 0 ? '' : decode(part.slice(at + 1))]);
    }
  }

  get(name: string): string | null {
    return this.#values.get(name)?.[0] ?? null;
  }

  getAll(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  /** A flag as Go's strconv.ParseBool reads it. */
  isTrue(name: string): boolean {
    return ['1', 't', 'T', 'true', 'TRUE', 'True'].includes(this.get(name) ?? '');
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch (error) {
    if (error instanceof URIError) return text;
    throw error;
  }
}

/** Writes a query; what is undefined is left out. */
export function queryOf(values: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const parts = Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [`${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`],
  );
  return parts.length === 0 ? '' : `?${parts.join('&')}`;
}
