// Models the token of a list that goes on: which revision, and behind which key.

import { text, utf8 } from '../../sim/bytes.ts';
import { badRequest } from '../machinery/status.ts';

export interface ContinueToken {
  /** -1: whatever is newest. */
  readonly revision: number;
  /** Without the prefix of the list. */
  readonly start: string;
}

const VERSION = 'meta.k8s.io/v1';

export function encodeToken({ revision, start }: ContinueToken): string {
  const bytes = utf8(JSON.stringify({ v: VERSION, rv: revision, start }));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

export function decodeToken(token: string): ContinueToken {
  const bad = token.search(/[^A-Za-z0-9_-]/);
  if (bad >= 0) throw refused(`illegal base64 data at input byte ${bad}`);
  if (token.length % 4 === 1) throw refused(`illegal base64 data at input byte ${token.length - 1}`);
  let decoded: { v?: unknown; rv?: unknown; start?: unknown };
  const binary = atob(token.replaceAll('-', '+').replaceAll('_', '/'));
  const json = text(Uint8Array.from(binary, (char) => char.charCodeAt(0)));
  try {
    const parsed: unknown = JSON.parse(json);
    decoded = typeof parsed === 'object' && parsed !== null ? parsed : {};
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw refused(json === '' ? 'unexpected end of JSON input' : `invalid character ${goRune(json)} looking for beginning of value`);
  }
  const { v = '', rv = 0, start = '' } = decoded;
  if (v !== VERSION) throw refused(`server does not recognize this encoded version ${JSON.stringify(v)}`);
  if (typeof rv !== 'number' || rv === 0) throw refused(`incorrect encoded start resourceVersion (version ${VERSION})`);
  if (typeof start !== 'string' || start === '') throw refused(`encoded start key empty (version ${VERSION})`);
  // Nothing may lead out of the list's own keys.
  const key = start.startsWith('/') ? start : `/${start}`;
  if (isUnclean(key)) throw refused(start);
  return { revision: rv, start: key.slice(1) };
}

function refused(why: string): Error {
  return badRequest(`invalid continue token: continue key is not valid: ${why}`);
}

function isUnclean(path: string): boolean {
  return path
    .slice(1)
    .split('/')
    .some((part) => part === '' || part === '.' || part === '..');
}

function goRune(json: string): string {
  const char = [...json.trimStart()][0] ?? ' ';
  return char === "'" ? `'\\''` : `'${char}'`;
}
