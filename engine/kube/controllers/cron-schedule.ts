// Models cron schedules as CronJobs take them: five fields with lists, ranges, steps and names, and the @ shortcuts.

const SHORTCUTS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const MINUTE_MS = 60_000;
/** A schedule such as 30 February never comes; after four years of looking that is sure. */
const HORIZON_MINUTES = 4 * 366 * 24 * 60;

export interface CronSchedule {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly days: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  readonly weekdays: ReadonlySet<number>;
  /** With both days restricted either one is enough. */
  readonly isEitherDay: boolean;
}

/** undefined when it is no schedule. */
export function parseSchedule(text: string): CronSchedule | undefined {
  const fields = (SHORTCUTS[text.trim()] ?? text).trim().split(/\s+/);
  if (fields.length !== 5) return undefined;
  const [minutes, hours, days, months, weekdays] = [
    parseField(fields[0]!, 0, 59),
    parseField(fields[1]!, 0, 23),
    parseField(fields[2]!, 1, 31),
    parseField(fields[3]!, 1, 12, MONTHS, 1),
    parseField(fields[4]!, 0, 6, DAYS, 0),
  ];
  if (!minutes || !hours || !days || !months || !weekdays) return undefined;
  const isOpen = (field: string): boolean => field.startsWith('*') || field.startsWith('?');
  return { minutes, hours, days, months, weekdays, isEitherDay: !isOpen(fields[2]!) && !isOpen(fields[4]!) };
}

function parseField(text: string, low: number, high: number, names: readonly string[] = [], base = 0): ReadonlySet<number> | undefined {
  const out = new Set<number>();
  const number = (part: string): number => {
    const named = names.indexOf(part.toLowerCase());
    return named >= 0 ? named + base : /^\d+$/.test(part) ? Number(part) : NaN;
  };
  for (const item of text.split(',')) {
    const [range = '', stepText] = item.split('/');
    const step = stepText === undefined ? 1 : Number(stepText);
    const isStar = range === '*' || range === '?';
    const [fromText = '', toText] = range.split('-');
    const from = isStar ? low : number(fromText);
    const to = isStar ? high : toText !== undefined ? number(toText) : stepText !== undefined ? high : from;
    if (!(from >= low && to <= high && from <= to && step >= 1)) return undefined;
    for (let value = from; value <= to; value += step) out.add(value);
  }
  return out;
}

/** The first time after `afterMs` (UTC) that the schedule names. */
export function nextTime(schedule: CronSchedule, afterMs: number): number | undefined {
  let at = Math.floor(afterMs / MINUTE_MS) * MINUTE_MS;
  for (let i = 0; i < HORIZON_MINUTES; i++) {
    at += MINUTE_MS;
    const time = new Date(at);
    if (!schedule.months.has(time.getUTCMonth() + 1)) continue;
    const inMonth = schedule.days.has(time.getUTCDate());
    const inWeek = schedule.weekdays.has(time.getUTCDay());
    if (!(schedule.isEitherDay ? inMonth || inWeek : inMonth && inWeek)) continue;
    if (schedule.hours.has(time.getUTCHours()) && schedule.minutes.has(time.getUTCMinutes())) return at;
  }
  return undefined;
}
