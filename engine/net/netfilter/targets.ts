// Models the target extensions of iptables(8).

import { formatIp, parseIp, type Ip } from '../address.ts';
import type { Hook, TableName } from '../net-stack.ts';
import { ICMP, ICMP_UNREACHABLE, TCP, UDP, ACK, FIN, PSH, RST, SYN, URG, type Packet } from '../packet.ts';
import type { Stack } from '../stack.ts';
import { mapDestination, mapSource, type NatRange } from './nat.ts';
import { bad, find, formatMasked, parseMasked, quoted, type GivenOption, type OptionSpec } from './options.ts';
import type { At, Target } from './rule.ts';

type Extension = Extract<Target, { kind: 'extension' }>;

export interface TargetExtension {
  readonly options: readonly OptionSpec[];
  /** Where the kernel takes it; left out: anywhere. */
  readonly tables?: readonly TableName[];
  readonly hooks?: readonly Hook[];
  create(options: readonly GivenOption[], protocol: number | undefined, stack: Stack): Pick<Extension, 'saved' | 'list' | 'apply'>;
}

const REJECT_TYPES: readonly { readonly name: string; readonly alias: string; readonly code: number }[] = [
  { name: 'icmp-net-unreachable', alias: 'net-unreach', code: 0 },
  { name: 'icmp-host-unreachable', alias: 'host-unreach', code: 1 },
  { name: 'icmp-proto-unreachable', alias: 'proto-unreach', code: 2 },
  { name: 'icmp-port-unreachable', alias: 'port-unreach', code: 3 },
  { name: 'icmp-net-prohibited', alias: 'net-prohib', code: 9 },
  { name: 'icmp-host-prohibited', alias: 'host-prohib', code: 10 },
  { name: 'tcp-reset', alias: 'tcp-rst', code: -1 },
  { name: 'icmp-admin-prohibited', alias: 'admin-prohib', code: 13 },
];

const LOG_LEVELS = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'];
const LOG_DEFAULT_LEVEL = 4;

