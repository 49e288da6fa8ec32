import { describe, expect, it } from 'vitest';
import { SysError } from '../sim/errno.ts';
import { SeededRng } from '../sim/rng.ts';
import { text, utf8 } from '../sim/bytes.ts';
import { createNetStack } from './stack.ts';
import { EthernetSwitch } from './switch.ts';
import { FakeHost, lab as newLab, outcome } from './testing/fake-host.ts';

const lab = (): ReturnType<typeof newLab> => newLab(() => new Promise((resolve) => setImmediate(resolve)));

function pair() {
  const { clock, make } = lab();
  const a = make('a');
  const b = make('b');
  a.stack.addLink({ name: 'veth0', kind: 'veth', peer: { name: 'eth0', stack: b.stack } });
  a.stack.setLink('veth0', { isUp: true });
  b.stack.setLink('eth0', { isUp: true });
  a.stack.addAddress('veth0', '10.1.0.1/24');
  b.stack.addAddress('eth0', '10.1.0.2/24');
  return { clock, make, a: a.stack, b: b.stack, hostA: a.host, hostB: b.host };
}

describe('two namespaces joined by a veth pair', () => {
  it('carry a TCP connection both ways and close it', async () => {
    const { a, b, clock } = pair();
    const listener = b.listen({ address: '0.0.0.0', port: 80 });
    const client = await a.connect({ address: '10.1.0.2', port: 80 });
    const server = await listener.accept();
    await client.write(utf8('hello'));
    expect(text((await server.read())!)).toBe('hello');
    await server.write(utf8('world'));
    server.close();
    expect(text((await client.read())!)).toBe('world');
    expect(await client.read()).toBeUndefined();
    client.close();
    expect(b.sockets().map((one) => one.state)).toEqual(['LISTEN', 'TIME-WAIT']);
    listener.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it('let an answer carry the acknowledgement, which goes alone only when there is no answer for 40 ms', async () => {
    const { a, b, clock } = pair();
    const listener = b.listen({ address: '0.0.0.0', port: 80 });
    const client = await a.connect({ address: '10.1.0.2', port: 80 });
    const server = await listener.accept();
    const ask = async (): Promise<void> => {
      await client.write(utf8('question'));
      await server.read();
      await server.write(utf8('answer'));
      await client.read();
    };
    // From its first answer on the server, from its second question on the client, leaves acknowledging to what it says next.
    await ask();
    await ask();
    const packets = (): number => a.links().find((link) => link.name === 'veth0')!.statistics.txPackets;
    const before = packets();
    await ask();
    expect(packets() - before).toBe(1);
    await clock.advance(39);
    expect(packets() - before).toBe(1);
    await clock.advance(1);
    expect(packets() - before).toBe(2);
    await clock.advance(200);
    expect([packets() - before, clock.pendingTimers]).toEqual([2, 0]);
  });

  it('refuse a port nobody listens on', async () => {
    const { a } = pair();
    expect(await outcome(a.connect({ address: '10.1.0.2', port: 81 }))).toBe('ECONNREFUSED');
  });

  it('tell a sender that no host answers ARP after three seconds', async () => {
    const { a, clock } = pair();
    const attempt = outcome(a.connect({ address: '10.1.0.9', port: 80 }));
    await clock.advance(2_900);
    expect(a.neighbours().find((one) => one.address === '10.1.0.9')?.state).toBe('INCOMPLETE');
    await clock.advance(200);
    expect(await attempt).toBe('EHOSTUNREACH');
  });

  it('let a connect that is swallowed time out after 127 seconds', async () => {
    const { a, b, clock } = pair();
    await a.ping({ address: '10.1.0.2', timeoutMs: 1000 });
    b.setLink('eth0', { isUp: false });
    a.addNeighbour({ address: '10.1.0.2', mac: '02:00:00:00:00:01', device: 'veth0', state: 'PERMANENT' });
    let result: unknown;
    void outcome(a.connect({ address: '10.1.0.2', port: 80 })).then((value) => (result = value));
    await clock.advance(126_900);
    expect(result).toBeUndefined();
    await clock.advance(200);
    expect(result).toBe('ETIMEDOUT');
    expect(clock.pendingTimers).toBe(0);
  });

  it('retransmit data that got lost until the way is free again', async () => {
    const { a, b, clock } = pair();
    a.addNeighbour({ address: '10.1.0.2', mac: b.links()[1]!.mac, device: 'veth0', state: 'PERMANENT' });
    const listener = b.listen({ address: '0.0.0.0', port: 80 });
    const client = await a.connect({ address: '10.1.0.2', port: 80 });
    const server = await listener.accept();
    b.setLink('eth0', { isUp: false });
    await client.write(utf8('late'));
    await clock.advance(60_000);
    b.setLink('eth0', { isUp: true });
    let got = '';
    void server.read().then((bytes) => (got = text(bytes!)));
    await clock.advance(60_000);
    expect(got).toBe('late');
  });

  it('give up unacknowledged data after about fifteen minutes', async () => {
    const { a, b, clock } = pair();
    a.addNeighbour({ address: '10.1.0.2', mac: b.links()[1]!.mac, device: 'veth0', state: 'PERMANENT' });
    b.listen({ address: '0.0.0.0', port: 80 });
    const client = await a.connect({ address: '10.1.0.2', port: 80 });
    b.setLink('eth0', { isUp: false });
    await client.write(utf8('lost'));
    let result: unknown;
    void outcome(client.read()).then((value) => (result = value));
    await clock.advance(920_000);
    expect(result).toBeUndefined();
    await clock.advance(10_000);
    expect(result).toBe('ETIMEDOUT');
  });

  it('hold a writer whose reader is slow', async () => {
    const { a, b } = pair();
    const listener = b.listen({ address: '0.0.0.0', port: 80 });
    const client = await a.connect({ address: '10.1.0.2', port: 80 });
    const server = await listener.accept();
    let written = 0;
    const writing = (async () => {
      for (let i = 0; i < 100; i++) {
        await client.write(new Uint8Array(50_000).fill(i));
        written++;
      }
      client.shutdownWrite();
    })();
    await new Promise((resolve) => setImmediate(resolve));
    expect(written).toBeGreaterThan(4);
    expect(written).toBeLessThan(20);
    let total = 0;
    let inOrder = true;
    for (;;) {
      const bytes = await server.read();
      if (bytes === undefined) break;
      for (const byte of bytes) inOrder &&= byte === Math.floor(total++ / 50_000);
    }
    await writing;
    expect(total).toBe(5_000_000);
    expect(inOrder).toBe(true);
  });

  it('answer echo requests with addresses and TTL', async () => {
    const { a } = pair();
    expect(await a.ping({ address: '10.1.0.2', timeoutMs: 1000 })).toMatchObject({ kind: 'reply', from: '10.1.0.2', ttl: 64 });
  });

  it('report a refused datagram to its sender', async () => {
    const { a } = pair();
    const socket = a.udp({});
    socket.send(utf8('x'), { address: '10.1.0.2', port: 53 });
    expect(await outcome(socket.receive())).toBe('ECONNREFUSED');
  });

  it('reset the peer when a socket with unread data is closed', async () => {
    const { a, b } = pair();
    const listener = b.listen({ address: '0.0.0.0', port: 80 });
    const client = await a.connect({ address: '10.1.0.2', port: 80 });
    const server = await listener.accept();
    await client.write(utf8('unread'));
    server.close();
    expect(await outcome(client.read())).toBe('ECONNRESET');
  });
});

describe('the machine itself', () => {
  it('talks to its own addresses over lo', async () => {
    const { a } = pair();
    const listener = a.listen({ address: '127.0.0.1', port: 8080 });
    expect(await outcome(a.connect({ address: '10.1.0.1', port: 8080 }))).toBe('ECONNREFUSED');
    const client = await a.connect({ address: '127.0.0.1', port: 8080 });
    const server = await listener.accept();
    await client.write(utf8('x'));
    expect(text((await server.read())!)).toBe('x');
    expect(() => a.listen({ address: '0.0.0.0', port: 8080 })).toThrow(SysError);
    expect(() => a.listen({ address: '9.9.9.9', port: 1 })).toThrow(/Cannot assign/);
  });

  it('has no way to anywhere without a route', async () => {
    const { a } = pair();
    expect(await outcome(a.connect({ address: '8.8.8.8', port: 1 }))).toBe('ENETUNREACH');
  });
});

describe('a router between two subnets', () => {
  function routed() {
    const { clock, make } = lab();
    const left = make('left');
    const router = make('router');
    const right = make('right');
    router.stack.addLink({ name: 'l', kind: 'veth', peer: { name: 'eth0', stack: left.stack } });
    router.stack.addLink({ name: 'r', kind: 'veth', peer: { name: 'eth0', stack: right.stack } });
    for (const [stack, link] of [
      [router.stack, 'l'],
      [router.stack, 'r'],
      [left.stack, 'eth0'],
      [right.stack, 'eth0'],
    ] as const)
      stack.setLink(link, { isUp: true });
    router.stack.addAddress('l', '10.1.0.254/24');
    router.stack.addAddress('r', '10.2.0.254/24');
    left.stack.addAddress('eth0', '10.1.0.1/24');
    right.stack.addAddress('eth0', '10.2.0.1/24');
    left.stack.addRoute({ destination: '0.0.0.0/0', type: 'unicast', via: '10.1.0.254', protocol: 'boot', scope: 'global' });
    right.stack.addRoute({ destination: '0.0.0.0/0', type: 'unicast', via: '10.2.0.254', protocol: 'boot', scope: 'global' });
    return { clock, left, router, right };
  }

  it('forwards only while ip_forward is on, and says nothing when it is off', async () => {
    const { left, router, clock } = routed();
    const lost = left.stack.ping({ address: '10.2.0.1', timeoutMs: 1000 });
    await clock.advance(1000);
    expect(await lost).toBeUndefined();
    router.host.set('net.ipv4.ip_forward', '1');
    expect(await left.stack.ping({ address: '10.2.0.1', timeoutMs: 1000 })).toMatchObject({ kind: 'reply', ttl: 63 });
  });

  it('answers for TTL, missing networks and unreachable routes', async () => {
    const { left, router } = routed();
    router.host.set('net.ipv4.ip_forward', '1');
    router.stack.addRoute({ destination: '10.4.0.0/24', type: 'unreachable', protocol: 'boot', scope: 'global' });
    expect(await left.stack.ping({ address: '10.2.0.1', ttl: 1, timeoutMs: 1000 })).toMatchObject({
      kind: 'ttl-exceeded',
      from: '10.1.0.254',
    });
    expect(await left.stack.ping({ address: '10.3.0.1', timeoutMs: 1000 })).toMatchObject({ kind: 'net-unreachable' });
    expect(await left.stack.ping({ address: '10.4.0.1', timeoutMs: 1000 })).toMatchObject({ kind: 'host-unreachable' });
    expect(await outcome(left.stack.connect({ address: '10.4.0.1', port: 1 }))).toBe('EHOSTUNREACH');
  });

  it('drops sources that cannot be there when rp_filter is strict', async () => {
    const { left, router, clock } = routed();
    router.host.set('net.ipv4.ip_forward', '1');
    router.host.set('net.ipv4.conf.all.rp_filter', '1');
    left.stack.addAddress('eth0', '172.31.0.1/32');
    const lost = left.stack.ping({ address: '10.2.0.1', source: '172.31.0.1', timeoutMs: 1000 });
    await clock.advance(1000);
    expect(await lost).toBeUndefined();
  });

  it('carries IP in IP between two hosts, and a proxy_arp gateway serves /32 containers', async () => {
    const { clock, make } = lab();
    const net = new EthernetSwitch();
    const nodes = ['n1', 'n2'].map((name, at) => {
      const { stack, host } = make(name);
      const pod = make(`${name}-pod`);
      host.set('net.ipv4.ip_forward', '1');
      host.set('net.ipv4.conf.all.rp_filter', '1');
      stack.attach('eth1', { mac: `08:00:27:00:00:0${at}`, port: net.plug() });
      stack.setLink('eth1', { isUp: true });
      stack.addAddress('eth1', `192.168.1.${at + 1}/24`);
      stack.addLink({ name: 'tunl0', kind: 'ipip', mtu: 1440 });
      stack.setLink('tunl0', { isUp: true });
      stack.addAddress('tunl0', `172.16.${at + 1}.0/32`);
      stack.addLink({ name: 'cali1', kind: 'veth', mac: 'ee:ee:ee:ee:ee:ee', peer: { name: 'eth0', stack: pod.stack } });
      stack.setLink('cali1', { isUp: true, proxyArp: true });
      stack.addRoute({ destination: `172.16.${at + 1}.5/32`, type: 'unicast', device: 'cali1', protocol: 'boot', scope: 'link' });
      stack.addRoute({
        destination: `172.16.${2 - at}.0/26`,
        type: 'unicast',
        via: `192.168.1.${2 - at}`,
        device: 'tunl0',
        onLink: true,
        protocol: 'bird',
        scope: 'global',
      });
      stack.addRoute({ destination: `172.16.${at + 1}.0/26`, type: 'blackhole', protocol: 'bird', scope: 'global' });
      stack.addRoute({ destination: '0.0.0.0/0', type: 'unicast', via: '192.168.1.254', protocol: 'boot', scope: 'global' });
      pod.stack.setLink('eth0', { isUp: true });
      pod.stack.addAddress('eth0', `172.16.${at + 1}.5/32`);
      pod.stack.addRoute({ destination: '169.254.1.1/32', type: 'unicast', device: 'eth0', protocol: 'boot', scope: 'link' });
      pod.stack.addRoute({
        destination: '0.0.0.0/0',
        type: 'unicast',
        via: '169.254.1.1',
        device: 'eth0',
        protocol: 'boot',
        scope: 'global',
      });
      return { stack, pod: pod.stack };
    });
    const [n1, n2] = [nodes[0]!, nodes[1]!];
    const hops: string[] = [];
    n1.stack.onHop((_, hop) => hops.push(hop.step === 'route' ? `${hop.destination} dev ${hop.device}` : hop.step));
    expect(await n1.pod.ping({ address: '172.16.2.5', timeoutMs: 1000 })).toMatchObject({ kind: 'reply', ttl: 62 });
    expect(hops).toContain('172.16.2.5 dev tunl0');
    const listener = n2.pod.listen({ address: '0.0.0.0', port: 80 });
    const client = await n1.stack.connect({ address: '172.16.2.5', port: 80 });
    const server = await listener.accept();
    expect(server.remoteAddress.startsWith('172.16.1.0:')).toBe(true);
    await client.write(utf8('x'.repeat(200_000)));
    let got = 0;
    while (got < 200_000) got += (await server.read())!.length;
    n1.stack.deleteLink('tunl0');
    let result: unknown;
    void outcome(n1.stack.connect({ address: '172.16.2.5', port: 80 })).then((value) => (result = value));
    await clock.advance(10_000);
    expect(result).toBe('EHOSTUNREACH');
  });
});

describe('a bridge', () => {
  it('learns, floods and keeps its state through save and restore', async () => {
    const { make, clock } = lab();
    const host = make('host');
    const pods = ['p1', 'p2'].map((name) => make(name).stack);
    host.stack.addLink({ name: 'docker0', kind: 'bridge' });
    host.stack.addAddress('docker0', '172.17.0.1/16', { broadcast: '172.17.255.255' });
    host.stack.setLink('docker0', { isUp: true });
    expect(host.stack.links().find((link) => link.name === 'docker0')?.hasCarrier).toBe(false);
    pods.forEach((pod, at) => {
      host.stack.addLink({ name: `veth${at}`, kind: 'veth', peer: { name: 'eth0', stack: pod } });
      host.stack.setLink(`veth${at}`, { isUp: true, master: 'docker0' });
      pod.setLink('eth0', { isUp: true });
      pod.addAddress('eth0', `172.17.0.${at + 2}/16`);
    });
    expect(await pods[0]!.ping({ address: '172.17.0.3', timeoutMs: 1000 })).toMatchObject({ kind: 'reply', ttl: 64 });
    expect(await pods[0]!.ping({ address: '172.17.0.1', timeoutMs: 1000 })).toMatchObject({ kind: 'reply', ttl: 64 });
    expect(await host.stack.ping({ address: '172.17.0.2', timeoutMs: 1000 })).toMatchObject({ kind: 'reply' });
    expect(host.stack.learnedMacs('docker0')).toHaveLength(2);

    const saved = [host.stack, ...pods].map((stack) => [stack.namespace, stack.save()] as const);
    const again = new Map(
      saved.map(([name]) => [name, createNetStack({ namespace: name, clock, rng: new SeededRng(9), host: new FakeHost() })]),
    );
    for (const [name, json] of saved) again.get(name)!.restore(json, (namespace) => again.get(namespace));
    for (const [name, json] of saved) expect(again.get(name)!.save()).toBe(json);
    expect(await again.get('p1')!.ping({ address: '172.17.0.3', timeoutMs: 1000 })).toMatchObject({ kind: 'reply' });
  });
});
