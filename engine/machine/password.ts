// Password hashes of /etc/shadow. Not modelled: the thousands of rounds of SHA-512-crypt; one digest in its notation serves.

import { utf8 } from '../sim/bytes.ts';
import { sha512 } from '@noble/hashes/sha2.js';

const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** `$6$salt$digest`. */
export function hashPassword(password: string, salt: string): string {
  let digest = '';
  for (const byte of sha512(utf8(`${salt}$${password}`))) digest += ALPHABET[byte & 63]!;
  return `$6$${salt}$${digest}`;
}

/** Whether `password` fits a field of /etc/shadow; locked accounts (`!`, `*`) fit none, an empty field every empty password. */
export function checkPassword(password: string, field: string): boolean {
  if (field === '') return password === '';
  const salt = /^\$6\$([^$]*)\$/.exec(field)?.[1];
  return salt !== undefined && hashPassword(password, salt) === field;
}
