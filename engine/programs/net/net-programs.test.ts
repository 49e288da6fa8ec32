import { beforeEach, describe, expect, it } from 'vitest';
import type { Process } from '../../kernel/process.ts';
import { LabNetworks } from '../../net/hypervisor/lab-networks.ts';
import type { OwnedNetStack } from '../../net/net-stack.ts';
import { SeededRng } from '../../sim/rng.ts';
import { readAll, TestKernel } from '../../../tests/support/test-kernel.ts';
import { programs as coreutils } from '../coreutils/index.ts';
import { allPrograms } from '../index.ts';
import { bash } from '../shell/bash.ts';
import { programs } from './index.ts';

let test: TestKernel;
let networks: LabNetworks;

beforeEach(() => {
  test = new TestKernel({
    programs: [bash, ...coreutils, ...programs],
    entries: {
      '/bin/bash': { kind: 'program', program: 'bash' },
      '/usr/sbin/dhclient': { kind: 'program', program: 'dhclient' },
      '/etc/rc.d/init.d/network': { kind: 'program', program: 'network-scripts' },
      '/usr/sbin/ifdown': { kind: 'program', program: 'network-scripts' },
      '/usr/sbin/ifup': { kind: 'program', program: 'network-scripts' },
      '/var/run': { kind: 'symlink', target: '/run' },
      '/var/lock': { kind: 'symlink', target: '/run' },
      '/etc/resolv.conf': { kind: 'file', contents: 'nameserver 1.1.1.1 #cloudflare\nnameserver 8.8.8.8 #Google\n' },
      '/etc/hosts': { kind: 'file', contents: '127.0.0.1 localhost\n192.168.1.10 m-k8s\n192.168.1.101 w1-k8s\n' },
      '/etc/passwd': { kind: 'file', contents: 'root:x:0:0:root:/root:/bin/bash\n' },
      '/etc/sysctl.d/k8s.conf': { kind: 'file', contents: 'net.bridge.bridge-nf-call-iptables = 1\n' },
      '/etc/sysconfig/network-scripts/ifcfg-lo': { kind: 'file', contents: 'DEVICE=lo\nIPADDR=127.0.0.1\nNETMASK=255.0.0.0\nONBOOT=yes\n' },
      '/etc/sysconfig/network-scripts/ifcfg-eth0': {
        kind: 'file',
        contents: 'DEVICE="eth0"\nBOOTPROTO="dhcp"\nONBOOT="yes"\nTYPE="Ethernet"\n',
      },
      '/etc/sysconfig/network-scripts/ifcfg-eth1': {
        kind: 'file',
        contents: 'BOOTPROTO=none\nONBOOT=yes\nIPADDR=192.168.1.10\nNETMASK=255.255.255.0\nDEVICE=eth1\nPEERDNS=no\n',
      },
    },
  });
  networks = new LabNetworks({ clock: test.clock, rng: new SeededRng(3) });
  const stack = test.kernel.netNamespaces.get('host') as OwnedNetStack;
  stack.attach('eth0', { mac: '08:00:27:11:22:33', port: networks.natOf('m-k8s').port });
  stack.attach('eth1', { mac: '08:00:27:44:55:66', port: networks.plugHostOnly() });
});

/** Output (both streams) and status of a command line. */
async function sh(process: Process, line: string): Promise<string> {
  const { sys } = process;
  const [read, write] = sys.pipe();
  const pid = sys.spawn('/bin/bash', ['bash', '-c', `${line}`], {
    env: new Map([['PATH', '/usr/sbin:/usr/bin']]),
    fds: new Map([
      [1, write],
      [2, write],
    ]),
  });
  sys.close(write);
  const text = await readAll(process, read);
  const ended = await sys.wait(pid);
  return ended?.kind === 'exited' && ended.status !== 0 ? `${text}[${ended.status}]` : text;
}

const START = '/etc/rc.d/init.d/network start';

