// Models netfilter of one network namespace: the tables, the five hooks with conntrack and NAT between them, and what
// iptables, iptables-save and iptables-restore do to them. Tables come into being when first used, as with ip_tables.

import { Emitter } from '../../sim/event.ts';
import type { Disposable } from '../../sim/disposable.ts';
import type { Ip } from '../address.ts';
import type { Link } from '../link.ts';
import { IptablesError, type Hook, type NetHost, type Netfilter, type TableName } from '../net-stack.ts';
import type { Packet } from '../packet.ts';
import type { Stack } from '../stack.ts';
import { parseCommand, type Command } from './command.ts';
import { IpSets } from './ip-sets.ts';
import { listChain } from './listing.ts';
import { keepSource, translate, type Manip } from './nat.ts';
import { refused } from './options.ts';
import { splitRestoreLine } from './restore-line.ts';
import { BUILT_IN, Chain, Rule, Table, type At, type RuleSpec } from './rule.ts';

const NO_CHAIN = 'No chain/target/match by that name.';
const NO_RULE = 'Bad rule (does a matching rule exist in that chain?).';
const INVALID = "Invalid argument. Run `dmesg' for more information.";

const MAX_PARSED = 4096;
const STATEFUL = / -m (?:limit|statistic|recent|set) /;

export class NetfilterTables implements Netfilter {
  readonly sets: IpSets;
  readonly #stack: Stack;
  readonly #host: NetHost;
  readonly #listening: Disposable;
  readonly #tables = new Map<TableName, Table>();
  readonly #changed = new Emitter<void>();
  readonly #recent = new Map<string, Map<Ip, readonly number[]>>();
  readonly #parsed = new Map<string, Command>();
  #raw: Table | undefined;
  #mangle: Table | undefined;
  #nat: Table | undefined;
  #filter: Table | undefined;

