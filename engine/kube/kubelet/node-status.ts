// Models the kubelet's node object: registration, capacity, conditions, lease.

import type * as core from 'kubernetes-types/core/v1';
import { toHex, utf8 } from '../../sim/bytes.ts';
import { md5 } from '@noble/hashes/legacy.js';
import { SysError } from '../../sim/errno.ts';
import type { Syscalls } from '../../kernel/process.ts';
import type { EventRecorder, KubeClient } from '../client/contracts.ts';
import { ApiError, isAlreadyExists, isNotFound } from '../machinery/api-error.ts';
import { isDeepEqual } from '../machinery/deep.ts';
import { LEASE, NODE } from '../machinery/resources.ts';
import { rfc3339, rfc3339Micro } from '../machinery/time.ts';
import type { Lease, Node, NodeCondition } from '../machinery/types.ts';
import type { KubeletConfig } from './config.ts';
import type { ContainerRuntime } from './container-runtime.ts';
import { RuntimeError } from './container-runtime.ts';
import type { Klog } from './klog.ts';

export const KUBELET_VERSION = 'v1.20.2';
const EVICTION_MEMORY_KI = 100 * 1024;

export interface NodeStatusOptions {
  readonly sys: Syscalls;
  readonly config: KubeletConfig;
  readonly client: KubeClient;
  readonly runtime: ContainerRuntime;
  readonly log: Klog;
  readonly recorder: EventRecorder;
  readonly isResumed: boolean;
  /** What keeps the node from being ready. */
  readonly problems: () => readonly string[];
}

export class NodeStatus {
  readonly #o: NodeStatusOptions;
  #reportedMs = 0;
  #uid: string | undefined;
  #runtimeVersion = '';
  #announced = new Map<string, string>();
  #lease: Lease | undefined;

  constructor(options: NodeStatusOptions) {
    this.#o = options;
  }

  /** The uid the API gave this node; undefined until it was registered. */
  get uid(): string | undefined {
    return this.#uid;
  }

  get address(): string {
    const { sys, config } = this.#o;
    if (config.nodeIp !== undefined) return config.nodeIp;
    for (const line of sys.exists('/etc/hosts') ? sys.readTextFile('/etc/hosts').split('\n') : []) {
      const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
      if (names.includes(config.nodeName) && /^\d+\./.test(address) && !address.startsWith('127.')) return address;
    }
    const route = sys.net.routes().find((candidate) => candidate.destination === '0.0.0.0/0');
    const own = sys.net.addresses().find((address) => address.link === route?.device && address.address.includes('.'));
    return own?.address.split('/')[0] ?? '127.0.0.1';
  }

  /** The machine as pods may ask for it. */
  get capacity(): { readonly cpuMilli: number; readonly memoryBytes: number } {
    const { kernel } = this.#o.sys;
    return { cpuMilli: kernel.cpus * 1000, memoryBytes: kernel.memoryBytes };
  }

  /** A node for events before there is one in the API. */
  get reference(): Node {
    const { nodeName } = this.#o.config;
    return { apiVersion: 'v1', kind: 'Node', metadata: { name: nodeName, uid: nodeName, resourceVersion: '', creationTimestamp: '' } };
  }