describe('the network script', () => {
  it('brings the links up by lease and by file', async () => {
    await test.run(async (process) => {
      expect(await sh(process, START)).toBe(
        'Bringing up loopback interface:                             [  OK  ]\n' +
          'Bringing up interface eth0: \nDetermining IP information for eth0... done.\n                                [  OK  ]\n' +
          'Bringing up interface eth1:                                 [  OK  ]\n',
      );
      expect(await sh(process, 'ip route')).toBe(
        'default via 10.0.2.2 dev eth0 \n10.0.2.0/24 dev eth0 proto kernel scope link src 10.0.2.15 \n' +
          '169.254.0.0/16 dev eth0 scope link metric 1002 \n169.254.0.0/16 dev eth1 scope link metric 1003 \n' +
          '192.168.1.0/24 dev eth1 proto kernel scope link src 192.168.1.10 \n',
      );
      expect(await sh(process, 'ip a')).toBe(
        '1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default qlen 1000\n' +
          '    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n' +
          '    inet 127.0.0.1/8 scope host lo\n       valid_lft forever preferred_lft forever\n' +
          '    inet6 ::1/128 scope host \n       valid_lft forever preferred_lft forever\n' +
          '2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc pfifo_fast state UP group default qlen 1000\n' +
          '    link/ether 08:00:27:11:22:33 brd ff:ff:ff:ff:ff:ff\n' +
          '    inet 10.0.2.15/24 brd 10.0.2.255 scope global dynamic eth0\n       valid_lft 86400sec preferred_lft 86400sec\n' +
          '    inet6 fe80::a00:27ff:fe11:2233/64 scope link \n       valid_lft forever preferred_lft forever\n' +
          '3: eth1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc pfifo_fast state UP group default qlen 1000\n' +
          '    link/ether 08:00:27:44:55:66 brd ff:ff:ff:ff:ff:ff\n' +
          '    inet 192.168.1.10/24 brd 192.168.1.255 scope global eth1\n       valid_lft forever preferred_lft forever\n' +
          '    inet6 fe80::a00:27ff:fe44:5566/64 scope link \n       valid_lft forever preferred_lft forever\n',
      );
    });
  });

  it('turns forwarding off when it stops, and does not turn it on again', async () => {
    await test.run(async (process) => {
      await sh(process, START);
      process.sys.kernel.sysctl.set('net.ipv4.ip_forward', '1');
      await sh(
        process,
        'ip link add tunl0 type ipip; ip link set tunl0 up; ip addr add 172.16.0.0/32 dev tunl0; ip route add 172.16.9.0/26 via 192.168.1.101 dev tunl0 onlink',
      );
      const restarted = await sh(process, '/etc/rc.d/init.d/network restart');
      expect(restarted).toContain('Shutting down interface eth1:                               [  OK  ]\n');
      expect(restarted).toContain('net.ipv4.ip_forward = 0\n');
      expect(process.sys.kernel.sysctl.get('net.ipv4.ip_forward')).toBe('0');
      expect(await sh(process, 'ip route')).toContain('172.16.9.0/26 via 192.168.1.101 dev tunl0 onlink \n');
      expect(await sh(process, 'ping -c 1 -n 8.8.8.8')).toContain(' 0% packet loss');
      expect(await sh(process, '/etc/rc.d/init.d/network status')).toContain('Configured devices:\nlo eth0 eth1\n');
    });
  });
});

