// Service.

import { isRecord } from '../../machinery/deep.ts';
import { dns1035Label } from '../../machinery/names.ts';
import { ageOf } from '../../machinery/time.ts';
import type { Service } from '../../machinery/types.ts';
import { labelsCell } from '../columns.ts';
import { AGE_COLUMN, defineResource, type Json, NAME_COLUMN, type ResourceDefinition } from '../definition.ts';
import { defaults, records, specOf } from '../object-access.ts';
import { dropForType, dropGated, keepAllocations, linkAddresses, needsNodePort } from './service-update.ts';
import { validateLoadBalancerStatus, validateService, validateServiceUpdate } from './service-validation.ts';

const DEFAULT_AFFINITY_SECONDS = 10800;

export const SERVICE: ResourceDefinition = defineResource<Service>({
  group: '',
  version: 'v1',
  kind: 'Service',
  plural: 'services',
  shortNames: ['svc'],
  categories: ['all'],
  isNamespaced: true,
  hasStatus: true,
  storagePrefix: 'services/specs',
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  otherSubresources: [{ name: 'proxy', kind: 'ServiceProxyOptions', verbs: ['create', 'delete', 'get', 'patch', 'update'] }],
  strategy: {
    nameProblems: dns1035Label,
    setDefaults(service) {
      const spec = specOf(service);
      defaults(spec, { sessionAffinity: 'None', type: 'ClusterIP' });
      if (spec['sessionAffinity'] === 'None') delete spec['sessionAffinityConfig'];
      if (spec['sessionAffinity'] === 'ClientIP') {
        const config = spec['sessionAffinityConfig'] as { clientIP?: { timeoutSeconds?: number } } | undefined;
        if (config?.clientIP?.timeoutSeconds === undefined)
          spec['sessionAffinityConfig'] = { clientIP: { timeoutSeconds: DEFAULT_AFFINITY_SECONDS } };
      }
      for (const port of records(spec['ports'])) {
        defaults(port, { protocol: 'TCP' });
        if ((port['targetPort'] ?? '') === '' || port['targetPort'] === 0) port['targetPort'] = port['port'];
      }
      if (needsNodePort(spec)) defaults(spec, { externalTrafficPolicy: 'Cluster' });
      const status = (service as unknown as Json)['status'];
      if (!isRecord(status)) (service as unknown as Json)['status'] = { loadBalancer: {} };
    },
    prepareForCreate(service) {
      Object.assign(service, { status: { loadBalancer: {} } });
      const spec = specOf(service);
      linkAddresses(spec, undefined);
      dropGated(spec);
    },
    validate: validateService,
    prepareForUpdate(next, current) {
      const [spec, old] = [specOf(next), specOf(current)];
      keepAllocations(spec, old);
      linkAddresses(spec, old);
      dropGated(spec);
      dropForType(spec, old);
    },
    validateUpdate: validateServiceUpdate,
    validateStatusUpdate: (next, _current, meta) => [
      ...meta.update,
      ...validateLoadBalancerStatus(next.status?.loadBalancer, 'status.loadBalancer'),
    ],
  },
  returnsDeleted: false,
  table: {
    columns: [
      NAME_COLUMN,
      { name: 'Type', type: 'string', description: 'type determines how the Service is exposed.' },
      { name: 'Cluster-IP', type: 'string', description: 'clusterIP is the IP address of the service.' },
      {
        name: 'External-IP',
        type: 'string',
        description: 'externalIPs is a list of IP addresses for which nodes in the cluster will also accept traffic for this service.',
      },
      { name: 'Port(s)', type: 'string', description: 'The list of ports that are exposed by this service.' },
      AGE_COLUMN,
      {
        name: 'Selector',
        type: 'string',
        priority: 1,
        description: 'Route service traffic to pods with label keys and values matching this selector.',
      },
    ],
    cells: ({ metadata, spec, status }, nowMs) => {
      const address = (spec as Json | undefined)?.['clusterIP'];
      return [
        metadata.name,
        spec?.type ?? '',
        typeof address !== 'string' || address === '' ? '<none>' : address,
        externalAddress(spec, status),
        portsCell(spec?.ports),
        ageOf(metadata.creationTimestamp, nowMs),
        labelsCell(spec?.selector),
      ];
    },
  },
});

function externalAddress(spec: Service['spec'], status: Service['status']): string {
  const ingress = (status?.loadBalancer?.ingress ?? []).map((each) => each.ip ?? each.hostname ?? '').filter((each) => each !== '');
  const external = spec?.externalIPs ?? [];
  switch (spec?.type) {
    case 'LoadBalancer': {
      const all = [...[...new Set(ingress)].sort(), ...external];
      return all.length > 0 ? all.join(',') : '<pending>';
    }
    case 'ExternalName':
      return spec.externalName ?? '';
    default:
      return external.length === 0 ? '<none>' : external.join(',');
  }
}

function portsCell(ports: NonNullable<Service['spec']>['ports']): string {
  const shown = (ports ?? []).map((port) =>
    (port.nodePort ?? 0) > 0 ? `${port.port}:${port.nodePort!}/${port.protocol!}` : `${port.port}/${port.protocol!}`,
  );
  return shown.length === 0 ? '<none>' : shown.join(',');
}
