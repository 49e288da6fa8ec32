// Models docker's image store (overlay2): which images this machine has, under which names, and how they got there.

import type { Syscalls } from '../../../kernel/process.ts';
import { familiar, familiarName, parseReference, withDefaultTag, type ImageReference } from '../image-reference.ts';
import { RuntimeError } from '../../kubelet/container-runtime.ts';
import { parseNano } from '../nano-time.ts';
import { DockerError, type DockerEvent, type ImageConfigJson, type ImageSummary } from './types.ts';
import type { RegistryClient } from './registry-client.ts';

const ROOT = '/var/lib/docker/image/overlay2';
const REPOSITORIES = `${ROOT}/repositories.json`;
const MAX_DOWNLOADS = 3;
/** Unpacking a layer onto the lab's disk. */
const UNPACK_BYTES_PER_MS = 60_000;

interface RepositoriesFile {
  Repositories: Record<string, Record<string, string>>;
}

/** A line of `docker pull`'s progress. */
export interface PullProgress {
  readonly status?: string;
  readonly id?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  readonly error?: string;
}

export interface StoredImage {
  /** `sha256:...` */
  readonly id: string;
  readonly config: ImageConfigJson;
  readonly sizeBytes: number;
  readonly tags: readonly string[];
  readonly digests: readonly string[];
}

export class ImageService {
  readonly #sys: Syscalls;
  readonly #registry: RegistryClient;
  readonly #emit: (type: DockerEvent['Type'], action: string, id: string, attributes: Record<string, string>) => void;
  /** Layers under way, so that two pulls of one layer share it. */
  readonly #downloads = new Map<string, Promise<void>>();
  #slots = MAX_DOWNLOADS;
  readonly #waiting: (() => void)[] = [];

  constructor(
    sys: Syscalls,
    registry: RegistryClient,
    emit: (type: DockerEvent['Type'], action: string, id: string, attributes: Record<string, string>) => void,
  ) {
    this.#sys = sys;
    this.#registry = registry;
    this.#emit = emit;
    for (const directory of ['imagedb/content/sha256', 'imagedb/metadata/sha256', 'layerdb/sha256', 'distribution']) {
      sys.mkdir(`${ROOT}/${directory}`, { recursive: true, mode: 0o700 });
    }
    if (!sys.exists(REPOSITORIES)) this.#writeRepositories({ Repositories: {} });
  }

