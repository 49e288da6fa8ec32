// Models CentOS 7's legacy network script (initscripts 9.49): /etc/rc.d/init.d/network, ifup and ifdown.
// Stopping turns IPv4 forwarding off; starting applies sysctl.d again, where the lab does not turn it on. Links it has no
// ifcfg file for (docker0, tunl0, cali*) are others' matter.

import type { Process, Program } from '../../kernel/process.ts';
import { formatIp, lengthOfMask, maskOf, parseIp } from '../../net/address.ts';
import { isSysError } from '../../sim/errno.ts';
import { err, out, readIfThere } from './io.ts';

const FOLDER = '/etc/sysconfig/network-scripts';
const LOCK = '/var/lock/subsys/network';
/** Column in which /etc/init.d/functions puts its verdict. */
const VERDICT_COLUMN = 60;

export const networkScripts: Program = {
  name: 'network-scripts',
  paths: ['/etc/rc.d/init.d/network', '/usr/sbin/ifup', '/usr/sbin/ifdown'],
  async main(process) {
    const name = (process.argv[0] ?? '').split('/').pop();
    const argument = process.argv[1];
    if (name === 'ifup' || name === 'ifdown') return single(process, name, argument);
    switch (argument) {
      case 'start':
        return start(process);
      case 'stop':
        return stop(process);
      case 'restart':
      case 'force-reload':
        await stop(process);
        return start(process);
      case 'status':
        return status(process);
      default:
        await out(process, 'Usage: network {start|stop|status|restart|force-reload}\n');
        return 2;
    }
  },
};

async function single(process: Process, name: 'ifup' | 'ifdown', device: string | undefined): Promise<number> {
  if (device === undefined) {
    await err(process, `Usage: ${name} <configuration>\n`);
    return 1;
  }
  if (process.sys.credentials().uid !== 0) {
    await err(process, 'Users cannot control this device.\n');
    return 1;
  }
  const config = read(process, device.replace(/^ifcfg-/, ''));
  if (config === undefined) {
    if (name === 'ifup') await err(process, `/sbin/ifup: configuration for ${device} not found.\nUsage: ifup <configuration>\n`);
    else await err(process, 'usage: ifdown <configuration>\n');
    return 1;
  }
  if (name === 'ifdown') return down(process, config);
  return up(process, config);
}

async function start(process: Process): Promise<number> {
  applySysctls(process);
  await action(process, 'Bringing up loopback interface: ', () => up(process, read(process, 'lo') ?? new Map([['DEVICE', 'lo']])));
  let isGood = true;
  for (const name of configured(process)) {
    const config = read(process, name)!;
    if (name === 'lo' || config.get('ONBOOT') === 'no') continue;
    isGood = (await action(process, `Bringing up interface ${name}: `, () => up(process, config))) && isGood;
  }
  process.sys.mkdir('/var/lock/subsys', { recursive: true });
  process.sys.writeFile(LOCK, '');
  return isGood ? 0 : 1;
}

async function stop(process: Process): Promise<number> {
  const { sys } = process;
  for (const name of [...configured(process)].reverse()) {
    if (name === 'lo') continue;
    const config = read(process, name)!;
    const device = config.get('DEVICE') ?? name;
    if (sys.net.links().find((link) => link.name === device)?.isUp !== true) continue;
    await action(process, `Shutting down interface ${name}: `, () => down(process, config));
  }
  await action(process, 'Shutting down loopback interface: ', () => down(process, read(process, 'lo') ?? new Map([['DEVICE', 'lo']])));
  if (sys.kernel.sysctl.get('net.ipv4.ip_forward') !== '0') {
    await action(process, 'Disabling IPv4 packet forwarding:  net.ipv4.ip_forward = 0\n', () => {
      sys.kernel.sysctl.set('net.ipv4.ip_forward', '0');
      return Promise.resolve(0);
    });
  }
  if (sys.exists(LOCK)) sys.unlink(LOCK);
  return 0;
}

async function status(process: Process): Promise<number> {
  const active = process.sys.net.links().filter((link) => link.isUp);
  await out(
    process,
    `Configured devices:\n${configured(process).join(' ')}\nCurrently active devices:\n${active.map((link) => link.name).join(' ')}\n`,
  );
  return 0;
}

/** Names with an ifcfg file, loopback first. */
function configured(process: Process): readonly string[] {
  if (!process.sys.exists(FOLDER)) return [];
  const names = process.sys
    .readdir(FOLDER)
    .filter((name) => /^ifcfg-[\w.-]+$/.test(name) && !/(~|\.bak|\.orig|\.rpmnew|\.rpmsave)$/.test(name))
    .map((name) => name.slice('ifcfg-'.length))
    .sort();
  return [...names.filter((name) => name === 'lo'), ...names.filter((name) => name !== 'lo')];
}

