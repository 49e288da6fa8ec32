// Models the metrics a component publishes: counters, gauges and histograms in Prometheus' text format.

/** Names and values of labels; they print in the order of their names. */
export type Labels = Readonly<Record<string, string>>;

interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  lines(): Iterable<string>;
}

export class MetricRegistry {
  readonly #families = new Map<string, Family>();

  counter(name: string, help: string): Counter {
    const counter = new Counter(name);
    this.#families.set(name, { name, help, type: 'counter', lines: () => counter.lines() });
    return counter;
  }

  histogram(name: string, help: string, buckets: readonly number[]): Histogram {
    const histogram = new Histogram(name, buckets);
    this.#families.set(name, { name, help, type: 'histogram', lines: () => histogram.lines() });
    return histogram;
  }

  /** A gauge that is read when somebody looks. */
  gauge(
    name: string,
    help: string,
    read: () => Iterable<readonly [labels: Labels, value: number]>,
    type: 'gauge' | 'counter' = 'gauge',
  ): void {
    this.#families.set(name, {
      name,
      help,
      type,
      *lines() {
        for (const [labels, value] of read()) yield `${name}${braced(labelText(labels))} ${number(value)}`;
      },
    });
  }

  /** Everything that has a value, by name. */
  text(): string {
    const out: string[] = [];
    for (const family of [...this.#families.values()].sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const lines = [...family.lines()];
      if (lines.length === 0) continue;
      out.push(`# HELP ${family.name} ${family.help}`, `# TYPE ${family.name} ${family.type}`, ...lines);
    }
    return `${out.join('\n')}\n`;
  }
}

export class Counter {
  readonly #name: string;
  readonly #values = new Map<string, number>();

  constructor(name: string) {
    this.#name = name;
  }

  /** `labels` in the form of `labelText`, so that a caller may keep it. */
  add(labels: string, by = 1): void {
    this.#values.set(labels, (this.#values.get(labels) ?? 0) + by);
  }

  *lines(): Iterable<string> {
    for (const [labels, value] of [...this.#values].sort(byKey)) yield `${this.#name}${braced(labels)} ${number(value)}`;
  }
}

interface Observed {
  readonly counts: number[];
  sum: number;
  count: number;
}

export class Histogram {
  readonly #name: string;
  readonly #buckets: readonly number[];
  readonly #values = new Map<string, Observed>();

  constructor(name: string, buckets: readonly number[]) {
    this.#name = name;
    this.#buckets = buckets;
  }

  observe(labels: string, value: number): void {
    let observed = this.#values.get(labels);
    if (observed === undefined) this.#values.set(labels, (observed = { counts: this.#buckets.map(() => 0), sum: 0, count: 0 }));
    const at = this.#buckets.findIndex((bucket) => value <= bucket);
    if (at >= 0) observed.counts[at]!++;
    observed.sum += value;
    observed.count++;
  }

  *lines(): Iterable<string> {
    for (const [labels, { counts, sum, count }] of [...this.#values].sort(byKey)) {
      const more = labels === '' ? '' : `${labels},`;
      let below = 0;
      for (const [index, bucket] of this.#buckets.entries()) {
        below += counts[index]!;
        yield `${this.#name}_bucket{${more}le="${number(bucket)}"} ${below}`;
      }
      yield `${this.#name}_bucket{${more}le="+Inf"} ${count}`;
      yield `${this.#name}_sum${braced(labels)} ${number(sum)}`;
      yield `${this.#name}_count${braced(labels)} ${count}`;
    }
  }
}

/** `a="1",b="2"`. */
export function labelText(labels: Labels): string {
  return Object.keys(labels)
    .sort()
    .map((name) => `${name}="${labels[name]!.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`)
    .join(',');
}

function braced(labels: string): string {
  return labels === '' ? '' : `{${labels}}`;
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

/** As Go's strconv prints a float64 with 'g': an exponent, of two digits at least, below 1e-4 and from 1e6 on. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
  const size = Math.abs(value);
  if (size === 0 || (size >= 1e-4 && size < 1e6)) return String(value);
  return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
}