  /** `sha256:` id of a name, an id or the beginning of one; undefined when there is none. */
  lookup(name: string): string | undefined {
    const bare = name.startsWith('sha256:') ? name.slice('sha256:'.length) : name;
    const ids = this.#ids();
    if (/^[0-9a-f]{64}$/.test(bare)) return ids.includes(bare) ? `sha256:${bare}` : undefined;
    if (!name.startsWith('sha256:')) {
      try {
        const wanted = familiar(withDefaultTag(parseReference(name)));
        for (const names of Object.values(this.#repositories().Repositories)) {
          const id = names[wanted];
          if (id !== undefined) return id;
        }
      } catch (error) {
        if (!(error instanceof RuntimeError)) throw error;
      }
    }
    if (/^[0-9a-f]{1,64}$/.test(bare)) {
      const found = ids.filter((id) => id.startsWith(bare));
      if (found.length === 1) return `sha256:${found[0]!}`;
    }
    return undefined;
  }

  get(name: string): StoredImage {
    const id = this.lookup(name);
    if (id === undefined) throw new DockerError(404, `No such image: ${this.#shown(name)}`);
    return this.#stored(id, this.#repositories());
  }

  list(): readonly StoredImage[] {
    const repositories = this.#repositories();
    return this.#ids()
      .map((id) => this.#stored(`sha256:${id}`, repositories))
      .sort((a, b) => parseNano(b.config.created) - parseNano(a.config.created) || (a.id < b.id ? -1 : 1));
  }

  summaries(containersOf: (id: string) => number): readonly ImageSummary[] {
    return this.list().map((image) => ({
      Containers: containersOf(image.id),
      Created: Math.floor(parseNano(image.config.created) / 1000),
      Id: image.id,
      Labels: image.config.config.Labels,
      ParentId: '',
      RepoDigests: image.digests.length === 0 ? null : [...image.digests],
      RepoTags: image.tags.length === 0 ? null : [...image.tags],
      SharedSize: -1,
      Size: image.sizeBytes,
      VirtualSize: image.sizeBytes,
    }));
  }

  tag(source: string, target: string): void {
    const image = this.get(source);
    const reference = withDefaultTag(parseReference(target));
    this.#name(reference, image.id);
    this.#emit('image', 'tag', image.id, { name: familiar(reference) });
  }

  /** Takes a name away, and the image with its last one. `usedBy` tells the container that needs it. */
  remove(
    name: string,
    options: { readonly force: boolean; readonly usedBy: (id: string) => { readonly id: string; readonly running: boolean } | undefined },
  ): readonly ({ readonly Untagged: string } | { readonly Deleted: string })[] {
    const image = this.get(name);
    const done: ({ readonly Untagged: string } | { readonly Deleted: string })[] = [];
    const short = image.id.slice(7, 19);
    const user = options.usedBy(image.id);
    const isById = /^(sha256:)?[0-9a-f]+$/.test(name) && image.id.slice(7).startsWith(name.replace('sha256:', ''));
    const named = isById ? undefined : familiar(withDefaultTag(parseReference(name)));
    if (isById && image.tags.length > 1 && !options.force) {
      throw new DockerError(409, `conflict: unable to delete ${short} (must be forced) - image is referenced in multiple repositories`);
    }
    const isLast = isById || image.tags.length <= 1;
    if (isLast && user !== undefined) {
      const container = user.id.slice(0, 12);
      if (user.running && isById) {
        throw new DockerError(
          409,
          `conflict: unable to delete ${short} (cannot be forced) - image is being used by running container ${container}`,
        );
      }
      if (!options.force) {
        throw new DockerError(
          409,
          isById
            ? `conflict: unable to delete ${short} (must be forced) - image is being used by stopped container ${container}`
            : `conflict: unable to remove repository reference "${name}" (must force) - container ${container} is using its referenced image ${short}`,
        );
      }
    }
    const file = this.#repositories();
    for (const [repository, names] of Object.entries(file.Repositories)) {
      for (const [full, id] of Object.entries(names)) {
        if (id !== image.id) continue;
        if (!isLast && full !== named) continue;
        delete names[full];
        done.push({ Untagged: full });
        this.#emit('image', 'untag', image.id, { name: image.id });
      }
      if (Object.keys(names).length === 0) delete file.Repositories[repository];
    }
    this.#writeRepositories(file);
    if (isLast && user === undefined) {
      done.push({ Deleted: image.id });
      this.#delete(image, done);
      this.#emit('image', 'delete', image.id, { name: image.id });
    }
    return done;
  }

  /** Downloads what is missing; progress goes line by line to `progress`. Throws DockerError as the daemon words it. */
  async pull(name: string, progress: (line: PullProgress) => void): Promise<string> {
    const reference = withDefaultTag(parseReferenceOrFail(name));
    const shownTag = reference.tag ?? reference.digest ?? '';
    const manifest = await this.#registry.manifest(reference);
    progress({ status: `Pulling from ${reference.path}`, id: shownTag });
    const imageId = manifest.config.digest;
    const configJson = await this.#registry.config(reference, imageId);
    const config = JSON.parse(configJson) as ImageConfigJson;
    const layers = manifest.layers.map((layer, index) => ({ ...layer, diffId: config.rootfs.diff_ids[index]!.slice(7) }));
    for (const layer of layers) {
      const id = layer.digest.slice(7, 19);
      progress({ status: this.#hasLayer(layer.diffId) ? 'Already exists' : 'Pulling fs layer', progressDetail: {}, id });
    }
    const missing = layers.filter((layer) => !this.#hasLayer(layer.diffId));
    const downloads = missing.map((layer) => this.#download(reference, layer, progress));
    // Every failure is looked at below; without this the second one would count as unhandled.
    for (const download of downloads) void download.catch(ignoreUntilAwaited);
    for (const [index, layer] of missing.entries()) {
      await downloads[index];
      const id = layer.digest.slice(7, 19);
      if (this.#hasLayer(layer.diffId)) continue;
      progress({ status: 'Extracting', progressDetail: { current: layer.size, total: layer.size }, id });
      const sizeBytes = await this.#registry.unpackedBytes(reference, layer.digest);
      await this.#sys.sleep(Math.ceil(sizeBytes / UNPACK_BYTES_PER_MS));
      this.#addLayer(layer.diffId, sizeBytes);
      progress({ status: 'Pull complete', progressDetail: {}, id });
    }
    const isNew = this.lookup(imageId) === undefined;
    const tagName = familiar(reference);
    const before = this.lookup(tagName);
    this.#sys.writeFile(`${ROOT}/imagedb/content/sha256/${imageId.slice(7)}`, configJson, { mode: 0o600 });
    this.#name(reference, imageId);
    this.#name({ ...reference, tag: undefined, digest: manifest.digest }, imageId);
    progress({ status: `Digest: ${manifest.digest}` });
    const isUpToDate = !isNew && before === imageId;
    progress({ status: isUpToDate ? `Status: Image is up to date for ${tagName}` : `Status: Downloaded newer image for ${tagName}` });
    this.#emit('image', 'pull', tagName, { name: familiarName(reference) });
    return imageId;
  }

  async #download(
    reference: ImageReference,
    layer: { readonly digest: string; readonly size: number },
    progress: (line: PullProgress) => void,
  ): Promise<void> {
    const id = layer.digest.slice(7, 19);
    let running = this.#downloads.get(layer.digest);
    if (running === undefined) {
      running = this.#withSlot(
        () => progress({ status: 'Waiting', progressDetail: {}, id }),
        () =>
          this.#registry.download(reference, layer.digest, (current) =>
            progress({ status: 'Downloading', progressDetail: { current, total: layer.size }, id }),
          ),
      ).finally(() => this.#downloads.delete(layer.digest));
      this.#downloads.set(layer.digest, running);
    }
    await running;
    progress({ status: 'Verifying Checksum', progressDetail: {}, id });
    progress({ status: 'Download complete', progressDetail: {}, id });
  }

  async #withSlot(onWait: () => void, work: () => Promise<void>): Promise<void> {
    if (this.#slots === 0) {
      onWait();
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else {
      this.#slots--;
    }
    try {
      await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#slots++;
      else next();
    }
  }

  #ids(): readonly string[] {
    return [...this.#sys.readdir(`${ROOT}/imagedb/content/sha256`)].sort();
  }

  #stored(id: string, file: RepositoriesFile): StoredImage {
    const config = JSON.parse(this.#sys.readTextFile(`${ROOT}/imagedb/content/sha256/${id.slice(7)}`)) as ImageConfigJson;
    const names = Object.values(file.Repositories).flatMap((entries) => Object.entries(entries).filter(([, of]) => of === id));
    const sorted = names.map(([name]) => name).sort();
    return {
      id,
      config,
      sizeBytes: config.rootfs.diff_ids.reduce((sum, diff) => sum + this.#layerBytes(diff.slice(7)), 0),
      tags: sorted.filter((name) => !name.includes('@')),
      digests: sorted.filter((name) => name.includes('@')),
    };
  }

  #name(reference: ImageReference, id: string): void {
    const file = this.#repositories();
    const repository = familiarName(reference);
    file.Repositories[repository] = { ...file.Repositories[repository], [familiar(reference)]: id };
    this.#writeRepositories(file);
  }

  #delete(image: StoredImage, done: ({ readonly Untagged: string } | { readonly Deleted: string })[]): void {
    this.#sys.unlink(`${ROOT}/imagedb/content/sha256/${image.id.slice(7)}`);
    const needed = new Set(this.list().flatMap((other) => other.config.rootfs.diff_ids));
    for (const diff of [...image.config.rootfs.diff_ids].reverse()) {
      if (needed.has(diff)) continue;
      const directory = `${ROOT}/layerdb/sha256/${diff.slice(7)}`;
      if (!this.#sys.exists(directory)) continue;
      this.#sys.unlink(`${directory}/size`);
      this.#sys.rmdir(directory);
      done.push({ Deleted: diff });
    }
  }

  #hasLayer(diff: string): boolean {
    return this.#sys.exists(`${ROOT}/layerdb/sha256/${diff}/size`);
  }

  #layerBytes(diff: string): number {
    return this.#hasLayer(diff) ? Number(this.#sys.readTextFile(`${ROOT}/layerdb/sha256/${diff}/size`)) : 0;
  }

  #addLayer(diff: string, sizeBytes: number): void {
    this.#sys.mkdir(`${ROOT}/layerdb/sha256/${diff}`, { recursive: true, mode: 0o700 });
    this.#sys.writeFile(`${ROOT}/layerdb/sha256/${diff}/size`, String(sizeBytes));
  }

  #repositories(): RepositoriesFile {
    return JSON.parse(this.#sys.readTextFile(REPOSITORIES)) as RepositoriesFile;
  }

  #writeRepositories(file: RepositoriesFile): void {
    this.#sys.writeFile(REPOSITORIES, JSON.stringify(file), { mode: 0o600 });
  }

  #shown(name: string): string {
    try {
      return familiar(withDefaultTag(parseReference(name)));
    } catch (error) {
      if (error instanceof RuntimeError) return name;
      throw error;
    }
  }
}

function parseReferenceOrFail(name: string): ImageReference {
  try {
    return parseReference(name);
  } catch (error) {
    if (error instanceof RuntimeError) throw new DockerError(400, error.message);
    throw error;
  }
}

function ignoreUntilAwaited(): void {
  // The same promise is awaited by the pull itself, which reports the failure.
}
