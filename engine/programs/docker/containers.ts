// docker's commands on containers that exist.

import { bytesSize, humanDuration, humanSize } from '../../kube/runtime/docker/human.ts';
import { DockerError, type ContainerSummary } from '../../kube/runtime/docker/types.ts';
import { CliError, filtersOf, needArguments, parseFlags, table, type Console } from './console.ts';
import { compileTemplate } from './template.ts';

export async function ps(console: Console, args: readonly string[]): Promise<number> {
  const flags = parseFlags('ps', args, {
    switches: {
      a: 'all',
      all: 'all',
      q: 'quiet',
      quiet: 'quiet',
      l: 'latest',
      latest: 'latest',
      s: 'size',
      size: 'size',
      'no-trunc': 'no-trunc',
    },
    values: { f: 'filter', filter: 'filter', format: 'format', n: 'last', last: 'last' },
  });
  needArguments(flags, 'ps', { most: 0, usage: '[OPTIONS]', about: 'List containers' });
  const filters = filtersOf(flags.all('filter'));
  const limit = flags.has('latest') ? 1 : Number(flags.get('last') ?? '0');
  const containers = await console.docker.containers({
    all: flags.has('all'),
    ...(limit > 0 ? { limit } : {}),
    ...(filters === undefined ? {} : { filters }),
  });
  const isWhole = flags.has('no-trunc');
  const nowMs = console.process.sys.now();
  const rows = containers.map((container) => rowOf(container, nowMs, isWhole));
  if (flags.has('quiet')) {
    await console.out(rows.map((row) => `${row.ID}\n`).join(''));
    return 0;
  }
  const format = flags.get('format');
  if (format !== undefined) return printFormat(console, format, rows);
  const columns = ['ID', 'Image', 'Command', 'RunningFor', 'Status', 'Ports', 'Names'] as const;
  await console.out(
    table([
      ['CONTAINER ID', 'IMAGE', 'COMMAND', 'CREATED', 'STATUS', 'PORTS', 'NAMES'],
      ...rows.map((row) => columns.map((column) => row[column])),
    ]),
  );
  return 0;
}

const HEADERS: Readonly<Record<string, string>> = {
  ID: 'CONTAINER ID',
  Image: 'IMAGE',
  Command: 'COMMAND',
  RunningFor: 'CREATED',
  CreatedAt: 'CREATED AT',
  CreatedSince: 'CREATED',
  Status: 'STATUS',
  Ports: 'PORTS',
  Names: 'NAMES',
  Repository: 'REPOSITORY',
  Tag: 'TAG',
  Digest: 'DIGEST',
  Size: 'SIZE',
  Name: 'NAME',
  Driver: 'DRIVER',
  Scope: 'SCOPE',
};

/** `--format`: with `table ` in front it has a head. */
export async function printFormat(console: Console, format: string, rows: readonly object[]): Promise<number> {
  const isTable = format.startsWith('table');
  const render = compileTemplate(isTable ? format.slice('table'.length).trim() : format);
  const lines = rows.map((row) => render(row));
  if (!isTable) await console.out(lines.map((line) => `${line}\n`).join(''));
  else await console.out(table([render(HEADERS), ...lines].map((line) => line.split('\t'))));
  return 0;
}

interface Row {
  readonly ID: string;
  readonly Names: string;
  readonly Image: string;
  readonly Command: string;
  readonly CreatedAt: string;
  readonly RunningFor: string;
  readonly Ports: string;
  readonly State: string;
  readonly Status: string;
  readonly Size: string;
  readonly Labels: string;
  readonly Mounts: string;
  readonly Networks: string;
}