  constructor(stack: Stack, host: NetHost) {
    this.#stack = stack;
    this.#host = host;
    this.sets = new IpSets(() => this.#changed.emit());
    this.#listening = host.onChange((change) => {
      if (change.isLoaded === false && change.module !== undefined) this.#moduleGone(change.module);
    });
  }

  dispose(): void {
    this.#listening.dispose();
  }

  // The hooks

  /** Takes a packet through one hook; false: it is gone. */
  run(hook: Hook, packet: Packet, inLink: Link | undefined, outLink: Link | undefined): boolean {
    switch (hook) {
      case 'prerouting':
        return (
          this.#pass(this.#raw, hook, packet, inLink, outLink) &&
          this.#track(packet) &&
          this.#pass(this.#mangle, hook, packet, inLink, outLink) &&
          this.#translate('destination', hook, packet, inLink, outLink)
        );
      case 'input':
        return (
          this.#pass(this.#mangle, hook, packet, inLink, outLink) &&
          this.#pass(this.#filter, hook, packet, inLink, outLink) &&
          this.#translate('source', hook, packet, inLink, outLink)
        );
      case 'forward':
        return this.#pass(this.#mangle, hook, packet, inLink, outLink) && this.#pass(this.#filter, hook, packet, inLink, outLink);
      case 'output':
        return (
          this.#pass(this.#raw, hook, packet, inLink, outLink) &&
          this.#track(packet) &&
          this.#pass(this.#mangle, hook, packet, inLink, outLink) &&
          this.#translate('destination', hook, packet, inLink, outLink) &&
          this.#pass(this.#filter, hook, packet, inLink, outLink)
        );
      case 'postrouting':
        return this.#pass(this.#mangle, hook, packet, inLink, outLink) && this.#translate('source', hook, packet, inLink, outLink);
    }
  }

  #pass(table: Table | undefined, hook: Hook, packet: Packet, inLink: Link | undefined, outLink: Link | undefined): boolean {
    if (table === undefined || table.passFreely(packet, hook)) return true;
    const at: At = { stack: this.#stack, table: table.name, hook, inLink, outLink };
    if (table.run(packet, at)) return true;
    this.#stack.dropped(packet, `${table.name} ${hook}`);
    return false;
  }

  #track(packet: Packet): boolean {
    if (!this.#isTracking() || this.#stack.flows.track(packet)) return true;
    this.#host.log('nf_conntrack: table full, dropping packet');
    this.#stack.dropped(packet, 'conntrack table full');
    return false;
  }

  #isTracking(): boolean {
    return this.#nat !== undefined || this.#stack.settings.hasModule('nf_conntrack');
  }

  #translate(manip: Manip, hook: Hook, packet: Packet, inLink: Link | undefined, outLink: Link | undefined): boolean {
    const { flow } = packet;
    if (flow === undefined) return true;
    if (!flow.isConfirmed && !packet.isRelated && !packet.isReply) {
      // Only a flow's first packet sees the nat table.
      if (manip === 'destination' ? !flow.destinationDecided : !flow.sourceDecided) {
        if (!this.#pass(this.#nat, hook, packet, inLink, outLink)) return false;
        if (manip === 'destination') flow.destinationDecided = true;
        else if (!flow.sourceDecided && !keepSource(this.#stack, packet, flow)) return false;
      }
    }
    if (flow.isSourceMapped || flow.isDestinationMapped) translate(packet, flow, manip);
    return true;
  }

  // iptables(8)

  restore(text: string, options: { readonly noFlush?: boolean; readonly counters?: boolean } = {}): void {
    let table: Table | undefined;
    let lineNumber = 0;
    for (const line of text.split('\n')) {
      lineNumber++;
      const trimmed = line.trim();
      if (trimmed === '' || trimmed.startsWith('#')) continue;
      try {
        if (trimmed.startsWith('*')) {
          const name = trimmed.slice(1).trim();
          if (!Object.hasOwn(BUILT_IN, name)) throw new IptablesError(`iptables-restore: unable to initialize table '${name}'`, 2);
          const present = this.#table(name as TableName);
          table = options.noFlush === true ? present.copy() : emptied(present);
        } else if (trimmed === 'COMMIT' && table !== undefined) {
          this.#replace(table);
          table = undefined;
        } else if (table === undefined) throw refused('failed');
        else if (trimmed.startsWith(':')) this.#restoreChain(table, trimmed, options.noFlush === true);
        else this.#restoreRule(table, trimmed, options.counters === true);
      } catch (error) {
        if (!(error instanceof IptablesError)) throw error;
        throw restoreError(error, lineNumber);
      }
    }
    this.#changed.emit();
  }

  save(only?: TableName, options: { readonly counters?: boolean } = {}): string {
    let text = '';
    // /proc/net/ip_tables_names lists the newest table first.
    for (const table of [...this.#tables.values()].reverse()) {
      if (only !== undefined && table.name !== only) continue;
      text += `*${table.name}\n`;
      const chains = table.ordered();
      for (const chain of chains) text += `:${chain.name} ${chain.policy ?? '-'} [${chain.packets}:${chain.bytes}]\n`;
      for (const chain of chains) {
        for (const rule of chain.rules)
          text += `${options.counters === true ? `[${rule.packets}:${rule.bytes}] ` : ''}-A ${chain.name}${rule.text}\n`;
      }
      text += 'COMMIT\n';
    }
    return text;
  }

  tableNames(): readonly TableName[] {
    return [...this.#tables.keys()].reverse();
  }

  execute(table: TableName, args: readonly string[]): void {
    this.command(table, args);
  }

  command(
    table: TableName,
    args: readonly string[],
    names: { nameOf?(address: string): string | undefined; lookup?(name: string): readonly string[] } = {},
  ): string {
    const command = parseCommand(args, {
      stack: this.#stack,
      table,
      isChain: (name, chain) => this.#table(name).chains.has(chain),
      ...(names.lookup === undefined ? {} : { lookup: names.lookup }),
    });
    const target = this.#table(command.table);
    if (command.name === 'list') return list(target, command, names.nameOf);
    if (command.name === 'list-rules') return listRules(target, command);
    apply(target, command);
    if (command.name !== 'check') this.#changed.emit();
    return '';
  }

  hasChain(table: TableName, chain: string): boolean {
    return (
      this.#tables.get(table)?.chains.has(chain) ?? (Object.hasOwn(BUILT_IN, table) && BUILT_IN[table].some(([name]) => name === chain))
    );
  }

  onChange(listener: () => void): Disposable {
    return this.#changed.on(listener);
  }

  /** A list of the `recent` match. */
  recentList(name: string): Map<Ip, readonly number[]> {
    let list = this.#recent.get(name);
    if (list === undefined) this.#recent.set(name, (list = new Map()));
    return list;
  }

  log(line: string): void {
    this.#host.log(line);
  }

  #restoreChain(table: Table, line: string, noFlush: boolean): void {
    const parts = /^:(\S+)\s+(\S+)(?:\s+\[(\d+):(\d+)\])?$/.exec(line);
    if (parts === null) throw refused('failed');
    const [, name = '', policy = '', packets = '0', bytes = '0'] = parts;
    let chain = table.chains.get(name);
    if (chain?.hook === undefined) {
      if (chain !== undefined && noFlush) chain.rules = [];
      else if (chain === undefined) table.add((chain = new Chain(name, undefined)));
      return;
    }
    if (policy === '-') return;
    if (policy !== 'ACCEPT' && policy !== 'DROP') throw refused(`Can't set policy \`${policy}' on \`${name}' line failed`);
    chain.policy = policy;
    chain.packets = Number(packets);
    chain.bytes = Number(bytes);
  }

  #restoreRule(table: Table, line: string, withCounters: boolean): void {
    const key = `${table.name} ${line}`;
    const known = this.#parsed.get(key);
    if (known !== undefined) {
      apply(table, known);
      return;
    }
    const { args, packets, bytes } = splitRestoreLine(line);
    const command = parseCommand(args, { stack: this.#stack, table: table.name, isChain: (_table, chain) => table.chains.has(chain) });
    apply(table, command, withCounters ? { packets, bytes } : undefined);
    // kube-proxy restores the same lines again and again. Rules that count on their own are made anew each time.
    if (line.startsWith('-A ') && !STATEFUL.test(line)) {
      if (this.#parsed.size > MAX_PARSED) this.#parsed.clear();
      this.#parsed.set(key, command);
    }
  }

  #table(name: TableName): Table {
    let table = this.#tables.get(name);
    if (table === undefined) {
      this.#host.requestModule(`iptable_${name}`);
      table = new Table(name);
      this.#replace(table);
    }
    return table;
  }

  #replace(table: Table): void {
    this.#tables.set(table.name, table);
    this.#index();
  }

  #moduleGone(module: string): void {
    const name = module.replace(/^iptable_/, '');
    if (module.startsWith('iptable_') && this.#tables.delete(name as TableName)) {
      this.#index();
      this.#changed.emit();
    }
    if (module === 'nf_conntrack') this.#stack.flows.flush();
  }

  #index(): void {
    this.#raw = this.#tables.get('raw');
    this.#mangle = this.#tables.get('mangle');
    this.#nat = this.#tables.get('nat');
    this.#filter = this.#tables.get('filter');
  }
}

