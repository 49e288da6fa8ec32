import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRules, type Loose, type Rules } from '../rules-harness.ts';

let rules: Rules;
beforeAll(async () => void (rules = await openRules(() => setImmediate())));
afterAll(() => rules[Symbol.asyncDispose]());

const service = (spec: object, name = 'web', metadata: object = {}): Loose =>
  ({ apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'default', ...metadata }, spec }) as unknown as Loose;
const PORT = { port: 80 };
const LABEL = `(e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')`;

describe('a service is refused for', () => {
  const rows: readonly { readonly name: string; readonly spec: object; readonly metadata?: object; readonly want: string }[] = [
    { name: 'nothing at all', spec: { ports: [PORT] }, want: 'ok' },
    { name: 'no ports', spec: {}, want: 'spec.ports: Required value' },
    { name: 'no ports, but headless', spec: { clusterIP: 'None' }, want: 'ok' },
    {
      name: 'a port that is none',
      spec: { ports: [{ port: 70000 }] },
      want: '[spec.ports[0].port: Invalid value: 70000: must be between 1 and 65535, inclusive, spec.ports[0].targetPort: Invalid value: 70000: must be between 1 and 65535, inclusive]',
    },
    {
      name: 'two ports without names',
      spec: { ports: [PORT, { port: 81 }] },
      want: '[spec.ports[0].name: Required value, spec.ports[1].name: Required value]',
    },
    {
      name: 'the same name twice',
      spec: {
        ports: [
          { name: 'a', port: 80 },
          { name: 'a', port: 81 },
        ],
      },
      want: 'spec.ports[1].name: Duplicate value: "a"',
    },
    {
      name: 'the same port twice',
      spec: {
        ports: [
          { name: 'a', port: 80 },
          { name: 'b', port: 80 },
        ],
      },
      want: 'spec.ports[1]: Duplicate value: core.ServicePort{Name:"", Protocol:"TCP", AppProtocol:(*string)(nil), Port:80, TargetPort:intstr.IntOrString{Type:0, IntVal:0, StrVal:""}, NodePort:0}',
    },
    {
      name: 'the same port of another protocol',
      spec: {
        ports: [
          { name: 'a', port: 80 },
          { name: 'b', port: 80, protocol: 'UDP' },
        ],
      },
      want: 'ok',
    },
    {
      name: 'a protocol nobody speaks',
      spec: { ports: [{ port: 80, protocol: 'ICMP' }] },
      want: 'spec.ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"',
    },
    {
      name: 'a port name in capitals',
      spec: { ports: [{ name: 'HTTP', port: 80 }] },
      want: `spec.ports[0].name: Invalid value: "HTTP": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character ${LABEL}`,
    },
    {
      name: 'a target port name that is too long',
      spec: { ports: [{ port: 80, targetPort: 'a-very-long-port-name' }] },
      want: 'spec.ports[0].targetPort: Invalid value: "a-very-long-port-name": must be no more than 15 characters',
    },
    {
      name: 'an unknown type',
      spec: { type: 'External', ports: [PORT] },
      want: 'spec.type: Unsupported value: "External": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
    },
    {
      name: 'a node port of a cluster address',
      spec: { ports: [{ port: 80, nodePort: 30080 }] },
      want: "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
    },
    {
      name: 'a headless node port',
      spec: { type: 'NodePort', clusterIP: 'None', ports: [PORT] },
      want: `spec.clusterIPs[0]: Invalid value: "None": may not be set to 'None' for NodePort services`,
    },
    { name: 'a name without a name', spec: { type: 'ExternalName' }, want: 'spec.externalName: Required value' },
    {
      name: 'an external name with an address',
      spec: { type: 'ExternalName', externalName: 'a.example.', clusterIP: '10.96.0.50' },
      want: 'spec.clusterIPs: Forbidden: may not be set for ExternalName services',
    },
    {
      name: 'an affinity nobody has',
      spec: { ports: [PORT], sessionAffinity: 'Cookie' },
      want: 'spec.sessionAffinity: Unsupported value: "Cookie": supported values: "ClientIP", "None"',
    },
    {
      name: 'an affinity for too long',
      spec: { ports: [PORT], sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 86401 } } },
      want: 'spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 86401: must be greater than 0 and less than 86400',
    },
    {
      name: 'an address that is none',
      spec: { ports: [PORT], clusterIP: '10.96.0' },
      want: 'spec.clusterIPs[0]: Invalid value: "10.96.0": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    },
    {
      name: 'two addresses that differ',
      spec: { ports: [PORT], clusterIP: '10.96.0.9', clusterIPs: ['10.96.0.8'] },
      want: 'spec.clusterIPs: Invalid value: []string{"10.96.0.8"}: element [0] must match clusterIP',
    },
    {
      name: 'an external address of the host itself',
      spec: { ports: [PORT], externalIPs: ['127.0.0.1', 'x'] },
      want: '[spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8), spec.externalIPs[1]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)]',
    },
    {
      name: 'source ranges without a load balancer',
      spec: { ports: [PORT], loadBalancerSourceRanges: ['10.0.0.0/8'] },
      want: "spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'",
    },
    {
      name: 'source ranges that are none',
      spec: { type: 'LoadBalancer', ports: [PORT], loadBalancerSourceRanges: ['10.0.0.0', 'b'] },
      want: 'spec.LoadBalancerSourceRanges: Invalid value: "[10.0.0.0 b]": must be a list of IP ranges. For example, 10.240.0.0/24,10.250.0.0/24 ',
    },
    {
      name: 'a policy for traffic from outside',
      spec: { ports: [PORT], externalTrafficPolicy: 'Local' },
      want: 'spec.externalTrafficPolicy: Invalid value: "Local": ExternalTrafficPolicy can only be set on NodePort and LoadBalancer service',
    },
    {
      name: 'an unknown policy for traffic from outside',
      spec: { type: 'NodePort', ports: [PORT], externalTrafficPolicy: 'Far' },
      want: 'spec.externalTrafficPolicy: Invalid value: "Far": ExternalTrafficPolicy must be empty, Cluster or Local',
    },
    {
      name: 'a health port without a need',
      spec: { type: 'LoadBalancer', ports: [PORT], healthCheckNodePort: 31000 },
      want: 'spec.healthCheckNodePort: Invalid value: 31000: HealthCheckNodePort can only be set on LoadBalancer service with ExternalTrafficPolicy=Local',
    },
    {
      name: 'the kubelet’s port',
      spec: { type: 'LoadBalancer', ports: [{ port: 10250 }] },
      want: 'spec.ports[0]: Invalid value: 10250: may not expose port 10250 externally since it is used by kubelet',
    },
    {
      name: 'a selector that is none',
      spec: { ports: [PORT], selector: { 'a b': 'c' } },
      want: `spec.selector: Invalid value: "a b": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
    },
  ];
  for (const { name, spec, metadata, want } of rows)
    it(name, async () => expect(await rules.refusal(service(spec, 'web', metadata))).toBe(want));
});

describe('addresses and ports are given out', () => {
  it('from their ranges, each once', async () => {
    const { body } = await rules.create(service({ type: 'NodePort', ports: [PORT] }, 'np1'));
    const port = body['spec']!['ports'][0]!['nodePort'];
    expect(port).toBeGreaterThanOrEqual(30000);
    expect(body['spec']).toMatchObject({ externalTrafficPolicy: 'Cluster', clusterIPs: [body['spec']!['clusterIP']] });
    const taken = await rules.create(service({ type: 'NodePort', ports: [{ port: 80, nodePort: port }] }, 'np2'));
    expect(taken.words).toBe(
      `Service "np2" is invalid: spec.ports[0].nodePort: Invalid value: ${port}: provided port is already allocated`,
    );
    const far = await rules.create(service({ type: 'NodePort', ports: [{ port: 80, nodePort: 80 }] }, 'np2'));
    expect(far.words).toBe(
      'Service "np2" is invalid: spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767',
    );
    const address = await rules.create(service({ clusterIP: body['spec']!['clusterIP'], ports: [PORT] }, 'np2'));
    expect(address.words).toBe(
      `Service "np2" is invalid: spec.clusterIPs: Invalid value: []string{"${body['spec']!['clusterIP']}"}: failed to allocate IP ${body['spec']!['clusterIP']}: provided IP is already allocated`,
    );
    const outside = await rules.create(service({ clusterIP: '10.0.0.1', ports: [PORT] }, 'np2'));
    expect(outside.words).toContain(
      'failed to allocate IP 10.0.0.1: provided IP is not in the valid range. The range of valid IPs is 10.96.0.0/12',
    );
  });

  it('as a guess in a dry run', async () => {
    const { body } = await rules.create(service({ type: 'NodePort', ports: [PORT] }, 'dry'), '?dryRun=All');
    expect(body['spec']!['ports'][0]!['nodePort']).toBe(32769);
    expect(body['spec']!['clusterIP']).toBeUndefined();
  });

  it('to both protocols of one port together', async () => {
    const ports = [
      { name: 'a', port: 53 },
      { name: 'b', port: 53, protocol: 'UDP' },
    ];
    const { body } = await rules.create(service({ type: 'NodePort', ports }, 'dns'));
    expect(body['spec']!['ports'][0]!['nodePort']).toBe(body['spec']!['ports'][1]!['nodePort']);
  });
});

describe('an update of a service', () => {
  it('keeps what was given out and left out', async () => {
    const { body: first } = await rules.create(service({ type: 'NodePort', ports: [PORT] }, 'keep'));
    const { body: second } = await rules.update(service({ type: 'NodePort', ports: [{ port: 81 }] }, 'keep'));
    expect(second['spec']!['clusterIP']).toBe(first['spec']!['clusterIP']);
    expect(second['spec']!['ports'][0]!['nodePort']).toBe(first['spec']!['ports'][0]!['nodePort']);
  });

  it('does not move the address', async () => {
    const { body } = await rules.create(service({ ports: [PORT] }, 'fixed'));
    const { words } = await rules.mergePatch(body, { spec: { clusterIP: '10.96.77.77', clusterIPs: ['10.96.77.77'] } });
    expect(words).toBe('Service "fixed" is invalid: spec.clusterIPs[0]: Invalid value: []string{"10.96.77.77"}: may not change once set');
  });

  it('to another type drops what that has no use for', async () => {
    const { body } = await rules.create(service({ type: 'NodePort', ports: [PORT] }, 'turn'));
    const { body: inner } = await rules.mergePatch(body, { spec: { type: 'ClusterIP' } });
    expect(inner['spec']).toMatchObject({ type: 'ClusterIP', clusterIP: body['spec']!['clusterIP'] });
    expect(inner['spec']!['externalTrafficPolicy']).toBeUndefined();
    expect(inner['spec']!['ports'][0]!['nodePort']).toBeUndefined();
    const { body: named, words } = await rules.mergePatch(body, { spec: { type: 'ExternalName', externalName: 'a.example' } });
    expect(words).toBe('ok');
    expect(named['spec']!['clusterIP']).toBeUndefined();
    const { body: again } = await rules.mergePatch(body, { spec: { type: 'ClusterIP' } });
    expect(again['spec']!['clusterIP']).toMatch(/^10\./);
  });

  it('of labels says each fault as often as it is found', async () => {
    const { body } = await rules.create(service({ ports: [PORT] }, 'labels'));
    const { body: status } = await rules.mergePatch(body, { metadata: { labels: { a: '_' } } });
    expect(status.message).toMatch(/^Service "labels" is invalid: metadata.labels: Invalid value: "_": a valid label must be/);
    expect(status.details!.causes).toHaveLength(4);
  });

  it('allocates a port for health checks when traffic stays local', async () => {
    const { body } = await rules.create(service({ type: 'LoadBalancer', externalTrafficPolicy: 'Local', ports: [PORT] }, 'lb'));
    expect(body['spec']!['healthCheckNodePort']).toBeGreaterThanOrEqual(30000);
    const { words } = await rules.mergePatch(body, { spec: { healthCheckNodePort: 30001 } });
    expect(words).toContain('spec.healthCheckNodePort: Invalid value: 30001: cannot change healthCheckNodePort on loadBalancer service');
    const { body: cluster } = await rules.mergePatch(body, { spec: { externalTrafficPolicy: 'Cluster' } });
    expect(cluster['spec']!['healthCheckNodePort']).toBeUndefined();
  });
});
