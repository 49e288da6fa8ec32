// Models DNS messages (RFC 1035): the types and sections that a stub resolver, CoreDNS and dig need. No EDNS, no DNSSEC.

import { formatIp, parseIp } from './address.ts';

export type RecordType = 'A' | 'NS' | 'CNAME' | 'SOA' | 'PTR' | 'MX' | 'TXT' | 'AAAA' | 'SRV' | 'ANY';
export type ResponseCode = 'NOERROR' | 'FORMERR' | 'SERVFAIL' | 'NXDOMAIN' | 'NOTIMP' | 'REFUSED';

const TYPES: Readonly<Record<RecordType, number>> = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  ANY: 255,
};
const CODES: readonly ResponseCode[] = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'];

export interface DnsQuestion {
  /** Without the dot at the end. */
  readonly name: string;
  readonly type: RecordType;
}

export interface DnsRecord {
  readonly name: string;
  readonly type: RecordType;
  readonly ttl: number;
  /**
   * As dig(1) shows it: an address; a name; `priority weight port target` for SRV; `primary mailbox serial refresh retry expire
   * minimum` for SOA; `preference name` for MX; the text alone for TXT. Names without the dot at the end.
   */
  readonly data: string;
}

export interface DnsMessage {
  readonly id: number;
  readonly isResponse: boolean;
  readonly isAuthoritative?: boolean;
  readonly recursionDesired?: boolean;
  readonly recursionAvailable?: boolean;
  readonly isTruncated?: boolean;
  readonly code: ResponseCode;
  readonly questions: readonly DnsQuestion[];
  readonly answers: readonly DnsRecord[];
  readonly authority?: readonly DnsRecord[];
  readonly additional?: readonly DnsRecord[];
}

export function encodeDns(message: DnsMessage): Uint8Array {
  const writer = new Writer();
  const flags =
    (message.isResponse ? 0x8000 : 0) |
    (message.isAuthoritative === true ? 0x0400 : 0) |
    (message.isTruncated === true ? 0x0200 : 0) |
    (message.recursionDesired === true ? 0x0100 : 0) |
    (message.recursionAvailable === true ? 0x0080 : 0) |
    CODES.indexOf(message.code);
  const authority = message.authority ?? [];
  const additional = message.additional ?? [];
  for (const word of [message.id, flags, message.questions.length, message.answers.length, authority.length, additional.length])
    writer.word(word);
  for (const question of message.questions) {
    writer.name(question.name);
    writer.word(TYPES[question.type]);
    writer.word(1);
  }
  for (const record of [...message.answers, ...authority, ...additional]) writer.record(record);
  return writer.bytes();
}

