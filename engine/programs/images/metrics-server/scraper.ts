// Models metrics-server's sources: every node's kubelet is asked for its summary, and the last answers are kept.

import { HttpClient } from '../../../net/http-client.ts';
import { readAllBytes } from '../../../net/http-message.ts';
import { connectTls, TlsError } from '../../../net/tls.ts';
import { text } from '../../../sim/bytes.ts';
import { isSysError } from '../../../sim/errno.ts';
import type { Process } from '../../../kernel/process.ts';
import type { KubeClient } from '../../../kube/client/contracts.ts';
import { NODE } from '../../../kube/machinery/resources.ts';
import type { Node } from '../../../kube/machinery/types.ts';
import { ResolveError, resolveHost } from '../../../kube/runtime/resolver.ts';

const DEFAULT_PORT = 10250;

export interface ScraperOptions {
  readonly process: Process;
  readonly client: KubeClient;
  readonly token: () => string;
  readonly ca: string;
  /** `--kubelet-insecure-tls` */
  readonly isInsecure: boolean;
  /** `--kubelet-preferred-address-types` */
  readonly addressTypes: readonly string[];
  readonly port: number | undefined;
}

export interface Usage {
  readonly name: string;
  readonly nanoCores: number;
  readonly memoryBytes: number;
}

export interface NodeUsage extends Usage {
  readonly time: string;
}

export interface PodUsage {
  readonly namespace: string;
  readonly name: string;
  readonly time: string;
  readonly containers: readonly Usage[];
}

interface Stats {
  readonly name?: string;
  readonly cpu?: { readonly time?: string; readonly usageNanoCores?: number; readonly usageCoreNanoSeconds?: number };
  readonly memory?: { readonly workingSetBytes?: number };
}

interface Summary {
  readonly node: Stats & { readonly nodeName: string };
  readonly pods: readonly {
    readonly podRef: { readonly name: string; readonly namespace: string };
    readonly containers: readonly Stats[];
  }[];
}

class ScrapeError extends Error {
  override readonly name = 'ScrapeError';
}

export class Scraper {
  readonly #options: ScraperOptions;
  /** What each had used when it was asked last. */
  readonly #before = new Map<string, { readonly nanoSeconds: number; readonly ms: number }>();
  nodes: ReadonlyMap<string, NodeUsage> = new Map();
  /** By namespace and name. */
  pods: ReadonlyMap<string, PodUsage> = new Map();

  constructor(options: ScraperOptions) {
    this.#options = options;
  }

  /** Asks all kubelets; returns what went wrong with some of them. */
  async scrape(signal: AbortSignal): Promise<readonly string[]> {
    const { items } = await this.#options.client.list<Node>(NODE);
    const problems: string[] = [];
    const nodes = new Map<string, NodeUsage>();
    const pods = new Map<string, PodUsage>();
    const ask = async (node: Node): Promise<void> => {
      const { name } = node.metadata;
      const full = `unable to fully scrape metrics from source kubelet_summary:${name}`;
      try {
        const summary = await this.#summaryOf(node, signal);
        nodes.set(name, { ...this.#usageOf(summary.node, name), name, time: summary.node.cpu?.time ?? '' });
        for (const { podRef, containers } of summary.pods) {
          const time = containers[0]?.cpu?.time ?? summary.node.cpu?.time ?? '';
          pods.set(`${podRef.namespace}/${podRef.name}`, {
            ...podRef,
            time,
            containers: containers.map((each) => this.#usageOf(each, `${podRef.namespace}/${podRef.name}/${each.name ?? ''}`)),
          });
        }
      } catch (error) {
        if (!(error instanceof ScrapeError)) throw error;
        problems.push(`${full}: ${error.message}`);
      }
    };
    await Promise.all(items.map(ask));
    this.nodes = nodes;
    this.pods = pods;
    return problems.sort();
  }

  async #summaryOf(node: Node, signal: AbortSignal): Promise<Summary> {
    const { process, token, ca, isInsecure } = this.#options;
    const { sys } = process;
    const { name } = node.metadata;
    const host = this.#addressOf(node);
    const port = this.#options.port ?? node.status?.daemonEndpoints?.kubeletEndpoint?.Port ?? DEFAULT_PORT;
    const target = '/stats/summary?only_cpu_and_memory=true';
    const fail = (why: string): ScrapeError =>
      new ScrapeError(`unable to fetch metrics from Kubelet ${name} (${host}): Get https://${host}:${port}${target}: ${why}`);
    const client = new HttpClient({
      host: `${host}:${port}`,
      maxIdle: 0,
      connect: async () => {
        const [address] = await resolveHost(sys, host, signal);
        const connection = await sys.net.connect({ address: address!, port, pid: process.pid, signal });
        return connectTls(connection, { serverName: host, ca, insecure: isInsecure, nowMs: sys.now(), rng: sys.rng });
      },
    });
    try {
      const response = await client.request({ method: 'GET', target, headers: { authorization: `Bearer ${token()}` }, signal });
      const body = text(await readAllBytes(response.body));
      if (response.status !== 200)
        throw new ScrapeError(
          `unable to fetch metrics from Kubelet ${name} (${host}): request failed - ${JSON.stringify(`${response.status} ${response.reason}`)}, response: ${JSON.stringify(body)}`,
        );
      return JSON.parse(body) as Summary;
    } catch (error) {
      if (error instanceof ResolveError) throw fail(`dial tcp: ${error.message}`);
      if (error instanceof TlsError) throw fail(error.message);
      if (!isSysError(error)) throw error;
      throw fail(`dial tcp ${host}:${port}: ${error.errno === 'ETIMEDOUT' ? 'i/o timeout' : `connect: ${error.strerror.toLowerCase()}`}`);
    } finally {
      client.close();
    }
  }

  #addressOf(node: Node): string {
    const addresses = node.status?.addresses ?? [];
    for (const type of this.#options.addressTypes) {
      const found = addresses.find((each) => each.type === type);
      if (found !== undefined) return found.address;
    }
    throw new ScrapeError(
      `unable to extract connection information for node ${JSON.stringify(node.metadata.name)}: node had no addresses that matched types [${this.#options.addressTypes.join(' ')}]`,
    );
  }

  /** A kubelet that only counts, and does not average, leaves that to who asks it again. */
  #usageOf({ name = '', cpu, memory }: Stats, key: string): Usage {
    const { usageNanoCores = 0, usageCoreNanoSeconds: nanoSeconds = 0 } = cpu ?? {};
    const ms = this.#options.process.sys.now();
    const before = this.#before.get(key);
    this.#before.set(key, { nanoSeconds, ms });
    const rate = before === undefined || ms <= before.ms ? 0 : Math.max(0, ((nanoSeconds - before.nanoSeconds) * 1000) / (ms - before.ms));
    return { name, nanoCores: usageNanoCores > 0 ? usageNanoCores : rate, memoryBytes: memory?.workingSetBytes ?? 0 };
  }
}
