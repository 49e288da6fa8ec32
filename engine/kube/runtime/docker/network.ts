// Models docker's bridge network: docker0, the containers' veth pairs, published ports and the iptables rules for them.

import { isSysError } from '../../../sim/errno.ts';
import { IptablesError, type NetStack, type TableName } from '../../../net/net-stack.ts';
import type { Syscalls } from '../../../kernel/process.ts';
import { sha256Hex } from '../catalogue/image.ts';
import { DockerError, type ContainerRecord, type HostConfigJson, type PortBinding } from './types.ts';

export const BRIDGE = 'docker0';
const GATEWAY = '172.17.0.1';
const SUBNET = '172.17.0.0/16';
const PREFIX_LENGTH = 16;
/** Where docker looks for a free host port for `-p 80`. */
const EPHEMERAL_PORTS = { from: 32768, to: 60999 } as const;
const PROXY = '/usr/bin/docker-proxy';

export interface NetworkJson {
  readonly Name: string;
  readonly Id: string;
  readonly Created: string;
  readonly Scope: 'local';
  readonly Driver: string;
  readonly IPAM: { readonly Driver: string; readonly Config: readonly { readonly Subnet: string; readonly Gateway?: string }[] };
}

export class DockerNetworks {
  readonly #sys: Syscalls;
  readonly #seed: string;

  constructor(sys: Syscalls) {
    this.#sys = sys;
    this.#seed = sys.kernel.machine;
  }

  list(): readonly NetworkJson[] {
    const network = (name: string, driver: string, config: NetworkJson['IPAM']['Config']): NetworkJson => ({
      Name: name,
      Id: this.networkId(name),
      Created: '2021-01-13T15:22:33.000000000Z',
      Scope: 'local',
      Driver: driver,
      IPAM: { Driver: 'default', Config: config },
    });
    return [network('bridge', 'bridge', [{ Subnet: SUBNET, Gateway: GATEWAY }]), network('host', 'host', []), network('none', 'null', [])];
  }

  networkId(name: string): string {
    return sha256Hex(`${this.#seed}/network/${name}`);
  }

  /** What dockerd does when it starts: modules, forwarding, the bridge and its chains. */
  setUp(): void {
    const { kernel, net } = this.#sys;
    for (const module of ['bridge', 'br_netfilter', 'overlay', 'xt_conntrack', 'iptable_nat', 'iptable_filter', 'xt_addrtype']) {
      try {
        kernel.modules.load(module);
      } catch (error) {
        if (!isSysError(error, 'ENOENT')) throw error;
      }
    }
    if (kernel.sysctl.get('net.ipv4.ip_forward') !== '1') {
      kernel.sysctl.set('net.ipv4.ip_forward', '1');
      // Only who switches forwarding on closes it for everybody else.
      net.netfilter.execute('filter', ['-P', 'FORWARD', 'DROP']);
    }
    if (!net.links().some((link) => link.name === BRIDGE)) {
      net.addLink({ name: BRIDGE, kind: 'bridge', mac: `02:42:${this.#macTail()}` });
    }
    if (!net.addresses().some((address) => address.link === BRIDGE)) net.addAddress(BRIDGE, `${GATEWAY}/${PREFIX_LENGTH}`);
    net.setLink(BRIDGE, { isUp: true });
    this.#chains();
  }

