import { beforeEach, describe, expect, it } from 'vitest';
import { utf8, text } from '../../sim/bytes.ts';
import { IptablesError, type OwnedNetStack } from '../net-stack.ts';
import { lab as newLab, outcome } from '../testing/fake-host.ts';

const lab = (): ReturnType<typeof newLab> => newLab(() => new Promise((resolve) => setImmediate(resolve)));

/** client (10.1.0.1) - router (.254, 10.2.0.254) - server (10.2.0.1). */
function network() {
  const { clock, make } = lab();
  const client = make('client');
  const router = make('router');
  const server = make('server');
  router.stack.addLink({ name: 'l', kind: 'veth', peer: { name: 'eth0', stack: client.stack } });
  router.stack.addLink({ name: 'r', kind: 'veth', peer: { name: 'eth0', stack: server.stack } });
  for (const link of ['l', 'r']) router.stack.setLink(link, { isUp: true });
  client.stack.setLink('eth0', { isUp: true });
  server.stack.setLink('eth0', { isUp: true });
  router.stack.addAddress('l', '10.1.0.254/24');
  router.stack.addAddress('r', '10.2.0.254/24');
  client.stack.addAddress('eth0', '10.1.0.1/24');
  server.stack.addAddress('eth0', '10.2.0.1/24');
  client.stack.addRoute({ destination: '0.0.0.0/0', type: 'unicast', via: '10.1.0.254', protocol: 'boot', scope: 'global' });
  server.stack.addRoute({ destination: '0.0.0.0/0', type: 'unicast', via: '10.2.0.254', protocol: 'boot', scope: 'global' });
  router.host.set('net.ipv4.ip_forward', '1');
  const rule = (line: string, table: 'nat' | 'filter' | 'mangle' | 'raw' = 'filter'): void =>
    router.stack.netfilter.execute(table, words(line));
  return { clock, client: client.stack, router: router.stack, server: server.stack, host: router.host, rule };
}

function words(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2]!);
}

function refusal(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof IptablesError) return `${error.status} ${error.message}`;
    throw error;
  }
  return 'accepted';
}

