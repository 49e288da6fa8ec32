// Models docker's local volumes: directories below /var/lib/docker/volumes.

import { toHex } from '../../../sim/bytes.ts';
import type { Syscalls } from '../../../kernel/process.ts';
import { rfc3339Nano } from '../nano-time.ts';
import { removeTree } from './root-setup.ts';
import { DockerError, type ContainerRecord, type MountPoint } from './types.ts';

const ROOT = '/var/lib/docker/volumes';

export interface VolumeJson {
  readonly CreatedAt: string;
  readonly Driver: 'local';
  readonly Labels: Record<string, string> | null;
  readonly Mountpoint: string;
  readonly Name: string;
  readonly Options: Record<string, string> | null;
  readonly Scope: 'local';
}

export class VolumeService {
  readonly #sys: Syscalls;

  constructor(sys: Syscalls) {
    this.#sys = sys;
    sys.mkdir(ROOT, { recursive: true, mode: 0o700 });
  }

  list(): readonly VolumeJson[] {
    return [...this.#sys.readdir(ROOT)].sort().map((name) => this.#json(name));
  }

  get(name: string): VolumeJson {
    if (!this.#sys.exists(`${ROOT}/${name}/_data`)) throw new DockerError(404, `get ${name}: no such volume`);
    return this.#json(name);
  }

  create(name: string | undefined): VolumeJson {
    const chosen = name === undefined || name === '' ? toHex(this.#sys.rng.bytes(32)) : name;
    if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(chosen)) {
      throw new DockerError(
        400,
        `create ${chosen}: "${chosen}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
      );
    }
    this.#sys.mkdir(`${ROOT}/${chosen}/_data`, { recursive: true });
    return this.#json(chosen);
  }

  remove(name: string, usedBy: readonly string[]): void {
    this.get(name);
    if (usedBy.length > 0) throw new DockerError(409, `remove ${name}: volume is in use - [${usedBy.join(', ')}]`);
    removeTree(this.#sys, `${ROOT}/${name}`);
  }

  /** What `-v` and the image's VOLUMEs ask for; makes the volumes and missing host directories. */
  mountPointsOf(binds: readonly string[], imageVolumes: readonly string[]): MountPoint[] {
    const points = binds.map((bind) => this.#pointOf(bind));
    for (const destination of imageVolumes) {
      if (points.some((point) => point.Destination === destination)) continue;
      const volume = this.create(undefined);
      points.push({ Type: 'volume', Name: volume.Name, Source: volume.Mountpoint, Destination: destination, RW: true });
    }
    return points;
  }

  #pointOf(bind: string): MountPoint {
    const parts = bind.split(':');
    const [source, destination, mode] = parts.length === 1 ? [undefined, parts[0]!, undefined] : [parts[0]!, parts[1]!, parts[2]];
    if (!destination.startsWith('/')) {
      throw new DockerError(
        400,
        `invalid volume specification: '${bind}': invalid mount config for type "${source?.startsWith('/') === true ? 'bind' : 'volume'}": invalid mount path: '${destination}' mount path must be absolute`,
      );
    }
    const isWritable = !(mode ?? '').split(',').includes('ro');
    if (source?.startsWith('/') === true) {
      if (!this.#sys.exists(source)) this.#sys.mkdir(source, { recursive: true });
      return { Type: 'bind', Source: source, Destination: destination, RW: isWritable };
    }
    const volume = this.create(source);
    return { Type: 'volume', Name: volume.Name, Source: volume.Mountpoint, Destination: destination, RW: isWritable };
  }

  removeAnonymous(record: ContainerRecord): void {
    for (const mount of record.MountPoints) {
      if (mount.Type === 'volume' && mount.Name !== undefined && /^[0-9a-f]{64}$/.test(mount.Name))
        removeTree(this.#sys, `${ROOT}/${mount.Name}`);
    }
  }

  #json(name: string): VolumeJson {
    const stat = this.#sys.stat(`${ROOT}/${name}/_data`);
    return {
      CreatedAt: rfc3339Nano(stat.ctimeMs).replace(/\.\d+Z$/, 'Z'),
      Driver: 'local',
      Labels: null,
      Mountpoint: `${ROOT}/${name}/_data`,
      Name: name,
      Options: null,
      Scope: 'local',
    };
  }
}
