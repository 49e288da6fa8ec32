// Models ip_set: named sets of addresses, networks and ports that rules match against, and ipset(8)'s save format.
// Not modelled: timeouts, counters, IPv6 members.

import { formatIp, isIn, networkOf, parseIp, parsePrefix, type Ip } from '../address.ts';
import { SysError } from '../../sim/errno.ts';
import { protocolName, protocolNumber } from './rule.ts';
import type { Packet } from '../packet.ts';

export type SetType =
  'hash:ip' | 'hash:net' | 'hash:ip,port' | 'hash:net,port' | 'hash:ip,port,ip' | 'hash:ip,port,net' | 'bitmap:port' | 'list:set';
export const SET_TYPES: readonly SetType[] = [
  'hash:ip',
  'hash:net',
  'hash:ip,port',
  'hash:net,port',
  'hash:ip,port,ip',
  'hash:ip,port,net',
  'bitmap:port',
  'list:set',
];

interface Part {
  readonly network?: Ip;
  readonly length?: number;
  readonly protocol?: number;
  readonly port?: number;
  readonly set?: string;
}

export class IpSet {
  name: string;
  readonly type: SetType;
  /** As `create` got them, after the type. */
  readonly options: string;
  readonly #sets: IpSets;
  readonly #members = new Map<string, readonly Part[]>();

  constructor(sets: IpSets, name: string, type: SetType, options: string) {
    this.#sets = sets;
    this.name = name;
    this.type = type;
    this.options = options;
  }

  members(): readonly string[] {
    return [...this.#members.keys()];
  }

  /** EEXIST, EINVAL. */
  add(member: string): void {
    const [text, parts] = this.#parse(member);
    if (this.#members.has(text)) throw new SysError('EEXIST', text);
    this.#members.set(text, parts);
    this.#sets.changed();
  }

  /** ENOENT, EINVAL. */
  delete(member: string): void {
    const [text] = this.#parse(member);
    if (!this.#members.delete(text)) throw new SysError('ENOENT', text);
    this.#sets.changed();
  }

  /** ipset test. */
  contains(member: string): boolean {
    const [text, parts] = this.#parse(member);
    if (this.#members.has(text)) return true;
    if (!this.type.startsWith('hash:net')) return false;
    const [first] = parts;
    return [...this.#members.values()].some((other) => isIn(first!.network!, other[0]!.network!, other[0]!.length!));
  }

  flush(): void {
    this.#members.clear();
    this.#sets.changed();
  }

  /** The `set` match; `directions` name the packet's side for every dimension. */
  has(packet: Packet, directions: readonly ('src' | 'dst')[]): boolean {
    if (this.type === 'list:set') {
      for (const member of this.#members.keys()) if (this.#sets.get(member)?.has(packet, directions) === true) return true;
      return false;
    }
    if (this.type === 'hash:ip') return this.#members.has(formatIp(directions[0] === 'src' ? packet.source : packet.destination));
    for (const parts of this.#members.values()) {
      if (parts.every((part, at) => holds(part, packet, directions[at] ?? directions[0]!))) return true;
    }
    return false;
  }

  #parse(member: string): readonly [string, readonly Part[]] {
    if (this.type === 'list:set') {
      if (this.#sets.get(member) === undefined) throw new SysError('ENOENT', member);
      return [member, [{ set: member }]];
    }
    const kinds = this.type.slice(this.type.indexOf(':') + 1).split(',');
    const texts = member.split(',');
    if (texts.length !== kinds.length) throw new SysError('EINVAL', member);
    const parts: Part[] = [];
    const shown: string[] = [];
    kinds.forEach((kind, at) => {
      const text = texts[at]!;
      if (kind === 'port') {
        const [protocolText, portText] = text.includes(':') ? text.split(':') : ['tcp', text];
        const protocol = protocolNumber(protocolText!);
        const port = Number(portText);
        if (protocol === undefined || !Number.isInteger(port)) throw new SysError('EINVAL', member);
        parts.push({ ...(this.type === 'bitmap:port' ? {} : { protocol }), port });
        shown.push(this.type === 'bitmap:port' ? String(port) : `${protocolName(protocol)}:${port}`);
        return;
      }
      const prefix = kind === 'ip' ? wholeAddress(text) : parsePrefix(text);
      if (prefix === undefined) throw new SysError('EINVAL', member);
      const network = networkOf(prefix.address, prefix.length);
      parts.push({ network, length: prefix.length });
      shown.push(prefix.length === 32 ? formatIp(network) : `${formatIp(network)}/${prefix.length}`);
    });
    return [shown.join(','), parts];
  }
}

export class IpSets {
  readonly #sets = new Map<string, IpSet>();
  readonly #changed: () => void;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get(name: string): IpSet | undefined {
    return this.#sets.get(name);
  }

  list(): readonly IpSet[] {
    return [...this.#sets.values()];
  }

  /** EEXIST. */
  create(name: string, type: SetType, options = ''): IpSet {
    if (this.#sets.has(name)) throw new SysError('EEXIST', name);
    const defaults = type === 'list:set' ? 'size 8' : type === 'bitmap:port' ? 'range 0-65535' : 'family inet hashsize 1024 maxelem 65536';
    const set = new IpSet(this, name, type, options === '' ? defaults : options);
    this.#sets.set(name, set);
    this.changed();
    return set;
  }

  /** ENOENT. */
  destroy(name: string): void {
    if (!this.#sets.delete(name)) throw new SysError('ENOENT', name);
    this.changed();
  }

  /** ENOENT, EEXIST. */
  rename(from: string, to: string): void {
    const set = this.#sets.get(from);
    if (set === undefined) throw new SysError('ENOENT', from);
    if (this.#sets.has(to)) throw new SysError('EEXIST', to);
    this.#sets.delete(from);
    set.name = to;
    this.#sets.set(to, set);
    this.changed();
  }

  /** ENOENT; EINVAL when the types differ. */
  swap(one: string, other: string): void {
    const a = this.#sets.get(one);
    const b = this.#sets.get(other);
    if (a === undefined || b === undefined) throw new SysError('ENOENT', one);
    if (a.type !== b.type) throw new SysError('EINVAL', one);
    a.name = other;
    b.name = one;
    this.#sets.set(other, a);
    this.#sets.set(one, b);
    this.changed();
  }

  save(): string {
    let text = '';
    for (const set of this.#sets.values()) text += `create ${set.name} ${set.type} ${set.options}\n`;
    for (const set of this.#sets.values()) for (const member of set.members()) text += `add ${set.name} ${member}\n`;
    return text;
  }

  /** What `save` wrote. */
  restore(text: string): void {
    this.#sets.clear();
    for (const line of text.split('\n')) {
      const [command, name = '', rest = '', ...options] = line.split(' ');
      if (command === 'create') this.create(name, rest as SetType, options.join(' '));
      else if (command === 'add') this.#sets.get(name)!.add(rest);
    }
  }

  changed(): void {
    this.#changed();
  }
}

function wholeAddress(text: string): { readonly address: Ip; readonly length: number } | undefined {
  const address = parseIp(text);
  return address === undefined ? undefined : { address, length: 32 };
}

function holds(part: Part, packet: Packet, direction: 'src' | 'dst'): boolean {
  if (part.port !== undefined) {
    if (part.protocol !== undefined && part.protocol !== packet.protocol) return false;
    return part.port === (direction === 'src' ? packet.sourcePort : packet.destinationPort);
  }
  return isIn(direction === 'src' ? packet.source : packet.destination, part.network!, part.length!);
}