describe('rules as text', () => {
  let stack: OwnedNetStack;
  beforeEach(() => {
    stack = lab().make('host').stack;
  });

  const KUBE = `*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:DOCKER - [0:0]
:KUBE-MARK-DROP - [0:0]
:KUBE-MARK-MASQ - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-POSTROUTING - [0:0]
:KUBE-SEP-A - [0:0]
:KUBE-SEP-B - [0:0]
:KUBE-SERVICES - [0:0]
:KUBE-SVC-NPX46M4PTMTKRN6Y - [0:0]
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
-A DOCKER -i docker0 -j RETURN
-A KUBE-MARK-DROP -j MARK --set-xmark 0x8000/0x8000
-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0
-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully
-A KUBE-SEP-A -s 10.2.0.1/32 -m comment --comment "default/kubernetes:https" -j KUBE-MARK-MASQ
-A KUBE-SEP-A -p tcp -m comment --comment "default/kubernetes:https" -m tcp -j DNAT --to-destination 10.2.0.1:6443
-A KUBE-SEP-B -p tcp -m tcp -j DNAT --to-destination 10.2.0.2:6443
-A KUBE-SERVICES ! -s 172.16.0.0/16 -d 10.96.0.1/32 -p tcp -m comment --comment "default/kubernetes:https cluster IP" -m tcp --dport 443 -j KUBE-MARK-MASQ
-A KUBE-SERVICES -d 10.96.0.1/32 -p tcp -m comment --comment "default/kubernetes:https cluster IP" -m tcp --dport 443 -j KUBE-SVC-NPX46M4PTMTKRN6Y
-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
-A KUBE-SVC-NPX46M4PTMTKRN6Y -m comment --comment "default/kubernetes:https" -m statistic --mode random --probability 0.50000000000 -j KUBE-SEP-A
-A KUBE-SVC-NPX46M4PTMTKRN6Y -m comment --comment "default/kubernetes:https" -j KUBE-SEP-B
COMMIT
`;

  it('come out of iptables-save as they went into iptables-restore', () => {
    stack.netfilter.restore(KUBE);
    expect(stack.netfilter.save()).toBe(KUBE);
    stack.netfilter.restore(KUBE);
    expect(stack.netfilter.save('nat')).toBe(KUBE);
  });

  it('survive every kind of match and target', () => {
    const lines = [
      '-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT',
      '-A INPUT -p icmp -j ACCEPT',
      '-A INPUT -i lo -j ACCEPT',
      '-A INPUT -p tcp -m state --state NEW -m tcp --dport 22 -j ACCEPT',
      '-A INPUT -p tcp -m multiport --dports 80,443,8000:8010 -m conntrack --ctstate NEW -j ACCEPT',
      '-A INPUT -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j DROP',
      '-A INPUT -p icmp -m icmp --icmp-type 8 -m limit --limit 1/sec --limit-burst 2 -j ACCEPT',
      '-A INPUT -m comment --comment cali_x -j LOG --log-prefix "calico-packet: " --log-level 5',
      '-A INPUT -j REJECT --reject-with icmp-host-prohibited',
      '-A OUTPUT -m owner --uid-owner 0 -j ACCEPT',
      '-A OUTPUT -m statistic --mode nth --every 3 --packet 0 -j DROP',
      '-A OUTPUT -p udp -m udp ! --sport 53 -g OTHER',
      '-A OTHER -m mac --mac-source 08:00:27:AA:BB:CC -j RETURN',
      '-A OTHER -m physdev --physdev-is-bridged -j ACCEPT',
    ];
    const whole = `*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n:OTHER - [0:0]\n${lines.join('\n')}\nCOMMIT\n`;
    stack.netfilter.restore(whole);
    expect(stack.netfilter.save()).toBe(whole);
  });

  it('keep what --noflush does not name', () => {
    stack.netfilter.restore('*filter\n:A - [0:0]\n:B - [0:0]\n-A A -j DROP\n-A B -j DROP\nCOMMIT\n');
    stack.netfilter.restore('*filter\n:A - [0:0]\n-A A -j RETURN\n-X B\nCOMMIT\n'.replace('-X B\n', '-F B\n-X B\n'), { noFlush: true });
    expect(stack.netfilter.save()).toBe(
      '*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:A - [0:0]\n-A A -j RETURN\nCOMMIT\n',
    );
  });

  it('change nothing when one line is wrong', () => {
    expect(refusal(() => stack.netfilter.restore('*filter\n-A INPUT -j DROP\n-A NOPE -j DROP\nCOMMIT\n'))).toBe(
      '1 iptables-restore: line 3 failed',
    );
    expect(stack.netfilter.save()).not.toContain('-A INPUT');
    expect(refusal(() => stack.netfilter.restore('*filter\n-A INPUT -j NOPE\nCOMMIT\n'))).toContain('Error occurred at line: 2');
  });

  it.each([
    ['-A INPUT -p tcp -m tcp --dport=22 -j ACCEPT', 'accepted'],
    ['-A NOPE -j ACCEPT', '1 No chain/target/match by that name.'],
    ['-D INPUT -j ACCEPT', '1 Bad rule (does a matching rule exist in that chain?).'],
    ['-D INPUT 3', '1 Index of deletion too big.'],
    ['-A INPUT -j NOPE', "2 Couldn't load target `NOPE':No such file or directory\n"],
    ['-A INPUT -m nope -j DROP', "2 Couldn't load match `nope':No such file or directory\n"],
    ['-A INPUT --dport 22 -j DROP', '2 unknown option "--dport"'],
    ['-A INPUT -p tcp --dport', '2 option "--dport" requires an argument'],
    ['-A INPUT -s nohost -j DROP', "2 host/network `nohost' not found"],
    ['-A INPUT -p nope -j DROP', '2 unknown protocol "nope" specified'],
    ['-N INPUT', '1 Chain already exists.'],
    ['-P INPUT REJECT', "1 Bad policy name. Run `dmesg' for more information."],
    ['-X INPUT', "1 Invalid argument. Run `dmesg' for more information."],
    [
      '-t foo -L',
      "3 can't initialize iptables table `foo': Table does not exist (do you need to insmod?)\nPerhaps iptables or your kernel needs to be upgraded.",
    ],
    ['INPUT', "2 Bad argument `INPUT'"],
    ['-A', '2 option "-A" requires an argument'],
    ['-n', '2 no command specified'],
    ['-A INPUT -o eth0 -j DROP', "2 Can't use -o with INPUT\n"],
    ['-A INPUT -j DNAT --to-destination 1.2.3.4', "1 Invalid argument. Run `dmesg' for more information."],
  ])('iptables %s: %s', (line, want) => {
    expect(refusal(() => stack.netfilter.execute('filter', words(line)))).toBe(want);
  });

  it('are listed in columns', () => {
    stack.netfilter.restore(
      '*filter\n:INPUT DROP [0:0]\n:DOCKER - [0:0]\n' +
        '-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n' +
        '-A INPUT -i eth0 ! -s 10.0.0.0/8 -j DOCKER\n-A INPUT -j REJECT --reject-with icmp-host-prohibited\nCOMMIT\n',
    );
    expect(stack.netfilter.command('filter', ['-L', 'INPUT', '-n'])).toBe(
      [
        'Chain INPUT (policy DROP)',
        'target     prot opt source               destination         ',
        'ACCEPT     all  --  0.0.0.0/0            0.0.0.0/0            ctstate RELATED,ESTABLISHED',
        'ACCEPT     tcp  --  0.0.0.0/0            0.0.0.0/0            tcp dpt:22',
        'DOCKER     all  -- !10.0.0.0/8           0.0.0.0/0           ',
        'REJECT     all  --  0.0.0.0/0            0.0.0.0/0            reject-with icmp-host-prohibited',
        '',
      ].join('\n'),
    );
    expect(stack.netfilter.command('filter', words('-nvL --line-numbers'))).toBe(
      [
        'Chain INPUT (policy DROP 0 packets, 0 bytes)',
        'num   pkts bytes target     prot opt in     out     source               destination         ',
        '1        0     0 ACCEPT     all  --  *      *       0.0.0.0/0            0.0.0.0/0            ctstate RELATED,ESTABLISHED',
        '2        0     0 ACCEPT     tcp  --  *      *       0.0.0.0/0            0.0.0.0/0            tcp dpt:22',
        '3        0     0 DOCKER     all  --  eth0   *      !10.0.0.0/8           0.0.0.0/0           ',
        '4        0     0 REJECT     all  --  *      *       0.0.0.0/0            0.0.0.0/0            reject-with icmp-host-prohibited',
        '',
        'Chain FORWARD (policy ACCEPT 0 packets, 0 bytes)',
        'num   pkts bytes target     prot opt in     out     source               destination         ',
        '',
        'Chain OUTPUT (policy ACCEPT 0 packets, 0 bytes)',
        'num   pkts bytes target     prot opt in     out     source               destination         ',
        '',
        'Chain DOCKER (1 references)',
        'num   pkts bytes target     prot opt in     out     source               destination         ',
        '',
      ].join('\n'),
    );
    expect(stack.netfilter.command('filter', ['-S', 'INPUT'])).toBe(
      '-P INPUT DROP\n-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n' +
        '-A INPUT ! -s 10.0.0.0/8 -i eth0 -j DOCKER\n-A INPUT -j REJECT --reject-with icmp-host-prohibited\n',
    );
    expect(stack.netfilter.command('filter', ['-L', 'INPUT'])).toContain(
      'ACCEPT     tcp  --  anywhere             anywhere             tcp dpt:ssh\n',
    );
  });
});