function emptied(present: Table): Table {
  const table = new Table(present.name);
  // Flushing leaves policies alone; the text's own chain lines set them.
  for (const chain of present.chains.values()) if (chain.hook !== undefined) table.chains.get(chain.name)!.policy = chain.policy;
  return table;
}

/** Carries out one command on a table. Throws IptablesError. */
function apply(
  table: Table,
  command: Command,
  counters: { readonly packets: number; readonly bytes: number } | undefined = command.counters,
): void {
  switch (command.name) {
    case 'append':
      chainOf(table, command).rules.push(...build(table, command, counters));
      return;
    case 'insert': {
      const { rules } = chainOf(table, command);
      const at = (command.number ?? 1) - 1;
      if (at > rules.length) throw refused('Index of insertion too big.');
      rules.splice(at, 0, ...build(table, command, counters));
      return;
    }
    case 'replace': {
      const { rules } = chainOf(table, command);
      const at = command.number! - 1;
      if (at >= rules.length) throw refused('Index of replacement too big.');
      rules.splice(at, 1, ...build(table, command, counters));
      return;
    }
    case 'delete': {
      const { rules } = chainOf(table, command);
      if (command.number !== undefined) {
        if (command.number < 1 || command.number > rules.length) throw refused('Index of deletion too big.');
        rules.splice(command.number - 1, 1);
        return;
      }
      for (const rule of build(table, command, undefined)) {
        const at = rules.findIndex((other) => other.text === rule.text);
        if (at < 0) throw refused(NO_RULE);
        rules.splice(at, 1);
      }
      return;
    }
    case 'check': {
      const { rules } = chainOf(table, command);
      for (const rule of build(table, command, undefined)) if (!rules.some((other) => other.text === rule.text)) throw refused(NO_RULE);
      return;
    }
    case 'flush':
      for (const chain of command.chain === undefined ? table.chains.values() : [chainOf(table, command)]) chain.rules = [];
      return;
    case 'zero':
      for (const chain of command.chain === undefined ? table.chains.values() : [chainOf(table, command)]) zero(chain, command.number);
      return;
    case 'new-chain':
      if (table.chains.has(command.chain!)) throw refused('Chain already exists.');
      table.add(new Chain(command.chain!, undefined));
      return;
    case 'delete-chain':
      deleteChains(table, command);
      return;
    case 'policy': {
      const chain = table.chains.get(command.chain!);
      if (chain === undefined) throw refused(NO_CHAIN);
      if (chain.hook === undefined) throw refused('Bad built-in chain name.');
      if (command.argument !== 'ACCEPT' && command.argument !== 'DROP') throw refused("Bad policy name. Run `dmesg' for more information.");
      chain.policy = command.argument;
      return;
    }
    case 'rename-chain': {
      const chain = chainOf(table, command);
      if (chain.hook !== undefined) throw refused(INVALID);
      if (table.chains.has(command.argument!)) throw refused('File exists.');
      renameChain(table, chain, command.argument!);
    }
  }
}

