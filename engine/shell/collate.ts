// Order of text as glibc 2.17 has it in en_US.UTF-8: letters first without regard to case and punctuation, then lower before upper.

export type Collate = (a: string, b: string) => number;

/** strcoll(3) for the locale the environment names. */
export function collateFor(env: ReadonlyMap<string, string> | { get(name: string): string | undefined }): Collate {
  const locale = env.get('LC_ALL') || env.get('LC_COLLATE') || env.get('LANG') || 'C';
  return /^(?:C|POSIX)(?:\.|$)/.test(locale) ? compareBytes : compareLocale;
}

/** strcmp(3) on UTF-8, which is code point order. */
export function compareBytes(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    const isHighX = x >= 0xd800 && x < 0xe000;
    const isHighY = y >= 0xd800 && y < 0xe000;
    if (isHighX !== isHighY) return isHighX ? 1 : -1;
    return x < y ? -1 : 1;
  }
  return a.length - b.length;
}

export function compareLocale(a: string, b: string): number {
  if (a === b) return 0;
  const ka = keyOf(a);
  const kb = keyOf(b);
  const first = compareBytes(ka.letters, kb.letters);
  if (first !== 0) return first;
  const second = compareBytes(ka.cases, kb.cases);
  if (second !== 0) return second;
  const third = compareBytes(ka.marks, kb.marks);
  return third !== 0 ? third : compareBytes(a, b);
}

interface CollationKey {
  readonly letters: string;
  readonly cases: string;
  readonly marks: string;
}
const keys = new Map<string, CollationKey>();

function keyOf(text: string): CollationKey {
  let key = keys.get(text);
  if (key !== undefined) return key;
  let letters = '';
  let cases = '';
  let marks = '';
  let at = 0;
  for (const char of text) {
    if (/[0-9A-Za-z]/.test(char) || char > '\x7f') {
      const lower = char.toLowerCase();
      letters += lower;
      cases += lower === char ? '0' : '1';
      at++;
    } else marks += String.fromCharCode(at + 1) + char;
  }
  key = { letters, cases, marks };
  if (keys.size > 50_000) keys.clear();
  keys.set(text, key);
  return key;
}
