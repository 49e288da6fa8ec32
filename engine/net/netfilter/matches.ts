// Models the match extensions of iptables(8) that rules of Docker, kube-proxy, Calico and everyday firewalls use.

import { formatIp, isLoopback, isMulticast, LIMITED_BROADCAST } from '../address.ts';
import { stateOf } from '../conntrack.ts';
import { FIN, ICMP, PSH, RST, SYN, ACK, TCP, UDP, URG, type Packet } from '../packet.ts';
import type { Stack } from '../stack.ts';
import {
  bad,
  find,
  formatMasked,
  parseMasked,
  parsePortRange,
  portName,
  quoted,
  savePortRange,
  type GivenOption,
  type OptionSpec,
  type PortRange,
} from './options.ts';
import type { At, Match } from './rule.ts';

export interface MatchExtension {
  readonly options: readonly OptionSpec[];
  /** Builds the match; `protocol` is the rule's. Throws IptablesError for what is missing or malformed. */
  create(options: readonly GivenOption[], protocol: number | undefined, stack: Stack): Omit<Match, 'name'>;
}

const not = (inverted: boolean): string => (inverted ? ' !' : '');

export const MATCHES: Readonly<Record<string, MatchExtension>> = {
  tcp: {
    options: [
      { name: 'source-port', aliases: ['sport'], canInvert: true },
      { name: 'destination-port', aliases: ['dport'], canInvert: true },
      { name: 'tcp-flags', canInvert: true },
      { name: 'syn', isFlag: true, canInvert: true },
    ],
    create(options) {
      const ports = portMatches(options);
      const flags = tcpFlags(options);
      return {
        saved:
          ports.saved + (flags === undefined ? '' : `${not(flags.inverted)} --tcp-flags ${flagNames(flags.mask)} ${flagNames(flags.set)}`),
        list: ({ numeric }) =>
          ` tcp${ports.list(numeric)}` +
          (flags === undefined
            ? ''
            : numeric
              ? ` flags:${flags.inverted ? '!' : ''}0x${hex2(flags.mask)}/0x${hex2(flags.set)}`
              : ` flags:${flags.inverted ? '!' : ''}${flagNames(flags.mask)}/${flagNames(flags.set)}`),
        matches: (packet) =>
          packet.protocol === TCP &&
          ports.matches(packet) &&
          (flags === undefined || ((packet.flags & flags.mask) === flags.set) !== flags.inverted),
      };
    },
  },
  udp: {
    options: [
      { name: 'source-port', aliases: ['sport'], canInvert: true },
      { name: 'destination-port', aliases: ['dport'], canInvert: true },
    ],
    create(options) {
      const ports = portMatches(options);
      return {
        saved: ports.saved,
        list: ({ numeric }) => ` udp${ports.list(numeric)}`,
        matches: (packet) => packet.protocol === UDP && ports.matches(packet),
      };
    },
  },
  icmp: {
    options: [{ name: 'icmp-type', canInvert: true }],
    create(options) {
      const given = find(options, 'icmp-type');
      if (given === undefined) return { saved: '', list: () => '', matches: (packet) => packet.protocol === ICMP };
      const type = parseIcmpType(given.value);
      const code = type.code === undefined ? '' : `/${type.code}`;
      return {
        saved: `${not(given.inverted)} --icmp-type ${type.type === 255 ? 'any' : `${type.type}${code}`}`,
        list: ({ numeric }) => {
          const name = ICMP_TYPES.find((one) => one.type === type.type && one.code === type.code)?.name;
          if (!numeric && name !== undefined) return ` icmp ${given.inverted ? '!' : ''}${name}`;
          return ` icmp${given.inverted ? ' !' : ''}type ${type.type}${type.code === undefined ? '' : ` code ${type.code}`}`;
        },
        matches: (packet) =>
          packet.protocol === ICMP &&
          (type.type === 255 || (packet.icmpType === type.type && (type.code === undefined || packet.icmpCode === type.code))) !==
            given.inverted,
      };
    },
  },
  multiport: {
    options: [
      { name: 'source-ports', aliases: ['sports'], canInvert: true },
      { name: 'destination-ports', aliases: ['dports'], canInvert: true },
      { name: 'ports', canInvert: true },
    ],
    create(options, protocol) {
      if (protocol !== TCP && protocol !== UDP && protocol !== 132) throw bad('multiport only works with TCP, UDP, UDPLITE, SCTP and DCCP');
      const given = options[0];
      if (given === undefined) throw bad('multiport expection an option');
      const ranges = given.value.split(',').map(parsePortRange);
      if (ranges.length > 15) throw bad('too many ports specified');
      const short = given.name === 'source-ports' ? 'sports' : given.name === 'destination-ports' ? 'dports' : 'ports';
      const has = (port: number): boolean => ranges.some((range) => port >= range.first && port <= range.last);
      return {
        saved: `${not(given.inverted)} --${short} ${ranges.map(savePortRange).join(',')}`,
        list: ({ numeric }) =>
          ` multiport ${short} ${given.inverted ? ' !' : ''}${ranges
            .map((range) => (range.first === range.last ? portName(range.first, numeric) : savePortRange(range)))
            .join(',')}`,
        matches: (packet) =>
          ((short !== 'dports' && has(packet.sourcePort)) || (short !== 'sports' && has(packet.destinationPort))) !== given.inverted,
      };
    },
  },
  state: {
    options: [{ name: 'state', canInvert: true }],
    create: (options) => conntrackState(options, 'state'),
  },
  conntrack: {
    options: [{ name: 'ctstate', canInvert: true }],
    create: (options) => conntrackState(options, 'ctstate'),
  },
  mark: {
    options: [{ name: 'mark', canInvert: true }],
    create(options) {
      const given = find(options, 'mark');
      if (given === undefined) throw bad('mark: option "--mark" must be specified');
      const wanted = parseMasked(given.value, 'mark');
      return {
        saved: `${not(given.inverted)} --mark ${formatMasked(wanted)}`,
        list: () => ` mark match${given.inverted ? ' !' : ''} ${formatMasked(wanted)}`,
        matches: (packet) => ((packet.mark & wanted.mask) >>> 0 === wanted.value) !== given.inverted,
      };
    },
  },
  connmark: {
    options: [{ name: 'mark', canInvert: true }],
    create(options) {
      const given = find(options, 'mark');
      if (given === undefined) throw bad('connmark: option "--mark" must be specified');
      const wanted = parseMasked(given.value, 'connmark');
      return {
        saved: `${not(given.inverted)} --mark ${formatMasked(wanted)}`,
        list: () => ` connmark match${given.inverted ? ' !' : ''} ${formatMasked(wanted)}`,
        matches: (packet) => (((packet.flow?.mark ?? 0) & wanted.mask) >>> 0 === wanted.value) !== given.inverted,
      };
    },
  },
  comment: {
    options: [{ name: 'comment' }],
    create(options) {
      const given = find(options, 'comment');
      if (given === undefined) throw bad('comment: option "--comment" must be specified');
      if (given.value.length > 255) throw bad('COMMENT must be shorter than 256 characters');
      return { saved: ` --comment${quoted(given.value)}`, list: () => ` /* ${given.value} */`, matches: () => true };
    },
  },
  statistic: {
    options: [{ name: 'mode' }, { name: 'probability', canInvert: true }, { name: 'every', canInvert: true }, { name: 'packet' }],
    create: (options, _protocol, stack) => statistic(options, stack),
  },
  addrtype: {
    options: [
      { name: 'src-type', canInvert: true },
      { name: 'dst-type', canInvert: true },
      { name: 'limit-iface-in', isFlag: true },
      { name: 'limit-iface-out', isFlag: true },
    ],
    create: (options) => addressType(options),
  },
  set: {
    options: [{ name: 'match-set', canInvert: true }],
    create(options, _protocol, stack) {
      const given = find(options, 'match-set');
      if (given === undefined) throw bad("You must specify `--match-set' with proper arguments");
      const [name = '', flags = ''] = given.value.split(' ');
      const directions = flags.split(',');
      if (flags === '' || directions.some((one) => one !== 'src' && one !== 'dst')) throw bad('Invalid --match-set flags');
      const set = stack.netfilter.sets.get(name);
      if (set === undefined) throw bad(`Set ${name} doesn't exist.\n`);
      return {
        saved: `${not(given.inverted)} --match-set ${name} ${flags}`,
        list: () => `${given.inverted ? ' !' : ''} match-set ${name} ${flags}`,
        matches: (packet, at) =>
          (at.stack.netfilter.sets.get(name)?.has(packet, directions as ('src' | 'dst')[]) ?? false) !== given.inverted,
      };
    },
  },
  limit: {
    options: [{ name: 'limit' }, { name: 'limit-burst' }],
    create: (options, _protocol, stack) => limit(options, stack),
  },
  mac: {
    options: [{ name: 'mac-source', canInvert: true }],
    create(options) {
      const given = find(options, 'mac-source');
      if (given === undefined || !/^([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}$/.test(given.value)) throw bad('Bad mac address');
      const mac = given.value.toLowerCase();
      return {
        saved: `${not(given.inverted)} --mac-source ${mac.toUpperCase()}`,
        list: () => ` MAC${given.inverted ? ' !' : ''} ${mac.toUpperCase()}`,
        matches: (packet) => (packet.sourceMac === mac) !== given.inverted,
      };
    },
  },
  physdev: {
    options: [
      { name: 'physdev-in', canInvert: true },
      { name: 'physdev-out', canInvert: true },
      { name: 'physdev-is-in', isFlag: true, canInvert: true },
      { name: 'physdev-is-out', isFlag: true, canInvert: true },
      { name: 'physdev-is-bridged', isFlag: true, canInvert: true },
    ],
    create(options) {
      if (options.length === 0) throw bad('PHYSDEV: no physdev option specified');
      const parts = options.map((one) => `${not(one.inverted)} --${one.name}${one.value === '' ? '' : ` ${one.value}`}`).join('');
      return {
        saved: parts,
        list: () => ` PHYSDEV match${parts}`,
        matches: (packet) =>
          options.every((one) => {
            switch (one.name) {
              case 'physdev-in':
                return named(packet.physicalIn, one.value) !== one.inverted;
              case 'physdev-out':
                return named(packet.physicalOut, one.value) !== one.inverted;
              case 'physdev-is-in':
                return (packet.physicalIn !== undefined) !== one.inverted;
              case 'physdev-is-out':
                return (packet.physicalOut !== undefined) !== one.inverted;
              default:
                return (packet.physicalIn !== undefined && packet.physicalOut !== undefined) !== one.inverted;
            }
          }),
      };
    },
  },
  owner: {
    options: [{ name: 'uid-owner', canInvert: true }],
    create(options) {
      const given = find(options, 'uid-owner');
      if (given === undefined) throw bad('owner: At least one of --uid-owner, --gid-owner or --socket-exists is required');
      const uid = given.value === 'root' ? 0 : Number(given.value);
      if (!Number.isInteger(uid)) throw bad(`owner: Bad value for "--uid-owner" option: "${given.value}"`);
      return {
        saved: `${not(given.inverted)} --uid-owner ${uid}`,
        list: ({ numeric }) => `${given.inverted ? ' !' : ''} owner UID match ${!numeric && uid === 0 ? 'root' : uid}`,
        matches: (packet) => packet.owner !== undefined && (packet.owner === uid) !== given.inverted,
      };
    },
  },
  recent: {
    options: [
      { name: 'set', isFlag: true, canInvert: true },
      { name: 'rcheck', isFlag: true, canInvert: true },
      { name: 'update', isFlag: true, canInvert: true },
      { name: 'remove', isFlag: true, canInvert: true },
      { name: 'seconds' },
      { name: 'hitcount' },
      { name: 'name' },
      { name: 'rsource', isFlag: true },
      { name: 'rdest', isFlag: true },
    ],
    create: (options, _protocol, stack) => recent(options, stack),
  },
  rpfilter: {
    options: [
      { name: 'loose', isFlag: true },
      { name: 'validmark', isFlag: true },
      { name: 'accept-local', isFlag: true },
      { name: 'invert', isFlag: true },
    ],
    create(options) {
      const isInverted = find(options, 'invert') !== undefined;
      const isLoose = find(options, 'loose') !== undefined;
      const order = ['loose', 'validmark', 'accept-local', 'invert'].filter((name) => find(options, name) !== undefined);
      const text = order.map((name) => ` --${name}`).join('');
      return {
        saved: text,
        list: () => ` rpfilter${order.map((name) => ` ${name}`).join('')}`,
        matches: (packet, at) => {
          const back = at.stack.routeTable.lookup(packet.source);
          const isLocal = at.stack.localAddress(packet.source) !== undefined;
          const isGood = at.inLink === at.stack.loopback || (!isLocal && back?.link !== undefined && (isLoose || back.link === at.inLink));
          return isGood !== isInverted;
        },
      };
    },
  },
};

interface PortMatch {
  readonly saved: string;
  list(numeric: boolean): string;
  matches(packet: Packet): boolean;
}

function portMatches(options: readonly GivenOption[]): PortMatch {
  const side = (name: string): { range: PortRange; inverted: boolean } | undefined => {
    const given = find(options, name);
    return given === undefined ? undefined : { range: parsePortRange(given.value), inverted: given.inverted };
  };
  const source = side('source-port');
  const destination = side('destination-port');
  const show = (letter: string, one: typeof source, numeric: boolean): string => {
    if (one === undefined) return '';
    const { first, last } = one.range;
    const mark = one.inverted ? '!' : '';
    return first === last
      ? ` ${letter}pt:${mark}${portName(first, numeric)}`
      : ` ${letter}pts:${mark}${portName(first, numeric)}:${portName(last, numeric)}`;
  };
  const is = (one: typeof source, port: number): boolean =>
    one === undefined || (port >= one.range.first && port <= one.range.last) !== one.inverted;
  return {
    saved:
      (source === undefined ? '' : `${not(source.inverted)} --sport ${savePortRange(source.range)}`) +
      (destination === undefined ? '' : `${not(destination.inverted)} --dport ${savePortRange(destination.range)}`),
    list: (numeric) => show('s', source, numeric) + show('d', destination, numeric),
    matches: (packet) => is(destination, packet.destinationPort) && is(source, packet.sourcePort),
  };
}

const FLAGS: readonly (readonly [string, number])[] = [
  ['FIN', FIN],
  ['SYN', SYN],
  ['RST', RST],
  ['PSH', PSH],
  ['ACK', ACK],
  ['URG', URG],
];

function tcpFlags(options: readonly GivenOption[]): { mask: number; set: number; inverted: boolean } | undefined {
  const syn = find(options, 'syn');
  if (syn !== undefined) return { mask: FIN | SYN | RST | ACK, set: SYN, inverted: syn.inverted };
  const given = find(options, 'tcp-flags');
  if (given === undefined) return undefined;
  const [mask = '', set] = given.value.split(' ');
  if (set === undefined) throw bad('--tcp-flags requires two args.');
  return { mask: parseFlags(mask), set: parseFlags(set), inverted: given.inverted };
}

function parseFlags(text: string): number {
  if (text === 'ALL') return FIN | SYN | RST | PSH | ACK | URG;
  if (text === 'NONE') return 0;
  let flags = 0;
  for (const name of text.split(',')) {
    const flag = FLAGS.find(([known]) => known === name.toUpperCase());
    if (flag === undefined) throw bad(`Unknown TCP flag \`${name}'`);
    flags |= flag[1];
  }
  return flags;
}

function flagNames(flags: number): string {
  if (flags === 0) return 'NONE';
  return FLAGS.filter(([, flag]) => flags & flag)
    .map(([name]) => name)
    .join(',');
}

function hex2(value: number): string {
  return value.toString(16).toUpperCase().padStart(2, '0');
}

const ICMP_TYPES: readonly { readonly name: string; readonly type: number; readonly code: number | undefined }[] = [
  { name: 'any', type: 255, code: undefined },
  { name: 'echo-reply', type: 0, code: undefined },
  { name: 'pong', type: 0, code: undefined },
  { name: 'destination-unreachable', type: 3, code: undefined },
  { name: 'network-unreachable', type: 3, code: 0 },
  { name: 'host-unreachable', type: 3, code: 1 },
  { name: 'protocol-unreachable', type: 3, code: 2 },
  { name: 'port-unreachable', type: 3, code: 3 },
  { name: 'fragmentation-needed', type: 3, code: 4 },
  { name: 'source-quench', type: 4, code: undefined },
  { name: 'redirect', type: 5, code: undefined },
  { name: 'echo-request', type: 8, code: undefined },
  { name: 'ping', type: 8, code: undefined },
  { name: 'time-exceeded', type: 11, code: undefined },
  { name: 'ttl-exceeded', type: 11, code: undefined },
  { name: 'parameter-problem', type: 12, code: undefined },
];

function parseIcmpType(text: string): { type: number; code: number | undefined } {
  const named = ICMP_TYPES.find((one) => one.name === text);
  if (named !== undefined) return named;
  const parts = /^(\d+)(?:\/(\d+))?$/.exec(text);
  if (parts === null || Number(parts[1]) > 255) throw bad(`Invalid ICMP type \`${text}'`);
  return { type: Number(parts[1]), code: parts[2] === undefined ? undefined : Number(parts[2]) };
}

const STATES = ['INVALID', 'NEW', 'RELATED', 'ESTABLISHED', 'UNTRACKED', 'SNAT', 'DNAT'];

function conntrackState(options: readonly GivenOption[], option: 'state' | 'ctstate'): Omit<Match, 'name'> {
  const given = find(options, option);
  if (given === undefined) throw bad(option === 'state' ? 'You must specify "--state"' : 'conntrack: At least one option is required');
  const wanted = new Set<string>();
  for (const name of given.value.split(',')) {
    const state = name.toUpperCase();
    if (!STATES.includes(state) || (option === 'state' && (state === 'SNAT' || state === 'DNAT'))) {
      throw bad(option === 'state' ? `Bad state "${name}"` : `Bad ctstate "${name}"`);
    }
    wanted.add(state);
  }
  const text = STATES.filter((state) => wanted.has(state)).join(',');
  const wantsDestinationMapped = wanted.has('DNAT');
  const wantsSourceMapped = wanted.has('SNAT');
  return {
    saved: `${not(given.inverted)} --${option} ${text}`,
    list: () => `${given.inverted ? ' !' : ''} ${option} ${text}`,
    matches: (packet) =>
      (wanted.has(stateOf(packet)) ||
        (wantsDestinationMapped && packet.flow?.isDestinationMapped === true) ||
        (wantsSourceMapped && packet.flow?.isSourceMapped === true)) !== given.inverted,
  };
}

function statistic(options: readonly GivenOption[], stack: Stack): Omit<Match, 'name'> {
  const mode = find(options, 'mode')?.value;
  if (mode === 'random') {
    const given = find(options, 'probability');
    if (given === undefined) throw bad('statistic match: --probability must be specified when using random mode');
    const probability = Number(given.value);
    if (!(probability >= 0 && probability <= 1)) throw bad('statistic: Bad value for "--probability" option: "' + given.value + '"');
    // The kernel keeps 31 bits of it, which is what comes back.
    const kept = Math.round(probability * 0x80000000) / 0x80000000;
    const text = `${not(given.inverted)} --probability ${kept.toFixed(11)}`;
    return {
      saved: ` --mode random${text}`,
      list: () => ` statistic mode random${given.inverted ? ' !' : ''} probability ${kept.toFixed(11)}`,
      matches: () => stack.rng.float() < kept !== given.inverted,
    };
  }
  if (mode === 'nth') {
    const given = find(options, 'every');
    if (given === undefined) throw bad('statistic match: --every must be specified when using nth mode');
    const every = Number(given.value);
    const start = Number(find(options, 'packet')?.value ?? 0);
    if (!Number.isInteger(every) || every < 1) throw bad(`statistic: Bad value for "--every" option: "${given.value}"`);
    if (start >= every) throw bad('the --packet p must be 0 <= p <= n-1');
    let count = every - start - 1;
    return {
      saved: ` --mode nth${not(given.inverted)} --every ${every} --packet ${start}`,
      list: () => ` statistic mode nth${given.inverted ? ' !' : ''} every ${every}${start > 0 ? ` packet ${start}` : ''}`,
      matches: () => {
        count = (count + 1) % every;
        return (count === 0) !== given.inverted;
      },
    };
  }
  throw bad(mode === undefined ? 'statistic match: You must specify "--mode"' : `Bad mode "${mode}"`);
}

const ADDRESS_TYPES = [
  'UNSPEC',
  'UNICAST',
  'LOCAL',
  'BROADCAST',
  'ANYCAST',
  'MULTICAST',
  'BLACKHOLE',
  'UNREACHABLE',
  'PROHIBIT',
  'THROW',
  'NAT',
  'XRESOLVE',
];

function addressType(options: readonly GivenOption[]): Omit<Match, 'name'> {
  const side = (name: string): { types: readonly string[]; inverted: boolean } | undefined => {
    const given = find(options, name);
    if (given === undefined) return undefined;
    const types = given.value.split(',').map((one) => one.toUpperCase());
    const wrong = types.find((one) => !ADDRESS_TYPES.includes(one));
    if (wrong !== undefined) throw bad(`addrtype: bad type \`${given.value}'`);
    return { types, inverted: given.inverted };
  };
  const source = side('src-type');
  const destination = side('dst-type');
  if (source === undefined && destination === undefined) throw bad('addrtype: you must specify --src-type or --dst-type');
  const limitIn = find(options, 'limit-iface-in') !== undefined;
  const limitOut = find(options, 'limit-iface-out') !== undefined;
  const is = (one: typeof source, address: number, at: At): boolean =>
    one === undefined || one.types.includes(typeOf(address, at, limitIn)) !== one.inverted;
  const parts = (dashes: string): string =>
    (source === undefined ? '' : `${not(source.inverted)} ${dashes}src-type ${source.types.join(',')}`) +
    (destination === undefined ? '' : `${not(destination.inverted)} ${dashes}dst-type ${destination.types.join(',')}`) +
    (limitIn ? ` ${dashes}limit-${dashes === '' ? 'in' : 'iface-in'}` : '') +
    (limitOut ? ` ${dashes}limit-${dashes === '' ? 'out' : 'iface-out'}` : '');
  return {
    saved: parts('--'),
    list: () => ` ADDRTYPE match${parts('')}`,
    matches: (packet, at) => is(source, packet.source, at) && is(destination, packet.destination, at),
  };
}

function typeOf(address: number, at: At, limitIn: boolean): string {
  const { stack } = at;
  if (address === LIMITED_BROADCAST) return 'BROADCAST';
  if (isMulticast(address)) return 'MULTICAST';
  if (stack.localAddress(address) !== undefined || isLoopback(address)) {
    if (!limitIn || at.inLink === undefined) return 'LOCAL';
    const name = at.inLink.name;
    return stack.addresses().some((one) => one.link === name && one.address === formatIp(address)) ? 'LOCAL' : 'UNICAST';
  }
  if (stack.allLinks().some((link) => stack.isBroadcastOf(link, address))) return 'BROADCAST';
  const route = stack.routeTable.lookup(address);
  if (route?.route.type === 'blackhole') return 'BLACKHOLE';
  if (route?.route.type === 'unreachable') return 'UNREACHABLE';
  return 'UNICAST';
}

const LIMIT_UNITS: readonly (readonly [string, number])[] = [
  ['sec', 1_000],
  ['min', 60_000],
  ['hour', 3_600_000],
  ['day', 86_400_000],
];

function limit(options: readonly GivenOption[], stack: Stack): Omit<Match, 'name'> {
  const rate = find(options, 'limit')?.value ?? '3/hour';
  const parts = /^(\d+)(?:\/(s|sec|second|m|min|minute|h|hour|d|day))?$/.exec(rate);
  if (parts === null || Number(parts[1]) === 0) throw bad(`bad rate "${rate}"`);
  const unit = LIMIT_UNITS.find(([name]) => name.startsWith((parts[2] ?? 's')[0]!))!;
  const burst = Number(find(options, 'limit-burst')?.value ?? 5);
  if (!Number.isInteger(burst) || burst < 1 || burst > 10_000) throw bad(`limit: Bad value for "--limit-burst" option: "${burst}"`);
  const costMs = unit[1] / Number(parts[1]);
  let credit = burst * costMs;
  let lastMs = stack.clock.now();
  const text = `${parts[1]}/${unit[0]}`;
  return {
    saved: ` --limit ${text}${burst === 5 ? '' : ` --limit-burst ${burst}`}`,
    list: () => ` limit: avg ${text} burst ${burst}`,
    matches: () => {
      const now = stack.clock.now();
      credit = Math.min(burst * costMs, credit + now - lastMs);
      lastMs = now;
      if (credit < costMs) return false;
      credit -= costMs;
      return true;
    },
  };
}

function recent(options: readonly GivenOption[], stack: Stack): Omit<Match, 'name'> {
  const command = ['set', 'rcheck', 'update', 'remove'].map((name) => find(options, name)).find((one) => one !== undefined);
  if (command === undefined) throw bad("recent: you must specify one of `--set' `--rcheck' `--update' or `--remove'");
  const name = find(options, 'name')?.value ?? 'DEFAULT';
  const seconds = find(options, 'seconds')?.value;
  const hits = find(options, 'hitcount')?.value;
  const isDestination = find(options, 'rdest') !== undefined;
  const seen = stack.netfilter.recentList(name);
  const side = isDestination ? 'rdest' : 'rsource';
  const common = (dashes: string): string =>
    (seconds === undefined ? '' : ` ${dashes}seconds${dashes === '' ? ':' : ''} ${seconds}`) +
    (hits === undefined ? '' : ` ${dashes === '' ? 'hit_count:' : '--hitcount'} ${hits}`);
  return {
    saved: `${not(command.inverted)} --${command.name}${common('--')} --name ${name} --mask 255.255.255.255 --${side}`,
    list: () =>
      ` recent: ${command.inverted ? '!' : ''}${command.name === 'rcheck' ? 'CHECK' : command.name.toUpperCase()}${common('')} name: ${name} side: ${isDestination ? 'dest' : 'source'} mask: 255.255.255.255`,
    matches: (packet) => {
      const address = isDestination ? packet.destination : packet.source;
      const now = stack.clock.now();
      const stamps = seen.get(address);
      if (command.name === 'set') {
        seen.set(address, [...(stamps ?? []).slice(-19), now]);
        return !command.inverted;
      }
      if (stamps === undefined) return command.inverted;
      if (command.name === 'remove') {
        seen.delete(address);
        return !command.inverted;
      }
      const fresh = seconds === undefined ? stamps : stamps.filter((stamp) => now - stamp <= Number(seconds) * 1000);
      const isHit = fresh.length >= Number(hits ?? 1);
      if (isHit && command.name === 'update') seen.set(address, [...stamps.slice(-19), now]);
      return isHit !== command.inverted;
    },
  };
}

function named(name: string | undefined, pattern: string): boolean {
  if (name === undefined) return false;
  return pattern.endsWith('+') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
