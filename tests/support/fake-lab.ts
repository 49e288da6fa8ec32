// A lab made of cardboard, for tests of the host and the screen alone: machines with a power state, pods that come and go, a shell that echoes.

import type { Disposable } from '#engine/sim/disposable.ts';
import { Emitter } from '#engine/sim/event.ts';
import { VirtualClock } from '#engine/sim/clock.ts';
import { SysError } from '#engine/sim/errno.ts';
import type { Connection } from '#engine/sim/stream.ts';
import type { KubeObject } from '#engine/kube/machinery/types.ts';
import type {
  ClusterPki,
  HostedLab,
  HostedMachine,
  HostedRestorePoint,
  HostedSnapshot,
  HostedTerminal,
} from '../../electron/host/hosted-lab.ts';

const START_MS = Date.UTC(2026, 0, 1, 0, 0, 0);
const ADDRESSES: readonly (readonly [string, string, number])[] = [
  ['m-k8s', '192.168.1.10', 60010],
  ['w1-k8s', '192.168.1.101', 60101],
  ['w2-k8s', '192.168.1.102', 60102],
  ['w3-k8s', '192.168.1.103', 60103],
];

interface State {
  readonly power: Map<string, HostedMachine['power']>;
  readonly pods: Map<string, KubeObject>;
}

export class FakeLab implements HostedLab {
  readonly name = 'lecture-1.20';
  readonly path = undefined;
  readonly clock = new VirtualClock({ startMs: START_MS, settle: () => new Promise((resolve) => setImmediate(resolve)) });
  isStale = false;
  flushes = 0;
  readonly #changed = new Emitter<void>();
  readonly #restored = new Emitter<void>();
  readonly #snapshots: { view: HostedSnapshot; state: State }[] = [];
  readonly #terminals = new Set<FakeTerminal>();
  #points: { view: HostedRestorePoint; state: State }[] = [];
  #state: State = { power: new Map(ADDRESSES.map(([name]) => [name, 'on'])), pods: new Map() };
  #count = 0;
  #basedOn: string | undefined;

  constructor() {
    for (const [index, part] of ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'].entries()) {
      this.addPod({
        namespace: 'kube-system',
        name: `${part}-m-k8s`,
        node: 'm-k8s',
        address: '192.168.1.10',
        restarts: index === 3 ? 1 : 0,
      });
    }
    for (const [name, address] of ADDRESSES) {
      this.addPod({ namespace: 'kube-system', name: `calico-node-${name.slice(0, 2)}x7f`, node: name, address });
      this.addPod({ namespace: 'kube-system', name: `kube-proxy-${name.slice(0, 2)}b2k`, node: name, address });
    }
    this.addPod({ namespace: 'kube-system', name: 'coredns-74ff55c5b-4xkzq', node: 'm-k8s', address: '172.16.171.65' });
    this.addPod({ namespace: 'kube-system', name: 'coredns-74ff55c5b-9vd8p', node: 'm-k8s', address: '172.16.171.66' });
    this.addPod({ namespace: 'kube-system', name: 'calico-kube-controllers-744cfdf676-8x2vd', node: 'm-k8s', address: '172.16.171.67' });
  }

