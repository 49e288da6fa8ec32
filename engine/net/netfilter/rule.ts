// Models the rules, chains and tables of ip_tables, and how a packet walks them.

import { formatIp, maskOf, type Ip } from '../address.ts';
import type { Link } from '../link.ts';
import type { Hook, TableName } from '../net-stack.ts';
import type { Packet } from '../packet.ts';
import type { Stack } from '../stack.ts';

/** What a rule or a chain says about a packet. */
export type Verdict = 'continue' | 'accept' | 'drop' | 'return';

/** Where a packet is when a rule sees it. */
export interface At {
  readonly stack: Stack;
  readonly table: TableName;
  readonly hook: Hook;
  readonly inLink: Link | undefined;
  readonly outLink: Link | undefined;
}

/** How names are shown: `iptables -n` shows none. */
export interface ListStyle {
  readonly numeric: boolean;
}

export interface Match {
  readonly name: string;
  /** Arguments as iptables-save writes them after `-m NAME`. */
  readonly saved: string;
  /** As `iptables -L` appends it, with a leading space; empty for nothing. */
  list(style: ListStyle): string;
  matches(packet: Packet, at: At): boolean;
}

export type Target =
  | { readonly kind: 'none' }
  | { readonly kind: 'verdict'; readonly verdict: 'accept' | 'drop' | 'return'; readonly name: string }
  | { readonly kind: 'jump' | 'goto'; readonly name: string; chain: Chain | undefined }
  | {
      readonly kind: 'extension';
      readonly name: string;
      readonly saved: string;
      list(style: ListStyle): string;
      apply(packet: Packet, at: At): Verdict;
    };

export interface AddressSpec {
  readonly address: Ip;
  readonly mask: number;
  readonly inverted: boolean;
}
export interface NameSpec {
  readonly name: string;
  readonly inverted: boolean;
}

export interface RuleSpec {
  readonly source: AddressSpec | undefined;
  readonly destination: AddressSpec | undefined;
  readonly inInterface: NameSpec | undefined;
  readonly outInterface: NameSpec | undefined;
  readonly protocol: { readonly number: number; readonly inverted: boolean } | undefined;
  readonly matches: readonly Match[];
  readonly target: Target;
}

export class Rule {
  readonly spec: RuleSpec;
  /** Everything after the chain's name, as iptables-save writes it; two rules with the same text are the same. */
  readonly text: string;
  packets = 0;
  bytes = 0;
  readonly #sourceMask: number;
  readonly #sourceBits: number;
  readonly #sourceInverted: boolean;
  readonly #destinationMask: number;
  readonly #destinationBits: number;
  readonly #destinationInverted: boolean;
  readonly #protocol: number;
  readonly #protocolInverted: boolean;
  readonly #inInterface: NamePattern | undefined;
  readonly #outInterface: NamePattern | undefined;
  readonly #matches: readonly Match[];

  constructor(spec: RuleSpec) {
    this.spec = spec;
    this.text = describe(spec);
    this.#sourceMask = spec.source?.mask ?? 0;
    this.#sourceBits = (spec.source?.address ?? 0) & this.#sourceMask;
    this.#sourceInverted = spec.source?.inverted ?? false;
    this.#destinationMask = spec.destination?.mask ?? 0;
    this.#destinationBits = (spec.destination?.address ?? 0) & this.#destinationMask;
    this.#destinationInverted = spec.destination?.inverted ?? false;
    this.#protocol = spec.protocol?.number ?? 0;
    this.#protocolInverted = spec.protocol?.inverted ?? false;
    this.#inInterface = spec.inInterface === undefined ? undefined : new NamePattern(spec.inInterface);
    this.#outInterface = spec.outInterface === undefined ? undefined : new NamePattern(spec.outInterface);
    // A comment says yes to everything.
    this.#matches = spec.matches.filter((match) => match.name !== 'comment');
  }