describe('packets', () => {
  it('meet REJECT in its forms, and DROP', async () => {
    const { client, rule, clock } = network();
    const cases: readonly (readonly [string, string])[] = [
      ['-j REJECT', 'ECONNREFUSED'],
      ['-p tcp -j REJECT --reject-with tcp-reset', 'ECONNREFUSED'],
      ['-j REJECT --reject-with icmp-host-unreachable', 'EHOSTUNREACH'],
      ['-j REJECT --reject-with icmp-host-prohibited', 'EHOSTUNREACH'],
      ['-j REJECT --reject-with icmp-admin-prohibited', 'EHOSTUNREACH'],
      ['-j REJECT --reject-with icmp-net-unreachable', 'ENETUNREACH'],
    ];
    for (const [text, want] of cases) {
      rule(`-A FORWARD ${text}`);
      expect([text, await outcome(client.connect({ address: '10.2.0.1', port: 80 }))]).toEqual([text, want]);
      rule('-F FORWARD');
    }
    rule('-P FORWARD DROP');
    let result: unknown;
    void outcome(client.connect({ address: '10.2.0.1', port: 80 })).then((value) => (result = value));
    await clock.advance(126_000);
    expect(result).toBeUndefined();
    await clock.advance(2_000);
    expect(result).toBe('ETIMEDOUT');
  });

  it('are translated to a destination and back, ICMP errors too', async () => {
    const { client, server, router, rule } = network();
    rule('-A PREROUTING -d 10.96.0.1/32 -p tcp -m tcp --dport 443 -j DNAT --to-destination 10.2.0.1:6443', 'nat');
    rule('-A PREROUTING -d 10.96.0.2/32 -p udp -m udp --dport 53 -j DNAT --to-destination 10.2.0.1:5353', 'nat');
    const listener = server.listen({ address: '0.0.0.0', port: 6443 });
    const connection = await client.connect({ address: '10.96.0.1', port: 443 });
    expect(connection.remoteAddress).toBe('10.96.0.1:443');
    const accepted = await listener.accept();
    await connection.write(utf8('x'));
    expect(text((await accepted.read())!)).toBe('x');
    expect(router.conntrack()[0]).toMatch(
      /^tcp {6}6 \d+ ESTABLISHED src=10.1.0.1 dst=10.96.0.1 sport=\d+ dport=443 src=10.2.0.1 dst=10.1.0.1 sport=6443 dport=\d+ \[ASSURED\] mark=0 use=1$/,
    );
    const socket = client.udp({});
    socket.send(utf8('?'), { address: '10.96.0.2', port: 53 });
    expect(await outcome(socket.receive())).toBe('ECONNREFUSED');
    listener.close();
    expect(await outcome(client.connect({ address: '10.96.0.1', port: 443 }))).toBe('ECONNREFUSED');
  });

  it('hide behind MASQUERADE with ports that stay apart', async () => {
    const { client, server, rule } = network();
    server.deleteRoute({ destination: '0.0.0.0/0' });
    expect(await outcome(server.connect({ address: '10.1.0.1', port: 1 }))).toBe('ENETUNREACH');
    rule('-A POSTROUTING -o r -j MASQUERADE', 'nat');
    const listener = server.listen({ address: '0.0.0.0', port: 80 });
    const first = await client.connect({ address: '10.2.0.1', port: 80 });
    const accepted = await listener.accept();
    expect(accepted.remoteAddress).toBe(`10.2.0.254:${first.localAddress.split(':')[1]}`);
    expect(await client.ping({ address: '10.2.0.1', timeoutMs: 1000 })).toMatchObject({ kind: 'reply', from: '10.2.0.1' });
    expect(await outcome(client.connect({ address: '10.2.0.1', port: 81 }))).toBe('ECONNREFUSED');
  });

  it('of the machine itself are redirected at OUTPUT, and sent back through the same service', async () => {
    const { server, rule, router } = network();
    router.addRoute({ destination: '0.0.0.0/0', type: 'unicast', via: '10.2.0.9', protocol: 'boot', scope: 'global' });
    rule('-A OUTPUT -d 10.96.0.1/32 -p tcp -m tcp --dport 443 -j DNAT --to-destination 10.2.0.1:6443', 'nat');
    rule('-A OUTPUT -d 10.96.0.3/32 -p tcp -j REDIRECT --to-ports 8080', 'nat');
    server.listen({ address: '0.0.0.0', port: 6443 });
    const connection = await router.connect({ address: '10.96.0.1', port: 443, sourceAddress: '10.2.0.254' });
    expect(connection.remoteAddress).toBe('10.96.0.1:443');
    router.listen({ address: '0.0.0.0', port: 8080 });
    expect((await router.connect({ address: '10.96.0.3', port: 5, sourceAddress: '10.2.0.254' })).remoteAddress).toBe('10.96.0.3:5');
  });

  it('are let in by state, marked, logged and counted', async () => {
    const { client, server, router, rule, host } = network();
    rule('-P FORWARD DROP');
    rule('-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT');
    rule('-A FORWARD -i l -j LOG --log-prefix "new: "');
    rule('-A FORWARD -i l -m mark --mark 0x1/0x1 -j ACCEPT');
    rule('-A PREROUTING -p tcp --dport 80 -j MARK --set-mark 1', 'mangle');
    router.netfilter.command('nat', ['-L']);
    const listener = server.listen({ address: '0.0.0.0', port: 80 });
    const connection = await client.connect({ address: '10.2.0.1', port: 80 });
    (await listener.accept()).close();
    connection.close();
    expect(host.lines[0]).toMatch(
      /^new: IN=l OUT=r MAC=\S+ SRC=10.1.0.1 DST=10.2.0.1 LEN=60 TOS=0x00 PREC=0x00 TTL=63 ID=0 DF PROTO=TCP SPT=\d+ DPT=80 WINDOW=65535 RES=0x00 SYN URGP=0 $/,
    );
    expect(router.netfilter.command('filter', words('-L FORWARD -nvx')).split('\n')[3]).toMatch(/^ {7}1 {7}60 LOG /);
  });

  it('spread over endpoints by chance, from the seed', async () => {
    const { client, server, rule } = network();
    server.addAddress('eth0', '10.2.0.2/24');
    rule('-N SVC', 'nat');
    rule('-A PREROUTING -d 10.96.0.1 -p tcp -j SVC', 'nat');
    rule('-A SVC -p tcp -m statistic --mode random --probability 0.5 -j DNAT --to-destination 10.2.0.1:80', 'nat');
    rule('-A SVC -p tcp -j DNAT --to-destination 10.2.0.2:80', 'nat');
    const listener = server.listen({ address: '0.0.0.0', port: 80 });
    const hits = new Map<string, number>();
    for (let i = 0; i < 60; i++) {
      const connection = await client.connect({ address: '10.96.0.1', port: 80 });
      const accepted = await listener.accept();
      hits.set(accepted.localAddress, (hits.get(accepted.localAddress) ?? 0) + 1);
      accepted.close();
      connection.close();
    }
    expect([...hits.keys()].sort()).toEqual(['10.2.0.1:80', '10.2.0.2:80']);
    expect(Math.min(...hits.values())).toBeGreaterThan(15);
  });

  it('match IP sets', async () => {
    const { client, router, rule } = network();
    const pools = router.netfilter.sets.create('pools', 'hash:net');
    pools.add('10.2.0.0/16');
    rule('-A FORWARD -m set --match-set pools dst -j REJECT');
    expect(await outcome(client.connect({ address: '10.2.0.1', port: 80 }))).toBe('ECONNREFUSED');
    pools.flush();
    pools.add('10.3.0.0/16');
    rule('-I FORWARD -m set ! --match-set pools dst -j REJECT --reject-with icmp-net-unreachable');
    expect(await outcome(client.connect({ address: '10.2.0.1', port: 80 }))).toBe('ENETUNREACH');
    expect(refusal(() => rule('-A FORWARD -m set --match-set nope dst -j DROP'))).toContain("Set nope doesn't exist");
  });

  it('publish their way', async () => {
    const { client, server, router, rule } = network();
    rule('-A PREROUTING -d 10.96.0.1/32 -p tcp -m tcp --dport 443 -j DNAT --to-destination 10.2.0.1:6443', 'nat');
    server.listen({ address: '0.0.0.0', port: 6443 });
    const hops: string[] = [];
    const tracing = router.onHop((_, hop) => {
      if (hop.step === 'hook') hops.push(`${hop.table} ${hop.chain} ${hop.rule} ${hop.verdict}`);
      else if (hop.step === 'route') hops.push(`route ${hop.destination} dev ${hop.device}`);
      else if (hop.step === 'link') hops.push(`${hop.from} -> ${hop.to}`);
    });
    await client.connect({ address: '10.96.0.1', port: 443 });
    tracing.dispose();
    expect(hops.slice(0, 3)).toEqual(['nat PREROUTING 1 DNAT', 'route 10.2.0.1 dev r', 'r -> server/eth0']);
  });
});