/** Undefined for bytes that are no DNS message. */
export function decodeDns(bytes: Uint8Array): DnsMessage | undefined {
  if (bytes.length < 12) return undefined;
  try {
    const reader = new Reader(bytes);
    const id = reader.word();
    const flags = reader.word();
    const counts = [reader.word(), reader.word(), reader.word(), reader.word()] as const;
    const questions: DnsQuestion[] = [];
    for (let i = 0; i < counts[0]; i++) {
      const name = reader.name();
      const type = typeName(reader.word());
      reader.word();
      if (type !== undefined) questions.push({ name, type });
    }
    const section = (count: number): DnsRecord[] => {
      const records: DnsRecord[] = [];
      for (let i = 0; i < count; i++) {
        const record = reader.record();
        if (record !== undefined) records.push(record);
      }
      return records;
    };
    return {
      id,
      isResponse: (flags & 0x8000) !== 0,
      isAuthoritative: (flags & 0x0400) !== 0,
      isTruncated: (flags & 0x0200) !== 0,
      recursionDesired: (flags & 0x0100) !== 0,
      recursionAvailable: (flags & 0x0080) !== 0,
      code: CODES[flags & 15] ?? 'SERVFAIL',
      questions,
      answers: section(counts[1]),
      authority: section(counts[2]),
      additional: section(counts[3]),
    };
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** `10.0.168.192.in-addr.arpa` to `192.168.0.10`; undefined for other names. */
export function addressOfReverseName(name: string): string | undefined {
  const parts = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\.in-addr\.arpa$/i.exec(name);
  return parts === null ? undefined : `${parts[4]}.${parts[3]}.${parts[2]}.${parts[1]}`;
}

export function reverseNameOf(address: string): string {
  return `${address.split('.').reverse().join('.')}.in-addr.arpa`;
}

function typeName(value: number): RecordType | undefined {
  for (const [name, number] of Object.entries(TYPES)) if (number === value) return name as RecordType;
  return undefined;
}

class Writer {
  readonly #out: number[] = [];
  readonly #names = new Map<string, number>();

  bytes(): Uint8Array {
    return Uint8Array.from(this.#out);
  }

  word(value: number): void {
    this.#out.push((value >>> 8) & 255, value & 255);
  }

  name(name: string): void {
    let rest = name;
    while (rest !== '') {
      const known = this.#names.get(rest.toLowerCase());
      if (known !== undefined) {
        this.word(0xc000 | known);
        return;
      }
      if (this.#out.length < 0x3fff) this.#names.set(rest.toLowerCase(), this.#out.length);
      const dot = rest.indexOf('.');
      const label = dot < 0 ? rest : rest.slice(0, dot);
      this.#out.push(label.length);
      for (let i = 0; i < label.length; i++) this.#out.push(label.charCodeAt(i) & 255);
      rest = dot < 0 ? '' : rest.slice(dot + 1);
    }
    this.#out.push(0);
  }

  record(record: DnsRecord): void {
    this.name(record.name);
    this.word(TYPES[record.type]);
    this.word(1);
    this.#long(record.ttl);
    const lengthAt = this.#out.length;
    this.word(0);
    this.#data(record);
    const length = this.#out.length - lengthAt - 2;
    this.#out[lengthAt] = length >>> 8;
    this.#out[lengthAt + 1] = length & 255;
  }

  #data(record: DnsRecord): void {
    const words = record.data.split(' ');
    switch (record.type) {
      case 'A':
        this.#long(parseIp(record.data) ?? 0);
        return;
      case 'AAAA':
        for (let i = 0; i < 16; i++) this.#out.push(0);
        return;
      case 'SRV':
        for (const word of words.slice(0, 3)) this.word(Number(word));
        this.name(words[3] ?? '');
        return;
      case 'MX':
        this.word(Number(words[0]));
        this.name(words[1] ?? '');
        return;
      case 'SOA':
        this.name(words[0] ?? '');
        this.name(words[1] ?? '');
        for (const word of words.slice(2, 7)) this.#long(Number(word));
        return;
      case 'TXT':
        this.#out.push(record.data.length);
        for (let i = 0; i < record.data.length; i++) this.#out.push(record.data.charCodeAt(i) & 255);
        return;
      default:
        this.name(record.data);
    }
  }

  #long(value: number): void {
    this.word(value >>> 16);
    this.word(value & 0xffff);
  }
}

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  word(): number {
    return this.#byte() * 256 + this.#byte();
  }

  name(): string {
    const labels: string[] = [];
    let at = this.#at;
    let hasJumped = false;
    for (let jumps = 0; ;) {
      const length = this.#peek(at++);
      if (length === 0) break;
      if ((length & 0xc0) === 0xc0) {
        const target = ((length & 0x3f) << 8) | this.#peek(at++);
        if (!hasJumped) this.#at = at;
        hasJumped = true;
        if (++jumps > 32) throw new RangeError('compression loop');
        at = target;
        continue;
      }
      let label = '';
      for (let i = 0; i < length; i++) label += String.fromCharCode(this.#peek(at++));
      labels.push(label);
    }
    if (!hasJumped) this.#at = at;
    return labels.join('.');
  }

  record(): DnsRecord | undefined {
    const name = this.name();
    const type = typeName(this.word());
    this.word();
    const ttl = this.#long();
    const length = this.word();
    const end = this.#at + length;
    const data = type === undefined ? '' : this.#data(type, length);
    this.#at = end;
    return type === undefined ? undefined : { name, type, ttl, data };
  }

  #data(type: RecordType, length: number): string {
    switch (type) {
      case 'A':
        return formatIp(this.#long());
      case 'AAAA':
        return '::';
      case 'SRV':
        return `${this.word()} ${this.word()} ${this.word()} ${this.name()}`;
      case 'MX':
        return `${this.word()} ${this.name()}`;
      case 'SOA':
        return `${this.name()} ${this.name()} ${this.#long()} ${this.#long()} ${this.#long()} ${this.#long()} ${this.#long()}`;
      case 'TXT': {
        let text = '';
        const end = this.#at + length;
        this.#byte();
        while (this.#at < end) text += String.fromCharCode(this.#byte());
        return text;
      }
      default:
        return this.name();
    }
  }

  #long(): number {
    return this.word() * 65_536 + this.word();
  }

  #byte(): number {
    return this.#peek(this.#at++);
  }

  #peek(at: number): number {
    const byte = this.#bytes[at];
    if (byte === undefined) throw new RangeError('message too short');
    return byte;
  }
}
