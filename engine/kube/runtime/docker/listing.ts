// What the daemon tells of containers: the rows of `docker ps`, and `docker inspect`.

import { humanDuration } from './human.ts';
import { parseNano } from '../nano-time.ts';
import type { ContainerStore, StoredContainer } from './container-store.ts';
import { CONTAINERS, rootOf, upperOf } from './root-setup.ts';
import { DockerError, ZERO_TIME, type ContainerInspect, type ContainerRecord, type ContainerSummary } from './types.ts';

export interface ListFilters {
  readonly isAll: boolean;
  readonly limit: number;
  readonly filters: Readonly<Record<string, readonly string[]>>;
  /** Image id of a name, for `ancestor`. */
  readonly imageId: (name: string) => string | undefined;
}

const KNOWN_FILTERS = [
  'ancestor',
  'before',
  'expose',
  'exited',
  'health',
  'id',
  'isolation',
  'is-task',
  'label',
  'name',
  'network',
  'publish',
  'since',
  'status',
  'volume',
];

/** Newest first. */
export function listContainers(store: ContainerStore, options: ListFilters, nowMs: number): readonly ContainerSummary[] {
  for (const name of Object.keys(options.filters))
    if (!KNOWN_FILTERS.includes(name)) throw new DockerError(400, `Invalid filter '${name}'`);
  const isStatusAsked = options.filters['status'] !== undefined || options.filters['exited'] !== undefined;
  const found = store
    .all()
    .filter(({ record }) => options.isAll || options.limit > 0 || isStatusAsked || record.State.Running)
    .filter((container) => matches(container, options))
    .sort((a, b) => parseNano(b.record.Created) - parseNano(a.record.Created) || (a.record.Created < b.record.Created ? 1 : -1));
  return (options.limit > 0 ? found.slice(0, options.limit) : found).map((container) => summaryOf(container, nowMs));
}

function matches({ record, host }: StoredContainer, options: ListFilters): boolean {
  const every = (name: string, test: (value: string) => boolean): boolean => options.filters[name]?.some(test) ?? true;
  return (
    every('id', (value) => record.ID.startsWith(value)) &&
    every('name', (value) => new RegExp(value).test(record.Name) || new RegExp(value).test(record.Name.slice(1))) &&
    every('status', (value) => record.State.Status === value) &&
    every('exited', (value) => !record.State.Running && record.State.StartedAt !== ZERO_TIME && record.State.ExitCode === Number(value)) &&
    (options.filters['label']?.every((value) => hasLabel(record, value)) ?? true) &&
    every('ancestor', (value) => record.Image === options.imageId(value) || record.Config.Image === value) &&
    every('network', (value) => host.NetworkMode === value || (host.NetworkMode === 'default' && value === 'bridge')) &&
    every('volume', (value) => record.MountPoints.some((mount) => mount.Name === value || mount.Destination === value))
  );
}

function hasLabel(record: ContainerRecord, filter: string): boolean {
  const at = filter.indexOf('=');
  return at < 0 ? filter in record.Config.Labels : record.Config.Labels[filter.slice(0, at)] === filter.slice(at + 1);
}

function summaryOf({ record, host }: StoredContainer, nowMs: number): ContainerSummary {
  return {
    Id: record.ID,
    Names: [record.Name],
    Image: record.Config.Image,
    ImageID: record.Image,
    Command: [record.Path, ...record.Args].map(quoteArgument).join(' '),
    Created: Math.floor(parseNano(record.Created) / 1000),
    Ports: Object.entries(record.NetworkSettings.Ports).flatMap(([port, bindings]) => {
      const [number = '', type = 'tcp'] = port.split('/');
      if (bindings === null) return [{ PrivatePort: Number(number), Type: type }];
      return bindings.map((binding) => ({
        IP: binding.HostIp,
        PrivatePort: Number(number),
        PublicPort: Number(binding.HostPort),
        Type: type,
      }));
    }),
    Labels: record.Config.Labels,
    State: record.State.Status,
    Status: statusText(record, nowMs),
    HostConfig: { NetworkMode: host.NetworkMode },
    Mounts: record.MountPoints,
  };
}

/** docker joins a container's command as a shell would need it. */
function quoteArgument(argument: string): string {
  return argument.includes(' ') ? `'${argument.replaceAll("'", "'\\''")}'` : argument;
}

export function statusText(record: ContainerRecord, nowMs: number): string {
  const { State: state } = record;
  if (state.Running) return `Up ${humanDuration(nowMs - parseNano(state.StartedAt))}`;
  if (state.Restarting) return `Restarting (${state.ExitCode}) ${humanDuration(nowMs - parseNano(state.FinishedAt))} ago`;
  if (state.StartedAt === ZERO_TIME) return 'Created';
  return `Exited (${state.ExitCode}) ${humanDuration(nowMs - parseNano(state.FinishedAt))} ago`;
}

export function inspectContainer({ record, host }: StoredContainer): ContainerInspect {
  const directory = `${CONTAINERS}/${record.ID}`;
  const bridge = record.NetworkSettings.Networks['bridge'];
  return {
    Id: record.ID,
    Created: record.Created,
    Path: record.Path,
    Args: record.Args,
    State: record.State,
    Image: record.Image,
    ResolvConfPath: `${directory}/resolv.conf`,
    HostnamePath: `${directory}/hostname`,
    HostsPath: `${directory}/hosts`,
    LogPath: record.LogPath,
    Name: record.Name,
    RestartCount: record.RestartCount,
    Driver: record.Driver,
    Platform: 'linux',
    HostConfig: host,
    GraphDriver: {
      Data: {
        LowerDir: `/var/lib/docker/overlay2/${record.ID}-init/diff`,
        MergedDir: rootOf(record.ID),
        UpperDir: upperOf(record.ID),
        WorkDir: `/var/lib/docker/overlay2/${record.ID}/work`,
      },
      Name: 'overlay2',
    },
    Mounts: record.MountPoints.map((mount) => ({
      ...mount,
      Mode: mount.RW ? '' : 'ro',
      Propagation: mount.Type === 'bind' ? 'rprivate' : '',
    })),
    Config: record.Config,
    NetworkSettings: {
      Bridge: '',
      SandboxID: record.NetworkSettings.SandboxKey.split('/').pop() ?? '',
      SandboxKey: record.NetworkSettings.SandboxKey,
      Ports: record.NetworkSettings.Ports,
      Gateway: bridge?.Gateway ?? '',
      IPAddress: bridge?.IPAddress ?? '',
      IPPrefixLen: bridge?.IPPrefixLen ?? 0,
      MacAddress: bridge?.MacAddress ?? '',
      Networks: record.NetworkSettings.Networks,
    },
  };
}
