// What kube-proxy knows: every port of every service with the endpoints behind it.

import type { Endpoints, Service } from '../machinery/types.ts';

export interface ProxyEndpoint {
  readonly address: string;
  readonly port: number;
  readonly isLocal: boolean;
}

export interface ServicePort {
  /** `namespace/name` or `namespace/name:port`. */
  readonly name: string;
  readonly protocol: string;
  readonly clusterAddress: string;
  readonly port: number;
  readonly nodePort: number;
  readonly externalAddresses: readonly string[];
  readonly ingressAddresses: readonly string[];
  readonly sourceRanges: readonly string[];
  readonly isNodeLocal: boolean;
  /** Seconds of client affinity, or undefined. */
  readonly affinitySeconds: number | undefined;
  readonly endpoints: readonly ProxyEndpoint[];
}

const AFFINITY_SECONDS = 10_800;

/** In order of names, so that the rules come out the same every time. */
export function servicePorts(
  services: readonly Service[],
  endpointsOf: (key: string) => Endpoints | undefined,
  nodeName: string,
): readonly ServicePort[] {
  const out: ServicePort[] = [];
  for (const service of services) {
    const spec = service.spec;
    const clusterAddress = spec?.clusterIP ?? '';
    if (spec === undefined || clusterAddress === '' || clusterAddress === 'None' || spec.type === 'ExternalName') continue;
    if (service.metadata.labels?.['service.kubernetes.io/service-proxy-name'] !== undefined) continue;
    const key = `${service.metadata.namespace}/${service.metadata.name}`;
    const endpoints = endpointsOf(key);
    for (const port of spec.ports ?? []) {
      const portName = port.name ?? '';
      const protocol = port.protocol ?? 'TCP';
      out.push({
        name: portName === '' ? key : `${key}:${portName}`,
        protocol: protocol.toLowerCase(),
        clusterAddress,
        port: port.port,
        nodePort: port.nodePort ?? 0,
        externalAddresses: spec.externalIPs ?? [],
        ingressAddresses: (service.status?.loadBalancer?.ingress ?? [])
          .map((ingress) => ingress.ip ?? '')
          .filter((address) => address !== ''),
        sourceRanges: spec.loadBalancerSourceRanges ?? [],
        isNodeLocal: (spec.type === 'NodePort' || spec.type === 'LoadBalancer') && spec.externalTrafficPolicy === 'Local',
        affinitySeconds:
          spec.sessionAffinity === 'ClientIP' ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? AFFINITY_SECONDS) : undefined,
        endpoints: readyEndpoints(endpoints, portName, nodeName),
      });
    }
  }
  return out.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.protocol < b.protocol ? -1 : 1));
}

function readyEndpoints(endpoints: Endpoints | undefined, portName: string, nodeName: string): readonly ProxyEndpoint[] {
  return (endpoints?.subsets ?? []).flatMap((subset) =>
    (subset.ports ?? [])
      .filter((port) => (port.name ?? '') === portName)
      .flatMap((port) =>
        (subset.addresses ?? []).map((address) => ({ address: address.ip, port: port.port, isLocal: address.nodeName === nodeName })),
      ),
  );
}
