// What dockerd keeps of its containers: /var/lib/docker/containers/ID/{config.v2.json,hostconfig.json}.

import type { Syscalls } from '../../../kernel/process.ts';
import { CONTAINERS, removeLayer, removeTree } from './root-setup.ts';
import { DockerError, type ContainerRecord, type HostConfigJson } from './types.ts';

export interface StoredContainer {
  readonly record: ContainerRecord;
  readonly host: HostConfigJson;
}

export class ContainerStore {
  readonly #sys: Syscalls;
  readonly #containers = new Map<string, StoredContainer>();

  constructor(sys: Syscalls) {
    this.#sys = sys;
    sys.mkdir(CONTAINERS, { recursive: true, mode: 0o700 });
    for (const id of [...sys.readdir(CONTAINERS)].sort()) {
      const directory = `${CONTAINERS}/${id}`;
      if (!sys.exists(`${directory}/config.v2.json`) || !sys.exists(`${directory}/hostconfig.json`)) continue;
      this.#containers.set(id, {
        record: JSON.parse(sys.readTextFile(`${directory}/config.v2.json`)) as ContainerRecord,
        host: JSON.parse(sys.readTextFile(`${directory}/hostconfig.json`)) as HostConfigJson,
      });
    }
  }

  all(): readonly StoredContainer[] {
    return [...this.#containers.values()];
  }

  records(): readonly ContainerRecord[] {
    return this.all().map((container) => container.record);
  }

  add(container: StoredContainer): void {
    const directory = `${CONTAINERS}/${container.record.ID}`;
    this.#sys.mkdir(directory, { recursive: true, mode: 0o700 });
    this.#containers.set(container.record.ID, container);
    this.#sys.writeFile(`${directory}/hostconfig.json`, JSON.stringify(container.host), { mode: 0o600 });
    this.save(container.record);
  }

  save(record: ContainerRecord): void {
    this.#sys.writeFile(`${CONTAINERS}/${record.ID}/config.v2.json`, JSON.stringify(record), { mode: 0o600 });
  }

  remove(record: ContainerRecord): void {
    this.#containers.delete(record.ID);
    removeLayer(this.#sys, record.ID);
    removeTree(this.#sys, `${CONTAINERS}/${record.ID}`);
  }

  /** By id, name or the beginning of an id. */
  find(key: string): StoredContainer | undefined {
    const byId = this.#containers.get(key);
    if (byId !== undefined) return byId;
    const name = key.startsWith('/') ? key : `/${key}`;
    const byName = this.all().find((container) => container.record.Name === name);
    if (byName !== undefined) return byName;
    if (!/^[0-9a-f]+$/.test(key)) return undefined;
    const matching = this.all().filter((container) => container.record.ID.startsWith(key));
    if (matching.length > 1) throw new DockerError(404, `Multiple IDs found with provided prefix: ${key}`);
    return matching[0];
  }

  get(key: string): StoredContainer {
    const found = this.find(key);
    if (found === undefined) throw new DockerError(404, `No such container: ${key}`);
    return found;
  }
}
