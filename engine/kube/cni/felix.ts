// Models felix: keeps routes and chains of this host's workloads as they should be, and comes back to them regularly.

import type { Process } from '../../kernel/process.ts';
import { IptablesError, type NetStack, type TableName } from '../../net/net-stack.ts';
import { listEndpoints, type WorkloadEndpoint } from './endpoints.ts';
import { FELIX_JUMPS, felixRules } from './felix-rules.ts';

/** RouteRefreshInterval and IptablesRefreshInterval of felix. */
const REFRESH_MS = 90_000;

export interface FelixOptions {
  readonly process: Process;
  readonly poolCidr: string;
  readonly tunnelAddress: string;
  readonly mtu: number;
  readonly signal: AbortSignal;
  log(severity: 'INFO' | 'WARNING' | 'ERROR', text: string): void;
}

export class Felix {
  readonly #options: FelixOptions;
  #written = '';
  #isDirty = true;
  #isWorking = false;
  isReady = false;

  constructor(options: FelixOptions) {
    this.#options = options;
  }

  /** Until the signal aborts. */
  async run(): Promise<void> {
    const { process, signal, log } = this.#options;
    const { sys } = process;
    // Once, at the start: who turns forwarding off later has to live with it.
    sys.kernel.sysctl.set('net.ipv4.ip_forward', '1');
    sys.kernel.modules.load('ipip');
    setUpTunnel(sys.net, this.#options.tunnelAddress, this.#options.mtu);
    if (!process.resumed) log('INFO', 'int_dataplane.go 1036: Completed first update to dataplane.');
    const listening = sys.net.onChange(() => {
      this.#isDirty = true;
      this.#reconcile();
    });
    try {
      this.#reconcile();
      this.isReady = true;
      for (;;) {
        await sys.clock.sleep(REFRESH_MS, signal);
        this.#written = '';
        setUpTunnel(sys.net, this.#options.tunnelAddress, this.#options.mtu);
        this.#isDirty = true;
        this.#reconcile();
      }
    } finally {
      listening.dispose();
    }
  }

  #reconcile(): void {
    // Our own writes are changes, too; they need no further round.
    if (this.#isWorking || !this.#isDirty) return;
    this.#isWorking = true;
    try {
      this.#isDirty = false;
      const { net } = this.#options.process.sys;
      const present = new Set(net.links().map((link) => link.name));
      const endpoints = listEndpoints(this.#options.process.sys);
      ensureRoutes(
        net,
        endpoints.filter((endpoint) => present.has(endpoint.interface)),
      );
      this.#writeRules(net, endpoints);
    } finally {
      this.#isWorking = false;
      this.#isDirty = false;
    }
  }

  #writeRules(net: NetStack, endpoints: readonly WorkloadEndpoint[]): void {
    const staleChains = chainsOf(net, 'filter');
    const text = felixRules(endpoints, { poolCidr: this.#options.poolCidr, staleChains });
    if (text === this.#written) return;
    try {
      net.netfilter.restore(text, { noFlush: true });
      for (const { table, from, position, args } of FELIX_JUMPS) {
        if (!hasRule(net, table, from, args)) net.netfilter.execute(table, [position === 'first' ? '-I' : '-A', from, ...args]);
      }
      // With the stale chains gone the same state comes out as a shorter text.
      this.#written = felixRules(endpoints, { poolCidr: this.#options.poolCidr, staleChains: chainsOf(net, 'filter') });
    } catch (error) {
      if (!(error instanceof IptablesError)) throw error;
      this.#options.log('ERROR', `table.go 1277: Failed to program iptables, loading diags before panic. error=${error.message}`);
    }
  }
}

function ensureRoutes(net: NetStack, endpoints: readonly WorkloadEndpoint[]): void {
  const routes = net.routes();
  for (const { address, interface: device } of endpoints) {
    const isThere = routes.some((route) => route.destination === `${address}/32` && route.device === device);
    if (isThere || net.links().find((link) => link.name === device)?.isUp !== true) continue;
    net.addRoute({ destination: `${address}/32`, type: 'unicast', device, protocol: 'boot', scope: 'link' }, { replace: true });
  }
}

export function setUpTunnel(net: NetStack, address: string, mtu: number): void {
  if (!net.links().some((link) => link.name === 'tunl0')) {
    net.addLink({ name: 'tunl0', kind: 'ipip', mtu, tunnel: { local: undefined, remote: undefined } });
  }
  const link = net.links().find((candidate) => candidate.name === 'tunl0');
  if (link?.isUp !== true || link.mtu !== mtu) net.setLink('tunl0', { isUp: true, mtu });
  const present = net.addresses().filter((view) => view.link === 'tunl0');
  for (const view of present) if (view.address !== address) net.deleteAddress('tunl0', `${view.address}/${view.prefixLength}`);
  if (!present.some((view) => view.address === address)) net.addAddress('tunl0', `${address}/32`, { scope: 'global' });
}

function chainsOf(net: NetStack, table: TableName): readonly string[] {
  return net.netfilter
    .save(table)
    .split('\n')
    .filter((line) => line.startsWith(':'))
    .map((line) => line.slice(1).split(' ')[0]!);
}

function hasRule(net: NetStack, table: TableName, chain: string, args: readonly string[]): boolean {
  try {
    net.netfilter.execute(table, ['-C', chain, ...args]);
    return true;
  } catch (error) {
    if (error instanceof IptablesError) return false;
    throw error;
  }
}