  matches(packet: Packet, at: At): boolean {
    if (((packet.destination & this.#destinationMask) === this.#destinationBits) === this.#destinationInverted) return false;
    if (((packet.source & this.#sourceMask) === this.#sourceBits) === this.#sourceInverted) return false;
    if (this.#protocol !== 0 && (packet.protocol === this.#protocol) === this.#protocolInverted) return false;
    if (this.#inInterface !== undefined && this.#inInterface.isNamed(at.inLink) === this.#inInterface.inverted) return false;
    if (this.#outInterface !== undefined && this.#outInterface.isNamed(at.outLink) === this.#outInterface.inverted) return false;
    const matches = this.#matches;
    for (let index = 0; index < matches.length; index++) if (!matches[index]!.matches(packet, at)) return false;
    return true;
  }
}

export class Chain {
  name: string;
  /** Set on built-in chains. */
  readonly hook: Hook | undefined;
  policy: 'ACCEPT' | 'DROP' | undefined;
  packets = 0;
  bytes = 0;
  rules: Rule[] = [];

  constructor(name: string, hook: Hook | undefined) {
    this.name = name;
    this.hook = hook;
    this.policy = hook === undefined ? undefined : 'ACCEPT';
  }
}

export const BUILT_IN: Readonly<Record<TableName, readonly (readonly [string, Hook])[]>> = {
  raw: [
    ['PREROUTING', 'prerouting'],
    ['OUTPUT', 'output'],
  ],
  mangle: [
    ['PREROUTING', 'prerouting'],
    ['INPUT', 'input'],
    ['FORWARD', 'forward'],
    ['OUTPUT', 'output'],
    ['POSTROUTING', 'postrouting'],
  ],
  nat: [
    ['PREROUTING', 'prerouting'],
    ['INPUT', 'input'],
    ['OUTPUT', 'output'],
    ['POSTROUTING', 'postrouting'],
  ],
  filter: [
    ['INPUT', 'input'],
    ['FORWARD', 'forward'],
    ['OUTPUT', 'output'],
  ],
};

export class Table {
  readonly name: TableName;
  readonly chains = new Map<string, Chain>();
  readonly #byHook = new Map<Hook, Chain>();

  constructor(name: TableName) {
    this.name = name;
    for (const [chain, hook] of BUILT_IN[name]) this.add(new Chain(chain, hook));
  }

  add(chain: Chain): void {
    this.chains.set(chain.name, chain);
    if (chain.hook !== undefined) this.#byHook.set(chain.hook, chain);
  }

  chainOf(hook: Hook): Chain | undefined {
    return this.#byHook.get(hook);
  }

  /** Built-in chains in the order of the hooks, then the others by name, as libiptc keeps them. */
  ordered(): readonly Chain[] {
    const all = [...this.chains.values()];
    return [
      ...all.filter((chain) => chain.hook !== undefined),
      ...all.filter((chain) => chain.hook === undefined).sort((a, b) => (a.name < b.name ? -1 : 1)),
    ];
  }

  references(chain: Chain): number {
    let count = 0;
    for (const other of this.chains.values()) {
      for (const { spec } of other.rules)
        if ((spec.target.kind === 'jump' || spec.target.kind === 'goto') && spec.target.chain === chain) count++;
    }
    return count;
  }

  /** A copy whose rule lists may be changed without touching this table; rules themselves are shared until chains are re-linked. */
  copy(): Table {
    const table = new Table(this.name);
    const copies = new Map<Chain, Chain>();
    for (const chain of this.chains.values()) {
      const copy = new Chain(chain.name, chain.hook);
      copy.policy = chain.policy;
      copy.packets = chain.packets;
      copy.bytes = chain.bytes;
      copies.set(chain, copy);
      table.add(copy);
    }
    for (const [chain, copy] of copies) {
      copy.rules = chain.rules.map((rule) => {
        const { target } = rule.spec;
        if ((target.kind !== 'jump' && target.kind !== 'goto') || target.chain === undefined) return rule;
        const relinked = new Rule({ ...rule.spec, target: { ...target, chain: copies.get(target.chain) } });
        relinked.packets = rule.packets;
        relinked.bytes = rule.bytes;
        return relinked;
      });
    }
    return table;
  }

  /** True when there is no rule to ask: the packet has met the policy and may go on. */
  passFreely(packet: Packet, hook: Hook): boolean {
    const chain = this.#byHook.get(hook);
    if (chain === undefined) return true;
    if (chain.rules.length > 0 || chain.policy === 'DROP') return false;
    chain.packets++;
    chain.bytes += packet.sizeBytes;
    return true;
  }

  /** Walks the hook's chain; a packet that comes to its end meets the policy. */
  run(packet: Packet, at: At): boolean {
    const chain = this.#byHook.get(at.hook);
    if (chain === undefined) return true;
    const verdict = walk(chain, packet, at);
    if (verdict === 'accept') return true;
    if (verdict === 'drop') return false;
    chain.packets++;
    chain.bytes += packet.sizeBytes;
    if (chain.policy !== 'DROP') return true;
    at.stack.hop(packet, () => ({
      step: 'hook',
      namespace: at.stack.namespace,
      hook: at.hook,
      table: this.name,
      chain: chain.name,
      rule: 0,
      verdict: 'DROP',
      text: `policy DROP`,
    }));
    return false;
  }
}

function walk(chain: Chain, packet: Packet, at: At): Verdict {
  const { rules } = chain;
  for (let index = 0; index < rules.length; index++) {
    const rule = rules[index]!;
    if (!rule.matches(packet, at)) continue;
    rule.packets++;
    rule.bytes += packet.sizeBytes;
    const { target } = rule.spec;
    if (at.stack.isTraced) publish(chain, index, rule, packet, at);
    switch (target.kind) {
      case 'none':
        continue;
      case 'verdict':
        return target.verdict;
      case 'jump': {
        const verdict = walk(target.chain!, packet, at);
        if (verdict === 'accept' || verdict === 'drop') return verdict;
        continue;
      }
      case 'goto': {
        const verdict = walk(target.chain!, packet, at);
        return verdict === 'accept' || verdict === 'drop' ? verdict : 'continue';
      }
      case 'extension': {
        const verdict = target.apply(packet, at);
        if (verdict !== 'continue') return verdict;
      }
    }
  }
  return 'continue';
}

function publish(chain: Chain, index: number, rule: Rule, packet: Packet, at: At): void {
  const { target } = rule.spec;
  at.stack.hop(packet, () => ({
    step: 'hook',
    namespace: at.stack.namespace,
    hook: at.hook,
    table: at.table,
    chain: chain.name,
    rule: index + 1,
    verdict: target.kind === 'none' ? 'CONTINUE' : target.name,
    text: `-A ${chain.name}${rule.text}`,
  }));
}

/** `eth+` stands for every name that begins with eth. */
class NamePattern {
  readonly inverted: boolean;
  readonly #name: string;
  /** What the name begins with, when it ends in a plus. */
  readonly #prefix: string | undefined;

  constructor(spec: NameSpec) {
    this.inverted = spec.inverted;
    this.#name = spec.name;
    this.#prefix = spec.name.endsWith('+') ? spec.name.slice(0, -1) : undefined;
  }

  isNamed(link: Link | undefined): boolean {
    if (link === undefined) return this.#prefix === '';
    return this.#prefix === undefined ? link.name === this.#name : link.name.startsWith(this.#prefix);
  }
}

const PROTOCOLS: readonly (readonly [string, number])[] = [
  ['all', 0],
  ['icmp', 1],
  ['tcp', 6],
  ['udp', 17],
  ['ipencap', 4],
  ['esp', 50],
  ['ah', 51],
  ['sctp', 132],
  ['gre', 47],
  ['igmp', 2],
];

/** Protocol number of a name of /etc/protocols or of a number; undefined when it is neither. */
export function protocolNumber(text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text) <= 255 ? Number(text) : undefined;
  const lower = text.toLowerCase();
  return lower === 'ipip' ? 4 : PROTOCOLS.find(([name]) => name === lower)?.[1];
}

export function protocolName(number: number): string {
  return PROTOCOLS.find(([, value]) => value === number)?.[0] ?? String(number);
}

function describe(spec: RuleSpec): string {
  let text = '';
  const address = (option: string, value: AddressSpec | undefined): void => {
    if (value !== undefined) text += `${value.inverted ? ' !' : ''} -${option} ${formatMasked(value.address, value.mask)}`;
  };
  const name = (option: string, value: NameSpec | undefined): void => {
    if (value !== undefined) text += `${value.inverted ? ' !' : ''} -${option} ${value.name}`;
  };
  address('s', spec.source);
  address('d', spec.destination);
  name('i', spec.inInterface);
  name('o', spec.outInterface);
  if (spec.protocol !== undefined) text += `${spec.protocol.inverted ? ' !' : ''} -p ${protocolName(spec.protocol.number)}`;
  for (const match of spec.matches) text += ` -m ${match.name}${match.saved}`;
  const { target } = spec;
  switch (target.kind) {
    case 'none':
      break;
    case 'goto':
      text += ` -g ${target.name}`;
      break;
    case 'extension':
      text += ` -j ${target.name}${target.saved}`;
      break;
    default:
      text += ` -j ${target.name}`;
  }
  return text;
}

function formatMasked(address: Ip, mask: number): string {
  return `${formatIp(address)}/${maskText(mask)}`;
}

/** A prefix length, or the mask itself when it has holes. */
export function maskText(mask: number): string {
  for (let length = 0; length <= 32; length++) if (maskOf(length) === mask >>> 0) return String(length);
  return formatIp(mask >>> 0);
}
