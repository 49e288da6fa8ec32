// Models allocation of cluster addresses and node ports. What is taken is read from the services themselves.

import type { Rng } from '../../sim/rng.ts';
import { FieldError } from '../machinery/field-errors.ts';
import { goStrings } from '../machinery/go-syntax.ts';
import { isIpv4 } from '../machinery/names.ts';
import { internalError, invalid } from '../machinery/status.ts';
import { needsNodePort } from '../registry/core/service-update.ts';
import { externalTrafficErrors, needsHealthCheck } from '../registry/core/service-validation.ts';
import type { ApiObject, Json } from '../registry/definition.ts';
import type { ClusterReader } from './admission.ts';
import type { WriteHooks } from './resource-endpoint.ts';

interface Port {
  readonly port?: number;
  nodePort?: number;
  readonly protocol?: string;
}
interface Spec {
  type?: string;
  clusterIP?: string;
  clusterIPs?: string[];
  ports?: Port[];
  healthCheckNodePort?: number;
  externalTrafficPolicy?: string;
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

  beforeCreate(object: ApiObject, isDryRun: boolean): () => void {
    return this.#allocate(object, undefined, isDryRun);
  }

  beforeUpdate(next: ApiObject, current: ApiObject, isDryRun: boolean): () => void {
    return this.#allocate(next, current, isDryRun);
  }

  #allocate(object: ApiObject, current: ApiObject | undefined, isDryRun: boolean): () => void {
    const spec = object['spec'] as Spec;
    const old = current?.['spec'] as Spec | undefined;
    const taken: Taken = { addresses: [], ports: [] };
    const undo = (): void => {
      for (const address of taken.addresses) this.#pendingAddresses.delete(address);
      for (const port of taken.ports) this.#pendingPorts.delete(port);
    };
    try {
      if (!isDryRun && (old === undefined || old.type === 'ExternalName')) this.#allocateAddress(object, spec, taken);
      const ports = new PortOperation({
        used: () => this.#usedPorts(object),
        range: [this.#firstPort, this.#lastPort],
        rng: this.#rng,
        isDryRun,
        taken: (port) => {
          taken.ports.push(port);
          this.#pendingPorts.add(port);
        },
      });
      if (needsNodePort(spec as unknown as Json)) {
        if (old === undefined) initialPorts(object, spec, ports);
        else updatedPorts(object, spec, old, ports);
      }
      if (old !== undefined) dropWithType(object, spec, old);
      this.#allocateHealthPort(object, spec, old, ports);
      const errors = externalTrafficErrors(spec as unknown as Json);
      if (errors.length > 0) throw invalid(KIND, object.metadata.name, errors);
    } catch (error) {
      undo();
      throw error;
    }
    return undo;
  }

  #allocateAddress(object: ApiObject, spec: Spec, taken: Taken): void {
    if (spec.type === 'ExternalName' || spec.clusterIPs?.[0] === 'None') return;
    const used = new Set(this.#pendingAddresses);
    for (const { object: other } of this.#reader.store('', 'services').list()) {
      const address = (other['spec'] as Spec).clusterIP;
      if (address !== undefined && other.metadata.uid !== object.metadata.uid) used.add(address);
    }
    let address = spec.clusterIP ?? '';
    if (address !== '') {
      const offset = isIpv4(address) ? toNumber(address) - this.#network : -1;
      const problem =
        offset < 1 || offset > this.#size - 2
          ? `provided IP is not in the valid range. The range of valid IPs is ${this.#range}`
          : used.has(address)
            ? 'provided IP is already allocated'
            : undefined;
      if (problem !== undefined) {
        const detail = `failed to allocate IP ${address}: ${problem}`;
        throw invalid(KIND, object.metadata.name, [FieldError.invalid('spec.clusterIPs', goStrings(spec.clusterIPs), detail)]);
      }
    } else {
      const free = this.#size - 2;
      if (used.size >= free) throw internalError('failed to allocate a serviceIP: range is full');
      do address = toAddress(this.#network + 1 + this.#rng.int(free));
      while (used.has(address) || address === this.firstAddress);
    }
    spec.clusterIP = address;
    spec.clusterIPs = [address];
    taken.addresses.push(address);
    this.#pendingAddresses.add(address);
  }

  #usedPorts(object: ApiObject): Set<number> {
    const used = new Set(this.#pendingPorts);
    for (const { object: other } of this.#reader.store('', 'services').list()) {
      if (other.metadata.uid === object.metadata.uid) continue;
      const { ports, healthCheckNodePort } = other['spec'] as Spec;
      for (const port of ports ?? []) if (port.nodePort !== undefined) used.add(port.nodePort);
      if (healthCheckNodePort !== undefined) used.add(healthCheckNodePort);
    }
    return used;
  }

  #allocateHealthPort(object: ApiObject, spec: Spec, old: Spec | undefined, ports: PortOperation): void {
    const needed = old !== undefined && needsHealthCheck(old as unknown as Json);
    const needs = needsHealthCheck(spec as unknown as Json);
    const wanted = spec.healthCheckNodePort ?? 0;
    if (needs && !needed) {
      if (wanted === 0) spec.healthCheckNodePort = ports.next();
      else {
        const problem = ports.reserve(wanted);
        if (problem !== undefined) throw internalError(`failed to allocate requested HealthCheck NodePort ${wanted}: ${problem}`);
      }
    } else if (needed && !needs) delete spec.healthCheckNodePort;
    else if (needed && (old.healthCheckNodePort ?? 0) !== wanted) {
      const detail = 'cannot change healthCheckNodePort on loadBalancer service with externalTraffic=Local during update';
      throw invalid(KIND, object.metadata.name, [FieldError.invalid('spec.healthCheckNodePort', wanted, detail)]);
    }
  }
}

