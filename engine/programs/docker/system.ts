// docker version, info, system, volume, network, events.

import { bytesSize, humanSize } from '../../kube/runtime/docker/human.ts';
import { rfc3339Nano } from '../../kube/runtime/nano-time.ts';
import { DaemonUnreachable } from '../../kube/runtime/docker/client.ts';
import type { ContainerSummary, ImageSummary } from '../../kube/runtime/docker/types.ts';
import { CliError, needArguments, parseFlags, table, type Console } from './console.ts';
import { indented, printFormat } from './containers.ts';

interface VersionJson {
  readonly Version: string;
  readonly ApiVersion: string;
  readonly MinAPIVersion: string;
  readonly GitCommit: string;
  readonly GoVersion: string;
  readonly Os: string;
  readonly Arch: string;
  readonly Platform: { readonly Name: string };
  readonly Components: readonly { readonly Name: string; readonly Version: string; readonly Details: Readonly<Record<string, string>> }[];
}

const BUILT = 'Tue Dec  1 19:10:15 2020';

export async function version(console: Console, args: readonly string[]): Promise<number> {
  const flags = parseFlags('version', args, { switches: {}, values: { f: 'format', format: 'format' } });
  const client = { Version: '19.03.14', ApiVersion: '1.40', GoVersion: 'go1.13.15', GitCommit: '5eb3275d40', Os: 'linux', Arch: 'amd64' };
  let server: VersionJson | undefined;
  let failure = '';
  try {
    server = await console.docker.call<VersionJson>('GET', '/version');
  } catch (error) {
    if (!(error instanceof DaemonUnreachable)) throw error;
    failure = error.message;
  }
  const format = flags.get('format');
  if (format !== undefined) await printFormat(console, format, [{ Client: client, Server: server }]);
  else {
    const row = (name: string, value: string): string => ` ${`${name}:`.padEnd(18)}${value}\n`;
    let text = `Client: Docker Engine - Community\n${row('Version', client.Version)}${row('API version', client.ApiVersion)}${row('Go version', client.GoVersion)}${row('Git commit', client.GitCommit)}${row('Built', BUILT)}${row('OS/Arch', 'linux/amd64')}${row('Experimental', 'false')}`;
    if (server !== undefined) {
      const inner = (name: string, value: string): string => `  ${`${name}:`.padEnd(17)}${value}\n`;
      text += `\nServer: ${server.Platform.Name}\n Engine:\n${inner('Version', server.Version)}${inner('API version', `${server.ApiVersion} (minimum version ${server.MinAPIVersion})`)}${inner('Go version', server.GoVersion)}${inner('Git commit', server.GitCommit)}${inner('Built', 'Tue Dec  1 19:08:14 2020')}${inner('OS/Arch', `${server.Os}/${server.Arch}`)}${inner('Experimental', 'false')}`;
      for (const component of server.Components.slice(1))
        text += ` ${component.Name}:\n${inner('Version', component.Version)}${inner('GitCommit', component.Details['GitCommit'] ?? '')}`;
    }
    await console.out(text);
  }
  if (server === undefined) throw new CliError(failure);
  return 0;
}

interface InfoJson {
  readonly [key: string]: unknown;
  readonly Containers: number;
  readonly ContainersRunning: number;
  readonly ContainersStopped: number;
  readonly Images: number;
  readonly DriverStatus: readonly (readonly [string, string])[];
  readonly Plugins: { readonly Volume: readonly string[]; readonly Network: readonly string[]; readonly Log: readonly string[] };
  readonly BridgeNfIptables: boolean;
  readonly BridgeNfIp6tables: boolean;
  readonly IPv4Forwarding: boolean;
  readonly MemTotal: number;
  readonly NCPU: number;
  readonly Name: string;
  readonly ID: string;
  readonly KernelVersion: string;
}