describe('curl', () => {
  it('fetches, follows, and words its failures', async () => {
    networks.internet.registerSite('example.test', async (request, respond) => {
      if (request.target === '/moved') await respond.send({ status: 302, headers: { Location: '/there' } }, '');
      else if (request.target === '/gone') await respond.send({ status: 404 }, 'no');
      else
        await respond.send(
          { status: 200, headers: { 'Content-Type': 'text/plain' } },
          `${request.method} ${request.target} ${request.headers.get('user-agent')}\n`,
        );
    });
    await test.run(
      async (process) => {
        await sh(process, START);
        expect(await sh(process, 'curl -s http://example.test/x')).toBe('GET /x curl/7.29.0\n');
        expect(await sh(process, 'curl -sL example.test/moved')).toBe('GET /there curl/7.29.0\n');
        expect(await sh(process, 'curl -s -o /dev/null -w "%{http_code}" example.test/gone')).toBe('404');
        expect(await sh(process, 'curl -sf example.test/gone')).toBe('[22]');
        expect(await sh(process, 'curl -I -s example.test/ | { read line; echo "$line"; }')).toBe('HTTP/1.1 200 OK\r\n');
        expect(await sh(process, 'curl -sS https://example.test/x')).toContain("curl: (60) Peer's Certificate issuer is not recognized.\n");
        expect(await sh(process, 'curl -sk https://example.test/x')).toBe('GET /x curl/7.29.0\n');
        expect(await sh(process, 'curl -sS no.such.test')).toBe(
          'curl: (6) Could not resolve host: no.such.test; Name or service not known\n[6]',
        );
        expect(await sh(process, 'curl -sS 127.0.0.1')).toBe('curl: (7) Failed connect to 127.0.0.1:80; Connection refused\n[7]');
        expect(await sh(process, 'curl -sS --connect-timeout 2 192.168.1.77')).toBe(
          'curl: (28) Connection timed out after 2001 milliseconds\n[28]',
        );
        expect(await sh(process, 'curl -sS 192.168.1.78')).toBe('curl: (7) Failed connect to 192.168.1.78:80; No route to host\n[7]');
        await sh(process, 'iptables -A OUTPUT -d 192.168.1.1 -j DROP');
        expect(await sh(process, 'curl -sS 192.168.1.1')).toBe('curl: (7) Failed connect to 192.168.1.1:80; Connection timed out\n[7]');
        expect(await sh(process, 'curl --nope')).toBe(
          "curl: option --nope: is unknown\ncurl: try 'curl --help' or 'curl --manual' for more information\n[2]",
        );
      },
      { withinMs: 400_000 },
    );
  });
});

