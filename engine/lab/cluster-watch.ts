// What a screen shows of the cluster, followed through the API as the admin of m-k8s would with list and watch.
// While the API does not answer, the last known state stays and is marked stale.

import { isSysError } from '../sim/errno.ts';
import { Emitter } from '../sim/event.ts';
import type { Disposable } from '../sim/disposable.ts';
import type { Process } from '../kernel/process.ts';
import type { Machine } from '../machine/machine.ts';
import { createClient, userAgentOf } from '../kube/client/connect.ts';
import type { KubeClient } from '../kube/client/contracts.ts';
import { loadClientConfig } from '../kube/client/kubeconfig.ts';
import { ApiError } from '../kube/machinery/api-error.ts';
import { keyOf, NODE, POD, withoutManagedFields } from '../kube/machinery/resources.ts';
import type { KubeObject, ResourceReference } from '../kube/machinery/types.ts';
import { TlsError } from '../net/tls.ts';
import { X509Error } from '../net/x509.ts';
import { HttpParseError } from '../net/http-message.ts';

/** How long to wait before asking again after the API did not answer. */
const RETRY_MS = 2000;

const ADMIN = '/etc/kubernetes/admin.conf';

export type WatchedKind = 'nodes' | 'pods';
const RESOURCES: Readonly<Record<WatchedKind, ResourceReference>> = { nodes: NODE, pods: POD };

export class ClusterWatch implements Disposable {
  readonly onChange = new Emitter<void>();
  readonly #machine: Machine;
  readonly #objects: Readonly<Record<WatchedKind, Map<string, KubeObject>>> = { nodes: new Map(), pods: new Map() };
  readonly #stop = new AbortController();
  readonly #power: Disposable;
  #isStale = true;

  constructor(machine: Machine) {
    this.#machine = machine;
    this.#power = machine.onPower((power) => {
      if (power === 'on') this.#start();
      else this.#setStale(true);
    });
    if (machine.power === 'on') this.#start();
  }

  get isStale(): boolean {
    return this.#isStale;
  }

  /** In order of namespace and name. */
  list(kind: WatchedKind): readonly KubeObject[] {
    return [...this.#objects[kind]].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
  }

  dispose(): void {
    this.#power.dispose();
    this.#stop.abort(new Error('disposed'));
  }

  #start(): void {
    this.#machine.spawnAgent((process) => this.#follow(process), { title: 'nobox-agent' });
  }

  async #follow(process: Process): Promise<number> {
    await Promise.all((['nodes', 'pods'] as const).map((kind) => this.#followKind(process, kind)));
    return 0;
  }

  async #followKind(process: Process, kind: WatchedKind): Promise<void> {
    while (!this.#stop.signal.aborted) {
      if (process.sys.exists(ADMIN)) {
        const client = createClient(process, loadClientConfig(process, { kubeconfig: ADMIN }), { userAgent: userAgentOf('nobox') });
        try {
          await this.#listAndWatch(client, kind);
        } catch (error) {
          if (!isApiSilent(error)) throw error;
          this.#setStale(true);
        } finally {
          client.close();
        }
      }
      await process.sys.sleep(RETRY_MS);
    }
  }

  async #listAndWatch(client: KubeClient, kind: WatchedKind): Promise<void> {
    const resource = RESOURCES[kind];
    const objects = this.#objects[kind];
    const { items, resourceVersion } = await client.list(resource);
    objects.clear();
    for (const item of items) objects.set(keyOf(item), withoutManagedFields(item));
    this.#setStale(false);
    this.onChange.emit();
    for await (const event of client.watch(resource, { resourceVersion, signal: this.#stop.signal, timeoutSeconds: 600 })) {
      if (event.type === 'BOOKMARK') continue;
      if (event.type === 'DELETED') objects.delete(keyOf(event.object));
      else objects.set(keyOf(event.object), withoutManagedFields(event.object));
      this.onChange.emit();
    }
  }

  #setStale(isStale: boolean): void {
    if (this.#isStale === isStale) return;
    this.#isStale = isStale;
    this.onChange.emit();
  }
}

function isApiSilent(error: unknown): boolean {
  return (
    error instanceof ApiError ||
    isSysError(error) ||
    error instanceof TlsError ||
    error instanceof X509Error ||
    error instanceof HttpParseError
  );
}
