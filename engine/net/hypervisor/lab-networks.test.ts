import { describe, expect, it } from 'vitest';
import { text, utf8 } from '../../sim/bytes.ts';
import { SeededRng } from '../../sim/rng.ts';
import { decodeDhcp, encodeDhcp } from '../dhcp.ts';
import { decodeDns, encodeDns } from '../dns.ts';
import { resolveAddress, resolveHost } from '../resolver.ts';
import { lab, outcome } from '../testing/fake-host.ts';
import { LabNetworks } from './lab-networks.ts';

function world() {
  const { clock, make } = lab(() => new Promise((resolve) => setImmediate(resolve)));
  const networks = new LabNetworks({ clock, rng: new SeededRng(3) });
  const machine = make('m-k8s');
  const nat = networks.natOf('m-k8s');
  machine.stack.attach('eth0', { mac: '08:00:27:00:00:01', port: nat.port });
  machine.stack.setLink('eth0', { isUp: true });
  machine.stack.attach('eth1', { mac: '08:00:27:00:00:02', port: networks.plugHostOnly() });
  machine.stack.setLink('eth1', { isUp: true });
  machine.stack.addAddress('eth1', '192.168.1.10/24');
  const online = (): void => {
    machine.stack.addAddress('eth0', '10.0.2.15/24');
    machine.stack.addRoute({ destination: '0.0.0.0/0', type: 'unicast', via: '10.0.2.2', protocol: 'boot', scope: 'global' });
  };
  const resolver = (resolvConf: string) => ({
    net: machine.stack,
    clock,
    rng: new SeededRng(5),
    resolvConf,
    hosts: '127.0.0.1 localhost\n192.168.1.101 w1-k8s\n',
  });
  return { clock, networks, nat, stack: machine.stack, online, resolver };
}

describe('the NAT adapter', () => {
  it('leases 10.0.2.15 to a link without an address', async () => {
    const { stack } = world();
    const socket = stack.udp({ port: 68, device: 'eth0' });
    socket.send(encodeDhcp({ kind: 'DISCOVER', transaction: 7, mac: '08:00:27:00:00:01' }), { address: '255.255.255.255', port: 67 });
    expect(decodeDhcp((await socket.receive()).bytes)).toEqual({
      kind: 'OFFER',
      transaction: 7,
      mac: '08:00:27:00:00:01',
      yourAddress: '10.0.2.15',
      server: '10.0.2.2',
      netmask: '255.255.255.0',
      router: '10.0.2.2',
      nameServers: ['10.0.2.3'],
      leaseSeconds: 86400,
    });
  });

  it('leads to the internet: names, pings and HTTP', async () => {
    const { stack, online, networks, resolver } = world();
    online();
    networks.internet.registerSite('example.test', async (request, respond) =>
      respond.send({ status: 200 }, `you asked for ${request.target}`),
    );
    expect(await stack.ping({ address: '8.8.8.8', timeoutMs: 1000 })).toMatchObject({ kind: 'reply', from: '8.8.8.8' });
    for (const server of ['1.1.1.1', '10.0.2.3']) {
      expect(await resolveHost('registry-1.docker.io', resolver(`nameserver ${server}\n`))).toMatchObject({
        kind: 'found',
        addresses: ['34.237.244.67'],
      });
    }
    expect(await resolveHost('no.such.name', resolver('nameserver 1.1.1.1\n'))).toEqual({ kind: 'not-found' });
    expect(await resolveHost('w1-k8s', resolver(''))).toMatchObject({ addresses: ['192.168.1.101'] });
    expect(await resolveAddress('8.8.8.8', resolver('nameserver 1.1.1.1\n'))).toBe('dns.google');
    const found = await resolveHost('example.test', resolver('nameserver 8.8.8.8\n'));
    const connection = await stack.connect({ address: found.kind === 'found' ? found.addresses[0]! : '', port: 80 });
    await connection.write(utf8('GET /x HTTP/1.1\r\nHost: example.test\r\nConnection: close\r\n\r\n'));
    let answer = '';
    for (;;) {
      const bytes = await connection.read();
      if (bytes === undefined) break;
      answer += text(bytes);
    }
    expect(answer).toContain('you asked for /x');
  });

  it.each(['172.16.221.129', '198.51.100.7'])('swallows what is sent to %s, an address nobody has', async (address) => {
    const { stack, online, clock } = world();
    online();
    let result: unknown = 'nothing yet';
    void stack.ping({ address, timeoutMs: 1000 }).then((reply) => (result = reply));
    await clock.advance(1_100);
    expect(result).toBeUndefined();
  });

  it('lets a resolver without any server wait out its tries', async () => {
    const { online, resolver, clock } = world();
    online();
    let result: unknown;
    void resolveHost('github.com', resolver('nameserver 10.0.2.2\nnameserver 192.168.1.77\noptions timeout:1\n')).then(
      (value) => (result = value),
    );
    await clock.advance(1_900);
    expect(result).toBeUndefined();
    await clock.advance(200);
    expect(result).toEqual({ kind: 'try-again' });
  });

  it('forwards a port as VirtualBox does: accepts first, then the guest decides', async () => {
    const { stack, online, nat, clock } = world();
    online();
    const refused = await nat.forward(22);
    expect(await outcome(refused.read())).toBe('ECONNRESET');
    const listener = stack.listen({ address: '0.0.0.0', port: 22 });
    const forwarded = await nat.forward(22);
    const accepted = await listener.accept();
    expect(accepted.remoteAddress.startsWith('10.0.2.2:')).toBe(true);
    await accepted.write(utf8('SSH'));
    expect(text((await forwarded.read())!)).toBe('SSH');
    stack.netfilter.execute('filter', ['-A', 'INPUT', '-i', 'eth0', '-j', 'DROP']);
    let heard: unknown;
    const hanging = await nat.forward(22);
    void outcome(hanging.read()).then((value) => (heard = value));
    await clock.advance(100_000);
    expect(heard).toBeUndefined();
    stack.dispose();
    expect(await outcome(nat.forward(22))).toBe('ECONNREFUSED');
  });
});

it('the learner reaches the machines on the host-only network and nothing behind it', async () => {
  const { networks, stack } = world();
  stack.listen({ address: '0.0.0.0', port: 30000 });
  expect(await networks.host.connect({ address: '192.168.1.10', port: 30000 })).toBeDefined();
  expect(await outcome(networks.host.connect({ address: '172.16.1.1', port: 80 }))).toBe('ENETUNREACH');
});

it('DNS messages survive the wire', () => {
  const message = {
    id: 9,
    isResponse: true,
    isAuthoritative: true,
    isTruncated: false,
    recursionDesired: true,
    recursionAvailable: true,
    code: 'NOERROR' as const,
    questions: [{ name: '_http._tcp.web.default.svc.cluster.local', type: 'SRV' as const }],
    answers: [
      { name: '_http._tcp.web.default.svc.cluster.local', type: 'SRV' as const, ttl: 5, data: '0 100 80 web.default.svc.cluster.local' },
      { name: 'www.example.com', type: 'CNAME' as const, ttl: 5, data: 'web.example.com' },
    ],
    authority: [
      { name: 'cluster.local', type: 'SOA' as const, ttl: 5, data: 'ns.dns.cluster.local hostmaster.cluster.local 1 7200 1800 86400 5' },
    ],
    additional: [{ name: 'web.default.svc.cluster.local', type: 'A' as const, ttl: 5, data: '10.96.3.4' }],
  };
  expect(decodeDns(encodeDns(message))).toEqual(message);
});