describe('other tools', () => {
  it.each([
    ['ip route get 8.8.8.8', '8.8.8.8 via 10.0.2.2 dev eth0 src 10.0.2.15 \n    cache \n'],
    [
      'ip -br a',
      'lo               UNKNOWN        127.0.0.1/8 ::1/128 \neth0             UP             10.0.2.15/24 fe80::a00:27ff:fe11:2233/64 \neth1             UP             192.168.1.10/24 fe80::a00:27ff:fe44:5566/64 \n',
    ],
    ['ip addr show nope', 'Device "nope" does not exist.\n[1]'],
    ['ip nope', 'Object "nope" is unknown, try "ip help".\n[1]'],
    ['ip addr add 192.168.1.10/24 dev eth1', 'RTNETLINK answers: File exists\n[2]'],
    ['ip route add default via 1.2.3.4', 'RTNETLINK answers: Network is unreachable\n[2]'],
    ['ip link set nope up', 'Cannot find device "nope"\n[1]'],
    [
      'ip netns add a; ip netns; ip netns exec a ip -o link',
      'a\n1: lo: <LOOPBACK> mtu 65536 qdisc noop state DOWN mode DEFAULT group default qlen 1000\\    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n',
    ],
    ['ping -c 1 nope', 'ping: nope: Name or service not known\n[2]'],
    ['iptables -A FOO -j DROP', 'iptables: No chain/target/match by that name.\n[1]'],
    [
      'iptables -j',
      "iptables v1.4.21: option \"-j\" requires an argument\nTry `iptables -h' or 'iptables --help' for more information.\n[2]",
    ],
    [
      'iptables -A INPUT -p tcp -m tcp --dport=22 -j ACCEPT && iptables -S INPUT',
      '-P INPUT ACCEPT\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n',
    ],
    [
      'route -n',
      'Kernel IP routing table\nDestination     Gateway         Genmask         Flags Metric Ref    Use Iface\n0.0.0.0         10.0.2.2        0.0.0.0         UG    0      0        0 eth0\n10.0.2.0        0.0.0.0         255.255.255.0   U     0      0        0 eth0\n169.254.0.0     0.0.0.0         255.255.0.0     U     1002   0        0 eth0\n169.254.0.0     0.0.0.0         255.255.0.0     U     1003   0        0 eth1\n192.168.1.0     0.0.0.0         255.255.255.0   U     0      0        0 eth1\n',
    ],
    [
      'nslookup google.com',
      'Server:\t\t1.1.1.1\nAddress:\t1.1.1.1#53\n\nNon-authoritative answer:\nName:\tgoogle.com\nAddress: 142.250.206.206\n\n',
    ],
    ['nslookup nope.test', "Server:\t\t1.1.1.1\nAddress:\t1.1.1.1#53\n\n** server can't find nope.test: NXDOMAIN\n\n[1]"],
    ['dig +short google.com @8.8.8.8', '142.250.206.206\n'],
    ['host google.com', 'google.com has address 142.250.206.206\n'],
    [
      'ipset create a hash:net; ipset add a 10.0.0.0/8; ipset add a 10.0.0.0/8; ipset test a 10.1.2.3; ipset save',
      "ipset v7.1: Element cannot be added to the set: it's already added\n10.1.2.3 is in set a.\ncreate a hash:net family inet hashsize 1024 maxelem 65536\nadd a 10.0.0.0/8\n",
    ],
    ['nc -zv 127.0.0.1 81', 'Ncat: Version 7.50 ( https://nmap.org/ncat )\nNcat: Connection refused.\n[1]'],
    ['telnet 127.0.0.1 81', 'Trying 127.0.0.1...\ntelnet: connect to address 127.0.0.1: Connection refused\n[1]'],
    ['nc -l 8080 > /tmp/got & sleep 1; echo hello | nc 127.0.0.1 8080; wait; read x < /tmp/got; echo $x', 'hello\n'],
    ['tcpdump -c 1 -n -i eth1 icmp & sleep 1; ping -c 1 -q 192.168.1.1 > /dev/null; wait', ''],
    ['brctl addbr br0; brctl show', 'bridge name\tbridge id\t\tSTP enabled\tinterfaces\nbr0\t\t8000.MAC\tno\t\t\n'],
    ['traceroute -q 1 8.8.8.8', ''],
    ['conntrack -L', 'conntrack v1.4.4 (conntrack-tools): 0 flow entries have been shown.\n'],
    ['wget -qO- example.test/x', 'GET /x Wget/1.14 (linux-gnu)\n'],
    ['iptables -L -n >/dev/null; iptables-save | iptables-restore', ''],
    [
      'netstat -lnt',
      'Active Internet connections (only servers)\nProto Recv-Q Send-Q Local Address           Foreign Address         State      \n',
    ],
  ])('%s', async (line, want) => {
    networks.internet.registerSite('example.test', async (request, respond) =>
      respond.send({ status: 200 }, `${request.method} ${request.target} ${request.headers.get('user-agent')}\n`),
    );
    await test.run(async (process) => {
      await sh(process, START);
      const got = (await sh(process, line)).replace(/8000\.[0-9a-f]{12}/, '8000.MAC');
      if (line.startsWith('tcpdump'))
        expect(got).toMatch(
          /listening on eth1.*\n\d\d:\d\d:\d\d\.\d{6} IP 192\.168\.1\.10 > 192\.168\.1\.1: ICMP echo request, id \d+, seq 1, length 64\n1 packets captured/s,
        );
      else if (line.startsWith('traceroute'))
        expect(got).toMatch(
          /^traceroute to 8\.8\.8\.8 .*\n 1 {2}10\.0\.2\.2 \(10\.0\.2\.2\) {2}[\d.]+ ms\n 2 {2}8\.8\.8\.8 \(8\.8\.8\.8\) {2}[\d.]+ ms\n$/,
        );
      else expect(got).toBe(want);
    });
  });

  it('ping reports what comes back and what does not', async () => {
    await test.run(async (process) => {
      await sh(process, START);
      expect(await sh(process, 'ping -c 2 192.168.1.1')).toMatch(
        /^PING 192\.168\.1\.1 \(192\.168\.1\.1\) 56\(84\) bytes of data\.\n64 bytes from 192\.168\.1\.1: icmp_seq=1 ttl=64 time=0\.\d{3} ms\n64 bytes from 192\.168\.1\.1: icmp_seq=2 ttl=64 time=0\.\d{3} ms\n\n--- 192\.168\.1\.1 ping statistics ---\n2 packets transmitted, 2 received, 0% packet loss, time 10\d\dms\nrtt min\/avg\/max\/mdev = [\d./]+ ms\n$/,
      );
      const lost = await sh(process, 'ping -c 1 192.168.1.77');
      expect(lost).toContain('From 192.168.1.10 icmp_seq=1 Destination Host Unreachable\n');
      expect(lost).toContain('1 packets transmitted, 0 received, +1 errors, 100% packet loss, time ');
    });
  });
});

it('no two programs have one name', () => {
  expect(allPrograms().names().length).toBeGreaterThan(50);
});
