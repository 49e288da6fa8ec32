import { describe, expect, test } from 'vitest';
import { serviceChain } from './chains.ts';
import { proxyRules } from './rules.ts';
import { servicePorts, type ServicePort } from './service-ports.ts';
import type { Endpoints, Service } from '../machinery/types.ts';

describe('chain names', () => {
  test.each([
    ['default/kubernetes:https', 'tcp', 'NPX46M4PTMTKRN6Y'],
    ['kube-system/kube-dns:dns', 'udp', 'TCOU7JCQXEZGVUNU'],
    ['kube-system/kube-dns:dns-tcp', 'tcp', 'ERIFXISQEP7F7OF4'],
    ['kube-system/kube-dns:metrics', 'tcp', 'JD5MR3NA4I4DYORP'],
    ['default/np-svc:http', 'tcp', 'DUCBKF5X6SF6MMTH'],
  ])('of %s over %s end in %s', (name, protocol, suffix) => {
    expect(serviceChain('SVC', name, protocol)).toBe(`KUBE-SVC-${suffix}`);
  });
});

const OPTIONS = {
  clusterCidr: '172.16.0.0/16',
  masqueradeAll: false,
  masqueradeBit: 14,
  presentChains: [],
  blockedNodePorts: new Set<string>(),
};
const service = (spec: object, name = 'web'): Service =>
  ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'default' },
    spec: { clusterIP: '10.104.1.2', ports: [{ port: 80, nodePort: 30000 }], ...spec },
  }) as unknown as Service;
const endpoints = (...addresses: string[]): Endpoints =>
  ({
    subsets: [{ addresses: addresses.map((ip, i) => ({ ip, nodeName: `w${i + 1}-k8s` })), ports: [{ port: 8080, protocol: 'TCP' }] }],
  }) as unknown as Endpoints;
const ports = (spec: object, found: Endpoints | undefined): readonly ServicePort[] => servicePorts([service(spec)], () => found, 'w1-k8s');

describe('rules', () => {
  test('a node port with three endpoints: a third, a half, the rest', () => {
    const text = proxyRules(ports({}, endpoints('172.16.1.1', '172.16.1.2', '172.16.1.3')), OPTIONS);
    const chain = serviceChain('SVC', 'default/web', 'tcp');
    const lines = text
      .split('\n')
      .filter((line) => line.startsWith(`-A ${chain} `))
      .map((line) => /--probability (\S+)/.exec(line)?.[1]);
    expect(lines).toEqual(['0.3333333333', '0.5000000000', undefined]);
    expect(text).toContain(
      `-A KUBE-SERVICES -m comment --comment "default/web cluster IP" -m tcp -p tcp -d 10.104.1.2/32 --dport 80 ! -s 172.16.0.0/16 -j KUBE-MARK-MASQ`,
    );
    expect(text).toContain(`-A KUBE-NODEPORTS -m comment --comment "default/web" -m tcp -p tcp --dport 30000 -j ${chain}`);
    expect(text).toMatch(/-j DNAT --to-destination 172\.16\.1\.2:8080/);
  });

  test('a service without endpoints is refused, from inside and from outside', () => {
    const text = proxyRules(ports({}, undefined), OPTIONS);
    expect(text).toContain(
      '-A KUBE-SERVICES -m comment --comment "default/web has no endpoints" -m tcp -p tcp -d 10.104.1.2/32 --dport 80 -j REJECT',
    );
    expect(text).toContain(
      '-A KUBE-EXTERNAL-SERVICES -m comment --comment "default/web has no endpoints" -m addrtype --dst-type LOCAL -m tcp -p tcp --dport 30000 -j REJECT',
    );
    expect(text).not.toContain('KUBE-SVC-');
  });

  test('chains nobody wants any more are flushed and removed', () => {
    const text = proxyRules([], { ...OPTIONS, presentChains: ['KUBE-SVC-AAAAAAAAAAAAAAAA', 'KUBE-SERVICES', 'DOCKER'] });
    expect(text).toContain(':KUBE-SVC-AAAAAAAAAAAAAAAA - [0:0]\n');
    expect(text).toContain('-X KUBE-SVC-AAAAAAAAAAAAAAAA\n');
    expect(text).not.toContain('DOCKER');
  });

  test('externalTrafficPolicy Local balances over this node only', () => {
    const text = proxyRules(ports({ type: 'NodePort', externalTrafficPolicy: 'Local' }, endpoints('172.16.1.1', '172.16.1.2')), OPTIONS);
    const local = serviceChain('XLB', 'default/web', 'tcp');
    expect(text.split('\n').filter((line) => line.startsWith(`-A ${local} `) && line.includes('Balancing rule'))).toHaveLength(1);
  });

  test('the rule for node ports is the last of its chain', () => {
    const text = proxyRules(ports({}, endpoints('172.16.1.1')), OPTIONS);
    expect(text.split('\n').findLast((line) => line.startsWith('-A KUBE-SERVICES'))).toContain('-j KUBE-NODEPORTS');
  });
});
