// Models the chains felix v3.17 keeps for workloads, as text for iptables-restore.
// Not modelled: network policies, host endpoints and ip sets (the pool is written out instead).

import { sha224 } from '@noble/hashes/sha2.js';
import { toBase64, utf8 } from '../../sim/bytes.ts';
import type { WorkloadEndpoint } from './endpoints.ts';

const ACCEPT = '0x10000/0x10000';

/** Felix marks every rule with a hash of it and of those before it, to know its own. */
function chain(name: string, rules: readonly string[]): readonly string[] {
  let previous = name;
  return rules.map((rule) => {
    previous = toBase64(sha224(utf8(`${previous}-A ${name} ${rule}`)))
      .replaceAll('+', '-')
      .replaceAll('/', '_')
      .slice(0, 16);
    return `-A ${name} -m comment --comment "cali:${previous}" ${rule}`;
  });
}

const note = (text: string): string => `-m comment --comment ${JSON.stringify(text)}`;

export function felixRules(
  endpoints: readonly WorkloadEndpoint[],
  options: { readonly poolCidr: string; readonly staleChains: readonly string[] },
): string {
  const namespaces = [...new Set(endpoints.map((endpoint) => endpoint.namespace))].sort();
  const profile = (namespace: string): string => `cali-pri-kns.${namespace}`.slice(0, 28);
  const filter: Record<string, readonly string[]> = {
    'cali-INPUT': [
      `-p ipencap ${note('Allow IPIP packets from Calico hosts')} -m addrtype --dst-type LOCAL -j ACCEPT`,
      '-i cali+ -g cali-wl-to-host',
      `-m mark --mark ${ACCEPT} -j ACCEPT`,
    ],
    'cali-wl-to-host': ['-j cali-from-wl-dispatch', `${note('Configured DefaultEndpointToHostAction')} -j ACCEPT`],
    'cali-FORWARD': [
      '-j MARK --set-xmark 0x0/0xe0000',
      '-i cali+ -j cali-from-wl-dispatch',
      '-o cali+ -j cali-to-wl-dispatch',
      '-j cali-cidr-block',
    ],
    'cali-cidr-block': [],
    'cali-OUTPUT': [`-m mark --mark ${ACCEPT} -j ACCEPT`, '-o cali+ -j RETURN'],
    'cali-from-wl-dispatch': [
      ...endpoints.map(({ interface: name }) => `-i ${name} -g cali-fw-${name.slice(4)}`),
      `${note('Unknown interface')} -j DROP`,
    ],
    'cali-to-wl-dispatch': [
      ...endpoints.map(({ interface: name }) => `-o ${name} -g cali-tw-${name.slice(4)}`),
      `${note('Unknown interface')} -j DROP`,
    ],
  };
  for (const namespace of namespaces)
    filter[profile(namespace)] = [
      `${note(`Profile kns.${namespace} ingress`)} -j MARK --set-xmark ${ACCEPT}`,
      `-m mark --mark ${ACCEPT} -j RETURN`,
    ];
  for (const { interface: name, namespace } of endpoints) {
    const common = [
      '-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
      '-m conntrack --ctstate INVALID -j DROP',
      '-j MARK --set-xmark 0x0/0x10000',
    ];
    const end = [
      `-j ${profile(namespace)}`,
      `${note('Return if profile accepted')} -m mark --mark ${ACCEPT} -j RETURN`,
      `${note('Drop if no profiles matched')} -j DROP`,
    ];
    filter[`cali-tw-${name.slice(4)}`] = [...common, ...end];
    filter[`cali-fw-${name.slice(4)}`] = [
      ...common,
      `-p ipencap ${note('Drop IPinIP encapped packets originating in pods')} -j DROP`,
      ...end,
    ];
  }
  const pool = options.poolCidr;
  const nat: Record<string, readonly string[]> = {
    'cali-PREROUTING': ['-j cali-fip-dnat'],
    'cali-OUTPUT': ['-j cali-fip-dnat'],
    'cali-POSTROUTING': [
      '-j cali-fip-snat',
      '-j cali-nat-outgoing',
      '-o tunl0 -m addrtype ! --src-type LOCAL --limit-iface-out -m addrtype --src-type LOCAL -j MASQUERADE',
    ],
    'cali-fip-dnat': [],
    'cali-fip-snat': [],
    'cali-nat-outgoing': [`-s ${pool} ! -d ${pool} -j MASQUERADE`],
  };
  const table = (name: string, chains: Record<string, readonly string[]>, stale: readonly string[]): string[] => [
    `*${name}`,
    ...[...Object.keys(chains), ...stale].map((each) => `:${each} - [0:0]`),
    ...Object.entries(chains).flatMap(([each, rules]) => chain(each, rules)),
    ...stale.map((each) => `-X ${each}`),
    'COMMIT',
  ];
  const stale = options.staleChains.filter((name) => /^cali-(tw|fw|pri)-/.test(name) && filter[name] === undefined);
  return [...table('filter', filter, stale), ...table('nat', nat, []), ''].join('\n');
}

/** Jumps felix inserts at the top of the kernel's chains, and the one it appends to FORWARD. */
export const FELIX_JUMPS: readonly {
  readonly table: 'filter' | 'nat';
  readonly from: string;
  readonly position: 'first' | 'last';
  readonly args: readonly string[];
}[] = [
  insert('filter', 'INPUT'),
  insert('filter', 'FORWARD'),
  {
    table: 'filter',
    from: 'FORWARD',
    position: 'last',
    args: [
      '-m',
      'comment',
      '--comment',
      'cali:S93hcgKJrXEqnTfs',
      '-m',
      'comment',
      '--comment',
      'Policy explicitly accepted packet.',
      '-m',
      'mark',
      '--mark',
      ACCEPT,
      '-j',
      'ACCEPT',
    ],
  },
  insert('filter', 'OUTPUT'),
  insert('nat', 'PREROUTING'),
  insert('nat', 'OUTPUT'),
  insert('nat', 'POSTROUTING'),
];

function insert(table: 'filter' | 'nat', from: string): (typeof FELIX_JUMPS)[number] {
  const hashes: Readonly<Record<string, string>> = {
    'filter INPUT': 'Cz_u1IQiXIMmKD4c',
    'filter FORWARD': 'wUHhoiAYhphO9Mso',
    'filter OUTPUT': 'tVnHkvAo15HuiPy0',
    'nat PREROUTING': '6gwbT8clXdHdC1b1',
    'nat OUTPUT': 'tVnHkvAo15HuiPy0',
    'nat POSTROUTING': 'O3lYWMrLQYEMJtB5',
  };
  return {
    table,
    from,
    position: 'first',
    args: ['-m', 'comment', '--comment', `cali:${hashes[`${table} ${from}`]!}`, '-j', `cali-${from}`],
  };
}