function chainOf(table: Table, command: Command): Chain {
  const chain = table.chains.get(command.chain!);
  if (chain === undefined) throw refused(NO_CHAIN);
  return chain;
}

function build(table: Table, command: Command, counters: { readonly packets: number; readonly bytes: number } | undefined): Rule[] {
  const home = table.chains.get(command.chain!);
  return command.rules.map((spec) => {
    const rule = new Rule(link(table, spec, home));
    rule.packets = counters?.packets ?? 0;
    rule.bytes = counters?.bytes ?? 0;
    return rule;
  });
}

/** Points a jump at its chain; loops and jumps into built-in chains are refused as the kernel refuses them. */
function link(table: Table, spec: RuleSpec, home: Chain | undefined): RuleSpec {
  const { target } = spec;
  if (target.kind !== 'jump' && target.kind !== 'goto') return spec;
  const chain = table.chains.get(target.name);
  if (chain === undefined) throw refused(NO_CHAIN);
  if (chain.hook !== undefined) throw refused(INVALID);
  if (home !== undefined && reaches(chain, home, new Set())) throw refused('Too many levels of symbolic links.');
  return { ...spec, target: { ...target, chain } };
}

function reaches(from: Chain, wanted: Chain, seen: Set<Chain>): boolean {
  if (from === wanted) return true;
  if (seen.has(from)) return false;
  seen.add(from);
  return from.rules.some(({ spec }) => {
    const { target } = spec;
    return (target.kind === 'jump' || target.kind === 'goto') && target.chain !== undefined && reaches(target.chain, wanted, seen);
  });
}