export const TARGETS: Readonly<Record<string, TargetExtension>> = {
  REJECT: {
    options: [{ name: 'reject-with' }],
    tables: ['filter'],
    hooks: ['input', 'forward', 'output'],
    create(options, protocol) {
      const wanted = find(options, 'reject-with')?.value ?? 'icmp-port-unreachable';
      // iptables takes any unambiguous beginning of a name.
      const type =
        REJECT_TYPES.find((one) => one.name === wanted || one.alias === wanted) ?? REJECT_TYPES.find((one) => one.name.startsWith(wanted));
      if (type === undefined) throw bad(`unknown reject type "${wanted}"`);
      if (type.name === 'tcp-reset' && protocol !== TCP) throw bad('REJECT: TCP_RESET invalid for non-tcp');
      return {
        saved: ` --reject-with ${type.name}`,
        list: () => ` reject-with ${type.name}`,
        apply(packet, at) {
          if (type.code < 0) at.stack.tcp.reset(packet);
          else at.stack.ip.sendError(packet, ICMP_UNREACHABLE, type.code, at.inLink ?? at.stack.loopback);
          at.stack.dropped(packet, `REJECT ${type.name}`);
          return 'drop';
        },
      };
    },
  },
  LOG: {
    options: [
      { name: 'log-level' },
      { name: 'log-prefix' },
      { name: 'log-tcp-sequence', isFlag: true },
      { name: 'log-tcp-options', isFlag: true },
      { name: 'log-ip-options', isFlag: true },
      { name: 'log-uid', isFlag: true },
    ],
    create(options, _protocol, stack) {
      const prefix = find(options, 'log-prefix')?.value ?? '';
      if (prefix.length > 29) throw bad('Maximum prefix length 29 for --log-prefix');
      const level = parseLevel(find(options, 'log-level')?.value);
      const flagNames = ['log-tcp-sequence', 'log-tcp-options', 'log-ip-options', 'log-uid'].filter(
        (name) => find(options, name) !== undefined,
      );
      const bits: Readonly<Record<string, number>> = { 'log-tcp-sequence': 1, 'log-tcp-options': 2, 'log-ip-options': 4, 'log-uid': 8 };
      const flags = flagNames.reduce((sum, name) => sum | bits[name]!, 0);
      return {
        saved:
          (prefix === '' ? '' : ` --log-prefix${quoted(prefix)}`) +
          (level === LOG_DEFAULT_LEVEL ? '' : ` --log-level ${level}`) +
          flagNames.map((name) => ` --${name}`).join(''),
        list: ({ numeric }) =>
          ` LOG ${numeric ? `flags ${flags} level ${level}` : `level ${LOG_LEVELS[level]!}`}${prefix === '' ? '' : ` prefix "${prefix}"`}`,
        apply(packet, at) {
          stack.netfilter.log(prefix + describeForLog(packet, at));
          return 'continue';
        },
      };
    },
  },
  DNAT: {
    options: [{ name: 'to-destination' }, { name: 'random', isFlag: true }, { name: 'persistent', isFlag: true }],
    tables: ['nat'],
    hooks: ['prerouting', 'output'],
    create(options, protocol) {
      const given = find(options, 'to-destination');
      if (given === undefined) throw bad('DNAT: option "--to-destination" must be specified');
      const range = parseNatRange(given.value, protocol);
      const extra = natFlags(options);
      return {
        saved: ` --to-destination ${formatNatRange(range)}${extra.saved}`,
        list: () => ` to:${formatNatRange(range)}${extra.listed}`,
        apply: (packet, at) => mapDestination(at.stack, packet, range),
      };
    },
  },
  SNAT: {
    options: [
      { name: 'to-source' },
      { name: 'random', isFlag: true },
      { name: 'random-fully', isFlag: true },
      { name: 'persistent', isFlag: true },
    ],
    tables: ['nat'],
    hooks: ['postrouting', 'input'],
    create(options, protocol) {
      const given = find(options, 'to-source');
      if (given === undefined) throw bad('SNAT: option "--to-source" must be specified');
      const extra = natFlags(options);
      const range = { ...parseNatRange(given.value, protocol), isRandom: extra.isRandom };
      return {
        saved: ` --to-source ${formatNatRange(range)}${extra.saved}`,
        list: () => ` to:${formatNatRange(range)}${extra.listed}`,
        apply: (packet, at) => mapSource(at.stack, packet, range),
      };
    },
  },
  MASQUERADE: {
    options: [{ name: 'to-ports' }, { name: 'random', isFlag: true }, { name: 'random-fully', isFlag: true }],
    tables: ['nat'],
    hooks: ['postrouting'],
    create(options, protocol) {
      const ports = parseToPorts(find(options, 'to-ports'), protocol);
      const extra = natFlags(options);
      return {
        saved: (ports === undefined ? '' : ` --to-ports ${formatPorts(ports)}`) + extra.saved,
        list: () => (ports === undefined ? '' : ` masq ports: ${formatPorts(ports)}`) + extra.listed,
        apply(packet, at) {
          const address = at.outLink === undefined ? 0 : at.stack.sourceFor(at.outLink, packet.destination);
          if (address === 0) return 'drop';
          return mapSource(at.stack, packet, { first: address, last: address, ports, isRandom: extra.isRandom });
        },
      };
    },
  },
  REDIRECT: {
    options: [
      { name: 'to-ports', aliases: ['to-port'] },
      { name: 'random', isFlag: true },
    ],
    tables: ['nat'],
    hooks: ['prerouting', 'output'],
    create(options, protocol) {
      const ports = parseToPorts(find(options, 'to-ports'), protocol);
      const extra = natFlags(options);
      return {
        saved: (ports === undefined ? '' : ` --to-ports ${formatPorts(ports)}`) + extra.saved,
        list: () => (ports === undefined ? '' : ` redir ports ${formatPorts(ports)}`) + extra.listed,
        apply(packet, at) {
          const address = at.inLink === undefined ? parseIp('127.0.0.1')! : at.stack.sourceFor(at.inLink, packet.source);
          return mapDestination(at.stack, packet, { first: address, last: address, ports, isRandom: false });
        },
      };
    },
  },
  MARK: {
    options: [{ name: 'set-xmark' }, { name: 'set-mark' }, { name: 'and-mark' }, { name: 'or-mark' }, { name: 'xor-mark' }],
    tables: ['mangle', 'nat', 'filter', 'raw'],
    create(options) {
      const change = parseMarkChange(options, 'MARK');
      const { value, mask } = change;
      return {
        saved: ` --set-xmark 0x${value.toString(16)}/0x${mask.toString(16)}`,
        list: () => ` MARK ${describeMarkChange(change)}`,
        apply(packet) {
          packet.mark = ((packet.mark & ~mask) ^ value) >>> 0;
          return 'continue';
        },
      };
    },
  },
  CONNMARK: {
    options: [
      { name: 'set-xmark' },
      { name: 'set-mark' },
      { name: 'and-mark' },
      { name: 'or-mark' },
      { name: 'xor-mark' },
      { name: 'save-mark', isFlag: true },
      { name: 'restore-mark', isFlag: true },
      { name: 'nfmask' },
      { name: 'ctmask' },
      { name: 'mask' },
    ],
    create: (options) => connmark(options),
  },
  NOTRACK: {
    options: [],
    tables: ['raw'],
    create: () => ({ saved: '', list: () => '', apply: untrack }),
  },
  CT: {
    options: [{ name: 'notrack', isFlag: true }],
    tables: ['raw'],
    create(options) {
      if (find(options, 'notrack') === undefined) throw bad('CT: No operation specified');
      return { saved: ' --notrack', list: () => ' CT notrack', apply: untrack };
    },
  },
  TCPMSS: {
    options: [{ name: 'set-mss' }, { name: 'clamp-mss-to-pmtu', isFlag: true }],
    create(options) {
      const size = find(options, 'set-mss')?.value;
      if (size === undefined && find(options, 'clamp-mss-to-pmtu') === undefined)
        throw bad('TCPMSS target: At least one parameter is required');
      // Segments here are trains of any size, so their maximum has nothing to clamp.
      return {
        saved: size === undefined ? ' --clamp-mss-to-pmtu' : ` --set-mss ${size}`,
        list: () => (size === undefined ? ' TCPMSS clamp to PMTU' : ` TCPMSS set ${size}`),
        apply: () => 'continue',
      };
    },
  },
};

