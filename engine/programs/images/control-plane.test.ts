import { describe, expect, it } from 'vitest';
import { createCertificate, generateKeyPair } from '../../net/x509.ts';
import { createClient, userAgentOf } from '../../kube/client/connect.ts';
import { NAMESPACE, SERVICE } from '../../kube/machinery/resources.ts';
import type { Namespace, Service } from '../../kube/machinery/types.ts';
import { staticPodManifests } from '../kubeadm/static-pods.ts';
import { writeCertificates } from '../kubeadm/certs.ts';
import { PKI, type ClusterConfiguration } from '../kubeadm/cluster-configuration.ts';
import { parse } from 'yaml';
import { TestKernel } from '../../../tests/support/test-kernel.ts';
import { etcd } from './etcd.ts';
import { etcdctl } from './etcdctl/index.ts';
import { kubeApiserver } from './kube-apiserver.ts';

const CONFIG: ClusterConfiguration = {
  kubernetesVersion: 'v1.20.2',
  imageRepository: 'k8s.gcr.io',
  nodeName: 'm-k8s',
  advertiseAddress: '192.168.1.10',
  bindPort: 6443,
  podSubnet: '172.16.0.0/16',
  serviceSubnet: '10.96.0.0/12',
  dnsDomain: 'cluster.local',
  token: '123456.1234567890123456',
  tokenTtlMs: 0,
  criSocket: '/var/run/dockershim.sock',
};

function commandOf(manifests: ReadonlyMap<string, string>, name: string): readonly string[] {
  const pod = parse(manifests.get(`/etc/kubernetes/manifests/${name}.yaml`)!) as { spec: { containers: { command: string[] }[] } };
  return pod.spec.containers[0]!.command;
}

describe('the control plane from kubeadm’s manifests', () => {
  it('serves over TLS, keeps its data in etcd, and comes back after both were killed', async () => {
    const machine = new TestKernel({ programs: [etcd, etcdctl, kubeApiserver] });
    const { created, again, service, status, ready } = await machine.run(async (process) => {
      const { sys } = process;
      sys.net.setLink('lo', { isUp: true });
      sys.net.addAddress('lo', '192.168.1.10/32');
      const authorities = await writeCertificates(process, CONFIG, async () => {});
      const keys = generateKeyPair(sys.rng);
      const admin = createCertificate({
        subject: { commonName: 'kubernetes-admin', organizations: ['system:masters'] },
        publicKeyPem: keys.publicKeyPem,
        issuer: authorities.cluster,
        serial: sys.rng.bytes(8),
        notBeforeMs: sys.now() - 1000,
        notAfterMs: sys.now() + 1e10,
        usages: ['client'],
      });
      const manifests = staticPodManifests(CONFIG);
      const start = (name: string): number => {
        const command = commandOf(manifests, name);
        return sys.spawn(`/usr/bin/${command[0]!}`, command);
      };
      let pids = [start('etcd'), start('kube-apiserver')];
      const config = {
        host: '192.168.1.10',
        port: 6443,
        isTls: true,
        ca: authorities.cluster.certificatePem,
        isInsecure: false,
        certificate: { certificatePem: admin, privateKeyPem: keys.privateKeyPem },
        token: undefined,
        namespace: undefined,
        serverName: undefined,
      };
      await sys.sleep(3000);
      let client = createClient(process, config, { userAgent: userAgentOf('test') });
      const created = await client.create<Namespace>(NAMESPACE, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kept' } });
      const service = await client.get<Service>(SERVICE, 'kubernetes', 'default');
      client.close();
      const flags = [
        '--endpoints=https://127.0.0.1:2379',
        `--cacert=${PKI}/etcd/ca.crt`,
        `--cert=${PKI}/apiserver-etcd-client.crt`,
        `--key=${PKI}/apiserver-etcd-client.key`,
      ];
      const looked = sys.spawn('/usr/bin/etcdctl', ['etcdctl', ...flags, 'get', '/registry/namespaces', '--prefix', '--keys-only']);
      const status = await sys.wait(looked);
      for (const pid of pids) sys.kill(pid, 'SIGKILL');
      await sys.sleep(100);
      pids = [start('etcd'), start('kube-apiserver')];
      await sys.sleep(3000);
      client = createClient(process, config, { userAgent: userAgentOf('test') });
      const again = await client.get<Namespace>(NAMESPACE, 'kept');
      const health = await client.raw('GET', '/readyz');
      client.close();
      for (const pid of pids) sys.kill(pid, 'SIGTERM');
      await sys.sleep(100);
      return { created, again, service, status, ready: health.status };
    });
    expect(again).toEqual(created);
    expect((service.spec as { clusterIP?: string }).clusterIP).toBe('10.96.0.1');
    expect(status).toMatchObject({ kind: 'exited', status: 0 });
    expect(ready).toBe(200);
  });
});
