// strftime(3) in the machine's time zone (/etc/localtime, TZ), C locale's names.

import type { Syscalls } from '../kernel/process.ts';
import { zoneOf, type Zone } from '../kernel/time-zone.ts';

export { zoneOf, type Zone };

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];

export function formatTime(format: string, ms: number, sys: Syscalls, tz?: string): string {
  return formatZoned(format, ms, zoneOf(sys, tz));
}

/** strftime with GNU's flags `-`, `_`, `0`, `^`. */
export function formatZoned(format: string, ms: number, zone: Zone): string {
  const d = new Date(ms + zone.offsetMinutes * 60_000);
  const year = d.getUTCFullYear();
  const month = d.getUTCMonth();
  const day = d.getUTCDate();
  const hour = d.getUTCHours();
  const weekday = d.getUTCDay();
  const startOfYear = Date.UTC(year, 0, 1);
  const yearDay = Math.floor((Date.UTC(year, month, day) - startOfYear) / 86_400_000);
  const number = (value: number, width: number, flag: string, fill = '0'): string => {
    const pad = flag === '-' ? '' : flag === '_' ? ' ' : flag === '0' ? '0' : fill;
    return pad === '' ? String(value) : String(value).padStart(width, pad);
  };
  const again = (inner: string): string => formatZoned(inner, ms, zone);
  const sign = zone.offsetMinutes < 0 ? '-' : '+';
  const offset = Math.abs(zone.offsetMinutes);
  const hh = String(Math.floor(offset / 60)).padStart(2, '0');
  const mm = String(offset % 60).padStart(2, '0');
  return format.replace(/%([-_0^#]?)(\d*)(:{0,3}z|[EO]?[a-zA-Z%+])/g, (whole, flag: string, width: string, letter: string) => {
    const upper = (value: string): string => (flag === '^' ? value.toUpperCase() : value);
    switch (letter.replace(/^[EO]/, '')) {
      case '%':
        return '%';
      case 'a':
        return upper(DAYS[weekday]!.slice(0, 3));
      case 'A':
        return upper(DAYS[weekday]!);
      case 'b':
      case 'h':
        return upper(MONTHS[month]!.slice(0, 3));
      case 'B':
        return upper(MONTHS[month]!);
      case 'c':
        return again('%a %d %b %Y %r %Z');
      case 'C':
        return number(Math.floor(year / 100), 2, flag);
      case 'd':
        return number(day, 2, flag);
      case 'D':
        return again('%m/%d/%y');
      case 'e':
        return number(day, 2, flag, ' ');
      case 'F':
        return again('%Y-%m-%d');
      case 'g':
        return number(isoWeek(d).year % 100, 2, flag);
      case 'G':
        return number(isoWeek(d).year, 4, flag);
      case 'H':
        return number(hour, 2, flag);
      case 'I':
        return number(hour % 12 || 12, 2, flag);
      case 'j':
        return number(yearDay + 1, 3, flag);
      case 'k':
        return number(hour, 2, flag, ' ');
      case 'l':
        return number(hour % 12 || 12, 2, flag, ' ');
      case 'm':
        return number(month + 1, 2, flag);
      case 'M':
        return number(d.getUTCMinutes(), 2, flag);
      case 'n':
        return '\n';
      case 'N':
        return (String(d.getUTCMilliseconds()).padStart(3, '0') + '000000').slice(0, width === '' ? 9 : Number(width));
      case 'p':
        return flag === '#' ? (hour < 12 ? 'am' : 'pm') : hour < 12 ? 'AM' : 'PM';
      case 'P':
        return hour < 12 ? 'am' : 'pm';
      case 'r':
        return again('%I:%M:%S %p');
      case 'R':
        return again('%H:%M');
      case 's':
        return String(Math.floor(ms / 1000));
      case 'S':
        return number(d.getUTCSeconds(), 2, flag);
      case 't':
        return '\t';
      case 'T':
        return again('%H:%M:%S');
      case 'u':
        return String(weekday || 7);
      case 'U':
        return number(Math.floor((yearDay + 7 - weekday) / 7), 2, flag);
      case 'V':
        return number(isoWeek(d).week, 2, flag);
      case 'w':
        return String(weekday);
      case 'W':
        return number(Math.floor((yearDay + 7 - ((weekday + 6) % 7)) / 7), 2, flag);
      case 'x':
        return again('%m/%d/%Y');
      case 'X':
        return again('%r');
      case 'y':
        return number(year % 100, 2, flag);
      case 'Y':
        return number(year, 1, flag);
      case 'z':
        return `${sign}${hh}${mm}`;
      case ':z':
        return `${sign}${hh}:${mm}`;
      case '::z':
        return `${sign}${hh}:${mm}:00`;
      case ':::z':
        return mm === '00' ? `${sign}${hh}` : `${sign}${hh}:${mm}`;
      case 'Z':
        return flag === '#' ? zone.name.toLowerCase() : zone.name;
      default:
        return whole;
    }
  });
}

function isoWeek(date: Date): { readonly year: number; readonly week: number } {
  const d = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()));
  d.setUTCDate(d.getUTCDate() + 4 - (d.getUTCDay() || 7));
  const start = Date.UTC(d.getUTCFullYear(), 0, 1);
  return { year: d.getUTCFullYear(), week: Math.ceil(((d.getTime() - start) / 86_400_000 + 1) / 7) };
}
