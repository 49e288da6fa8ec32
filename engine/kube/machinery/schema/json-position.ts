// Models where json-iterator stops in a text it cannot read, and the excerpts it puts into its message.

const NEAR = 10;
const WIDE = 50;

/** Where the value at `trail` (keys and indexes from the top) lies in `json`; undefined when it is not there. */
export function valueAt(json: string, trail: readonly (string | number)[]): { readonly start: number; readonly end: number } | undefined {
  let at = skipBlanks(json, 0);
  for (const step of trail) {
    const member = typeof step === 'number' ? elementAt(json, at, step) : memberAt(json, at, step);
    if (member === undefined) return undefined;
    at = member;
  }
  return { start: at, end: endOfValue(json, at) };
}

/** `, error found in #10 byte of ...|near|..., bigger context ...|wide|...`: `head` is the first byte not yet read. */
export function excerpts(json: string, head: number): string {
  const start = Math.max(0, head - NEAR);
  const near = json.slice(start, head + NEAR);
  return `, error found in #${head - start} byte of ...|${near}|..., bigger context ...|${json.slice(Math.max(0, head - WIDE), head + WIDE)}|...`;
}

function memberAt(json: string, object: number, key: string): number | undefined {
  if (json[object] !== '{') return undefined;
  let at = skipBlanks(json, object + 1);
  let found: number | undefined;
  while (json[at] === '"') {
    const end = endOfString(json, at);
    const name = JSON.parse(json.slice(at, end)) as string;
    at = skipBlanks(json, skipBlanks(json, end) + 1);
    // The last of several members of one name is the one that counts.
    if (name === key) found = at;
    at = skipBlanks(json, endOfValue(json, at));
    if (json[at] !== ',') break;
    at = skipBlanks(json, at + 1);
  }
  return found;
}

function elementAt(json: string, array: number, index: number): number | undefined {
  if (json[array] !== '[') return undefined;
  let at = skipBlanks(json, array + 1);
  for (let n = 0; at < json.length && json[at] !== ']'; n++) {
    if (n === index) return at;
    at = skipBlanks(json, endOfValue(json, at));
    if (json[at] === ',') at = skipBlanks(json, at + 1);
  }
  return undefined;
}

function endOfValue(json: string, start: number): number {
  const first = json[start];
  if (first === '"') return endOfString(json, start);
  if (first !== '{' && first !== '[') {
    let at = start;
    while (at < json.length && !/[,\]}\s]/.test(json[at]!)) at++;
    return at;
  }
  let depth = 0;
  for (let at = start; at < json.length; at++) {
    const c = json[at]!;
    if (c === '"') at = endOfString(json, at) - 1;
    else if (c === '{' || c === '[') depth++;
    else if ((c === '}' || c === ']') && --depth === 0) return at + 1;
  }
  return json.length;
}

function endOfString(json: string, start: number): number {
  let at = start + 1;
  while (at < json.length && json[at] !== '"') at += json[at] === '\\' ? 2 : 1;
  return at + 1;
}

function skipBlanks(json: string, start: number): number {
  let at = start;
  while (at < json.length && ' \t\r\n'.includes(json[at]!)) at++;
  return at;
}
