// Models kube-proxy v1.20 in iptables mode: services and endpoints in, one iptables-restore out.

import type { Clock } from '../../sim/clock.ts';
import { isSysError } from '../../sim/errno.ts';
import type { InformerSet } from '../client/contracts.ts';
import { IptablesError, type Netfilter, type NetStack, type TableName, type UdpSocket } from '../../net/net-stack.ts';
import type { Listener } from '../../sim/stream.ts';
import { ENDPOINTS, SERVICE } from '../machinery/resources.ts';
import type { Endpoints, Service } from '../machinery/types.ts';
import { JUMPS, proxyRules } from './rules.ts';
import { servicePorts, type ServicePort } from './service-ports.ts';

const CANARY = 'KUBE-PROXY-CANARY';
const CANARY_TABLES: readonly TableName[] = ['mangle', 'nat', 'filter'];
/** How often the canary is looked after: gone means somebody flushed everything. */
const CANARY_PERIOD_MS = 30_000;
const FULL_SYNC_PERIOD_MS = 3_600_000;
/** Changes within this time become one sync; the first two of a burst go at once. */
const MIN_SYNC_PERIOD_MS = 1_000;
const BURST = 2;

export interface ProxyOptions {
  readonly informers: InformerSet;
  readonly net: NetStack;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly pid: number;
  readonly nodeName: string;
  readonly clusterCidr: string | undefined;
  readonly masqueradeAll: boolean;
  readonly masqueradeBit: number;
  onSynced(): void;
  log(severity: 'I' | 'W' | 'E', text: string): void;
}

export class Proxier {
  readonly #options: ProxyOptions;
  readonly #held = new Map<string, Listener | UdpSocket>();
  #tokens = BURST;
  #refilledMs: number;
  #isScheduled = false;

  constructor(options: ProxyOptions) {
    this.#options = options;
    this.#refilledMs = options.clock.now();
  }

  /** Until the signal aborts. */
  async run(): Promise<void> {
    const { informers, clock, signal } = this.#options;
    const services = informers.for<Service>(SERVICE);
    const endpoints = informers.for<Endpoints>(ENDPOINTS);
    // Never before both lists are complete: half a picture would cut services that are fine.
    await Promise.all([services.synced, endpoints.synced]);
    services.onChange(() => this.#schedule());
    endpoints.onChange((change) => {
      if (change.type !== 'updated' || change.old.subsets !== change.object.subsets) this.#schedule();
    });
    signal.addEventListener('abort', () => this.#letGo(new Set()), { once: true });
    this.#sync();
    let syncedMs = clock.now();
    for (;;) {
      await clock.sleep(CANARY_PERIOD_MS, signal);
      const isFlushed = !CANARY_TABLES.every((table) => this.#options.net.netfilter.hasChain(table, CANARY));
      if (isFlushed) this.#options.log('I', 'iptables canary mangle/KUBE-PROXY-CANARY deleted');
      if (isFlushed || clock.now() - syncedMs >= FULL_SYNC_PERIOD_MS) {
        this.#sync();
        syncedMs = clock.now();
      }
    }
  }

  #schedule(): void {
    if (this.#isScheduled || this.#options.signal.aborted) return;
    this.#isScheduled = true;
    const { clock } = this.#options;
    this.#tokens = Math.min(BURST, this.#tokens + (clock.now() - this.#refilledMs) / MIN_SYNC_PERIOD_MS);
    this.#refilledMs = clock.now();
    const delayMs = this.#tokens >= 1 ? 0 : (1 - this.#tokens) * MIN_SYNC_PERIOD_MS;
    this.#tokens--;
    const timer = clock.setTimer(delayMs, () => {
      this.#isScheduled = false;
      this.#sync();
    });
    this.#options.signal.addEventListener('abort', () => timer.dispose(), { once: true });
  }

  #sync(): void {
    const { informers, net, nodeName, log } = this.#options;
    const endpoints = informers.for<Endpoints>(ENDPOINTS).lister;
    const ports = servicePorts(informers.for<Service>(SERVICE).lister.list(), (key) => endpoints.get(key), nodeName);
    const blocked = this.#holdNodePorts(ports);
    try {
      ensureChains(net.netfilter);
      net.netfilter.restore(
        proxyRules(ports, {
          clusterCidr: this.#options.clusterCidr,
          masqueradeAll: this.#options.masqueradeAll,
          masqueradeBit: this.#options.masqueradeBit,
          presentChains: chainsOf(net.netfilter.save('nat')),
          blockedNodePorts: blocked,
        }),
        { noFlush: true, counters: true },
      );
    } catch (error) {
      if (!(error instanceof IptablesError)) throw error;
      log('E', `Failed to execute iptables-restore: ${error.message}`);
      return;
    }
    this.#options.onSynced();
  }

  /** Node ports are kept open, so that nobody else on the node takes them. Returns those that cannot be had. */
  #holdNodePorts(ports: readonly ServicePort[]): ReadonlySet<string> {
    const { net, pid, log } = this.#options;
    const wanted = new Map(ports.filter((port) => port.nodePort > 0).map((port) => [`${port.protocol}/${port.nodePort}`, port] as const));
    this.#letGo(new Set(wanted.keys()));
    const blocked = new Set<string>();
    for (const [id, port] of wanted) {
      if (this.#held.has(id)) continue;
      try {
        const at = { address: '0.0.0.0', port: port.nodePort, pid };
        this.#held.set(id, port.protocol === 'udp' ? net.udp(at) : net.listen(at));
        log('I', `Opened local port "nodePort for ${port.name}" (:${port.nodePort}/${port.protocol})`);
      } catch (error) {
        if (!isSysError(error)) throw error;
        blocked.add(id);
        const why = `listen ${port.protocol} 0.0.0.0:${port.nodePort}: bind: ${error.strerror.toLowerCase()}`;
        log('E', `can't open "nodePort for ${port.name}" (:${port.nodePort}/${port.protocol}), skipping this nodePort: ${why}`);
      }
    }
    return blocked;
  }

  #letGo(wanted: ReadonlySet<string>): void {
    for (const [id, socket] of this.#held) {
      if (wanted.has(id)) continue;
      if ('accept' in socket) socket.close();
      else socket.dispose();
      this.#held.delete(id);
    }
  }
}

function ensureChains(netfilter: Netfilter): void {
  const ensure = (table: TableName, chain: string): void => {
    if (!netfilter.hasChain(table, chain)) netfilter.execute(table, ['-N', chain]);
  };
  for (const table of CANARY_TABLES) ensure(table, CANARY);
  ensure('nat', 'KUBE-MARK-DROP');
  for (const { table, chain, from, args } of JUMPS) {
    ensure(table, chain);
    if (!hasRule(netfilter, table, from, args)) netfilter.execute(table, ['-I', from, ...args]);
  }
}

function hasRule(netfilter: Netfilter, table: TableName, chain: string, args: readonly string[]): boolean {
  try {
    netfilter.execute(table, ['-C', chain, ...args]);
    return true;
  } catch (error) {
    if (error instanceof IptablesError) return false;
    throw error;
  }
}

function chainsOf(saved: string): readonly string[] {
  return saved
    .split('\n')
    .filter((line) => line.startsWith(':'))
    .map((line) => line.slice(1).split(' ')[0]!);
}