function untrack(packet: Packet): 'continue' {
  packet.isUntracked = true;
  return 'continue';
}

function connmark(options: readonly GivenOption[]): Pick<Extension, 'saved' | 'list' | 'apply'> {
  const isSave = find(options, 'save-mark') !== undefined;
  if (isSave || find(options, 'restore-mark') !== undefined) {
    const word = isSave ? 'save' : 'restore';
    const mask = (name: string): number => {
      const given = find(options, name) ?? find(options, 'mask');
      return given === undefined ? 0xffffffff : Number(given.value) >>> 0;
    };
    const nfmask = mask('nfmask');
    const ctmask = mask('ctmask');
    const listed =
      nfmask === ctmask
        ? nfmask === 0xffffffff
          ? ''
          : ` mask 0x${nfmask.toString(16)}`
        : ` nfmask 0x${nfmask.toString(16)} ctmask ~0x${ctmask.toString(16)}`;
    return {
      saved: ` --${word}-mark --nfmask 0x${nfmask.toString(16)} --ctmask 0x${ctmask.toString(16)}`,
      list: () => ` CONNMARK ${word}${listed}`,
      apply(packet) {
        const { flow } = packet;
        if (flow === undefined) return 'continue';
        if (isSave) flow.mark = ((flow.mark & ~ctmask) ^ (packet.mark & nfmask)) >>> 0;
        else packet.mark = ((packet.mark & ~nfmask) ^ (flow.mark & ctmask)) >>> 0;
        return 'continue';
      },
    };
  }
  const change = parseMarkChange(options, 'CONNMARK');
  const { value, mask } = change;
  return {
    saved: ` --set-xmark 0x${value.toString(16)}/0x${mask.toString(16)}`,
    list: () => ` CONNMARK ${describeMarkChange(change)}`,
    apply(packet) {
      if (packet.flow !== undefined) packet.flow.mark = ((packet.flow.mark & ~mask) ^ value) >>> 0;
      return 'continue';
    },
  };
}

function parseMarkChange(options: readonly GivenOption[], target: string): { value: number; mask: number } {
  const given = options.find((one) => one.name.endsWith('mark'));
  if (given === undefined) throw bad(`${target}: At least one operation is required`);
  const { value, mask } = parseMasked(given.value, target);
  switch (given.name) {
    case 'set-xmark':
      return { value, mask: mask >>> 0 };
    case 'set-mark':
      return { value, mask: (value | mask) >>> 0 };
    case 'and-mark':
      return { value: 0, mask: ~value >>> 0 };
    case 'or-mark':
      return { value, mask: value };
    default:
      return { value, mask: 0 };
  }
}

function describeMarkChange({ value, mask }: { readonly value: number; readonly mask: number }): string {
  if (value === 0) return `and 0x${(~mask >>> 0).toString(16)}`;
  if (value === mask) return `or 0x${value.toString(16)}`;
  if (mask === 0) return `xor 0x${value.toString(16)}`;
  return mask === 0xffffffff ? `set 0x${value.toString(16)}` : `xset ${formatMasked({ value, mask })}`;
}

function parseNatRange(text: string, protocol: number | undefined): NatRange {
  const [addresses = '', portText] = text.split(':');
  const [firstText = '', lastText] = addresses.split('-');
  let ports: NatRange['ports'];
  if (portText !== undefined) {
    if (protocol !== TCP && protocol !== UDP && protocol !== 132 && protocol !== ICMP)
      throw bad('Need TCP, UDP, SCTP or DCCP with port specification');
    ports = parsePorts(portText);
  }
  const address = (part: string): Ip => {
    const ip = parseIp(part);
    if (ip === undefined) throw bad(`Bad IP address "${part}"`);
    return ip;
  };
  if (addresses === '') return { first: 0, last: 0, ports, isRandom: false };
  const first = address(firstText);
  return { first, last: lastText === undefined ? first : address(lastText), ports, isRandom: false };
}