  /** Creates the node or takes over the one that is there; retries until the API server answers. */
  async register(): Promise<void> {
    const { sys, config, log } = this.#o;
    for (let delayMs = 100; ; delayMs = Math.min(delayMs * 2, 7000)) {
      try {
        this.#uid = (await this.#createOrAdopt()).metadata.uid;
        if (!this.#o.isResumed) log('I', 'kubelet_node_status.go:74', `Successfully registered node ${config.nodeName}`);
        return;
      } catch (error) {
        if (!(error instanceof ApiError) && !(error instanceof SysError)) throw error;
        log('E', 'kubelet_node_status.go:93', `Unable to register node "${config.nodeName}" with API server: ${error.message}`);
        await sys.sleep(delayMs);
      }
    }
  }

  async #createOrAdopt(): Promise<Node> {
    const { client, config } = this.#o;
    const node = {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: {
        name: config.nodeName,
        labels: this.#labels(),
        annotations: { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' },
      },
      spec: {},
      status: await this.#status(undefined),
    };
    try {
      return await client.create<Node>(NODE, node);
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
    const existing = await client.get<Node>(NODE, config.nodeName);
    const labels = this.#labels();
    if (Object.entries(labels).every(([key, value]) => existing.metadata.labels?.[key] === value)) return existing;
    return client.patch<Node>(NODE, { name: config.nodeName }, 'application/strategic-merge-patch+json', { metadata: { labels } });
  }

  #labels(): Record<string, string> {
    return {
      'beta.kubernetes.io/arch': 'amd64',
      'beta.kubernetes.io/os': 'linux',
      'kubernetes.io/arch': 'amd64',
      'kubernetes.io/hostname': this.#o.config.nodeName,
      'kubernetes.io/os': 'linux',
      ...this.#o.config.nodeLabels,
    };
  }

  /** Computes the status and reports it when it differs or five minutes have passed. */
  async update(): Promise<void> {
    const { sys, client, config, log } = this.#o;
    try {
      const node = await client.get<Node>(NODE, config.nodeName);
      this.#uid = node.metadata.uid;
      const status = await this.#status(node.status);
      const isDue = sys.now() - this.#reportedMs >= config.statusReportMs;
      if (!isDue && isSame(status, node.status)) return;
      await client.patch<Node>(NODE, { name: config.nodeName, subresource: 'status' }, 'application/strategic-merge-patch+json', {
        status,
      });
      this.#reportedMs = sys.now();
    } catch (error) {
      if (isNotFound(error)) return this.register();
      if (!(error instanceof ApiError) && !(error instanceof SysError)) throw error;
      log(
        'E',
        'kubelet_node_status.go:447',
        `Error updating node status, will retry: error getting node "${config.nodeName}": ${error.message}`,
      );
    }
  }

  async #status(previous: core.NodeStatus | undefined): Promise<core.NodeStatus> {
    const { sys, config } = this.#o;
    const { kernel } = sys;
    const memoryKi = Math.floor(kernel.memoryBytes / 1024);
    const disk = sys.statfs('/');
    const address = this.address;
    return {
      addresses: [
        { address, type: 'InternalIP' },
        { address: config.nodeName, type: 'Hostname' },
      ],
      allocatable: {
        cpu: String(kernel.cpus),
        'ephemeral-storage': String(Math.floor(disk.totalBytes * 0.9)),
        'hugepages-2Mi': '0',
        memory: `${memoryKi - EVICTION_MEMORY_KI}Ki`,
        pods: String(config.maxPods),
      },
      capacity: {
        cpu: String(kernel.cpus),
        'ephemeral-storage': `${Math.floor(disk.totalBytes / 1024)}Ki`,
        'hugepages-2Mi': '0',
        memory: `${memoryKi}Ki`,
        pods: String(config.maxPods),
      },
      conditions: this.#conditions(previous?.conditions ?? []),
      daemonEndpoints: { kubeletEndpoint: { Port: config.port } },
      images: await this.#images(previous?.images),
      nodeInfo: await this.#nodeInfo(),
    };
  }

  #conditions(previous: readonly NodeCondition[]): NodeCondition[] {
    const problems = this.#o.problems();
    const made: readonly (readonly [string, string, string, string])[] = [
      ['MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'],
      ['DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'],
      ['PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'],
      problems.length === 0
        ? ['Ready', 'True', 'KubeletReady', 'kubelet is posting ready status']
        : ['Ready', 'False', 'KubeletNotReady', problems.length === 1 ? problems[0]! : `[${problems.join(', ')}]`],
    ];
    const now = rfc3339(this.#o.sys.now());
    const conditions = made.map(([type, status, reason, message]): NodeCondition => {
      const old = previous.find((condition) => condition.type === type);
      return {
        lastHeartbeatTime: now,
        lastTransitionTime: old?.status === status && old.lastTransitionTime !== undefined ? old.lastTransitionTime : now,
        message,
        reason,
        status,
        type,
      };
    });
    for (const [type, status] of made) this.#announce(type, status, previous.find((condition) => condition.type === type)?.status);
    return [...previous.filter((old) => !made.some(([type]) => type === old.type)), ...conditions];
  }

  /** Events of conditions that changed. */
  #announce(type: string, status: string, previous: string | undefined): void {
    // A resumed kubelet has been running all along: it compares with what it reported, not with a node it is yet to create.
    if (this.#o.isResumed && previous === undefined) return;
    const before = this.#announced.get(type) ?? previous;
    this.#announced.set(type, status);
    if (before === status) return;
    const names: Readonly<Record<string, readonly [string, string]>> = {
      MemoryPressure: ['NodeHasInsufficientMemory', 'NodeHasSufficientMemory'],
      DiskPressure: ['NodeHasDiskPressure', 'NodeHasNoDiskPressure'],
      PIDPressure: ['NodeHasInsufficientPID', 'NodeHasSufficientPID'],
      Ready: ['NodeReady', 'NodeNotReady'],
    };
    const reason = names[type]![status === 'True' ? 0 : 1];
    this.#o.log('I', 'kubelet_node_status.go:554', `Recording ${reason} event message for node ${this.#o.config.nodeName}`);
    this.#o.recorder.event(this.reference, 'Normal', reason, `Node ${this.#o.config.nodeName} status is now: ${reason}`);
  }