function deleteChains(table: Table, command: Command): void {
  const doomed =
    command.chain === undefined ? [...table.chains.values()].filter((chain) => chain.hook === undefined) : [chainOf(table, command)];
  for (const chain of doomed) {
    if (chain.hook !== undefined) throw refused(INVALID);
    if (chain.rules.length > 0) throw refused('Directory not empty.');
    if (table.references(chain) > 0) throw refused('Too many links.');
    table.chains.delete(chain.name);
  }
}

function renameChain(table: Table, chain: Chain, name: string): void {
  table.chains.delete(chain.name);
  chain.name = name;
  table.chains.set(name, chain);
  for (const other of table.chains.values()) {
    other.rules = other.rules.map((rule) => {
      const { target } = rule.spec;
      if ((target.kind !== 'jump' && target.kind !== 'goto') || target.chain !== chain) return rule;
      const renamed = new Rule({ ...rule.spec, target: { ...target, name } });
      renamed.packets = rule.packets;
      renamed.bytes = rule.bytes;
      return renamed;
    });
  }
}

function zero(chain: Chain, number: number | undefined): void {
  if (number === undefined) chain.packets = chain.bytes = 0;
  const rules = number === undefined ? chain.rules : chain.rules.slice(number - 1, number);
  if (rules.length === 0 && number !== undefined) throw refused('Index of counter too big.');
  for (const rule of rules) rule.packets = rule.bytes = 0;
}

function list(table: Table, command: Command, nameOf: ((address: string) => string | undefined) | undefined): string {
  const options = { ...command, ...(nameOf === undefined ? {} : { nameOf }) };
  if (command.chain !== undefined) return listChain(table, chainOf(table, command), options, command.number);
  return table
    .ordered()
    .map((chain) => listChain(table, chain, options))
    .join('\n');
}

function listRules(table: Table, command: Command): string {
  const chains = command.chain === undefined ? table.ordered() : [chainOf(table, command)];
  const counters = (packets: number, bytes: number): string => (command.isVerbose ? ` -c ${packets} ${bytes}` : '');
  let text = '';
  if (command.number === undefined) {
    for (const chain of chains) {
      text +=
        chain.policy === undefined ? `-N ${chain.name}\n` : `-P ${chain.name} ${chain.policy}${counters(chain.packets, chain.bytes)}\n`;
    }
  }
  for (const chain of chains) {
    chain.rules.forEach((rule, at) => {
      if (command.number === undefined || command.number === at + 1)
        text += `-A ${chain.name}${withCounters(rule, counters(rule.packets, rule.bytes))}\n`;
    });
  }
  return text;
}

/** -S -v puts the counters before the target. */
function withCounters(rule: Rule, counters: string): string {
  if (counters === '') return rule.text;
  const { target } = rule.spec;
  if (target.kind === 'none') return rule.text + counters;
  const tail = ` -${target.kind === 'goto' ? 'g' : 'j'} ${target.name}${target.kind === 'extension' ? target.saved : ''}`;
  return rule.text.slice(0, rule.text.length - tail.length) + counters + tail;
}

function restoreError(error: IptablesError, lineNumber: number): IptablesError {
  if (error.message.startsWith('iptables-restore')) return error;
  if (error.status === 2) {
    return new IptablesError(
      `iptables-restore v1.4.21: ${error.message}\nError occurred at line: ${lineNumber}\nTry \`iptables-restore -h' or 'iptables-restore --help' for more information.`,
      2,
    );
  }
  // The kernel's reason is not repeated by iptables-restore.
  return new IptablesError(`iptables-restore: line ${lineNumber} failed`, 1);
}