function parseToPorts(given: GivenOption | undefined, protocol: number | undefined): NatRange['ports'] {
  if (given === undefined) return undefined;
  if (protocol !== TCP && protocol !== UDP && protocol !== 132) throw bad('Need TCP, UDP, SCTP or DCCP with port specification');
  return parsePorts(given.value);
}

function parsePorts(text: string): { readonly first: number; readonly last: number } {
  const parts = /^(\d+)(?:-(\d+))?$/.exec(text);
  if (parts === null) throw bad(`Port \`${text}' not valid`);
  const first = Number(parts[1]);
  const last = Number(parts[2] ?? parts[1]);
  if (first < 1 || last > 65_535) throw bad(`Port \`${text}' not valid`);
  if (last < first) throw bad(`Port range \`${text}' funky`);
  return { first, last };
}

function formatPorts(ports: { readonly first: number; readonly last: number }): string {
  return ports.first === ports.last ? String(ports.first) : `${ports.first}-${ports.last}`;
}

function formatNatRange(range: NatRange): string {
  const addresses =
    range.first === 0 ? '' : range.first === range.last ? formatIp(range.first) : `${formatIp(range.first)}-${formatIp(range.last)}`;
  return range.ports === undefined ? addresses : `${addresses}:${formatPorts(range.ports)}`;
}

function natFlags(options: readonly GivenOption[]): { readonly saved: string; readonly listed: string; readonly isRandom: boolean } {
  const names = ['random', 'random-fully', 'persistent'].filter((name) => find(options, name) !== undefined);
  return {
    saved: names.map((name) => ` --${name}`).join(''),
    listed: names.map((name) => ` ${name}`).join(''),
    isRandom: names.includes('random') || names.includes('random-fully'),
  };
}

function parseLevel(text: string | undefined): number {
  if (text === undefined) return LOG_DEFAULT_LEVEL;
  if (/^[0-7]$/.test(text)) return Number(text);
  const level = LOG_LEVELS.findIndex((name) => name === text || name.startsWith(text));
  if (level < 0) throw bad(`log-level \`${text}' unknown`);
  return level;
}

/** The kernel's line for a logged packet (ipt_LOG). */
function describeForLog(packet: Packet, at: At): string {
  const mac = at.inLink !== undefined && packet.sourceMac !== undefined ? `${at.inLink.mac}:${packet.sourceMac}:08:00` : '';
  let line = `IN=${at.inLink?.name ?? ''} OUT=${at.outLink?.name ?? ''} `;
  if (packet.physicalIn !== undefined) line += `PHYSIN=${packet.physicalIn} `;
  if (packet.physicalOut !== undefined) line += `PHYSOUT=${packet.physicalOut} `;
  if (at.inLink !== undefined) line += `MAC=${mac} `;
  line += `SRC=${formatIp(packet.source)} DST=${formatIp(packet.destination)} LEN=${packet.sizeBytes} `;
  line += `TOS=0x${(packet.tos & 0x1e).toString(16).padStart(2, '0').toUpperCase()} PREC=0x${(packet.tos & 0xe0).toString(16).padStart(2, '0').toUpperCase()} `;
  line += `TTL=${packet.ttl} ID=0 ${packet.dontFragment ? 'DF ' : ''}`;
  switch (packet.protocol) {
    case TCP: {
      const names: readonly (readonly [string, number])[] = [
        ['URG', URG],
        ['ACK', ACK],
        ['PSH', PSH],
        ['RST', RST],
        ['SYN', SYN],
        ['FIN', FIN],
      ];
      const flags = names.map(([name, flag]) => (packet.flags & flag ? `${name} ` : '')).join('');
      return `${line}PROTO=TCP SPT=${packet.sourcePort} DPT=${packet.destinationPort} WINDOW=${Math.min(packet.window, 65_535)} RES=0x00 ${flags}URGP=0 `;
    }
    case UDP:
      return `${line}PROTO=UDP SPT=${packet.sourcePort} DPT=${packet.destinationPort} LEN=${packet.transportBytes} `;
    case ICMP:
      return `${line}PROTO=ICMP TYPE=${packet.icmpType} CODE=${packet.icmpCode} ID=${packet.sourcePort} SEQ=${packet.icmpSequence} `;
    default:
      return `${line}PROTO=${packet.protocol} `;
  }
}
