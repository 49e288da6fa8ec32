// Models CoreDNS's kubernetes plugin (Kubernetes DNS specification 1.1.0): names of services, their ends, and pods by address.

import { addressOfReverseName, type DnsQuestion, type DnsRecord } from '../../net/dns.ts';
import type { Lister } from '../client/contracts.ts';
import type { Endpoints, Namespace, Service } from '../machinery/types.ts';

export interface ZoneSources {
  readonly services: Lister<Service>;
  readonly endpoints: Lister<Endpoints>;
  readonly namespaces: Lister<Namespace>;
}

export interface ZoneAnswer {
  readonly code: 'NOERROR' | 'NXDOMAIN';
  readonly answers: readonly DnsRecord[];
  readonly additional: readonly DnsRecord[];
}

interface Target {
  readonly address: string;
  readonly host: string;
}

export class ClusterZone {
  readonly #domain: string;
  readonly #ttl: number;
  readonly #sources: ZoneSources;

  constructor(domain: string, options: { readonly ttl: number; readonly sources: ZoneSources }) {
    this.#domain = domain.replace(/\.$/, '');
    this.#ttl = options.ttl;
    this.#sources = options.sources;
  }

  holds(name: string): boolean {
    return name === this.#domain || name.endsWith(`.${this.#domain}`);
  }

