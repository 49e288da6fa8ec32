import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  configMapKey,
  dns1035Label,
  dns1123Label,
  dns1123Subdomain,
  ipv6Words,
  isIpv4,
  isIpv6,
  labelValue,
  portName,
  qualifiedName,
} from './names.ts';

fc.configureGlobal({ seed: 1 });

const LOWER = [...'abcdefghijklmnopqrstuvwxyz'];
const DIGITS = [...'0123456789'];
const UPPER = LOWER.map((letter) => letter.toUpperCase());
/** Letters that matter to some rule, and some that none allows. */
const TEXT = fc
  .array(fc.constantFrom('a', 'z', 'A', '0', '9', '-', '.', '_', '/', ' ', 'é'), { maxLength: 12 })
  .map((letters) => letters.join(''));
const every = (text: string, allowed: readonly string[]): boolean => [...text].every((letter) => allowed.includes(letter));
const ends = (text: string, allowed: readonly string[]): boolean =>
  allowed.includes(text.at(0) ?? '') && allowed.includes(text.at(-1) ?? '');

const isLabel = (text: string): boolean =>
  text.length <= 63 && every(text, [...LOWER, ...DIGITS, '-']) && ends(text, [...LOWER, ...DIGITS]);
const isSubdomain = (text: string): boolean => text.length <= 253 && text.split('.').every(isLabel);
const isQualifiedPart = (text: string): boolean =>
  text.length <= 63 && every(text, [...LOWER, ...UPPER, ...DIGITS, '-', '_', '.']) && ends(text, [...LOWER, ...UPPER, ...DIGITS]);

describe('names are what their grammar says, letter by letter:', () => {
  const agree = (name: string, rule: (text: string) => readonly string[], isRight: (text: string) => boolean): void =>
    it(name, () => {
      fc.assert(
        fc.property(TEXT, (text) => {
          expect(rule(text).length === 0, JSON.stringify(text)).toBe(isRight(text));
        }),
        { numRuns: 2000 },
      );
    });
  agree('labels of RFC 1123', dns1123Label, isLabel);
  agree('labels of RFC 1035', dns1035Label, (text) => isLabel(text) && LOWER.includes(text[0]!));
  agree('subdomains', dns1123Subdomain, isSubdomain);
  agree('values of labels', labelValue, (text) => text === '' || isQualifiedPart(text));
  agree('keys of labels', qualifiedName, (text) => {
    const parts = text.split('/');
    return parts.length === 1 ? isQualifiedPart(text) : parts.length === 2 && isSubdomain(parts[0]!) && isQualifiedPart(parts[1]!);
  });
  agree(
    'keys of config maps',
    configMapKey,
    (text) => text !== '' && every(text, [...LOWER, ...UPPER, ...DIGITS, '-', '_', '.']) && text !== '.' && !text.startsWith('..'),
  );
  agree(
    'names of ports',
    portName,
    (text) => isLabel(text) && text.length <= 15 && [...text].some((letter) => LOWER.includes(letter)) && !text.includes('--'),
  );
});

describe('addresses', () => {
  it('of four bytes are the four bytes', () => {
    fc.assert(fc.property(fc.ipV4(), (address) => void expect([isIpv4(address), isIpv6(address)]).toEqual([true, false])));
  });

  it('of eight words are eight words, however they are written', () => {
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        expect(isIpv4(address)).toBe(false);
        expect(ipv6Words(address)).toHaveLength(8);
      }),
    );
  });

  it('are not anything', () => {
    for (const text of ['', '1.2.3', '1.2.3.4.5', '256.1.1.1', ':', ':::', '1::2::3', '1:2:3:4:5:6:7', 'g::', '1.2.3.4:80', '::1%eth0'])
      expect([isIpv4(text), isIpv6(text)], text).toEqual([false, false]);
  });
});
