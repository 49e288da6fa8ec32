// Models cron.ParseStandard of robfig/cron 1.1: whether a schedule can be read, and what it says when not.

interface Bounds {
  readonly least: number;
  readonly most: number;
  readonly names?: readonly string[];
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
/** Minute, hour, day of month, month, day of week. */
const FIELDS: readonly Bounds[] = [
  { least: 0, most: 59 },
  { least: 0, most: 23 },
  { least: 1, most: 31 },
  { least: 1, most: 12, names: MONTHS },
  { least: 0, most: 6, names: DAYS },
];
const DESCRIPTORS = new Set(['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly']);
const EVERY = '@every ';

/** Undefined: the schedule is fine. */
export function scheduleProblem(schedule: string): string | undefined {
  if (schedule.startsWith('@')) return descriptorProblem(schedule);
  const fields = schedule.split(/\s+/).filter((field) => field !== '');
  if (fields.length !== FIELDS.length) return `Expected exactly ${FIELDS.length} fields, found ${fields.length}: ${schedule}`;
  for (const [index, field] of fields.entries()) {
    for (const part of field.split(',')) {
      const problem = part === '' ? undefined : rangeProblem(part, FIELDS[index]!);
      if (problem !== undefined) return problem;
    }
  }
  return undefined;
}

function descriptorProblem(descriptor: string): string | undefined {
  if (DESCRIPTORS.has(descriptor)) return undefined;
  if (!descriptor.startsWith(EVERY)) return `Unrecognized descriptor: ${descriptor}`;
  const duration = descriptor.slice(EVERY.length);
  if (/^[-+]?(0|((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))+)$/.test(duration)) return undefined;
  return `Failed to parse duration ${descriptor}: ${durationProblem(duration)}`;
}

/** time.ParseDuration's words. */
function durationProblem(duration: string): string {
  const quoted = `"${duration}"`;
  const rest = duration.replace(/^[-+]/, '').replace(/^((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))*/, '');
  const amount = /^(\d+\.?\d*|\.\d+)/.exec(rest)?.[0];
  if (amount === undefined) return `time: invalid duration ${quoted}`;
  const unit = /^[^\d.]+/.exec(rest.slice(amount.length))?.[0];
  return unit === undefined ? `time: missing unit in duration ${quoted}` : `time: unknown unit "${unit}" in duration ${quoted}`;
}

function rangeProblem(expression: string, bounds: Bounds): string | undefined {
  const slashes = expression.split('/');
  const hyphens = slashes[0]!.split('-');
  let [start, end] = [bounds.least, bounds.most];
  if (hyphens[0] !== '*' && hyphens[0] !== '?') {
    const first = numberOf(hyphens[0]!, bounds.names, bounds.least);
    if (typeof first === 'string') return first;
    start = first;
    end = first;
    if (hyphens.length > 2) return `Too many hyphens: ${expression}`;
    if (hyphens.length === 2) {
      const last = numberOf(hyphens[1]!, bounds.names, bounds.least);
      if (typeof last === 'string') return last;
      end = last;
    }
  }
  let step = 1;
  if (slashes.length > 2) return `Too many slashes: ${expression}`;
  if (slashes.length === 2) {
    const given = numberOf(slashes[1]!, undefined, 0);
    if (typeof given === 'string') return given;
    step = given;
    // `5/10` goes on to the end.
    if (hyphens.length === 1) end = bounds.most;
  }
  if (start < bounds.least) return `Beginning of range (${start}) below minimum (${bounds.least}): ${expression}`;
  if (end > bounds.most) return `End of range (${end}) above maximum (${bounds.most}): ${expression}`;
  if (start > end) return `Beginning of range (${start}) beyond end of range (${end}): ${expression}`;
  return step === 0 ? `Step of range should be a positive number: ${expression}` : undefined;
}

/** The number, or what is wrong with it. Months are counted from one, days from zero. */
function numberOf(expression: string, names: readonly string[] | undefined, least: number): number | string {
  const named = names?.indexOf(expression.toLowerCase()) ?? -1;
  if (named >= 0) return named + least;
  if (!/^[+-]?\d+$/.test(expression))
    return `Failed to parse int from ${expression}: strconv.Atoi: parsing ${JSON.stringify(expression)}: invalid syntax`;
  const value = Number(expression);
  return value < 0 ? `Negative number (${value}) not allowed: ${expression}` : value;
}