  machines(): readonly HostedMachine[] {
    return ADDRESSES.map(([name, address, sshPort]) => ({
      name,
      power: this.#state.power.get(name) ?? 'off',
      address,
      sshPort,
      cpus: name === 'm-k8s' ? 2 : 1,
      memoryBytes: (name === 'm-k8s' ? 1746 : 1024) * 1024 * 1024,
      services: ['kubelet', 'docker'].map((unit) => ({ name: unit, state: this.#state.power.get(name) === 'on' ? 'active' : 'inactive' })),
    }));
  }

  powerOn(name: string): void {
    if (this.#state.power.get(name) !== 'off') return;
    this.#setPower(name, 'booting');
    this.clock.setTimer(2000, () => this.#setPower(name, 'on'));
  }

  powerOff(name: string, how: 'acpi' | 'hard'): void {
    if (how === 'hard') this.#setPower(name, 'off');
    else {
      this.#setPower(name, 'stopping');
      this.clock.setTimer(2000, () => this.#setPower(name, 'off'));
    }
  }

  reset(name: string): void {
    this.#setPower(name, 'off');
    this.powerOn(name);
  }

  openTerminal(target: { readonly machine: string; readonly console?: boolean }): HostedTerminal {
    if (this.#state.power.get(target.machine) === 'off') throw new Error('ssh: connect to host 127.0.0.1 port 60010: Connection refused');
    const terminal = new FakeTerminal(this, target.machine, () => this.#terminals.delete(terminal));
    this.#terminals.add(terminal);
    return terminal;
  }

  /** What the port forward to a guest leads to; undefined refuses. */
  forward: (() => Promise<Connection>) | undefined;
  apiServer: (() => Promise<Connection>) | undefined;
  pki: ClusterPki | undefined;

  connectForward(): Promise<Connection> {
    return this.forward?.() ?? Promise.reject(new SysError('ECONNREFUSED'));
  }

  connectHostOnly(): Promise<Connection> {
    return this.apiServer?.() ?? Promise.reject(new SysError('ECONNREFUSED'));
  }

  clusterPki(): ClusterPki | undefined {
    return this.pki;
  }

  objects(kind: 'nodes' | 'pods'): readonly KubeObject[] {
    return kind === 'pods' ? [...this.#state.pods.values()] : ADDRESSES.map(([name, address]) => this.#node(name, address));
  }

  addPod(pod: { name: string; node: string; address: string; namespace?: string; restarts?: number; reason?: string }): void {
    const { name, node, address, namespace = 'default', restarts = 0, reason } = pod;
    const state = reason === undefined ? { running: { startedAt: new Date(this.clock.now()).toISOString() } } : { waiting: { reason } };
    this.#state.pods.set(`${namespace}/${name}`, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name,
        namespace,
        uid: `uid-${++this.#count}`,
        resourceVersion: String(this.#count),
        creationTimestamp: new Date(this.clock.now()).toISOString(),
      },
      ...{
        spec: { nodeName: node, containers: [{ name: 'c' }] },
        status: {
          phase: reason === undefined ? 'Running' : 'Pending',
          podIP: address,
          conditions: [{ type: 'Ready', status: reason === undefined ? 'True' : 'False' }],
          containerStatuses: [{ name: 'c', ready: reason === undefined, restartCount: restarts, state, image: '', imageID: '' }],
        },
      },
    });
    this.#changed.emit();
  }

  deletePods(): void {
    for (const [key, pod] of this.#state.pods) if (pod.metadata.namespace === 'default') this.#state.pods.delete(key);
    this.#changed.emit();
  }

  snapshots(): readonly HostedSnapshot[] {
    return this.#snapshots.map((snapshot) => snapshot.view);
  }

  saveSnapshot(name: string, note?: string): HostedSnapshot {
    if (this.#snapshots.some(({ view }) => view.name === name)) throw new Error(`there is already a snapshot named ${name}`);
    const view = {
      id: `s${++this.#count}`,
      name,
      note,
      parent: this.#basedOn,
      timeMs: this.clock.now(),
      createdAt: START_MS,
      summary: `4 nodes, ${this.#state.pods.size} pods`,
    };
    this.#snapshots.push({ view, state: copyOf(this.#state) });
    this.#basedOn = view.id;
    this.#changed.emit();
    return view;
  }

  restoreSnapshot(id: string): Promise<void> {
    const found = this.#snapshots.find(({ view }) => view.id === id);
    if (found === undefined) return Promise.reject(new Error(`there is no snapshot ${id}`));
    this.notePoint(`restore ${found.view.name}`);
    this.#restore(found.state);
    this.#basedOn = id;
    return Promise.resolve();
  }

  deleteSnapshot(id: string): void {
    const index = this.#snapshots.findIndex(({ view }) => view.id === id);
    if (index >= 0) this.#snapshots.splice(index, 1);
    this.#changed.emit();
  }

  renameSnapshot(id: string, name: string, note?: string): void {
    const found = this.#snapshots.find(({ view }) => view.id === id);
    if (found !== undefined) found.view = { ...found.view, name, note };
    this.#changed.emit();
  }

  restorePoints(): readonly HostedRestorePoint[] {
    return this.#points.map((point) => point.view).reverse();
  }

  restorePoint(revision: number): Promise<void> {
    const found = this.#points.find(({ view }) => view.revision === revision);
    if (found === undefined) return Promise.reject(new Error(`there is no restore point ${revision}`));
    this.#restore(found.state);
    return Promise.resolve();
  }

  notePoint(label: string): void {
    this.#points = [
      ...this.#points.slice(-49),
      { view: { revision: ++this.#count, label, timeMs: this.clock.now() }, state: copyOf(this.#state) },
    ];
  }

  onChanged(listener: () => void): Disposable {
    return this.#changed.on(listener);
  }

  onRestored(listener: () => void): Disposable {
    return this.#restored.on(listener);
  }

  flush(): void {
    this.flushes++;
  }

  close(): Promise<void> {
    this.#end('the lab was closed');
    return Promise.resolve();
  }

  #restore(state: State): void {
    this.#state = copyOf(state);
    this.#end('Connection to 127.0.0.1 closed by remote host.');
    this.#changed.emit();
    this.#restored.emit();
  }

  #setPower(name: string, power: HostedMachine['power']): void {
    this.#state.power.set(name, power);
    if (power === 'off') this.#end('Connection to 127.0.0.1 closed by remote host.', name);
    this.#changed.emit();
  }

  #end(reason: string, machine?: string): void {
    for (const terminal of [...this.#terminals]) if (machine === undefined || terminal.machine === machine) terminal.end(reason);
  }

  #node(name: string, address: string): KubeObject {
    const isReady = this.#state.power.get(name) === 'on';
    return {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: {
        name,
        uid: name,
        resourceVersion: '1',
        creationTimestamp: new Date(START_MS - 3_600_000).toISOString(),
        labels: name === 'm-k8s' ? { 'node-role.kubernetes.io/master': '', 'node-role.kubernetes.io/control-plane': '' } : {},
      },
      ...{
        status: {
          conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False' }],
          nodeInfo: { kubeletVersion: 'v1.20.2' },
          addresses: [{ type: 'InternalIP', address }],
        },
      },
    };
  }
}

class FakeTerminal implements HostedTerminal {
  readonly machine: string;
  readonly whenReady = Promise.resolve();
  readonly #lab: FakeLab;
  readonly #forget: () => void;
  readonly #data = new Emitter<Uint8Array>();
  readonly #exit = new Emitter<string>();
  #line = '';
  #early = '';

  constructor(lab: FakeLab, machine: string, forget: () => void) {
    this.#lab = lab;
    this.machine = machine;
    this.#forget = forget;
    this.#say(`Last login: Thu Jan  1 09:00:00 2026 from 10.0.2.2\r\n${this.#prompt}`);
  }

  get #prompt(): string {
    return `[root@${this.machine} ~]# `;
  }

  onData(listener: (bytes: Uint8Array) => void): Disposable {
    const listening = this.#data.on(listener);
    const early = this.#early;
    this.#early = '';
    if (early !== '') queueMicrotask(() => this.#say(early));
    return listening;
  }

  onExit(listener: (reason: string) => void): Disposable {
    return this.#exit.on(listener);
  }

  write(bytes: Uint8Array): void {
    for (const character of new TextDecoder().decode(bytes)) {
      if (character === '\r') this.#run(this.#line);
      else if (character === '\x7f') {
        if (this.#line !== '') this.#say('\b \b');
        this.#line = this.#line.slice(0, -1);
      } else {
        this.#line += character;
        this.#say(character);
      }
    }
  }

  resize(): void {
    // A screen of cardboard has no lines to fold.
  }

  close(): void {
    this.#forget();
  }

  end(reason: string): void {
    this.#forget();
    this.#exit.emit(reason);
  }

  #run(line: string): void {
    this.#line = '';
    this.#say('\r\n');
    if (line !== '') this.#lab.notePoint(line);
    const [command, first = '', second = ''] = line.split(' ');
    if (command === 'exit') return this.end('Connection to 127.0.0.1 closed.');
    if (command === 'pod')
      this.#lab.addPod({ name: first, node: 'w1-k8s', address: '172.16.221.129', ...(second ? { reason: second } : {}) });
    else if (command === 'delete') this.#lab.deletePods();
    else if (command === 'flood') for (let i = 0; i < Number(first); i++) this.#say(`line ${i} ${'x'.repeat(60)}\r\n`);
    else if (command === 'echo') this.#say(`${line.slice(5)}\r\n`);
    else if (line !== '') this.#say(`-bash: ${command}: command not found\r\n`);
    this.#say(this.#prompt);
  }

  #say(text: string): void {
    if (this.#data.listenerCount === 0) this.#early += text;
    else this.#data.emit(new TextEncoder().encode(text));
  }
}

function copyOf(state: State): State {
  return { power: new Map(state.power), pods: new Map(state.pods) };
}
