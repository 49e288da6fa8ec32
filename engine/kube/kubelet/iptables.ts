// The chains the kubelet keeps in the node's tables.

import { IptablesError, type TableName } from '../../net/net-stack.ts';
import type { Syscalls } from '../../kernel/process.ts';
import type { Klog } from './klog.ts';

/** Creates what is missing of the kubelet's chains and rules; called again every minute. */
export function ensureKubeletChains(sys: Syscalls, log: Klog): void {
  const { netfilter } = sys.net;
  const chain = (table: TableName, name: string): void => {
    if (!netfilter.hasChain(table, name)) netfilter.execute(table, ['-N', name]);
  };
  const rule = (table: TableName, where: string, args: readonly string[], how: '-A' | '-I'): void => {
    try {
      netfilter.execute(table, ['-C', where, ...args]);
    } catch (error) {
      if (!(error instanceof IptablesError)) throw error;
      netfilter.execute(table, [how, where, ...args]);
    }
  };
  try {
    chain('nat', 'KUBE-MARK-DROP');
    rule('nat', 'KUBE-MARK-DROP', ['-j', 'MARK', '--or-mark', '0x8000'], '-A');
    chain('filter', 'KUBE-FIREWALL');
    rule(
      'filter',
      'KUBE-FIREWALL',
      [
        '-m',
        'comment',
        '--comment',
        'kubernetes firewall for dropping marked packets',
        '-m',
        'mark',
        '--mark',
        '0x8000/0x8000',
        '-j',
        'DROP',
      ],
      '-A',
    );
    rule(
      'filter',
      'KUBE-FIREWALL',
      [
        '!',
        '-s',
        '127.0.0.0/8',
        '-d',
        '127.0.0.0/8',
        '-m',
        'comment',
        '--comment',
        'block incoming localnet connections',
        '-m',
        'conntrack',
        '!',
        '--ctstate',
        'RELATED,ESTABLISHED,DNAT',
        '-j',
        'DROP',
      ],
      '-A',
    );
    rule('filter', 'OUTPUT', ['-j', 'KUBE-FIREWALL'], '-I');
    rule('filter', 'INPUT', ['-j', 'KUBE-FIREWALL'], '-I');
    chain('nat', 'KUBE-MARK-MASQ');
    rule('nat', 'KUBE-MARK-MASQ', ['-j', 'MARK', '--or-mark', '0x4000'], '-A');
    chain('nat', 'KUBE-POSTROUTING');
    rule('nat', 'POSTROUTING', ['-m', 'comment', '--comment', 'kubernetes postrouting rules', '-j', 'KUBE-POSTROUTING'], '-I');
    rule('nat', 'KUBE-POSTROUTING', ['-m', 'mark', '!', '--mark', '0x4000/0x4000', '-j', 'RETURN'], '-A');
    rule('nat', 'KUBE-POSTROUTING', ['-j', 'MARK', '--xor-mark', '0x4000'], '-A');
    rule(
      'nat',
      'KUBE-POSTROUTING',
      ['-m', 'comment', '--comment', 'kubernetes service traffic requiring SNAT', '-j', 'MASQUERADE', '--random-fully'],
      '-A',
    );
    for (const table of ['mangle', 'nat', 'filter'] as const) chain(table, 'KUBE-KUBELET-CANARY');
  } catch (error) {
    if (!(error instanceof IptablesError)) throw error;
    log('E', 'kubelet_network_linux.go:90', `Failed to ensure that iptables chains exist: ${error.message}`);
  }
}
