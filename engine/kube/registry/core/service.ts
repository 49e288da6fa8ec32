// Service.

import { isRecord } from '../../machinery/deep.ts';
import { FieldError } from '../../machinery/field-errors.ts';
import { dns1035Label, dns1123Label, dns1123Subdomain, isIpv4, portName, portNumber } from '../../machinery/names.ts';
import { ageOf } from '../../machinery/time.ts';
import type { Service } from '../../machinery/types.ts';
import { labelsCell } from '../columns.ts';
import { AGE_COLUMN, defineResource, type Json, NAME_COLUMN, type ResourceDefinition } from '../definition.ts';
import { defaults, records, specOf } from '../object-access.ts';

const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];

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
      if (spec['sessionAffinity'] === 'ClientIP') spec['sessionAffinityConfig'] ??= { clientIP: { timeoutSeconds: 10800 } };
      for (const port of records(spec['ports'])) {
        defaults(port, { protocol: 'TCP' });
        if ((port['targetPort'] ?? '') === '' || port['targetPort'] === 0) port['targetPort'] = port['port'];
      }
      if (spec['type'] === 'NodePort' || spec['type'] === 'LoadBalancer') defaults(spec, { externalTrafficPolicy: 'Cluster' });
      else delete spec['externalTrafficPolicy'];
      // Only one family of addresses here: the dual-stack fields of 1.20 stay behind their gate.
      delete spec['ipFamilies'];
      delete spec['ipFamilyPolicy'];
      const address = spec['clusterIP'];
      if (typeof address === 'string' && address !== '' && spec['clusterIPs'] === undefined) spec['clusterIPs'] = [address];
      const status = (service as unknown as Json)['status'];
      if (!isRecord(status)) (service as unknown as Json)['status'] = { loadBalancer: {} };
    },
    prepareForCreate(service) {
      Object.assign(service, { status: { loadBalancer: {} } });
    },
    validate: validateService,
    prepareForUpdate(next, current) {
      const spec = specOf(next);
      const old = specOf(current);
      // A client that does not say keeps the address it has.
      if (spec['type'] !== 'ExternalName' && old['type'] !== 'ExternalName' && (spec['clusterIP'] ?? '') === '') {
        spec['clusterIP'] = old['clusterIP'];
        if (spec['clusterIPs'] === undefined) spec['clusterIPs'] = old['clusterIPs'];
      }
      if (spec['clusterIP'] !== old['clusterIP'] && JSON.stringify(spec['clusterIPs']) === JSON.stringify(old['clusterIPs'])) {
        if (typeof spec['clusterIP'] === 'string' && spec['clusterIP'] !== '') spec['clusterIPs'] = [spec['clusterIP']];
      }
      // What has no address any more gives it back, unless the client names one.
      if (spec['type'] === 'ExternalName' && old['type'] !== 'ExternalName' && spec['clusterIP'] === old['clusterIP']) {
        delete spec['clusterIP'];
        delete spec['clusterIPs'];
      }
      // Node ports stay with their ports when an update leaves them out.
      if (['NodePort', 'LoadBalancer'].includes(String(spec['type']))) {
        for (const port of records(spec['ports'])) {
          if (Number(port['nodePort'] ?? 0) !== 0) continue;
          const same = records(old['ports']).find((each) => each['port'] === port['port'] && each['protocol'] === port['protocol']);
          if (same?.['nodePort'] !== undefined) port['nodePort'] = same['nodePort'];
        }
      }
    },
    validateUpdate(next, current) {
      const errors: FieldError[] = [];
      const [ours, theirs] = [specOf(next), specOf(current)];
      if (ours['type'] !== 'ExternalName' && theirs['type'] !== 'ExternalName') {
        const before = String(theirs['clusterIP'] ?? '');
        if (before !== '' && ours['clusterIP'] !== before) {
          const shown = (ours['clusterIPs'] as readonly string[] | undefined) ?? [];
          errors.push(
            FieldError.invalidGo(
              'spec.clusterIPs[0]',
              `[]string{${shown.map((each) => JSON.stringify(each)).join(', ')}}`,
              'may not change once set',
            ),
          );
        }
      }
      return [...errors, ...validateService(next)];
    },
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
      const all = [...ingress, ...external];
      if (all.length > 0) return [...new Set(ingress), ...external].join(',');
      return '<pending>';
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