  async #images(previous: core.NodeStatus['images']): Promise<core.ContainerImage[]> {
    try {
      const images = await this.#o.runtime.images();
      return [...images]
        .sort((a, b) => b.sizeBytes - a.sizeBytes)
        .slice(0, 50)
        .map((image) => ({ names: [...image.digests, ...image.tags].slice(0, 5), sizeBytes: image.sizeBytes }))
        .filter((image) => image.names.length > 0);
    } catch (error) {
      if (error instanceof RuntimeError) return previous ?? [];
      throw error;
    }
  }

  async #nodeInfo(): Promise<core.NodeSystemInfo> {
    const { sys, runtime } = this.#o;
    const read = (path: string): string | undefined => (sys.exists(path) ? sys.readTextFile(path).trim() : undefined);
    if (this.#runtimeVersion === '') {
      try {
        this.#runtimeVersion = (await runtime.version()).version;
      } catch (error) {
        if (!(error instanceof RuntimeError)) throw error;
      }
    }
    const machineId = read('/etc/machine-id') ?? made(sys.kernel.machine);
    const bootId = read('/proc/sys/kernel/random/boot_id') ?? uuid(made(`${sys.kernel.machine}/${sys.kernel.bootMs}`));
    return {
      architecture: 'amd64',
      bootID: bootId,
      containerRuntimeVersion: `docker://${this.#runtimeVersion === '' ? 'Unknown' : this.#runtimeVersion}`,
      kernelVersion: sys.kernel.release,
      kubeProxyVersion: KUBELET_VERSION,
      kubeletVersion: KUBELET_VERSION,
      machineID: machineId,
      operatingSystem: 'linux',
      osImage: /^PRETTY_NAME="?([^"\n]*)"?/m.exec(read('/etc/os-release') ?? '')?.[1] ?? 'CentOS Linux 7 (Core)',
      systemUUID: read('/sys/class/dmi/id/product_uuid') ?? uuid(made(`${sys.kernel.machine}/dmi`)).toUpperCase(),
    };
  }

  /** Renews the node's lease: the heartbeat the node controller listens to. */
  async renewLease(): Promise<void> {
    const { sys, client, log } = this.#o;
    const renewTime = rfc3339Micro(sys.now());
    try {
      if (this.#lease === undefined) this.#lease = await this.#firstLease(renewTime);
      else this.#lease = await client.update<Lease>(LEASE, { ...this.#lease, spec: { ...this.#lease.spec, renewTime } });
    } catch (error) {
      if (!(error instanceof ApiError) && !(error instanceof SysError)) throw error;
      if (error instanceof ApiError) this.#lease = undefined;
      log('E', 'controller.go:187', `failed to update lease, error: ${error.message}`);
    }
  }

  async #firstLease(renewTime: string): Promise<Lease> {
    const { client, config } = this.#o;
    const spec = { holderIdentity: config.nodeName, leaseDurationSeconds: config.leaseSeconds, renewTime };
    try {
      const found = await client.get<Lease>(LEASE, config.nodeName, 'kube-node-lease');
      return await client.update<Lease>(LEASE, { ...found, spec: { ...found.spec, ...spec } });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    const owner =
      this.#uid === undefined ? {} : { ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: config.nodeName, uid: this.#uid }] };
    return client.create<Lease>(LEASE, {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: config.nodeName, namespace: 'kube-node-lease', ...owner },
      spec,
    });
  }
}

function isSame(status: core.NodeStatus, previous: core.NodeStatus | undefined): boolean {
  const without = (given: core.NodeStatus): unknown => ({
    ...given,
    conditions: (given.conditions ?? []).map(({ lastHeartbeatTime: _time, ...rest }) => rest).sort((a, b) => (a.type < b.type ? -1 : 1)),
  });
  if (previous === undefined) return false;
  const { volumesAttached: _a, volumesInUse: _b, config: _c, ...rest } = previous;
  return isDeepEqual(without(status), without(rest));
}

function made(seed: string): string {
  return toHex(md5(utf8(seed)));
}

function uuid(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
