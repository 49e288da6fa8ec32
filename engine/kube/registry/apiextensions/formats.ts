// Models strfmt: the formats of strings that validation knows. Names of formats are the same with and without dashes.
// Not modelled: the check digits of isbn and creditcard beyond the usual sums.

import { ipAddress, isIpv4 } from '../../machinery/names.ts';

type Check = (text: string) => boolean;

const HEX_GROUPS = (version: string, variant: string): RegExp =>
  new RegExp(`^[0-9a-f]{8}-?[0-9a-f]{4}-?${version}[0-9a-f]{3}-?${variant}[0-9a-f]{3}-?[0-9a-f]{12}$`, 'i');
const UUID = HEX_GROUPS('[0-9a-f]', '[0-9a-f]');
const UUID3 = HEX_GROUPS('3', '[0-9a-f]');
const UUID4 = HEX_GROUPS('4', '[89ab]');
const UUID5 = HEX_GROUPS('5', '[89ab]');
const HOSTNAME =
  /^([a-zA-Z0-9\p{S}\p{L}]((-?[a-zA-Z0-9\p{S}\p{L}]{0,62})?)|([a-zA-Z0-9\p{S}\p{L}](([a-zA-Z0-9\-\p{S}\p{L}]{0,61}[a-zA-Z0-9\p{S}\p{L}])?)(\.)){1,}([a-zA-Z\p{L}]){2,63})$/u;
const CREDIT_CARD =
  /^(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35\d{3})\d{11})$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/;
const OCTET = '(?:[01]?[0-9]{1,2}|2[0-4][0-9]|25[0-5])';
const RGB = new RegExp(`^rgb\\(\\s*(?:${OCTET})\\s*,\\s*(?:${OCTET})\\s*,\\s*(?:${OCTET})\\s*\\)$`);
const CLOCK = /^([0-9]{2}):([0-9]{2}):([0-9]{2})(.[0-9]+)?(z|([+-][0-9]{2}:[0-9]{2}))$/;
const DURATION_UNITS =
  /^(?:ns|nano|us|µs|micro|ms|milli|s|sec|m|min|h|hr|hour|d|day|w|wk|week|nanosecond.*|microsecond.*|millisecond.*|second.*|minute.*|nanos.*|micros.*|millis.*|secs.*|mins.*|hours.*|hrs.*|days.*|weeks.*|wks.*)$/;

const FORMATS = new Map<string, Check>([
  ['bsonobjectid', (text) => /^[0-9a-fA-F]{24}$/.test(text)],
  ['uri', isRequestUri],
  ['email', (text) => /^(?:[^<>@\s]+|"[^"]*"|[^<>]*<[^<>@\s]+)@[^<>@\s]+>?$/.test(text) && text.includes('<') === text.endsWith('>')],
  ['hostname', isHostname],
  ['ipv4', isIpv4],
  ['ipv6', (text) => text.includes(':') && ipAddress(text).length === 0],
  ['cidr', isCidr],
  [
    'mac',
    (text) => /^(?:[0-9a-fA-F]{2}(?:([:-])[0-9a-fA-F]{2})(?:\1[0-9a-fA-F]{2}){4,6}|(?:[0-9a-fA-F]{4}\.){2,3}[0-9a-fA-F]{4})$/.test(text),
  ],
  ['uuid', (text) => UUID.test(text)],
  ['uuid3', (text) => UUID3.test(text)],
  ['uuid4', (text) => UUID4.test(text)],
  ['uuid5', (text) => UUID5.test(text)],
  ['isbn', (text) => isIsbn10(text) || isIsbn13(text)],
  ['isbn10', isIsbn10],
  ['isbn13', isIsbn13],
  ['creditcard', isCreditCard],
  ['ssn', (text) => /^\d{3}[- ]?\d{2}[- ]?\d{4}$/.test(text)],
  ['hexcolor', (text) => /^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/.test(text)],
  ['rgbcolor', (text) => RGB.test(text)],
  ['byte', (text) => BASE64.test(text)],
  ['password', () => true],
  ['date', isDate],
  ['duration', isDuration],
  ['datetime', isDateTime],
]);

const plain = (name: string): string => name.replaceAll('-', '');

export function isKnownFormat(name: string): boolean {
  return FORMATS.has(plain(name));
}

export function fitsFormat(name: string, text: string): boolean {
  return FORMATS.get(plain(name))!(text);
}

function isRequestUri(text: string): boolean {
  if (/[\x00-\x20\x7f]/.test(text)) return false;
  if (/%(?![0-9a-fA-F]{2})/.test(text)) return false;
  if (text.startsWith('/')) return true;
  return /^[A-Za-z][A-Za-z0-9+.-]*:./.test(text);
}

function isHostname(text: string): boolean {
  return HOSTNAME.test(text) && text.length <= 255 && text.split('.').every((part) => part.length <= 63);
}

function isCidr(text: string): boolean {
  const slash = text.indexOf('/');
  if (slash < 0) return false;
  const address = text.slice(0, slash);
  const length = text.slice(slash + 1);
  if (!/^\d{1,3}$/.test(length) || ipAddress(address).length > 0) return false;
  return Number(length) <= (address.includes(':') ? 128 : 32);
}

function isIsbn10(text: string): boolean {
  const digits = text.replaceAll(/[\s-]+/g, '');
  if (!/^\d{9}[\dX]$/.test(digits)) return false;
  let sum = 0;
  for (let index = 0; index < 10; index++) sum += (index + 1) * (digits[index] === 'X' ? 10 : Number(digits[index]));
  return sum % 11 === 0;
}

function isIsbn13(text: string): boolean {
  const digits = text.replaceAll(/[\s-]+/g, '');
  if (!/^\d{13}$/.test(digits)) return false;
  let sum = 0;
  for (let index = 0; index < 12; index++) sum += (index % 2 === 0 ? 1 : 3) * Number(digits[index]);
  return Number(digits[12]) === (10 - (sum % 10)) % 10;
}

function isCreditCard(text: string): boolean {
  const digits = text.replaceAll(/\D+/g, '');
  if (!CREDIT_CARD.test(digits)) return false;
  let sum = 0;
  for (let index = 0; index < digits.length; index++) {
    const digit = Number(digits[digits.length - 1 - index]);
    const doubled = digit * 2;
    sum += index % 2 === 0 ? digit : doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

function isDate(text: string): boolean {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (match === null) return false;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  if (month < 1 || month > 12 || day < 1) return false;
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return day <= [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]!;
}

function isDateTime(text: string): boolean {
  const [date = '', clock] = text.toLowerCase().split('t');
  if (clock === undefined || !isDate(date)) return false;
  const match = CLOCK.exec(clock);
  return match !== null && match[1]! <= '23' && match[2]! <= '59' && match[3]! <= '59';
}

/** Go's durations, and those Scala writes: `22 ns`, `3 weeks`. */
function isDuration(text: string): boolean {
  if (/^[+-]?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/.test(text)) return true;
  for (const [, unit] of text.matchAll(/\d+\s*([A-Za-zµ]+)/g)) if (DURATION_UNITS.test(unit!.toLowerCase())) return true;
  return false;
}