describe('bridged packets', () => {
  async function docker(settings: { readonly module: boolean; readonly call: boolean }): Promise<string> {
    const { make, clock } = lab();
    const host = make('host');
    const pods = ['p1', 'p2'].map((name) => make(name).stack);
    host.stack.addLink({ name: 'docker0', kind: 'bridge' });
    host.stack.addAddress('docker0', '172.17.0.1/16');
    host.stack.setLink('docker0', { isUp: true });
    pods.forEach((pod, at) => {
      host.stack.addLink({ name: `veth${at}`, kind: 'veth', peer: { name: 'eth0', stack: pod } });
      host.stack.setLink(`veth${at}`, { isUp: true, master: 'docker0' });
      pod.setLink('eth0', { isUp: true });
      pod.addAddress('eth0', `172.17.0.${at + 2}/16`);
    });
    host.stack.netfilter.execute('filter', words('-P FORWARD DROP'));
    if (settings.module) host.host.modules.add('br_netfilter');
    if (settings.call) host.host.set('net.bridge.bridge-nf-call-iptables', '1');
    const reply = pods[0]!.ping({ address: '172.17.0.3', timeoutMs: 1000 });
    await clock.advance(1000);
    return (await reply)?.kind ?? 'lost';
  }

  it.each([
    ['pass iptables by without br_netfilter', { module: false, call: false }, 'reply'],
    ['pass iptables by with br_netfilter while bridge-nf-call-iptables is 0', { module: true, call: false }, 'reply'],
    ['meet FORWARD with both', { module: true, call: true }, 'lost'],
  ])('%s', async (_name, settings, want) => {
    expect(await docker(settings)).toBe(want);
  });
});