function validateService(service: Service): readonly FieldError[] {
  const errors: FieldError[] = [];
  const spec = specOf(service);
  const ports = records(spec['ports']);
  const type = String(spec['type'] ?? '');
  const address = String(spec['clusterIP'] ?? '');
  if (ports.length === 0 && address !== 'None' && type !== 'ExternalName') errors.push(FieldError.required('spec.ports', ''));
  if (type === 'ExternalName') {
    const external = String(spec['externalName'] ?? '');
    if (address !== '') errors.push(FieldError.forbidden('spec.clusterIPs', 'may not be set for ExternalName services'));
    if (external === '') errors.push(FieldError.required('spec.externalName', ''));
    else for (const problem of dns1123Subdomain(external)) errors.push(FieldError.invalid('spec.externalName', external, problem));
  }
  const isHeadless = address === 'None';
  if (type === 'LoadBalancer' && isHeadless)
    errors.push(FieldError.invalid('spec.clusterIPs[0]', 'None', "may not be set to 'None' for LoadBalancer services"));
  if (type === 'NodePort' && isHeadless)
    errors.push(FieldError.invalid('spec.clusterIPs[0]', 'None', "may not be set to 'None' for NodePort services"));
  const names = new Set<string>();
  const seen = new Set<string>();
  const nodePorts = new Set<string>();
  for (const [index, port] of ports.entries()) {
    const at = `spec.ports[${index}]`;
    const name = String(port['name'] ?? '');
    if (ports.length > 1 && name === '') errors.push(FieldError.required(`${at}.name`, ''));
    else if (name !== '') {
      for (const problem of dns1123Label(name)) errors.push(FieldError.invalid(`${at}.name`, name, problem));
      if (names.has(name)) errors.push(FieldError.duplicate(`${at}.name`, name));
      names.add(name);
    }
    for (const problem of portNumber(Number(port['port'] ?? 0)))
      errors.push(FieldError.invalid(`${at}.port`, Number(port['port'] ?? 0), problem));
    const protocol = String(port['protocol'] ?? '');
    if (protocol === '') errors.push(FieldError.required(`${at}.protocol`, ''));
    else if (!['TCP', 'UDP', 'SCTP'].includes(protocol))
      errors.push(FieldError.notSupported(`${at}.protocol`, protocol, ['SCTP', 'TCP', 'UDP']));
    const target = port['targetPort'];
    if (typeof target === 'number')
      for (const problem of portNumber(target)) errors.push(FieldError.invalid(`${at}.targetPort`, target, problem));
    else if (typeof target === 'string')
      for (const problem of portName(target)) errors.push(FieldError.invalid(`${at}.targetPort`, target, problem));
    const key = `${protocol}/${String(port['port'])}`;
    if (seen.has(key)) errors.push(FieldError.duplicate(at, { port: port['port'], protocol }));
    seen.add(key);
    const nodePort = Number(port['nodePort'] ?? 0);
    if (nodePort === 0) continue;
    if (type === 'ClusterIP') errors.push(FieldError.forbidden(`${at}.nodePort`, "may not be used when `type` is 'ClusterIP'"));
    if (nodePorts.has(`${protocol}/${nodePort}`)) errors.push(FieldError.duplicate(`${at}.nodePort`, nodePort));
    nodePorts.add(`${protocol}/${nodePort}`);
  }
  if (!['ClientIP', 'None'].includes(String(spec['sessionAffinity'])))
    errors.push(FieldError.notSupported('spec.sessionAffinity', spec['sessionAffinity'], ['ClientIP', 'None']));
  if (address !== '' && address !== 'None' && !isIpv4(address) && type !== 'ExternalName') {
    errors.push(
      FieldError.invalidGo('spec.clusterIPs', `[]string{${JSON.stringify(address)}}`, 'must be a valid IP address, (e.g. 10.9.8.7)'),
    );
  }
  if (!TYPES.includes(type)) errors.push(FieldError.notSupported('spec.type', type, TYPES));
  return errors;
}
