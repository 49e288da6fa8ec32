// Models dhclient(8): gets a lease, sets the address and the default route, and stays as a daemon that renews it.
// /etc/resolv.conf is left alone, as the lab's interfaces say PEERDNS=no.

import type { Process, Program } from '../../kernel/process.ts';
import { decodeDhcp, encodeDhcp, type DhcpMessage } from '../../net/dhcp.ts';
import { formatIp, lengthOfMask, maskOf, parseIp } from '../../net/address.ts';
import { isSysError } from '../../sim/errno.ts';
import { err, readIfThere } from './io.ts';

/** The server of a NAT adapter answers at once or not at all; the real client waits a minute. */
const ANSWER_TIMEOUT_MS = 10_000;
const TRIES = 6;
/** Set in the environment of the background process. */
const DAEMON = 'DHCLIENT_DAEMON';

interface Options {
  device: string | undefined;
  pidFile: string;
  leaseFile: string;
  isRelease: boolean;
  isForeground: boolean;
}

export const dhclient: Program = {
  name: 'dhclient',
  paths: ['/usr/sbin/dhclient'],
  async main(process) {
    const options = parse(process.argv);
    const { sys } = process;
    const device = options.device ?? sys.net.links().find((link) => link.kind === 'ethernet')?.name;
    if (device === undefined || !sys.net.links().some((link) => link.name === device)) {
      await err(process, `Cannot find device "${device ?? ''}"\n`);
      return 1;
    }
    if (sys.credentials().uid !== 0) {
      await err(process, 'Cannot open or create pid file: Permission denied\n');
      return 1;
    }
    if (options.isRelease) return release(process, device, options);
    if (process.env.get(DAEMON) !== undefined) return renew(process, device, options);
    sys.net.setLink(device, { isUp: true });
    const lease = await obtain(process, device);
    if (lease === undefined) {
      await err(process, 'No DHCPOFFERS received.\nUnable to obtain a lease on first try.  Exiting.\n');
      return 2;
    }
    bind(process, device, lease, options);
    if (options.isForeground) return renew(process, device, options);
    const pid = sys.spawn('/usr/sbin/dhclient', process.argv, {
      env: new Map([...process.env, [DAEMON, '1']]),
      newSession: true,
      durable: true,
      fds: new Map(),
    });
    sys.writeFile(options.pidFile, `${pid}\n`);
    return 0;
  },
};

function parse(argv: readonly string[]): Options {
  const options: Options = {
    device: undefined,
    pidFile: '/var/run/dhclient.pid',
    leaseFile: '/var/lib/dhclient/dhclient.leases',
    isRelease: false,
    isForeground: false,
  };
  const args = argv.slice(1);
  while (args.length > 0) {
    const arg = args.shift()!;
    if (arg === '-r' || arg === '-x') options.isRelease = true;
    else if (arg === '-d') options.isForeground = true;
    else if (arg === '-pf') options.pidFile = args.shift() ?? options.pidFile;
    else if (arg === '-lf') options.leaseFile = args.shift() ?? options.leaseFile;
    else if (arg === '-H' || arg === '-sf' || arg === '-cf' || arg === '-timeout') args.shift();
    else if (!arg.startsWith('-')) options.device = arg;
  }
  return options;
}

async function obtain(process: Process, device: string): Promise<DhcpMessage | undefined> {
  const transaction = process.sys.rng.int(0x7fffffff);
  const mac = process.sys.net.links().find((link) => link.name === device)?.mac ?? '';
  for (let tried = 0; tried < TRIES; tried++) {
    const offer = await exchange(process, device, { kind: 'DISCOVER', transaction, mac }, 'OFFER');
    if (offer?.yourAddress === undefined) continue;
    const request: DhcpMessage = {
      kind: 'REQUEST',
      transaction,
      mac,
      requested: offer.yourAddress,
      ...(offer.server === undefined ? {} : { server: offer.server }),
    };
    const answer = await exchange(process, device, request, 'ACK');
    if (answer !== undefined) return answer;
  }
  return undefined;
}

