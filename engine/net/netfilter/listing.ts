// Models `iptables -L` and `-S` of iptables 1.4.21, column by column.

import { formatIp } from '../address.ts';
import { maskText, protocolName, type AddressSpec, type Chain, type NameSpec, type Rule, type Table } from './rule.ts';

export interface ListOptions {
  readonly isVerbose: boolean;
  readonly isNumeric: boolean;
  readonly isExact: boolean;
  readonly hasLineNumbers: boolean;
  /** Name of an address, as the resolver finds it; used unless numeric. */
  nameOf?(address: string): string | undefined;
}

/** One chain with its rules. With `number` only that rule, without the header. */
export function listChain(table: Table, chain: Chain, options: ListOptions, number?: number): string {
  if (number !== undefined) {
    const rule = chain.rules[number - 1];
    return rule === undefined ? '' : listRule(rule, number, options);
  }
  let text = `Chain ${chain.name}`;
  if (chain.policy !== undefined) {
    const counters = options.isVerbose ? ` ${count(chain.packets, options, false)}packets, ${count(chain.bytes, options, false)}bytes` : '';
    text += ` (policy ${chain.policy}${counters})\n`;
  } else text += ` (${table.references(chain)} references)\n`;
  if (options.hasLineNumbers) text += `${'num'.padEnd(4)} `;
  if (options.isVerbose)
    text += options.isExact ? `${'pkts'.padStart(8)} ${'bytes'.padStart(10)} ` : `${'pkts'.padStart(5)} ${'bytes'.padStart(5)} `;
  text += `${'target'.padEnd(9)}  prot opt`;
  if (options.isVerbose) text += ` ${'in'.padEnd(6)} ${'out'.padEnd(6)} `;
  text += ` ${'source'.padEnd(19)}  ${'destination'.padEnd(19)} \n`;
  chain.rules.forEach((rule, at) => (text += listRule(rule, at + 1, options)));
  return text;
}

function listRule(rule: Rule, number: number, options: ListOptions): string {
  const { spec } = rule;
  const { target } = spec;
  let line = '';
  if (options.hasLineNumbers) line += `${String(number).padEnd(4)} `;
  if (options.isVerbose) line += count(rule.packets, options, true) + count(rule.bytes, options, true);
  line += `${(target.kind === 'none' ? '' : target.name).padEnd(9)} `;
  line += spec.protocol?.inverted === true ? '!' : ' ';
  line += protocolName(spec.protocol?.number ?? 0).padEnd(5);
  line += '-- ';
  if (options.isVerbose) line += ` ${iface(spec.inInterface, options)} ${iface(spec.outInterface, options)} `;
  line += address(spec.source, options);
  line += address(spec.destination, options);
  line += ' '.repeat(0);
  if (target.kind === 'goto') line += '[goto] ';
  for (const match of spec.matches) line += match.list({ numeric: options.isNumeric });
  if (target.kind === 'extension') line += target.list({ numeric: options.isNumeric });
  return `${line}\n`;
}

function iface(spec: NameSpec | undefined, options: ListOptions): string {
  const name = spec === undefined ? (options.isNumeric ? '*' : 'any') : `${spec.inverted ? '!' : ''}${spec.name}`;
  return name.padEnd(6);
}

function address(spec: AddressSpec | undefined, options: ListOptions): string {
  const sign = spec?.inverted === true ? '!' : ' ';
  if (spec === undefined) return `${sign}${(options.isNumeric ? '0.0.0.0/0' : 'anywhere').padEnd(19)} `;
  const ip = formatIp(spec.address);
  const mask = spec.mask >>> 0 === 0xffffffff ? '' : `/${maskText(spec.mask)}`;
  const name = options.isNumeric ? undefined : options.nameOf?.(ip);
  return `${sign}${`${name ?? ip}${mask}`.padEnd(19)} `;
}

/** xtables_print_num: K, M, G and T unless -x. */
function count(value: number, options: ListOptions, isTable: boolean): string {
  if (options.isExact) return `${isTable ? String(value).padStart(8) : value} `;
  if (value <= 99_999) return `${isTable ? String(value).padStart(5) : value} `;
  let number = Math.floor((value + 500) / 1000);
  for (const unit of ['K', 'M', 'G']) {
    if (number <= 9_999) return `${isTable ? String(number).padStart(4) : number}${unit} `;
    number = Math.floor((number + 500) / 1000);
  }
  return `${isTable ? String(number).padStart(4) : number}T `;
}