function rowOf(container: ContainerSummary, nowMs: number, isWhole: boolean): Row {
  const command = isWhole || container.Command.length <= 20 ? container.Command : `${container.Command.slice(0, 19)}…`;
  const image =
    /^(sha256:)?[0-9a-f]{64}$/.test(container.Image) && !isWhole ? container.Image.replace('sha256:', '').slice(0, 12) : container.Image;
  return {
    ID: isWhole ? container.Id : container.Id.slice(0, 12),
    Names: container.Names.map((name) => name.slice(1)).join(','),
    Image: image,
    Command: `"${command}"`,
    CreatedAt: createdAt(container.Created * 1000),
    RunningFor: `${humanDuration(nowMs - container.Created * 1000)} ago`,
    Ports: portsText(container.Ports),
    State: container.State,
    Status: container.Status,
    Size: humanSize(container.SizeRw ?? 0),
    Labels: Object.entries(container.Labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(','),
    Mounts: container.Mounts.map((mount) => mount.Name ?? mount.Source).join(','),
    Networks: container.HostConfig.NetworkMode === 'default' ? 'bridge' : container.HostConfig.NetworkMode,
  };
}

const KST_MS = 9 * 3_600_000;

/** The lab's machines keep Korean time. */
export function createdAt(ms: number): string {
  return `${new Date(ms + KST_MS).toISOString().slice(0, 19).replace('T', ' ')} +0900 KST`;
}

function portsText(ports: ContainerSummary['Ports']): string {
  return [...ports]
    .sort((a, b) => a.PrivatePort - b.PrivatePort)
    .map((port) =>
      port.PublicPort === undefined
        ? `${port.PrivatePort}/${port.Type}`
        : `${port.IP ?? ''}:${port.PublicPort}->${port.PrivatePort}/${port.Type}`,
    )
    .join(', ');
}

/** Commands that do one thing to each container named. */
function each(
  command: string,
  about: string,
  flagsOf: Parameters<typeof parseFlags>[2],
  act: (console: Console, name: string, flags: ReturnType<typeof parseFlags>) => Promise<void>,
) {
  return async (console: Console, args: readonly string[]): Promise<number> => {
    const flags = parseFlags(command, args, flagsOf);
    needArguments(flags, command, { least: 1, usage: '[OPTIONS] CONTAINER [CONTAINER...]', about });
    let status = 0;
    for (const name of flags.args) {
      try {
        await act(console, name, flags);
        await console.out(`${name}\n`);
      } catch (error) {
        if (!(error instanceof DockerError)) throw error;
        await console.err(`Error${error.status === 404 ? '' : ' response from daemon'}: ${error.message}\n`);
        status = 1;
      }
    }
    return status;
  };
}

const TIME = { switches: {}, values: { t: 'time', time: 'time' } } as const;
const target = (name: string): string => `/containers/${encodeURIComponent(name)}`;

export const stop = each('stop', 'Stop one or more running containers', TIME, async ({ docker }, name, flags) => {
  const seconds = flags.get('time');
  await docker.stop(name, seconds === undefined ? undefined : Number(seconds));
});

export const restart = each('restart', 'Restart one or more containers', TIME, async ({ docker }, name, flags) => {
  const seconds = flags.get('time');
  await docker.call('POST', `${target(name)}/restart${seconds === undefined ? '' : `?t=${seconds}`}`);
});

export const kill = each(
  'kill',
  'Kill one or more running containers',
  { switches: {}, values: { s: 'signal', signal: 'signal' } },
  async ({ docker }, name, flags) => {
    const signal = flags.get('signal');
    await docker.call('POST', `${target(name)}/kill${signal === undefined ? '' : `?signal=${signal}`}`);
  },
);

export const rm = each(
  'rm',
  'Remove one or more containers',
  { switches: { f: 'force', force: 'force', v: 'volumes', volumes: 'volumes' }, values: {} },
  ({ docker }, name, flags) => docker.remove(name, { force: flags.has('force'), volumes: flags.has('volumes') }),
);

export async function wait(console: Console, args: readonly string[]): Promise<number> {
  const flags = parseFlags('wait', args, { switches: {}, values: {} });
  needArguments(flags, 'wait', {
    least: 1,
    usage: 'CONTAINER [CONTAINER...]',
    about: 'Block until one or more containers stop, then print their exit codes',
  });
  for (const name of flags.args) {
    const { StatusCode: code } = await console.docker.call<{ readonly StatusCode: number }>('POST', `${target(name)}/wait`);
    await console.out(`${code}\n`);
  }
  return 0;
}

export async function logs(console: Console, args: readonly string[]): Promise<number> {
  const flags = parseFlags('logs', args, {
    switches: { f: 'follow', follow: 'follow', t: 'timestamps', timestamps: 'timestamps', details: 'details' },
    values: { tail: 'tail', n: 'tail', since: 'since', until: 'until' },
  });
  needArguments(flags, 'logs', { exactly: 1, usage: '[OPTIONS] CONTAINER', about: 'Fetch the logs of a container' });
  const tail = flags.get('tail');
  const since = flags.get('since');
  const sinceMs = since === undefined ? 0 : /^\d+[smh]/.test(since) ? console.process.sys.now() - relativeMs(since) : Date.parse(since);
  const options = {
    follow: flags.has('follow'),
    tail: tail === undefined || tail === 'all' ? undefined : Number(tail),
    sinceMs,
    timestamps: flags.has('timestamps'),
  };
  await console.docker.logs(
    flags.args[0]!,
    options,
    { stdout: console.process.stdout, stderr: console.process.stderr },
    new AbortController().signal,
  );
  return 0;
}

function relativeMs(text: string): number {
  return [...text.matchAll(/(\d+)([smh])/g)].reduce(
    (sum, match) => sum + Number(match[1]) * ({ s: 1000, m: 60_000, h: 3_600_000 }[match[2]!] ?? 0),
    0,
  );
}

export async function inspect(console: Console, args: readonly string[]): Promise<number> {
  const flags = parseFlags('inspect', args, {
    switches: { s: 'size', size: 'size' },
    values: { f: 'format', format: 'format', type: 'type' },
  });
  needArguments(flags, 'inspect', {
    least: 1,
    usage: '[OPTIONS] NAME|ID [NAME|ID...]',
    about: 'Return low-level information on Docker objects',
  });
  const format = flags.get('format');
  const found: unknown[] = [];
  const missing: string[] = [];
  const paths = { container: '/containers', image: '/images', volume: '/volumes', network: '/networks' } as const;
  const type = flags.get('type') as keyof typeof paths | undefined;
  for (const name of flags.args) {
    const object = await findObject(
      console,
      name,
      type === undefined ? (['container', 'image', 'network', 'volume'] as const) : [type],
      paths,
    );
    if (object === undefined) missing.push(`Error: No such ${type ?? 'object'}: ${name}`);
    else found.push(object);
  }
  if (format !== undefined) await printFormat(console, format, found as object[]);
  else await console.out(`${indented(found)}\n`);
  if (missing.length > 0) throw new CliError(missing.join('\n'));
  return 0;
}

async function findObject<K extends string>(
  console: Console,
  name: string,
  types: readonly K[],
  paths: Readonly<Record<K, string>>,
): Promise<unknown> {
  for (const type of types) {
    const suffix = type === 'container' || type === 'image' ? '/json' : '';
    try {
      return await console.docker.call('GET', `${paths[type]}/${encodeURIComponent(name)}${suffix}`);
    } catch (error) {
      if (!(error instanceof DockerError) || error.status !== 404) throw error;
    }
  }
  return undefined;
}

/** JSON with four blanks, as docker prints it. */
export function indented(value: unknown): string {
  return JSON.stringify(value, undefined, 4);
}

export async function top(console: Console, args: readonly string[]): Promise<number> {
  const flags = parseFlags('top', args, { switches: {}, values: {}, stopsAtArgument: true });
  needArguments(flags, 'top', { least: 1, usage: 'CONTAINER [ps OPTIONS]', about: 'Display the running processes of a container' });
  const { Titles: titles, Processes: processes } = await console.docker.call<{ readonly Titles: string[]; readonly Processes: string[][] }>(
    'GET',
    `${target(flags.args[0]!)}/top`,
  );
  await console.out(table([titles, ...processes]));
  return 0;
}

export async function port(console: Console, args: readonly string[]): Promise<number> {
  const flags = parseFlags('port', args, { switches: {}, values: {} });
  needArguments(flags, 'port', {
    least: 1,
    usage: 'CONTAINER [PRIVATE_PORT[/PROTO]]',
    about: 'List port mappings or a specific mapping for the container',
  });
  const inspected = await console.docker.inspect(flags.args[0]!);
  for (const [name, bindings] of Object.entries(inspected.NetworkSettings.Ports))
    for (const binding of bindings ?? []) await console.out(`${name} -> ${binding.HostIp}:${binding.HostPort}\n`);
  return 0;
}

interface StatsJson {
  readonly name: string;
  readonly id: string;
  readonly pids_stats: { readonly current: number };
  readonly cpu_stats: {
    readonly cpu_usage: { readonly total_usage: number };
    readonly system_cpu_usage: number;
    readonly online_cpus: number;
  };
  readonly memory_stats: { readonly usage: number; readonly limit: number };
}

export async function stats(console: Console, args: readonly string[]): Promise<number> {
  const flags = parseFlags('stats', args, {
    switches: { 'no-stream': 'no-stream', a: 'all', all: 'all', 'no-trunc': 'no-trunc' },
    values: { format: 'format' },
  });
  const { docker, process } = console;
  const read = async (): Promise<readonly StatsJson[]> => {
    const names = flags.args.length > 0 ? flags.args : (await docker.containers({})).map((container) => container.Id);
    return Promise.all(names.map((name) => docker.call<StatsJson>('GET', `${target(name)}/stats?stream=false`)));
  };
  let before = await read();
  for (;;) {
    await process.sys.sleep(1000);
    const now = await read();
    const rows = now.map((one) => {
      const old = before.find((other) => other.id === one.id) ?? one;
      const used = one.cpu_stats.cpu_usage.total_usage - old.cpu_stats.cpu_usage.total_usage;
      const passed = Math.max(1, one.cpu_stats.system_cpu_usage - old.cpu_stats.system_cpu_usage);
      const memory = one.memory_stats;
      return [
        one.id.slice(0, 12),
        one.name.slice(1),
        `${((used / passed) * one.cpu_stats.online_cpus * 100).toFixed(2)}%`,
        `${bytesSize(memory.usage)} / ${bytesSize(memory.limit)}`,
        `${((memory.usage / memory.limit) * 100).toFixed(2)}%`,
        '0B / 0B',
        '0B / 0B',
        String(one.pids_stats.current),
      ];
    });
    const text = table([['CONTAINER ID', 'NAME', 'CPU %', 'MEM USAGE / LIMIT', 'MEM %', 'NET I/O', 'BLOCK I/O', 'PIDS'], ...rows]);
    if (flags.has('no-stream')) {
      await console.out(text);
      return 0;
    }
    await console.out(`\x1b[2J\x1b[H${text}`);
    before = now;
  }
}