interface Taken {
  readonly addresses: string[];
  readonly ports: number[];
}

/** A guess of what the allocation will be: a dry run reserves nothing and starts above the range. */
const DRY_RUN_FIRST = 32769;

interface PortOperationOptions {
  readonly used: () => Set<number>;
  readonly range: readonly [number, number];
  readonly rng: Rng;
  readonly isDryRun: boolean;
  readonly taken: (port: number) => void;
}

/** Ports given out for one write. */
class PortOperation {
  readonly #options: PortOperationOptions;
  #known: Set<number> | undefined;
  readonly #given: number[] = [];

  constructor(options: PortOperationOptions) {
    this.#options = options;
  }

  get #used(): Set<number> {
    this.#known ??= this.#options.used();
    return this.#known;
  }

  /** What is wrong with this port, or nothing: then it is ours. */
  reserve(port: number): string | undefined {
    const [first, last] = this.#options.range;
    if (!this.#options.isDryRun && (port < first || port > last))
      return `provided port is not in the valid range. The range of valid ports is ${first}-${last}`;
    if (this.#used.has(port) || this.#given.includes(port)) return 'provided port is already allocated';
    this.#give(port);
    return undefined;
  }

  next(): number {
    const [first, last] = this.#options.range;
    let port = Math.max(DRY_RUN_FIRST - 1, ...this.#given) + 1;
    if (!this.#options.isDryRun) {
      if (this.#used.size + this.#given.length >= last - first + 1) throw internalError('failed to allocate a nodePort: range is full');
      do port = first + this.#options.rng.int(last - first + 1);
      while (this.#used.has(port) || this.#given.includes(port));
    }
    this.#give(port);
    return port;
  }

  #give(port: number): void {
    this.#given.push(port);
    if (!this.#options.isDryRun) this.#options.taken(port);
  }
}

function refused(object: ApiObject, index: number, port: number, problem: string): ReturnType<typeof invalid> {
  return invalid(KIND, object.metadata.name, [FieldError.invalid(`spec.ports[${index}].nodePort`, port, problem)]);
}

/** One service port's protocols share a node port. */
function initialPorts(object: ApiObject, spec: Spec, operation: PortOperation): void {
  const chosen = new Map<number, number>();
  const ports = spec.ports ?? [];
  for (const [index, port] of ports.entries()) {
    const own = chosen.get(port.port ?? 0);
    const given = port.nodePort ?? 0;
    if (own === undefined) {
      const wanted = ports.find((each) => each.port === port.port && (each.nodePort ?? 0) !== 0)?.nodePort;
      if (wanted === undefined) port.nodePort = operation.next();
      else {
        const problem = operation.reserve(wanted);
        if (problem !== undefined) throw refused(object, index, wanted, problem);
        port.nodePort = wanted;
      }
      chosen.set(port.port ?? 0, port.nodePort);
    } else if (given === 0) port.nodePort = own;
    else if (given !== own) {
      const problem = operation.reserve(given);
      if (problem !== undefined) throw refused(object, index, given, problem);
    }
  }
}

function updatedPorts(object: ApiObject, spec: Spec, old: Spec, operation: PortOperation): void {
  const before = new Set((old.ports ?? []).map((port) => port.nodePort ?? 0));
  const reserved = new Set<number>();
  for (const [index, port] of (spec.ports ?? []).entries()) {
    const given = port.nodePort ?? 0;
    if (given === 0) {
      port.nodePort = operation.next();
      continue;
    }
    if (before.has(given) || reserved.has(given)) continue;
    const problem = operation.reserve(given);
    if (problem !== undefined) throw refused(object, index, given, problem);
    reserved.add(given);
  }
}

/** A type without a load balancer has no status of one; one without node ports no policy for traffic from outside. */
function dropWithType(object: ApiObject, spec: Spec, old: Spec): void {
  if (spec.type !== 'LoadBalancer') object['status'] = { ...(object['status'] as Json | undefined), loadBalancer: {} };
  if (needsNodePort(old as unknown as Json) && !needsNodePort(spec as unknown as Json)) delete spec.externalTrafficPolicy;
}

function toNumber(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function toAddress(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
}