function read(process: Process, name: string): Map<string, string> | undefined {
  const path = `${FOLDER}/ifcfg-${name}`;
  if (!process.sys.exists(path)) return undefined;
  const config = new Map<string, string>();
  for (const line of process.sys.readTextFile(path).split('\n')) {
    const parts = /^\s*([A-Za-z_][A-Za-z0-9_]*)=(.*)$/.exec(line);
    if (parts !== null) config.set(parts[1]!, parts[2]!.trim().replace(/^(["'])(.*)\1$/, '$2'));
  }
  if (!config.has('DEVICE')) config.set('DEVICE', name);
  return config;
}

async function up(process: Process, config: ReadonlyMap<string, string>): Promise<number> {
  const { sys } = process;
  const device = config.get('DEVICE')!;
  const link = sys.net.links().find((one) => one.name === device);
  if (link === undefined) {
    await err(
      process,
      `ERROR    : [/etc/sysconfig/network-scripts/ifup-eth] Device ${device} does not seem to be present, delaying initialization.\n`,
    );
    return 1;
  }
  const mac = config.get('HWADDR')?.toLowerCase();
  if (mac !== undefined && mac !== link.mac) {
    await err(
      process,
      `ERROR    : [/etc/sysconfig/network-scripts/ifup-eth] Device ${device} has different MAC address than expected, ignoring.\n`,
    );
    return 1;
  }
  sys.net.setLink(device, { isUp: true });
  if (device === 'lo') return 0;
  const protocol = (config.get('BOOTPROTO') ?? 'none').toLowerCase();
  if (protocol === 'dhcp' || protocol === 'bootp') {
    const failed = await runDhclient(process, device);
    if (failed !== 0) return failed;
  } else addStatic(process, device, config);
  const gateway = config.get('GATEWAY');
  if (gateway !== undefined && gateway !== '') {
    sys.net.addRoute(
      { destination: '0.0.0.0/0', type: 'unicast', via: gateway, device, protocol: 'boot', scope: 'global' },
      { replace: true },
    );
  }
  if (config.get('NOZEROCONF') === undefined) {
    sys.net.addRoute(
      { destination: '169.254.0.0/16', type: 'unicast', device, protocol: 'boot', scope: 'link', metric: 1000 + link.index },
      { replace: true },
    );
  }
  return 0;
}

async function runDhclient(process: Process, device: string): Promise<number> {
  const { sys } = process;
  await out(process, `\nDetermining IP information for ${device}...`);
  const arguments_ = [
    '/sbin/dhclient',
    '-1',
    '-q',
    '-lf',
    `/var/lib/dhclient/dhclient--${device}.lease`,
    '-pf',
    `/var/run/dhclient-${device}.pid`,
    device,
  ];
  const pid = sys.spawn('/usr/sbin/dhclient', arguments_, { env: process.env });
  const ended = await sys.wait(pid);
  const isGood = ended?.kind === 'exited' && ended.status === 0;
  await out(process, isGood ? ' done.\n' : ' failed.\n');
  return isGood ? 0 : 1;
}

function addStatic(process: Process, device: string, config: ReadonlyMap<string, string>): void {
  const { net } = process.sys;
  for (const suffix of ['', '0', '1', '2', '3']) {
    const address = parseIp(config.get(`IPADDR${suffix}`) ?? '');
    if (address === undefined) continue;
    const prefix = config.get(`PREFIX${suffix}`);
    const length =
      prefix === undefined ? (lengthOfMask(parseIp(config.get(`NETMASK${suffix}`) ?? '255.255.255.0') ?? 0) ?? 24) : Number(prefix);
    const text = `${formatIp(address)}/${length}`;
    if (net.addresses().some((one) => one.link === device && one.address === formatIp(address))) continue;
    net.addAddress(device, text, { broadcast: formatIp((address | ~maskOf(length)) >>> 0) });
  }
}

/** ifdown: the lease is given back, addresses and routes go, the link goes down. */
async function down(process: Process, config: ReadonlyMap<string, string>): Promise<number> {
  const { sys } = process;
  const device = config.get('DEVICE')!;
  if (!sys.net.links().some((link) => link.name === device)) return 0;
  const pidFile = `/var/run/dhclient-${device}.pid`;
  if (sys.exists(pidFile)) {
    const pid = Number(readIfThere(process, pidFile).trim());
    try {
      if (pid > 0) sys.kill(pid, 'SIGTERM');
    } catch (error) {
      if (!isSysError(error, 'ESRCH')) throw error;
    }
    sys.unlink(pidFile);
  }
  for (const one of sys.net.addresses())
    if (one.link === device && device !== 'lo') sys.net.deleteAddress(device, `${one.address}/${one.prefixLength}`);
  sys.net.setLink(device, { isUp: false });
  return 0;
}

/** `sysctl --system`, quietly: keys that do not exist are passed over. */
function applySysctls(process: Process): void {
  const { sys } = process;
  const files = new Map<string, string>();
  for (const folder of ['/usr/lib/sysctl.d', '/run/sysctl.d', '/etc/sysctl.d']) {
    if (!sys.exists(folder)) continue;
    for (const name of sys.readdir(folder)) if (name.endsWith('.conf')) files.set(name, `${folder}/${name}`);
  }
  const ordered = [...files.keys()].sort().map((name) => files.get(name)!);
  for (const path of [...ordered, '/etc/sysctl.conf']) {
    for (const line of readIfThere(process, path).split('\n')) {
      const parts = /^\s*-?\s*([\w./*-]+)\s*=\s*(.*?)\s*$/.exec(line.replace(/^[#;].*$/, ''));
      if (parts === null) continue;
      try {
        sys.kernel.sysctl.set(parts[1]!.replace(/\//g, '.'), parts[2]!);
      } catch (error) {
        if (!isSysError(error, 'ENOENT', 'EINVAL', 'EACCES')) throw error;
      }
    }
  }
}

/** Prints what is done and `[  OK  ]` or `[FAILED]`. */
async function action(process: Process, what: string, work: () => Promise<number>): Promise<boolean> {
  await out(process, what);
  const isGood = (await work()) === 0;
  const column = what.endsWith('\n') ? 0 : what.length;
  await out(process, `${' '.repeat(Math.max(1, VERDICT_COLUMN - column))}[${isGood ? '  OK  ' : 'FAILED'}]\n`);
  return isGood;
}
