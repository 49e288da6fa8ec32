import { describe, expect, it } from 'vitest';
import type { Lister } from '../client/contracts.ts';
import type { Endpoints, KubeObject, Namespace, Service } from '../machinery/types.ts';
import { CorefileError, parseCorefile } from './corefile.ts';
import { ClusterZone } from './zone.ts';

function lister<T extends KubeObject>(objects: readonly T[]): Lister<T> {
  const keyOf = (object: T): string =>
    object.metadata.namespace === undefined ? object.metadata.name : `${object.metadata.namespace}/${object.metadata.name}`;
  return { get: (key) => objects.find((object) => keyOf(object) === key), list: () => objects, byIndex: () => [] };
}
const meta = (name: string, namespace?: string) => ({
  name,
  uid: name,
  resourceVersion: '1',
  creationTimestamp: '',
  ...(namespace === undefined ? {} : { namespace }),
});
const service = (name: string, spec: Service['spec']): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: meta(name, 'default'),
  ...(spec === undefined ? {} : { spec }),
});

const zone = new ClusterZone('cluster.local', {
  ttl: 30,
  sources: {
    namespaces: lister<Namespace>([{ apiVersion: 'v1', kind: 'Namespace', metadata: meta('default') }]),
    services: lister<Service>([
      service('kubernetes', { clusterIP: '10.96.0.1', ports: [{ name: 'https', port: 443, protocol: 'TCP' }] }),
      service('sts', { clusterIP: 'None', ports: [{ port: 80 }] }),
      service('outside', { type: 'ExternalName', externalName: 'example.com' }),
    ]),
    endpoints: lister<Endpoints>([
      {
        apiVersion: 'v1',
        kind: 'Endpoints',
        metadata: meta('sts', 'default'),
        subsets: [{ addresses: [{ ip: '172.16.103.130', hostname: 'sts-0' }, { ip: '172.16.132.4' }] }],
      },
    ]),
  },
});

describe('the cluster zone', () => {
  it.each([
    ['kubernetes.default.svc.cluster.local', 'A', ['10.96.0.1']],
    ['sts.default.svc.cluster.local', 'A', ['172.16.103.130', '172.16.132.4']],
    ['sts-0.sts.default.svc.cluster.local', 'A', ['172.16.103.130']],
    ['172-16-132-4.sts.default.svc.cluster.local', 'A', ['172.16.132.4']],
    ['outside.default.svc.cluster.local', 'A', ['example.com']],
    ['10-1-2-3.default.pod.cluster.local', 'A', ['10.1.2.3']],
    ['_https._tcp.kubernetes.default.svc.cluster.local', 'SRV', ['0 100 443 kubernetes.default.svc.cluster.local']],
    ['kubernetes.default.svc.cluster.local', 'AAAA', []],
  ] as const)('%s %s is %j', (name, type, want) => {
    const { code, answers } = zone.answer({ name, type });
    expect([code, answers.map((record) => record.data)]).toEqual(['NOERROR', want]);
  });

  it.each([
    'nosuch.default.svc.cluster.local',
    'kubernetes.other.svc.cluster.local',
    'sts-7.sts.default.svc.cluster.local',
    'x.cluster.local',
  ])('%s does not exist', (name) => {
    expect(zone.answer({ name, type: 'A' }).code).toBe('NXDOMAIN');
  });

  it('finds names of addresses', () => {
    expect(zone.reverse({ name: '1.0.96.10.in-addr.arpa', type: 'PTR' })?.[0]?.data).toBe('kubernetes.default.svc.cluster.local');
    expect(zone.reverse({ name: '9.9.9.9.in-addr.arpa', type: 'PTR' })).toBeUndefined();
  });
});

describe('the Corefile', () => {
  it('has blocks with plugins and their options', () => {
    const [block] = parseCorefile(
      '.:53 {\n    errors\n    kubernetes cluster.local in-addr.arpa {\n       ttl 30\n    }\n    cache 30\n}\n',
    );
    expect(block).toMatchObject({ zones: ['.'], port: 53 });
    expect(block?.plugins[1]).toEqual({ name: 'kubernetes', args: ['cluster.local', 'in-addr.arpa'], options: [['ttl', '30']] });
  });

  it('with an unknown directive is refused as CoreDNS does', () => {
    expect(() => parseCorefile('.:53 {\n  frobnicate\n}\n')).toThrow(
      new CorefileError("Corefile:2 - Error during parsing: Unknown directive 'frobnicate'"),
    );
  });
});