export async function info(console: Console, args: readonly string[]): Promise<number> {
  const flags = parseFlags('info', args, { switches: {}, values: { f: 'format', format: 'format' } });
  let data: InfoJson;
  try {
    data = await console.docker.call<InfoJson>('GET', '/info');
  } catch (error) {
    if (!(error instanceof DaemonUnreachable)) throw error;
    await console.out('Client:\n Debug Mode: false\n\nServer:\n');
    throw new CliError(`ERROR: ${error.message}\nerrors pretty printing info`);
  }
  const format = flags.get('format');
  if (format !== undefined) return printFormat(console, format, [data]);
  const lines = [
    'Client:',
    ' Debug Mode: false',
    '',
    'Server:',
    ` Containers: ${data.Containers}`,
    `  Running: ${data.ContainersRunning}`,
    '  Paused: 0',
    `  Stopped: ${data.ContainersStopped}`,
    ` Images: ${data.Images}`,
    ' Server Version: 19.03.14',
    ' Storage Driver: overlay2',
    ...data.DriverStatus.map(([name, value]) => `  ${name}: ${value}`),
    ' Logging Driver: json-file',
    ' Cgroup Driver: cgroupfs',
    ' Plugins:',
    `  Volume: ${data.Plugins.Volume.join(' ')}`,
    `  Network: ${data.Plugins.Network.join(' ')}`,
    `  Log: ${data.Plugins.Log.join(' ')}`,
    ' Swarm: inactive',
    ' Runtimes: runc',
    ' Default Runtime: runc',
    ' Init Binary: docker-init',
    ' containerd version: ea765aba0d05254012b0b9e595e995c09186427f',
    ' runc version: dc9208a3303feef5b3839f4323d9beb36df0a9dd',
    ' init version: fec3683',
    ' Security Options:',
    '  seccomp',
    '   Profile: default',
    ` Kernel Version: ${data.KernelVersion}`,
    ' Operating System: CentOS Linux 7 (Core)',
    ' OSType: linux',
    ' Architecture: x86_64',
    ` CPUs: ${data.NCPU}`,
    ` Total Memory: ${bytesSize(data.MemTotal)}`,
    ` Name: ${data.Name}`,
    ` ID: ${data.ID}`,
    ' Docker Root Dir: /var/lib/docker',
    ' Debug Mode: false',
    ' Registry: https://index.docker.io/v1/',
    ' Labels:',
    ' Experimental: false',
    ' Insecure Registries:',
    '  127.0.0.0/8',
    ' Live Restore Enabled: false',
    '',
  ];
  await console.out(`${lines.join('\n')}\n`);
  if (!data.IPv4Forwarding) await console.err('WARNING: IPv4 forwarding is disabled\n');
  if (!data.BridgeNfIptables) await console.err('WARNING: bridge-nf-call-iptables is disabled\n');
  if (!data.BridgeNfIp6tables) await console.err('WARNING: bridge-nf-call-ip6tables is disabled\n');
  return 0;
}

export async function systemDf(console: Console): Promise<number> {
  const usage = await console.docker.call<{
    readonly LayersSize: number;
    readonly Images: readonly ImageSummary[];
    readonly Containers: readonly ContainerSummary[];
    readonly Volumes: readonly unknown[];
  }>('GET', '/system/df');
  const active = usage.Images.filter((image) => image.Containers > 0);
  const reclaimable = usage.Images.filter((image) => image.Containers === 0).reduce((sum, image) => sum + image.Size, 0);
  const running = usage.Containers.filter((container) => container.State === 'running').length;
  const percent = (part: number, whole: number): string => (whole === 0 ? '' : ` (${Math.floor((part / whole) * 100)}%)`);
  await console.out(
    table([
      ['TYPE', 'TOTAL', 'ACTIVE', 'SIZE', 'RECLAIMABLE'],
      [
        'Images',
        String(usage.Images.length),
        String(active.length),
        humanSize(usage.LayersSize, 4),
        `${humanSize(reclaimable, 4)}${percent(reclaimable, usage.LayersSize)}`,
      ],
      ['Containers', String(usage.Containers.length), String(running), '0B', '0B'],
      ['Local Volumes', String(usage.Volumes.length), '0', '0B', '0B'],
      ['Build Cache', '0', '0', '0B', '0B'],
    ]),
  );
  return 0;
}

interface VolumeRow {
  readonly Name: string;
  readonly Driver: string;
}

