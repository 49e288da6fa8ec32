// Models systemd's unit files (systemd.unit(5), systemd.syntax as of version 219): sections of settings, lists that an
// empty value resets, drop-ins that add.

export class UnitFile {
  readonly #sections = new Map<string, [string, string][]>();

  /** Adds a file's settings after those there are; later files are drop-ins. */
  add(source: string): void {
    let section: [string, string][] | undefined;
    for (const line of logicalLines(source)) {
      const header = /^\[(.+)\]$/.exec(line);
      if (header !== null) {
        const name = header[1]!;
        section = this.#sections.get(name) ?? [];
        this.#sections.set(name, section);
        continue;
      }
      const equals = line.indexOf('=');
      if (equals > 0 && section !== undefined) section.push([line.slice(0, equals).trim(), line.slice(equals + 1).trim()]);
    }
  }

  /** The last value. */
  get(section: string, name: string): string | undefined {
    return this.all(section, name).at(-1);
  }

  /** Every value since the last empty one. */
  all(section: string, name: string): readonly string[] {
    let values: string[] = [];
    for (const [key, value] of this.#sections.get(section) ?? []) {
      if (key !== name) continue;
      if (value === '') values = [];
      else values.push(value);
    }
    return values;
  }

  /** Values that are lists of words. */
  words(section: string, name: string): readonly string[] {
    return this.all(section, name).flatMap((value) => value.split(/\s+/).filter((word) => word !== ''));
  }

  flag(section: string, name: string, otherwise: boolean): boolean {
    const value = this.get(section, name)?.toLowerCase();
    if (value === undefined) return otherwise;
    return value === 'yes' || value === 'true' || value === 'on' || value === '1';
  }

  /** A time span in ms; `infinity` is Infinity. */
  timeSpan(section: string, name: string, otherwiseMs: number): number {
    const value = this.get(section, name);
    return value === undefined ? otherwiseMs : (parseTimeSpan(value) ?? otherwiseMs);
  }

  hasSection(section: string): boolean {
    return this.#sections.has(section);
  }
}

const SPAN_UNITS_MS: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1000,
  sec: 1000,
  min: 60_000,
  m: 60_000,
  h: 3_600_000,
  hr: 3_600_000,
  d: 86_400_000,
};

/** systemd.time(7): `90`, `1min 30s`, `100ms`, `infinity`; undefined when it is none. */
export function parseTimeSpan(text: string): number | undefined {
  if (text === 'infinity') return Infinity;
  if (text === '0') return Infinity;
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  let total = 0;
  for (const part of text.match(/\S+/g) ?? []) {
    const match = /^(\d+(?:\.\d+)?)([a-z]+)$/.exec(part);
    const unit = match === null ? undefined : SPAN_UNITS_MS[match[2]!];
    if (match === null || unit === undefined) return undefined;
    total += Number(match[1]) * unit;
  }
  return total;
}

function* logicalLines(source: string): Generator<string> {
  let pending = '';
  for (const raw of source.split('\n')) {
    const line = raw.trim();
    if (pending === '' && (line === '' || line.startsWith('#') || line.startsWith(';'))) continue;
    if (line.endsWith('\\')) {
      pending += `${line.slice(0, -1)} `;
      continue;
    }
    yield (pending + line).trim();
    pending = '';
  }
  if (pending !== '') yield pending.trim();
}
