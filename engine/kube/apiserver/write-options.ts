// What a write's query says beside the object: dry run and the name under which fields are owned.

import { FieldError } from '../machinery/field-errors.ts';
import { invalid } from '../machinery/status.ts';

const MAX_MANAGER_BYTES = 128;

export interface WriteOptions {
  readonly isDryRun: boolean;
  /** '' when the request does not say. */
  readonly fieldManager: string;
  readonly force: boolean | undefined;
}

type Kind = 'CreateOptions' | 'UpdateOptions' | 'PatchOptions';

/** Throws what upstream says of values it does not take. */
export function writeOptionsOf(kind: Kind, query: ReadonlyMap<string, string>, isApply = false): WriteOptions {
  const fieldManager = query.get('fieldManager') ?? '';
  const dryRun = query.get('dryRun');
  const given = query.get('force');
  const force = given === undefined ? undefined : given !== '0' && given.toLowerCase() !== 'false';
  const errors: FieldError[] = [];
  if (kind === 'PatchOptions') {
    if (isApply && fieldManager === '') errors.push(FieldError.required('fieldManager', 'is required for apply patch'));
    if (!isApply && force !== undefined) errors.push(FieldError.forbidden('force', 'may not be specified for non-apply patch'));
  }
  if (new TextEncoder().encode(fieldManager).length > MAX_MANAGER_BYTES) errors.push(FieldError.tooLong('fieldManager', MAX_MANAGER_BYTES));
  let at = 0;
  for (const char of fieldManager) {
    if (!isPrintable(char)) {
      errors.push(FieldError.invalid('fieldManager', fieldManager, `invalid character ${shownRune(char)} (at position ${at})`));
    }
    at += new TextEncoder().encode(char).length;
  }
  if (dryRun !== undefined && dryRun !== 'All') errors.push(FieldError.notSupported('dryRun', [dryRun], ['All']));
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind }, '', errors);
  return { isDryRun: dryRun === 'All', fieldManager, force };
}

/** Go's IsPrint: letters, marks, numbers, punctuation, symbols and the plain space. */
function isPrintable(char: string): boolean {
  return /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(char);
}

/** As %#U prints it. */
function shownRune(char: string): string {
  const code = `U+${char.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`;
  return isPrintable(char) ? `${code} '${char}'` : code;
}

/** Nothing of such a name is left out. */
const PLAIN = /^[\x20-\x7e]+$/;

/** The name of a client that does not name itself: the user agent up to its first slash. */
export function managerOfAgent(userAgent: string | undefined): string {
  const name = (userAgent ?? '').split('/')[0]!;
  if (name.length <= MAX_MANAGER_BYTES && PLAIN.test(name)) return name;
  let out = '';
  let bytes = 0;
  for (const char of name) {
    if (!isPrintable(char)) continue;
    bytes += new TextEncoder().encode(char).length;
    if (bytes > MAX_MANAGER_BYTES) break;
    out += char;
  }
  return out === '' ? 'unknown' : out;
}