async function exchange(
  process: Process,
  device: string,
  message: DhcpMessage,
  wanted: DhcpMessage['kind'],
): Promise<DhcpMessage | undefined> {
  const { sys } = process;
  const socket = sys.net.udp({ port: 68, device });
  const giveUp = new AbortController();
  const reason = new Error('no answer');
  const timer = sys.clock.setTimer(ANSWER_TIMEOUT_MS, () => giveUp.abort(reason));
  try {
    socket.send(encodeDhcp(message), { address: '255.255.255.255', port: 67 });
    for (;;) {
      const answer = decodeDhcp((await socket.receive(giveUp.signal)).bytes);
      if (answer !== undefined && answer.transaction === message.transaction && answer.kind === wanted) return answer;
    }
  } catch (error) {
    if (error === reason || isSysError(error, 'ENETDOWN', 'ENETUNREACH')) return undefined;
    throw error;
  } finally {
    timer.dispose();
    socket.dispose();
  }
}

/** What dhclient-script does with a lease. */
function bind(process: Process, device: string, lease: DhcpMessage, options: Options): void {
  const { sys } = process;
  const address = parseIp(lease.yourAddress ?? '') ?? 0;
  const length = lengthOfMask(parseIp(lease.netmask ?? '255.255.255.0') ?? 0) ?? 24;
  const text = `${formatIp(address)}/${length}`;
  const seconds = lease.leaseSeconds ?? 3600;
  // Adding it anew is how the lease's end is set.
  if (sys.net.addresses().some((one) => one.link === device && `${one.address}/${one.prefixLength}` === text))
    sys.net.deleteAddress(device, text);
  sys.net.addAddress(device, text, {
    isDynamic: true,
    broadcast: formatIp((address | ~maskOf(length)) >>> 0),
    validUntilMs: sys.clock.now() + seconds * 1000,
  });
  if (lease.router !== undefined) {
    sys.net.addRoute(
      { destination: '0.0.0.0/0', type: 'unicast', via: lease.router, device, protocol: 'boot', scope: 'global' },
      { replace: true },
    );
  }
  sys.mkdir('/var/lib/dhclient', { recursive: true });
  const entry =
    `lease {\n  interface "${device}";\n  fixed-address ${formatIp(address)};\n  option subnet-mask ${lease.netmask ?? ''};\n` +
    `  option routers ${lease.router ?? ''};\n  option dhcp-lease-time ${seconds};\n  option dhcp-message-type 5;\n` +
    `  option domain-name-servers ${(lease.nameServers ?? []).join(',')};\n  option dhcp-server-identifier ${lease.server ?? ''};\n` +
    `  # lab time ${sys.clock.now() + (seconds * 1000) / 2}\n}\n`;
  sys.writeFile(options.leaseFile, entry);
}

/** The daemon: asks again at half of the lease's time. */
async function renew(process: Process, device: string, options: Options): Promise<number> {
  const { sys } = process;
  for (;;) {
    const due = Number(/# lab time (\d+)/.exec(readIfThere(process, options.leaseFile))?.[1] ?? sys.clock.now());
    await sys.sleep(Math.max(60_000, due - sys.clock.now()));
    const lease = await obtain(process, device);
    if (lease !== undefined) bind(process, device, lease, options);
  }
}

function release(process: Process, device: string, options: Options): number {
  const { sys } = process;
  const pid = Number(readIfThere(process, options.pidFile).trim());
  try {
    if (pid > 0) sys.kill(pid, 'SIGTERM');
    sys.unlink(options.pidFile);
  } catch (error) {
    if (!isSysError(error, 'ESRCH', 'ENOENT')) throw error;
  }
  for (const one of sys.net.addresses())
    if (one.link === device && one.isDynamic) sys.net.deleteAddress(device, `${one.address}/${one.prefixLength}`);
  return 0;
}