  /** The name is in the zone. */
  answer(question: DnsQuestion): ZoneAnswer {
    const labels = question.name
      .slice(0, -this.#domain.length - 1)
      .split('.')
      .filter((label) => label !== '');
    const kind = labels.pop();
    const namespace = labels.pop();
    if (kind === undefined) return found([]);
    if (kind !== 'svc' && kind !== 'pod')
      return labels.length === 0 && kind === 'dns-version' && namespace === undefined
        ? found([this.#record(question, 'TXT', '1.1.0')])
        : MISSING;
    if (namespace === undefined) return found([]);
    if (this.#sources.namespaces.get(namespace) === undefined) return MISSING;
    if (labels.length === 0) return found([]);
    return kind === 'pod' ? this.#pod(question, labels) : this.#service(question, labels, namespace);
  }

  /** The PTR record of a service or endpoint address; undefined when it is none of the cluster's. */
  reverse(question: DnsQuestion): readonly DnsRecord[] | undefined {
    const address = addressOfReverseName(question.name);
    if (address === undefined) return undefined;
    const names: string[] = [];
    for (const service of this.#sources.services.list()) {
      if (service.spec?.clusterIP === address) names.push(this.#nameOf(service));
    }
    for (const endpoints of this.#sources.endpoints.list()) {
      for (const target of targetsOf(endpoints))
        if (target.address === address)
          names.push(`${target.host}.${endpoints.metadata.name}.${endpoints.metadata.namespace ?? ''}.svc.${this.#domain}`);
    }
    return names.length === 0 ? undefined : names.map((name) => this.#record(question, 'PTR', name));
  }

  /** The zone's authority, sent with answers that have nothing. */
  soa(nowMs: number): DnsRecord {
    const data = `ns.dns.${this.#domain} hostmaster.${this.#domain} ${Math.floor(nowMs / 1000)} 7200 1800 86400 ${this.#ttl}`;
    return { name: this.#domain, type: 'SOA', ttl: this.#ttl, data };
  }

  /** `1-2-3-4.namespace.pod`: with `pods insecure` the answer is what the name says. */
  #pod(question: DnsQuestion, labels: readonly string[]): ZoneAnswer {
    const match = /^(\d+)-(\d+)-(\d+)-(\d+)$/.exec(labels[0]!);
    if (labels.length !== 1 || match === null) return MISSING;
    return found(question.type === 'A' ? [this.#record(question, 'A', match.slice(1).join('.'))] : []);
  }

  #service(question: DnsQuestion, labels: readonly string[], namespace: string): ZoneAnswer {
    const name = labels.at(-1)!;
    const service = this.#sources.services.get(`${namespace}/${name}`);
    if (service === undefined) return MISSING;
    const front = labels.slice(0, -1);
    if (service.spec?.type === 'ExternalName') {
      return front.length > 0 ? MISSING : found([this.#record(question, 'CNAME', service.spec.externalName ?? '')]);
    }
    if (front.length === 2 && front[0]!.startsWith('_')) return this.#port(question, service, front[0]!.slice(1), front[1]!.slice(1));
    const targets = this.#targets(service);
    const chosen =
      front.length === 0 ? targets : isHeadless(service) && front.length === 1 ? targets.filter((target) => target.host === front[0]) : [];
    if (front.length > 0 && chosen.length === 0) return MISSING;
    if (question.type === 'SRV') return this.#srv(question, service, chosen, () => true);
    return found(question.type === 'A' ? chosen.map(({ address }) => this.#record(question, 'A', address)) : []);
  }

  #port(question: DnsQuestion, service: Service, port: string, protocol: string): ZoneAnswer {
    const matches = (candidate: { readonly name?: string; readonly protocol?: string }): boolean =>
      candidate.name === port && (candidate.protocol ?? 'TCP').toLowerCase() === protocol;
    if (!(service.spec?.ports ?? []).some(matches)) return MISSING;
    return question.type === 'SRV' ? this.#srv(question, service, this.#targets(service), matches) : found([]);
  }

  #srv(
    question: DnsQuestion,
    service: Service,
    targets: readonly Target[],
    matches: (port: { readonly name?: string; readonly protocol?: string }) => boolean,
  ): ZoneAnswer {
    const ports = (service.spec?.ports ?? []).filter(matches);
    const answers: DnsRecord[] = [];
    const additional: DnsRecord[] = [];
    const weight = Math.floor(100 / Math.max(1, targets.length));
    for (const target of targets) {
      const host = isHeadless(service) ? `${target.host}.${this.#nameOf(service)}` : this.#nameOf(service);
      for (const port of ports) answers.push(this.#record(question, 'SRV', `0 ${weight} ${port.port} ${host}`));
      additional.push({ name: host, type: 'A', ttl: this.#ttl, data: target.address });
    }
    return { code: 'NOERROR', answers, additional };
  }

  #targets(service: Service): readonly Target[] {
    if (!isHeadless(service)) return [{ address: service.spec?.clusterIP ?? '', host: '' }];
    const { namespace = '', name } = service.metadata;
    const endpoints = this.#sources.endpoints.get(`${namespace}/${name}`);
    return endpoints === undefined ? [] : targetsOf(endpoints, service.spec?.publishNotReadyAddresses === true);
  }

  #nameOf(service: Service): string {
    return `${service.metadata.name}.${service.metadata.namespace ?? ''}.svc.${this.#domain}`;
  }

  #record(question: DnsQuestion, type: DnsRecord['type'], data: string): DnsRecord {
    return { name: question.name, type, ttl: this.#ttl, data };
  }
}

const MISSING: ZoneAnswer = { code: 'NXDOMAIN', answers: [], additional: [] };

function found(answers: readonly DnsRecord[]): ZoneAnswer {
  return { code: 'NOERROR', answers, additional: [] };
}

function isHeadless(service: Service): boolean {
  return service.spec?.clusterIP === 'None' || service.spec?.clusterIP === '';
}

/** Hostname of an end: the pod's own when it has one for this service, otherwise the address with dashes. */
function targetsOf(endpoints: Endpoints, withNotReady = false): readonly Target[] {
  return (endpoints.subsets ?? []).flatMap((subset) => {
    const addresses = [...(subset.addresses ?? []), ...(withNotReady ? (subset.notReadyAddresses ?? []) : [])];
    return addresses.map((each) => ({ address: each.ip, host: each.hostname ?? each.ip.replaceAll('.', '-') }));
  });
}
