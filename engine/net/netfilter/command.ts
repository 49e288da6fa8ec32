// Models the command line of iptables(8) 1.4.21: options of rules and commands, with its error messages.

import { maskOf, parseIp, parsePrefix, type Ip } from '../address.ts';
import { IptablesError, type TableName } from '../net-stack.ts';
import type { Stack } from '../stack.ts';
import { MATCHES, type MatchExtension } from './matches.ts';
import { bad, type GivenOption, type OptionSpec } from './options.ts';
import { protocolName, protocolNumber, type AddressSpec, type Match, type NameSpec, type RuleSpec, type Target } from './rule.ts';
import { TARGETS, type TargetExtension } from './targets.ts';

export type CommandName =
  | 'append'
  | 'delete'
  | 'insert'
  | 'replace'
  | 'check'
  | 'list'
  | 'list-rules'
  | 'flush'
  | 'zero'
  | 'new-chain'
  | 'delete-chain'
  | 'policy'
  | 'rename-chain';

export interface Command {
  readonly name: CommandName;
  readonly table: TableName;
  readonly chain: string | undefined;
  /** Rule number of -D, -I, -R, -L, -S and -Z. */
  readonly number: number | undefined;
  /** Policy of -P, new name of -E. */
  readonly argument: string | undefined;
  /** One for every combination of source and destination addresses. */
  readonly rules: readonly RuleSpec[];
  readonly counters: { readonly packets: number; readonly bytes: number } | undefined;
  readonly isVerbose: boolean;
  readonly isNumeric: boolean;
  readonly isExact: boolean;
  readonly hasLineNumbers: boolean;
}

export interface CommandContext {
  readonly stack: Stack;
  readonly table: TableName;
  /** Whether `name` is a chain of the table, so that `-j NAME` jumps there. */
  isChain(table: TableName, name: string): boolean;
  /** Host names in -s and -d. */
  lookup?(name: string): readonly string[];
}

const COMMANDS: readonly (readonly [short: string, long: string, name: CommandName])[] = [
  ['A', 'append', 'append'],
  ['D', 'delete', 'delete'],
  ['I', 'insert', 'insert'],
  ['R', 'replace', 'replace'],
  ['C', 'check', 'check'],
  ['L', 'list', 'list'],
  ['S', 'list-rules', 'list-rules'],
  ['F', 'flush', 'flush'],
  ['Z', 'zero', 'zero'],
  ['N', 'new-chain', 'new-chain'],
  ['X', 'delete-chain', 'delete-chain'],
  ['P', 'policy', 'policy'],
  ['E', 'rename-chain', 'rename-chain'],
];
const NEEDS_CHAIN: readonly CommandName[] = ['append', 'delete', 'insert', 'replace', 'check', 'new-chain', 'policy', 'rename-chain'];
const TAKES_RULE: readonly CommandName[] = ['append', 'delete', 'insert', 'replace', 'check'];
const TABLES: readonly string[] = ['raw', 'mangle', 'nat', 'filter'];

interface ExtensionInUse<T> {
  readonly name: string;
  readonly extension: T;
  readonly given: GivenOption[];
}

/** Reads one command line (without the program's name). Throws IptablesError. */
export function parseCommand(args: readonly string[], context: CommandContext): Command {
  return new CommandLine(args, context).parse();
}

class CommandLine {
  readonly #args: readonly string[];
  readonly #context: CommandContext;
  #at = 0;
  #inverted = false;
  #name: CommandName | undefined;
  #letter = '';
  #table: TableName;
  #chain: string | undefined;
  #number: number | undefined;
  #argument: string | undefined;
  #sources: readonly AddressSpec[] = [];
  #destinations: readonly AddressSpec[] = [];
  #in: NameSpec | undefined;
  #out: NameSpec | undefined;
  #protocol: { readonly number: number; readonly inverted: boolean } | undefined;
  readonly #matches: ExtensionInUse<MatchExtension>[] = [];
  #target: { name: string; isGoto: boolean; extension: ExtensionInUse<TargetExtension> | undefined } | undefined;
  #counters: { packets: number; bytes: number } | undefined;
  #flags = { isVerbose: false, isNumeric: false, isExact: false, hasLineNumbers: false };