  #macTail(): string {
    const hex = sha256Hex(`${this.#seed}/docker0`);
    return [0, 2, 4, 6].map((at) => hex.slice(at, at + 2)).join(':');
  }

  #chains(): void {
    const filter = this.#sys.net.netfilter;
    const chain = (table: TableName, name: string): void => {
      if (!filter.hasChain(table, name)) filter.execute(table, ['-N', name]);
    };
    chain('nat', 'DOCKER');
    for (const name of ['DOCKER', 'DOCKER-ISOLATION-STAGE-1', 'DOCKER-ISOLATION-STAGE-2', 'DOCKER-USER']) chain('filter', name);
    this.ensure('nat', 'PREROUTING', '-m addrtype --dst-type LOCAL -j DOCKER');
    this.ensure('nat', 'OUTPUT', '! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER');
    this.ensure('nat', 'POSTROUTING', `-s ${SUBNET} ! -o ${BRIDGE} -j MASQUERADE`);
    this.ensure('nat', 'DOCKER', `-i ${BRIDGE} -j RETURN`);
    this.ensure('filter', 'DOCKER-ISOLATION-STAGE-1', `-i ${BRIDGE} ! -o ${BRIDGE} -j DOCKER-ISOLATION-STAGE-2`);
    this.ensure('filter', 'DOCKER-ISOLATION-STAGE-1', '-j RETURN');
    this.ensure('filter', 'DOCKER-ISOLATION-STAGE-2', `-o ${BRIDGE} -j DROP`);
    this.ensure('filter', 'DOCKER-ISOLATION-STAGE-2', '-j RETURN');
    this.ensure('filter', 'DOCKER-USER', '-j RETURN');
    // Inserted one before the other, so that they end up above everybody else's rules.
    for (const rule of [
      `-i ${BRIDGE} -o ${BRIDGE} -j ACCEPT`,
      `-i ${BRIDGE} ! -o ${BRIDGE} -j ACCEPT`,
      `-o ${BRIDGE} -j DOCKER`,
      `-o ${BRIDGE} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
      '-j DOCKER-ISOLATION-STAGE-1',
      '-j DOCKER-USER',
    ]) {
      this.ensure('filter', 'FORWARD', rule, 'insert');
    }
  }

  /** Adds a rule unless it is there. */
  ensure(table: TableName, chain: string, rule: string, how: 'append' | 'insert' = 'append'): void {
    const filter = this.#sys.net.netfilter;
    const args = rule.split(' ');
    try {
      filter.execute(table, ['-C', chain, ...args]);
      return;
    } catch (error) {
      if (!(error instanceof IptablesError)) throw error;
    }
    filter.execute(table, [how === 'append' ? '-A' : '-I', chain, ...args]);
  }

  #dropRule(table: TableName, chain: string, rule: string): void {
    try {
      this.#sys.net.netfilter.execute(table, ['-D', chain, ...rule.split(' ')]);
    } catch (error) {
      // Somebody flushed the rules: nothing left to take back.
      if (!(error instanceof IptablesError)) throw error;
    }
  }

  /** Makes the network namespace a container starts in and says its name; fills in the record's network settings. */
  connect(record: ContainerRecord, host: HostConfigJson, others: readonly ContainerRecord[]): string {
    const settings = record.NetworkSettings;
    const mode = host.NetworkMode;
    if (mode === 'host') {
      settings.SandboxKey = '/var/run/docker/netns/default';
      settings.Networks = { host: this.#endpoint('host', record.ID) };
      return 'host';
    }
    if (mode.startsWith('container:')) {
      const other = others.find((candidate) => candidate.ID === mode.slice('container:'.length));
      if (other === undefined) throw new DockerError(404, `No such container: ${mode.slice('container:'.length)}`);
      if (!other.State.Running) throw new DockerError(409, `cannot join network of a non running container: ${other.ID}`);
      settings.SandboxKey = '';
      settings.Networks = {};
      return namespaceOf(other);
    }
    const name = sha256Hex(`${record.ID}/${record.RestartCount}/${record.State.StartedAt}/sandbox`).slice(0, 12);
    const stack = this.#sys.kernel.netNamespaces.create(name);
    stack.setLink('lo', { isUp: true });
    settings.SandboxKey = `/var/run/docker/netns/${name}`;
    if (mode === 'none') {
      settings.Networks = { none: this.#endpoint('none', record.ID) };
      return name;
    }
    if (mode !== 'bridge' && mode !== 'default') throw new DockerError(404, `network ${mode} not found`);
    try {
      this.#attach(record, stack, others);
      this.#publish(record, host);
    } catch (error) {
      this.disconnect(record);
      throw error;
    }
    return name;
  }

  #attach(record: ContainerRecord, stack: NetStack, others: readonly ContainerRecord[]): void {
    const taken = new Set(
      others.filter((other) => other.State.Running).map((other) => other.NetworkSettings.Networks['bridge']?.IPAddress),
    );
    const number = [...Array(0xfffd).keys()].map((index) => index + 2).find((candidate) => !taken.has(addressOf(candidate)));
    if (number === undefined) throw new DockerError(500, "no available IPv4 addresses on this network's address pools: bridge");
    const address = addressOf(number);
    const mac = `02:42:${address
      .split('.')
      .map((part) => Number(part).toString(16).padStart(2, '0'))
      .join(':')}`;
    const link = `veth${sha256Hex(`${record.ID}/${address}/${record.RestartCount}`).slice(0, 7)}`;
    const { net } = this.#sys;
    net.addLink({ name: link, kind: 'veth', peer: { name: 'eth0', stack, mac } });
    net.setLink(link, { master: BRIDGE, isUp: true });
    stack.setLink('eth0', { isUp: true });
    stack.addAddress('eth0', `${address}/${PREFIX_LENGTH}`);
    stack.addRoute({ destination: '0.0.0.0/0', type: 'unicast', via: GATEWAY, device: 'eth0', protocol: 'boot', scope: 'global' });
    record.NetworkSettings.HostLink = link;
    record.NetworkSettings.Networks = {
      bridge: { ...this.#endpoint('bridge', record.ID), Gateway: GATEWAY, IPAddress: address, IPPrefixLen: PREFIX_LENGTH, MacAddress: mac },
    };
  }

  #endpoint(network: string, id: string): ContainerRecord['NetworkSettings']['Networks'][string] {
    return {
      NetworkID: this.networkId(network),
      EndpointID: sha256Hex(`${id}/endpoint/${network}`),
      Gateway: '',
      IPAddress: '',
      IPPrefixLen: 0,
      MacAddress: '',
    };
  }

  #publish(record: ContainerRecord, host: HostConfigJson): void {
    const address = record.NetworkSettings.Networks['bridge']?.IPAddress ?? '';
    const ports: Record<string, PortBinding[] | null> = {};
    for (const port of Object.keys(record.Config.ExposedPorts ?? {})) ports[port] = null;
    record.NetworkSettings.Ports = ports;
    for (const [port, bindings] of Object.entries(host.PortBindings)) {
      const [containerPort = '', protocol = 'tcp'] = port.split('/');
      const bound: PortBinding[] = [];
      ports[port] = bound;
      for (const binding of bindings) {
        const hostIp = binding.HostIp === '' ? '0.0.0.0' : binding.HostIp;
        const hostPort = binding.HostPort === '' ? this.#freePort(protocol) : Number(binding.HostPort);
        if (this.#isListening(protocol, hostPort)) {
          const endpoint = `${record.Name.slice(1)} (${sha256Hex(`${record.ID}/endpoint/bridge`)})`;
          throw new DockerError(
            500,
            `driver failed programming external connectivity on endpoint ${endpoint}: Error starting userland proxy: listen ${protocol} ${hostIp}:${hostPort}: bind: address already in use`,
          );
        }
        const pid = this.#proxy({ protocol, hostIp, hostPort, address, containerPort });
        record.NetworkSettings.ProxyPids.push(pid);
        bound.push({ HostIp: hostIp, HostPort: String(hostPort) });
        for (const [table, chain, rule] of portRules({ protocol, hostIp, hostPort, address, containerPort }))
          this.ensure(table, chain, rule);
      }
    }
  }

  #freePort(protocol: string): number {
    for (let port = EPHEMERAL_PORTS.from; port <= EPHEMERAL_PORTS.to; port++) if (!this.#isListening(protocol, port)) return port;
    throw new DockerError(500, 'all ports are allocated');
  }

  #isListening(protocol: string, port: number): boolean {
    return this.#sys.net
      .sockets()
      .some(
        (socket) => socket.protocol === protocol && socket.localPort === port && (socket.state === 'LISTEN' || socket.state === 'UNCONN'),
      );
  }

  #proxy(port: PublishedPort): number {
    const sys = this.#sys;
    const argv = [PROXY, '-proto', port.protocol, '-host-ip', port.hostIp, '-host-port', String(port.hostPort)];
    argv.push('-container-ip', port.address, '-container-port', port.containerPort);
    const none = sys.open('/dev/null', { read: true, write: true });
    try {
      return sys.spawn(PROXY, argv, {
        fds: new Map([
          [0, none],
          [1, none],
          [2, none],
        ]),
        durable: true,
      });
    } finally {
      sys.close(none);
    }
  }

  /** Deletes namespaces of containers that have ended; one lives on as long as a process is in it. */
  collect(records: readonly ContainerRecord[]): void {
    const { kernel } = this.#sys;
    const used = new Set([
      ...records.map((record) => record.NetworkSettings.SandboxKey.split('/').pop()),
      ...kernel.processes().map((process) => process.netNamespace),
    ]);
    for (const name of kernel.netNamespaces.names()) if (OWN_NAMESPACE.test(name) && !used.has(name)) kernel.netNamespaces.delete(name);
  }

  /** Takes everything back that `connect` made; whatever is already gone does not matter. */
  disconnect(record: ContainerRecord): void {
    const sys = this.#sys;
    const settings = record.NetworkSettings;
    const address = settings.Networks['bridge']?.IPAddress ?? '';
    for (const [port, bindings] of Object.entries(settings.Ports)) {
      const [containerPort = '', protocol = 'tcp'] = port.split('/');
      for (const binding of bindings ?? []) {
        const published = { protocol, hostIp: binding.HostIp, hostPort: Number(binding.HostPort), address, containerPort };
        for (const [table, chain, rule] of portRules(published)) this.#dropRule(table, chain, rule);
      }
    }
    for (const pid of settings.ProxyPids) {
      try {
        sys.kill(pid, 'SIGTERM');
      } catch (error) {
        if (!isSysError(error, 'ESRCH')) throw error;
      }
    }
    if (settings.HostLink !== '' && sys.net.links().some((link) => link.name === settings.HostLink)) sys.net.deleteLink(settings.HostLink);
    settings.ProxyPids = [];
    settings.HostLink = '';
    settings.SandboxKey = '';
    settings.Ports = {};
    settings.Networks = Object.fromEntries(Object.keys(settings.Networks).map((network) => [network, this.#endpoint(network, record.ID)]));
  }
}

/** Names of the namespaces docker makes. */
const OWN_NAMESPACE = /^[0-9a-f]{12}$/;

interface PublishedPort {
  readonly protocol: string;
  readonly hostIp: string;
  readonly hostPort: number;
  readonly address: string;
  readonly containerPort: string;
}

function portRules(port: PublishedPort): readonly (readonly [TableName, string, string])[] {
  const { protocol, address, containerPort } = port;
  const to = port.hostIp === '0.0.0.0' ? '' : `-d ${port.hostIp}/32 `;
  return [
    [
      'nat',
      'DOCKER',
      `${to}! -i ${BRIDGE} -p ${protocol} -m ${protocol} --dport ${port.hostPort} -j DNAT --to-destination ${address}:${containerPort}`,
    ],
    ['filter', 'DOCKER', `-d ${address}/32 ! -i ${BRIDGE} -o ${BRIDGE} -p ${protocol} -m ${protocol} --dport ${containerPort} -j ACCEPT`],
    ['nat', 'POSTROUTING', `-s ${address}/32 -d ${address}/32 -p ${protocol} -m ${protocol} --dport ${containerPort} -j MASQUERADE`],
  ];
}

function addressOf(number: number): string {
  return `172.17.${number >> 8}.${number & 255}`;
}

/** Name of the kernel's network namespace a running container lives in. */
export function namespaceOf(record: ContainerRecord): string {
  const name = record.NetworkSettings.SandboxKey.split('/').pop() ?? '';
  return name === '' || name === 'default' ? 'host' : name;
}
