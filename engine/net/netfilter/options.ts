// How match and target extensions declare their options, and small parsers and printers that they share.

import { IptablesError } from '../net-stack.ts';

export interface OptionSpec {
  readonly name: string;
  /** Other spellings. */
  readonly aliases?: readonly string[];
  /** Takes no value. */
  readonly isFlag?: boolean;
  readonly canInvert?: boolean;
}

export interface GivenOption {
  readonly name: string;
  readonly value: string;
  readonly inverted: boolean;
}

/** iptables' PARAMETER_PROBLEM: printed with the version and a hint. */
export function bad(message: string): IptablesError {
  return new IptablesError(message, 2);
}

/** iptables' OTHER_PROBLEM: what the kernel or libiptc refused. */
export function refused(message: string): IptablesError {
  return new IptablesError(message, 1);
}

export function find(options: readonly GivenOption[], name: string): GivenOption | undefined {
  return options.findLast((option) => option.name === name);
}

export interface PortRange {
  readonly first: number;
  readonly last: number;
}

const SERVICES: Readonly<Record<string, number>> = {
  'ftp-data': 20,
  ftp: 21,
  ssh: 22,
  telnet: 23,
  smtp: 25,
  domain: 53,
  bootps: 67,
  bootpc: 68,
  tftp: 69,
  http: 80,
  kerberos: 88,
  pop3: 110,
  sunrpc: 111,
  ntp: 123,
  imap: 143,
  snmp: 161,
  bgp: 179,
  https: 443,
  'microsoft-ds': 445,
  syslog: 514,
  nfs: 2049,
  mysql: 3306,
  postgres: 5432,
  webcache: 8080,
  'pcsync-https': 8443,
};

/** A port or a service of /etc/services. */
export function parsePort(text: string): number {
  if (/^\d+$/.test(text)) {
    if (Number(text) <= 65_535) return Number(text);
  } else if (Object.hasOwn(SERVICES, text)) return SERVICES[text]!;
  throw bad(`invalid port/service \`${text}' specified`);
}

export function parsePortRange(text: string): PortRange {
  const colon = text.indexOf(':');
  if (colon < 0) {
    const port = parsePort(text);
    return { first: port, last: port };
  }
  const first = colon === 0 ? 0 : parsePort(text.slice(0, colon));
  const last = colon === text.length - 1 ? 65_535 : parsePort(text.slice(colon + 1));
  if (first > last) throw bad('invalid portrange (min > max)');
  return { first, last };
}

export function savePortRange(range: PortRange): string {
  return range.first === range.last ? String(range.first) : `${range.first}:${range.last}`;
}

export function portName(port: number, numeric: boolean): string {
  if (!numeric) for (const [name, value] of Object.entries(SERVICES)) if (value === port) return name;
  return String(port);
}

export interface MaskedValue {
  readonly value: number;
  readonly mask: number;
}

export function parseMasked(text: string, what: string): MaskedValue {
  const [value = '', mask] = text.split('/');
  const number = (part: string): number => {
    if (!/^(0x[0-9a-fA-F]+|\d+)$/.test(part)) throw bad(`${what}: Bad value for "${text}" option`);
    return Number(part) >>> 0;
  };
  return { value: number(value), mask: mask === undefined ? 0xffffffff : number(mask) };
}

export function formatMasked({ value, mask }: MaskedValue): string {
  return mask >>> 0 === 0xffffffff ? `0x${value.toString(16)}` : `0x${value.toString(16)}/0x${(mask >>> 0).toString(16)}`;
}

/** xtables_save_string: quoted only when it holds anything but letters, digits, _ and -. */
export function quoted(text: string): string {
  return /^[A-Za-z0-9_-]+$/.test(text) ? ` ${text}` : ` "${text.replace(/["\\']/g, '\\$&')}"`;
}
