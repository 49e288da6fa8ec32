// Models allocation of cluster addresses and node ports. What is taken is read from the services themselves.

import type { Rng } from '../../sim/rng.ts';
import { FieldError } from '../machinery/field-errors.ts';
import { internalError, invalid } from '../machinery/status.ts';
import type { ApiObject } from '../registry/definition.ts';
import type { ClusterReader } from './admission.ts';
import type { WriteHooks } from './resource-endpoint.ts';

interface Port {
  nodePort?: number;
  readonly protocol?: string;
}
interface Spec {
  type?: string;
  clusterIP?: string;
  clusterIPs?: string[];
  ports?: Port[];
  healthCheckNodePort?: number;
}

const KIND = { group: '', kind: 'Service' };

export class ServiceAllocation implements WriteHooks {
  readonly #reader: ClusterReader;
  readonly #rng: Rng;
  readonly #network: number;
  readonly #size: number;
  readonly #range: string;
  readonly #firstPort: number;
  readonly #lastPort: number;
  /** Given out to writes that are not in the store yet. */
  readonly #pendingAddresses = new Set<string>();
  readonly #pendingPorts = new Set<number>();

  constructor(options: {
    readonly reader: ClusterReader;
    readonly rng: Rng;
    readonly clusterIpRange: string;
    readonly nodePortRange: string;
  }) {
    this.#reader = options.reader;
    this.#rng = options.rng;
    this.#range = options.clusterIpRange;
    const [address = '', bits = '24'] = options.clusterIpRange.split('/');
    this.#size = 2 ** (32 - Number(bits));
    this.#network = Math.floor(toNumber(address) / this.#size) * this.#size;
    const [first = '30000', last = '32767'] = options.nodePortRange.split('-');
    this.#firstPort = Number(first);
    this.#lastPort = Number(last);
  }

  /** The first address of the range: the `kubernetes` service's. */
  get firstAddress(): string {
    return toAddress(this.#network + 1);
  }

  beforeCreate(object: ApiObject): () => void {
    return this.#allocate(object, undefined);
  }

  beforeUpdate(next: ApiObject, current: ApiObject): () => void {
    return this.#allocate(next, current);
  }

  #allocate(object: ApiObject, current: ApiObject | undefined): () => void {
    const spec = object['spec'] as Spec;
    const old = current?.['spec'] as Spec | undefined;
    const taken: { readonly addresses: string[]; readonly ports: number[] } = { addresses: [], ports: [] };
    const undo = (): void => {
      for (const address of taken.addresses) this.#pendingAddresses.delete(address);
      for (const port of taken.ports) this.#pendingPorts.delete(port);
    };
    try {
      this.#allocateAddress(object, spec, old, taken.addresses);
      this.#allocatePorts(object, spec, old, taken.ports);
    } catch (error) {
      undo();
      throw error;
    }
    return undo;
  }

  #allocateAddress(object: ApiObject, spec: Spec, old: Spec | undefined, taken: string[]): void {
    if (spec.type === 'ExternalName') {
      delete spec.clusterIP;
      delete spec.clusterIPs;
      return;
    }
    const wanted = spec.clusterIP ?? '';
    if (wanted === 'None') {
      spec.clusterIPs = ['None'];
      return;
    }
    if (wanted !== '' && wanted === old?.clusterIP) return;
    const used = new Set(this.#pendingAddresses);
    for (const { object: other } of this.#reader.store('', 'services').list()) {
      const address = (other['spec'] as Spec).clusterIP;
      if (address !== undefined && other.metadata.uid !== object.metadata.uid) used.add(address);
    }
    let address = wanted;
    if (wanted !== '') {
      const offset = toNumber(wanted) - this.#network;
      const problem =
        offset < 1 || offset > this.#size - 2
          ? `failed to allocate IP ${wanted}: provided IP is not in the valid range. The range of valid IPs is ${this.#range}`
          : used.has(wanted)
            ? `failed to allocate IP ${wanted}: provided IP is already allocated`
            : undefined;
      if (problem !== undefined)
        throw invalid(KIND, object.metadata.name, [
          FieldError.invalidGo('spec.clusterIPs', `[]string{${JSON.stringify(wanted)}}`, problem),
        ]);
    } else {
      const free = this.#size - 2;
      if (used.size >= free) throw internalError('failed to allocate a serviceIP: range is full');
      do address = toAddress(this.#network + 1 + this.#rng.int(free));
      while (used.has(address) || address === this.firstAddress);
    }
    spec.clusterIP = address;
    spec.clusterIPs = [address];
    taken.push(address);
    this.#pendingAddresses.add(address);
  }

  #allocatePorts(object: ApiObject, spec: Spec, old: Spec | undefined, taken: number[]): void {
    if (spec.type !== 'NodePort' && spec.type !== 'LoadBalancer') {
      if (spec.type === 'ClusterIP' && old !== undefined && old.type !== 'ClusterIP')
        for (const port of spec.ports ?? []) delete port.nodePort;
      return;
    }
    const own = new Set((old?.ports ?? []).map((port) => port.nodePort));
    const used = new Set(this.#pendingPorts);
    for (const { object: other } of this.#reader.store('', 'services').list()) {
      if (other.metadata.uid === object.metadata.uid) continue;
      for (const port of (other['spec'] as Spec).ports ?? []) if (port.nodePort !== undefined) used.add(port.nodePort);
    }
    // The same number may serve TCP and UDP of one service.
    const claimed = new Map<number, string>();
    for (const [index, port] of (spec.ports ?? []).entries()) {
      let number = port.nodePort ?? 0;
      if (number !== 0) {
        if (!own.has(number) && !claimed.has(number)) {
          const at = `spec.ports[${index}].nodePort`;
          if (number < this.#firstPort || number > this.#lastPort) {
            throw invalid(KIND, object.metadata.name, [
              FieldError.invalid(
                at,
                number,
                `provided port is not in the valid range. The range of valid ports is ${this.#firstPort}-${this.#lastPort}`,
              ),
            ]);
          }
          if (used.has(number))
            throw invalid(KIND, object.metadata.name, [FieldError.invalid(at, number, 'provided port is already allocated')]);
        }
      } else {
        do number = this.#firstPort + this.#rng.int(this.#lastPort - this.#firstPort + 1);
        while (used.has(number) || claimed.has(number));
        port.nodePort = number;
      }
      claimed.set(number, port.protocol ?? 'TCP');
      taken.push(number);
      this.#pendingPorts.add(number);
    }
  }
}

function toNumber(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function toAddress(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
}