export async function volume(console: Console, args: readonly string[]): Promise<number> {
  const [verb = '', ...rest] = args;
  const { docker } = console;
  switch (verb) {
    case 'ls':
    case 'list': {
      const flags = parseFlags('volume ls', rest, {
        switches: { q: 'quiet', quiet: 'quiet' },
        values: { f: 'filter', filter: 'filter', format: 'format' },
      });
      const { Volumes: volumes } = await docker.call<{ readonly Volumes: readonly VolumeRow[] }>('GET', '/volumes');
      await console.out(
        flags.has('quiet')
          ? volumes.map((one) => `${one.Name}\n`).join('')
          : table([['DRIVER', 'VOLUME NAME'], ...volumes.map((one) => [one.Driver, one.Name])]),
      );
      return 0;
    }
    case 'create': {
      const flags = parseFlags('volume create', rest, {
        switches: {},
        values: { d: 'driver', driver: 'driver', label: 'label', o: 'opt', opt: 'opt', name: 'name' },
      });
      needArguments(flags, 'volume create', { most: 1, usage: '[OPTIONS] [VOLUME]', about: 'Create a volume' });
      const created = await docker.call<VolumeRow>('POST', '/volumes/create', { body: { Name: flags.args[0] ?? '' } });
      await console.out(`${created.Name}\n`);
      return 0;
    }
    case 'inspect': {
      const flags = parseFlags('volume inspect', rest, { switches: {}, values: { f: 'format', format: 'format' } });
      const found = await Promise.all(flags.args.map((name) => docker.call<object>('GET', `/volumes/${name}`)));
      const format = flags.get('format');
      if (format !== undefined) return printFormat(console, format, found);
      await console.out(`${indented(found)}\n`);
      return 0;
    }
    case 'rm':
    case 'remove': {
      const flags = parseFlags('volume rm', rest, { switches: { f: 'force', force: 'force' }, values: {} });
      needArguments(flags, 'volume rm', {
        least: 1,
        usage: '[OPTIONS] VOLUME [VOLUME...]',
        about: 'Remove one or more volumes. You cannot remove a volume that is in use by a container.',
      });
      for (const name of flags.args) {
        await docker.call('DELETE', `/volumes/${name}`);
        await console.out(`${name}\n`);
      }
      return 0;
    }
    default:
      throw new CliError(`docker: '${verb}' is not a docker command.\nSee 'docker volume --help'`);
  }
}

export async function network(console: Console, args: readonly string[]): Promise<number> {
  const [verb = '', ...rest] = args;
  const { docker } = console;
  if (verb === 'ls' || verb === 'list') {
    const flags = parseFlags('network ls', rest, {
      switches: { q: 'quiet', quiet: 'quiet', 'no-trunc': 'no-trunc' },
      values: { f: 'filter', filter: 'filter', format: 'format' },
    });
    const networks = await docker.call<
      readonly { readonly Id: string; readonly Name: string; readonly Driver: string; readonly Scope: string }[]
    >('GET', '/networks');
    const rows = networks.map((one) => [flags.has('no-trunc') ? one.Id : one.Id.slice(0, 12), one.Name, one.Driver, one.Scope]);
    await console.out(
      flags.has('quiet') ? rows.map(([id]) => `${id!}\n`).join('') : table([['NETWORK ID', 'NAME', 'DRIVER', 'SCOPE'], ...rows]),
    );
    return 0;
  }
  if (verb === 'inspect') {
    const flags = parseFlags('network inspect', rest, { switches: {}, values: { f: 'format', format: 'format' } });
    const found = await Promise.all(flags.args.map((name) => docker.call<object>('GET', `/networks/${name}`)));
    const format = flags.get('format');
    if (format !== undefined) return printFormat(console, format, found);
    await console.out(`${indented(found)}\n`);
    return 0;
  }
  throw new CliError(`docker: '${verb}' is not a docker command.\nSee 'docker network --help'`);
}

export async function events(console: Console): Promise<number> {
  const { docker } = console;
  let writing = Promise.resolve();
  await docker.events((event) => {
    const attributes = Object.entries(event.Actor.Attributes)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => `${key}=${value}`)
      .join(', ');
    writing = writing.then(() =>
      console.out(`${rfc3339Nano(event.timeNano / 1_000_000)} ${event.Type} ${event.Action} ${event.Actor.ID} (${attributes})\n`),
    );
  }, new AbortController().signal);
  return 0;
}