  constructor(args: readonly string[], context: CommandContext) {
    this.#args = args;
    this.#context = context;
    this.#table = context.table;
    // -t decides what -j means, wherever it stands.
    const at = args.findIndex((arg) => arg === '-t' || arg === '--table');
    if (at >= 0 && args[at + 1] !== undefined) this.#setTable(args[at + 1]!);
  }

  parse(): Command {
    while (this.#at < this.#args.length) {
      const arg = this.#args[this.#at++]!;
      if (arg === '!') {
        if (this.#inverted) throw bad("Multiple `!' flags not allowed");
        this.#inverted = true;
        continue;
      }
      if (arg.startsWith('--') && arg.length > 2) this.#long(arg.slice(2));
      else if (arg.startsWith('-') && arg.length > 1) this.#short(arg.slice(1));
      else throw bad(`Bad argument \`${arg}'`);
      this.#inverted = false;
    }
    if (this.#name === undefined) throw bad('no command specified');
    if (NEEDS_CHAIN.includes(this.#name) && this.#chain === undefined) throw bad(`option "-${this.#letter}" requires an argument`);
    return {
      name: this.#name,
      table: this.#table,
      chain: this.#chain,
      number: this.#number,
      argument: this.#argument,
      rules:
        TAKES_RULE.includes(this.#name) && (this.#number === undefined || this.#name === 'insert' || this.#name === 'replace')
          ? this.#rules()
          : [],
      counters: this.#counters,
      ...this.#flags,
    };
  }

  #short(letters: string): void {
    const letter = letters[0]!;
    const rest = letters.slice(1);
    const command = COMMANDS.find(([short]) => short === letter);
    if (command !== undefined) {
      this.#command(command[2], letter, rest === '' ? undefined : rest);
      return;
    }
    const value = (): string => (rest === '' ? this.#value(letter) : rest);
    switch (letter) {
      case 'p':
        this.#setProtocol(value());
        return;
      case 's':
        this.#sources = this.#addresses(value());
        return;
      case 'd':
        this.#destinations = this.#addresses(value());
        return;
      case 'i':
        this.#in = this.#interface(value());
        return;
      case 'o':
        this.#out = this.#interface(value());
        return;
      case 'j':
        this.#setTarget(value(), false);
        return;
      case 'g':
        this.#setTarget(value(), true);
        return;
      case 'm':
        this.#loadMatch(value());
        return;
      case 't':
        this.#setTable(value());
        return;
      case 'c':
        this.#setCounters(value());
        return;
      case 'w':
        if (/^\d+$/.test(this.#args[this.#at] ?? '')) this.#at++;
        return;
      case 'v':
      case 'n':
      case 'x':
      case '4':
        if (letter === 'v') this.#flags.isVerbose = true;
        if (letter === 'n') this.#flags.isNumeric = true;
        if (letter === 'x') this.#flags.isExact = true;
        if (rest !== '') this.#short(rest);
        return;
      default:
        throw bad(`unknown option "-${letter}"`);
    }
  }

  #long(text: string): void {
    const equals = text.indexOf('=');
    const name = equals < 0 ? text : text.slice(0, equals);
    const inline = equals < 0 ? undefined : text.slice(equals + 1);
    const value = (): string => inline ?? this.#value(name, '--');
    switch (name) {
      case 'protocol':
      case 'proto':
        this.#setProtocol(value());
        return;
      case 'source':
      case 'src':
        this.#sources = this.#addresses(value());
        return;
      case 'destination':
      case 'dst':
        this.#destinations = this.#addresses(value());
        return;
      case 'in-interface':
        this.#in = this.#interface(value());
        return;
      case 'out-interface':
        this.#out = this.#interface(value());
        return;
      case 'jump':
        this.#setTarget(value(), false);
        return;
      case 'goto':
        this.#setTarget(value(), true);
        return;
      case 'match':
        this.#loadMatch(value());
        return;
      case 'table':
        this.#setTable(value());
        return;
      case 'set-counters':
        this.#setCounters(value());
        return;
      case 'verbose':
        this.#flags.isVerbose = true;
        return;
      case 'numeric':
        this.#flags.isNumeric = true;
        return;
      case 'exact':
        this.#flags.isExact = true;
        return;
      case 'line-numbers':
        this.#flags.hasLineNumbers = true;
        return;
      case 'wait':
        if (/^\d+$/.test(this.#args[this.#at] ?? '')) this.#at++;
        return;
      case 'ipv4':
      case 'modprobe':
        if (name === 'modprobe') value();
        return;
    }
    if (this.#extensionOption(name, inline)) return;
    const command = COMMANDS.find(([, long]) => long === name);
    if (command !== undefined) {
      this.#command(command[2], command[0], inline);
      return;
    }
    throw bad(`unknown option "--${name}"`);
  }

  #command(name: CommandName, letter: string, attached: string | undefined): void {
    if (this.#name !== undefined && !(name === 'zero' && this.#name === 'list'))
      throw bad(`Cannot use -${letter} with -${this.#letter}\n`.trimEnd());
    this.#name = name;
    this.#letter = letter;
    const next = (): string | undefined => {
      const arg = this.#args[this.#at];
      if (arg === undefined || arg.startsWith('-') || arg === '!') return undefined;
      this.#at++;
      return arg;
    };
    this.#chain = attached ?? next();
    if (this.#chain === undefined) {
      if (NEEDS_CHAIN.includes(name)) throw bad(`option "-${letter}" requires an argument`);
      return;
    }
    if (TAKES_RULE.includes(name) || name === 'new-chain') {
      if (this.#chain.length > 28) throw bad(`chain name \`${this.#chain}' too long (must be under 29 chars)`);
    }
    switch (name) {
      case 'delete':
      case 'insert':
      case 'list':
      case 'list-rules':
      case 'zero':
        if (/^\d+$/.test(this.#args[this.#at] ?? '')) this.#number = Number(this.#args[this.#at++]);
        if (name === 'insert' && this.#number === 0) throw bad("Invalid rule number `0'");
        return;
      case 'replace': {
        const number = next();
        if (number === undefined) throw bad('-R requires a rule number');
        if (!/^\d+$/.test(number) || Number(number) === 0) throw bad(`Invalid rule number \`${number}'`);
        this.#number = Number(number);
        return;
      }
      case 'policy':
        this.#argument = next();
        if (this.#argument === undefined) throw bad('-P requires a chain and a policy');
        return;
      case 'rename-chain':
        this.#argument = next();
        if (this.#argument === undefined) throw bad('-E requires old-chain-name and new-chain-name');
        return;
      case 'new-chain':
        if (this.#chain.startsWith('-') || this.#chain.startsWith('!')) throw bad("chain name not allowed to start with `-'\n".trimEnd());
        if (TARGETS[this.#chain] !== undefined || ['ACCEPT', 'DROP', 'RETURN', 'QUEUE'].includes(this.#chain))
          throw bad('chain name may not clash with target name\n'.trimEnd());
    }
  }

  #value(option: string, dashes = '-'): string {
    const value = this.#args[this.#at++];
    if (value === undefined) throw bad(`option "${dashes}${option}" requires an argument`);
    return value;
  }

  #setTable(name: string): void {
    if (!TABLES.includes(name)) {
      throw new IptablesError(
        `can't initialize iptables table \`${name}': Table does not exist (do you need to insmod?)\nPerhaps iptables or your kernel needs to be upgraded.`,
        3,
      );
    }
    this.#table = name as TableName;
  }

  #setProtocol(text: string): void {
    const number = protocolNumber(text);
    if (number === undefined) throw bad(`unknown protocol "${text.toLowerCase()}" specified`);
    if (number === 0 && this.#inverted) throw bad('rule would never match protocol');
    this.#protocol = number === 0 ? undefined : { number, inverted: this.#inverted };
  }

  #addresses(text: string): readonly AddressSpec[] {
    const inverted = this.#inverted;
    const out: AddressSpec[] = [];
    for (const part of text.split(',')) {
      for (const spec of this.#address(part)) out.push({ ...spec, inverted });
    }
    if (inverted && out.length > 1) throw bad('! not allowed with multiple source or destination IP addresses');
    return out.every((spec) => spec.mask === 0 && !spec.inverted) ? [] : out;
  }

  #address(text: string): readonly { readonly address: Ip; readonly mask: number }[] {
    const slash = text.indexOf('/');
    const host = slash < 0 ? text : text.slice(0, slash);
    let mask = 0xffffffff;
    if (slash >= 0) {
      const tail = text.slice(slash + 1);
      const prefix = parsePrefix(`0.0.0.0/${tail}`);
      const dotted = parseIp(tail);
      if (prefix !== undefined) mask = maskOf(prefix.length);
      else if (dotted !== undefined) mask = dotted;
      else throw bad(`invalid mask \`${tail}' specified`);
    }
    // iptables takes shortened addresses: 10/8 is 10.0.0.0/8.
    const padded = /^\d+(\.\d+){0,2}$/.test(host) && slash >= 0 ? `${host}${'.0'.repeat(3 - (host.match(/\./g)?.length ?? 0))}` : host;
    const address = parseIp(padded);
    if (address !== undefined) return [{ address: (address & mask) >>> 0, mask }];
    const found = this.#context.lookup?.(host) ?? [];
    if (found.length === 0) throw bad(`host/network \`${host}' not found`);
    return found.map((ip) => ({ address: (parseIp(ip)! & mask) >>> 0, mask }));
  }

  #interface(name: string): NameSpec | undefined {
    if (name === '') throw bad('Empty interface is likely to be undesired');
    if (name.length > 15) throw bad(`interface name \`${name}' must be shorter than IFNAMSIZ (15)`);
    return name === '+' && !this.#inverted ? undefined : { name, inverted: this.#inverted };
  }

  #setTarget(name: string, isGoto: boolean): void {
    if (this.#inverted) throw bad(`Cannot use "!" with -${isGoto ? 'g' : 'j'}`.replace('Cannot use "!" with', 'unexpected ! flag before'));
    if (name === '') throw bad('Invalid target name (too short)');
    if (name.length > 28) throw bad(`Invalid target name \`${name}' (28 chars max)`);
    const extension = TARGETS[name];
    if (!isGoto && extension !== undefined && !this.#context.isChain(this.#table, name)) {
      this.#target = { name, isGoto, extension: { name, extension, given: [] } };
      return;
    }
    if (!isGoto && !['ACCEPT', 'DROP', 'RETURN', 'QUEUE'].includes(name) && !this.#context.isChain(this.#table, name)) {
      throw bad(`Couldn't load target \`${name}':No such file or directory\n`);
    }
    this.#target = { name, isGoto, extension: undefined };
  }

  #loadMatch(name: string): ExtensionInUse<MatchExtension> {
    const extension = Object.hasOwn(MATCHES, name) ? MATCHES[name] : undefined;
    if (extension === undefined) throw bad(`Couldn't load match \`${name}':No such file or directory\n`);
    const use = { name, extension, given: [] };
    this.#matches.push(use);
    return use;
  }

  #setCounters(packets: string): void {
    const [first = '', second] = packets.split(',');
    const bytes = second ?? this.#value('c');
    if (!/^\d+$/.test(first)) throw bad('-c packet counter not numeric');
    if (!/^\d+$/.test(bytes)) throw bad('-c byte counter not numeric');
    this.#counters = { packets: Number(first), bytes: Number(bytes) };
  }

  /** An option of the target or of a loaded match; `-p tcp --dport` loads the protocol's match by itself. */
  #extensionOption(name: string, inline: string | undefined): boolean {
    const uses: ExtensionInUse<{ readonly options: readonly OptionSpec[] }>[] = [...this.#matches].reverse();
    if (this.#target?.extension !== undefined) uses.unshift(this.#target.extension);
    for (const use of uses) {
      const spec = optionOf(use.extension.options, name);
      if (spec !== undefined) {
        this.#give(use, spec, name, inline);
        return true;
      }
    }
    const protocol = this.#protocol === undefined || this.#protocol.inverted ? undefined : protocolName(this.#protocol.number);
    const implied = protocol !== undefined && Object.hasOwn(MATCHES, protocol) ? MATCHES[protocol] : undefined;
    if (implied === undefined || this.#matches.some((use) => use.name === protocol)) return false;
    const spec = optionOf(implied.options, name);
    if (spec === undefined) return false;
    this.#give(this.#loadMatch(protocol!), spec, name, inline);
    return true;
  }

  #give(use: ExtensionInUse<unknown>, spec: OptionSpec, spelled: string, inline: string | undefined): void {
    if (this.#inverted && spec.canInvert !== true) throw bad(`${use.name}: option "--${spelled}" cannot be inverted.`);
    if (use.given.some((other) => other.name === spec.name)) throw bad(`${use.name}: option "--${spelled}" can only be used once.`);
    let value = '';
    if (spec.isFlag !== true) {
      value = inline ?? this.#value(spelled, '--');
      if (spec.name === 'tcp-flags' || spec.name === 'match-set') {
        const second = this.#args[this.#at];
        if (second === undefined)
          throw bad(spec.name === 'tcp-flags' ? '--tcp-flags requires two args.' : '--match-set requires two args.');
        this.#at++;
        value = `${value} ${second}`;
      }
    }
    use.given.push({ name: spec.name, value, inverted: this.#inverted });
  }

  #rules(): readonly RuleSpec[] {
    const { stack } = this.#context;
    const protocol = this.#protocol === undefined || this.#protocol.inverted ? undefined : this.#protocol.number;
    const matches = (): Match[] =>
      this.#matches.map((use) => {
        if ((use.name === 'tcp' || use.name === 'udp' || use.name === 'icmp') && protocolName(protocol ?? 0) !== use.name) {
          throw new IptablesError("Invalid argument. Run `dmesg' for more information.", 1);
        }
        return { name: use.name, ...use.extension.create(use.given, protocol, stack) };
      });
    const sources = this.#sources.length === 0 ? [undefined] : this.#sources;
    const destinations = this.#destinations.length === 0 ? [undefined] : this.#destinations;
    const rules: RuleSpec[] = [];
    for (const source of sources) {
      for (const destination of destinations) {
        rules.push({
          source,
          destination,
          inInterface: this.#in,
          outInterface: this.#out,
          protocol: this.#protocol,
          matches: matches(),
          target: this.#buildTarget(protocol),
        });
      }
    }
    this.#checkInterfaces();
    return rules;
  }

  #checkInterfaces(): void {
    if (this.#chain === undefined) return;
    if (this.#out !== undefined && (this.#chain === 'PREROUTING' || this.#chain === 'INPUT'))
      throw bad(`Can't use -o with ${this.#chain}\n`);
    if (this.#in !== undefined && (this.#chain === 'POSTROUTING' || this.#chain === 'OUTPUT'))
      throw bad(`Can't use -i with ${this.#chain}\n`);
  }

  #buildTarget(protocol: number | undefined): Target {
    const target = this.#target;
    if (target === undefined) return { kind: 'none' };
    const { name, extension: use } = target;
    if (use !== undefined) {
      if (use.extension.tables !== undefined && !use.extension.tables.includes(this.#table)) {
        throw new IptablesError("Invalid argument. Run `dmesg' for more information.", 1);
      }
      return { kind: 'extension', name, ...use.extension.create(use.given, protocol, this.#context.stack) };
    }
    if (target.isGoto) return { kind: 'goto', name, chain: undefined };
    if (this.#context.isChain(this.#table, name)) return { kind: 'jump', name, chain: undefined };
    const verdict = name === 'ACCEPT' ? 'accept' : name === 'RETURN' ? 'return' : 'drop';
    return { kind: 'verdict', verdict, name };
  }
}

function optionOf(options: readonly OptionSpec[], name: string): OptionSpec | undefined {
  return options.find((option) => option.name === name || option.aliases?.includes(name) === true);
}
