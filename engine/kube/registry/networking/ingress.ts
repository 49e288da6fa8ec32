// Ingress.

import { ageCell, SHOWN, textColumn } from '../columns.ts';
import { AGE_COLUMN, type ApiObject, defineResource, type Json, NAME_COLUMN, type ResourceDefinition } from '../definition.ts';
import { ingressFromV1beta1, ingressToV1beta1 } from './ingress-versions.ts';
import { validateLoadBalancerStatus } from '../core/service-validation.ts';
import { validateIngressCreate, validateIngressUpdate } from './ingress-validation.ts';

const spec = (object: ApiObject): Json => (object['spec'] ?? {}) as Json;

const status = (object: ApiObject): Json => (object['status'] ?? {}) as Json;

interface Rule {
  readonly host?: string;
}

export const INGRESS: ResourceDefinition = defineResource<ApiObject>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'Ingress',
  hashedVersion: 'v1beta1',
  alsoServedAs: [
    { group: 'networking.k8s.io', version: 'v1beta1', toStorage: ingressFromV1beta1, fromStorage: ingressToV1beta1 },
    { group: 'extensions', version: 'v1beta1', toStorage: ingressFromV1beta1, fromStorage: ingressToV1beta1 },
  ],
  plural: 'ingresses',
  strategy: {
    validate: validateIngressCreate,
    validateUpdate: (next, current, meta, served) => [...meta.update, ...meta.object, ...validateIngressUpdate(next, current, served)],
    validateStatusUpdate: (next, _current, meta) => [
      ...meta.update,
      ...validateLoadBalancerStatus(status(next)['loadBalancer'], 'status.loadBalancer'),
    ],
  },
  table: {
    columns: [
      NAME_COLUMN,
      textColumn('Class', 'The name of the IngressClass resource that should be used for additional configuration'),
      textColumn('Hosts', 'Hosts that incoming requests are matched against before the ingress rule'),
      textColumn('Address', 'Address is a list containing ingress points for the load-balancer'),
      textColumn('Ports', 'Ports of TLS configurations that open'),
      AGE_COLUMN,
    ],
    cells: (object, nowMs) => {
      const rules = (spec(object)['rules'] ?? []) as readonly Rule[];
      const shown = hostsCell(rules.map((rule) => rule.host ?? ''));
      const balancer = ((status(object)['loadBalancer'] as Json | undefined)?.['ingress'] ?? []) as readonly {
        ip?: string;
        hostname?: string;
      }[];
      const hasTls = ((spec(object)['tls'] ?? []) as readonly unknown[]).length > 0;
      return [
        object.metadata.name,
        String(spec(object)['ingressClassName'] ?? '<none>'),
        shown,
        [...new Set(balancer.map((each) => each.ip ?? each.hostname ?? ''))]
          .filter((each) => each !== '')
          .sort()
          .join(','),
        hasTls ? '80, 443' : '80',
        ageCell(object, nowMs),
      ];
    },
  },
  shortNames: ['ing'],
  isNamespaced: true,
  hasStatus: true,
  hasGeneration: true,
  storagePrefix: 'ingress',
});

/** The first hosts; what is more is counted in rules. */
function hostsCell(rules: readonly string[]): string {
  const hosts: string[] = [];
  for (const host of rules) {
    if (hosts.length === SHOWN) return `${hosts.join(',')} + ${rules.length - SHOWN} more...`;
    if (host !== '') hosts.push(host);
  }
  return hosts.length === 0 ? '*' : hosts.join(',');
}
