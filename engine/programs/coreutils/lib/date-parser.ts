// The dates `date -d` and `touch -d` understand.

import { zoneOf } from '../../../shell/time-format.ts';
import type { Tool } from './tool.ts';

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const UNIT_MS: Readonly<Record<string, number>> = {
  sec: 1000,
  second: 1000,
  min: 60_000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 604_800_000,
  fortnight: 1_209_600_000,
};

/** Milliseconds since the epoch; undefined when it is no date. */
export function parseDate(input: string, nowMs: number, t: Tool, isUtc = false): number | undefined {
  let text = input.trim().toLowerCase();
  const epoch = /^@(-?\d+)(\.\d+)?$/.exec(text);
  if (epoch !== null) return Number(epoch[1]) * 1000 + Math.round(Number(epoch[2] ?? 0) * 1000);
  let offset = isUtc ? 0 : zoneOf(t.sys, t.env.get('TZ')).offsetMinutes;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    const match = pattern.exec(text);
    if (match !== null) text = (text.slice(0, match.index) + ' ' + text.slice(match.index + match[0].length)).trim();
    return match;
  };
  const local = new Date(nowMs + offset * 60_000);
  let year = local.getUTCFullYear();
  let month = local.getUTCMonth();
  let day = local.getUTCDate();
  let time: readonly [number, number, number, number] | undefined;
  let hasDate = false;
  const iso = take(/(\d{4})-(\d{1,2})-(\d{1,2})(?:[t ]+(?=\d))?/);
  if (iso !== null) [year, month, day, hasDate] = [Number(iso[1]), Number(iso[2]) - 1, Number(iso[3]), true];
  const american = iso === null ? take(/\b(\d{1,2})\/(\d{1,2})(?:\/(\d{2,4}))?\b/) : null;
  if (american !== null) [month, day, hasDate] = [Number(american[1]) - 1, Number(american[2]), true];
  if (american?.[3] !== undefined) year = american[3].length === 2 ? 2000 + Number(american[3]) : Number(american[3]);
  const compact = !hasDate ? take(/\b(\d{4})(\d{2})(\d{2})\b/) : null;
  if (compact !== null) [year, month, day, hasDate] = [Number(compact[1]), Number(compact[2]) - 1, Number(compact[3]), true];
  const clock = take(/\b(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?\s*(am|pm)?/);
  if (clock !== null) {
    let hour = Number(clock[1]);
    if (clock[5] === 'pm' && hour < 12) hour += 12;
    if (clock[5] === 'am' && hour === 12) hour = 0;
    time = [hour, Number(clock[2]), Number(clock[3] ?? 0), Math.round(Number(`0.${clock[4] ?? 0}`) * 1000)];
    if (hour > 23 || Number(clock[2]) > 59) return undefined;
  }
  const zone = take(/(?:\s|^|(?<=\d))(z|utc|gmt|kst|[-+]\d{2}:?\d{2})(?=\s|$)/);
  if (zone !== null) {
    const word = zone[1]!;
    offset =
      word === 'kst'
        ? 540
        : /^[zug]/.test(word)
          ? 0
          : (word.startsWith('-') ? -1 : 1) * (Number(word.slice(1, 3)) * 60 + Number(word.slice(-2)));
  }
  const named = take(
    new RegExp(`\\b(?:(\\d{1,2})\\s*-?\\s*)?(${MONTHS.join('|')})[a-z]*\\.?(?:\\s*-?\\s*(\\d{1,2})\\b(?!:))?(?:,?\\s*-?\\s*(\\d{4}))?`),
  );
  if (named !== null) {
    month = MONTHS.indexOf(named[2]!);
    day = Number(named[1] ?? named[3] ?? 1);
    if (named[4] !== undefined) year = Number(named[4]);
    hasDate = true;
  }
  if (hasDate && (month > 11 || month < 0 || day < 1 || day > 31)) return undefined;
  let shiftMs = 0;
  const isToday = take(/\b(?:now|today)\b/) !== null;
  if (take(/\byesterday\b/) !== null) shiftMs -= 86_400_000;
  if (take(/\btomorrow\b/) !== null) shiftMs += 86_400_000;
  const weekday = take(new RegExp(`\\b(next|last)?\\s*(${DAYS.join('|')})[a-z]*\\b`));
  if (weekday !== null && !hasDate) {
    const wanted = DAYS.indexOf(weekday[2]!);
    let ahead = (wanted - local.getUTCDay() + 7) % 7;
    if (weekday[1] === 'next' && ahead === 0) ahead = 7;
    if (weekday[1] === 'last') ahead = ahead === 0 ? -7 : ahead - 7;
    day += ahead;
    time ??= [0, 0, 0, 0];
  }
  for (;;) {
    const relative = take(
      /([-+]?\s*\d+|\bnext|\blast|\ban?\b)?\s*\b(sec|second|min|minute|hour|day|week|fortnight|month|year)s?\b(?:\s+(ago))?/,
    );
    if (relative === null) break;
    const word = (relative[1] ?? '1').replace(/\s/g, '');
    let count = word === 'next' || /^an?$/.test(word) ? 1 : word === 'last' ? -1 : Number(word);
    if (relative[3] !== undefined) count = -count;
    if (relative[2] === 'month') month += count;
    else if (relative[2] === 'year') year += count;
    else shiftMs += count * UNIT_MS[relative[2]!]!;
  }
  if (text.replace(/[,\s]/g, '').replace(/^at$/, '') !== '') return undefined;
  if (time === undefined)
    time =
      hasDate && !isToday ? [0, 0, 0, 0] : [local.getUTCHours(), local.getUTCMinutes(), local.getUTCSeconds(), local.getUTCMilliseconds()];
  if (input.trim() === '') time = [0, 0, 0, 0];
  return Date.UTC(year, month, day, ...time) - offset * 60_000 + shiftMs;
}
