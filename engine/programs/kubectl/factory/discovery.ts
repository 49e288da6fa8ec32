// Models kubectl's cached discovery: groups and resources of the server, kept under ~/.kube/cache for ten minutes.

import type { Process } from '../../../kernel/process.ts';
import { ApiError } from '../../../kube/machinery/api-error.ts';
import { isSysError } from '../../../sim/errno.ts';
import type { FlagSet } from '../flags/flag-set.ts';
import type { Rest } from './rest.ts';

const CACHE_TTL_MS = 10 * 60_000;

export interface ApiResource {
  readonly name: string;
  readonly singularName: string;
  readonly namespaced: boolean;
  readonly kind: string;
  readonly verbs: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  /** Set when it differs from the list's. */
  readonly group?: string;
  readonly version?: string;
}

export interface GroupVersion {
  readonly group: string;
  readonly version: string;
}

export interface ServerGroup {
  readonly name: string;
  readonly versions: readonly string[];
  readonly preferredVersion: string;
}

interface ResourceList {
  readonly groupVersion: string;
  readonly resources: readonly ApiResource[];
}

interface GroupListAnswer {
  readonly groups: readonly {
    readonly name: string;
    readonly versions: readonly { readonly groupVersion: string; readonly version: string }[];
    readonly preferredVersion?: { readonly groupVersion: string; readonly version: string };
  }[];
}

export interface ServerResources {
  readonly groups: readonly ServerGroup[];
  readonly lists: readonly (GroupVersion & { readonly resources: readonly ApiResource[] })[];
  /** Group versions whose list could not be had, and why. */
  readonly failures: readonly { readonly groupVersion: string; readonly error: Error }[];
}

export class Discovery {
  readonly #process: Process;
  readonly #rest: Rest;
  readonly #folder: string;
  #ignoresCache = false;
  /** False when an answer came from the cache, so that a miss is worth asking anew. */
  isFresh = true;

  constructor(process: Process, rest: Rest, flags: FlagSet) {
    this.#process = process;
    this.#rest = rest;
    const base = flags.string('cache-dir') || `${process.env.get('HOME') ?? ''}/.kube/cache`;
    this.#folder = `${base}/discovery/${rest.config.server.replace(/^https?:\/\//, '').replace(/[^\w/.]/g, '_')}`;
  }

  /** Asks the server from now on. */
  invalidate(): void {
    this.#ignoresCache = true;
    this.isFresh = true;
  }

  async groups(): Promise<readonly ServerGroup[]> {
    const cached = this.#read('servergroups.json') as GroupListAnswer | undefined;
    const answer = cached ?? (await this.#fetchGroups());
    return answer.groups.map((group) => ({
      name: group.name,
      versions: group.versions.map(({ version }) => version),
      preferredVersion: group.preferredVersion?.version ?? group.versions[0]?.version ?? '',
    }));
  }

  async resources(): Promise<ServerResources> {
    const groups = await this.groups();
    const wanted = groups.flatMap((group) => group.versions.map((version): GroupVersion => ({ group: group.name, version })));
    const failures: { groupVersion: string; error: Error }[] = [];
    const lists = await Promise.all(
      wanted.map(async ({ group, version }) => {
        try {
          return { group, version, resources: (await this.#list(group, version)).resources };
        } catch (error) {
          if (!(error instanceof ApiError)) throw error;
          failures.push({ groupVersion: group === '' ? version : `${group}/${version}`, error });
          return undefined;
        }
      }),
    );
    return { groups, lists: lists.filter((list) => list !== undefined), failures };
  }

  /** Whether a resource has a subresource of that name, like `scale`. */
  async hasSubresource(
    of: { readonly group: string; readonly version: string; readonly resource: string },
    name: string,
  ): Promise<boolean> {
    const { resources } = await this.#list(of.group, of.version);
    return resources.some((resource) => resource.name === `${of.resource}/${name}`);
  }

  async #list(group: string, version: string): Promise<ResourceList> {
    const file = `${group === '' ? version : `${group}/${version}`}/serverresources.json`;
    const cached = this.#read(file) as ResourceList | undefined;
    if (cached !== undefined) return cached;
    const path = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
    const list = await this.#rest.json<ResourceList>('GET', `${path}?timeout=32s`);
    this.#write(file, list);
    return list;
  }

  async #fetchGroups(): Promise<GroupListAnswer> {
    const legacy = await this.#rest.json<{ versions?: readonly string[] }>('GET', '/api?timeout=32s');
    const named = await this.#rest.json<GroupListAnswer>('GET', '/apis?timeout=32s');
    const versions = (legacy.versions ?? []).map((version) => ({ groupVersion: version, version }));
    const [first] = versions;
    const answer: GroupListAnswer = {
      groups: [...(first === undefined ? [] : [{ name: '', versions, preferredVersion: first }]), ...named.groups],
    };
    this.#write('servergroups.json', answer);
    return answer;
  }

  #read(file: string): unknown {
    if (this.#ignoresCache) return undefined;
    const path = `${this.#folder}/${file}`;
    try {
      if (this.#process.sys.now() - this.#process.sys.stat(path).mtimeMs > CACHE_TTL_MS) return undefined;
      const value: unknown = JSON.parse(this.#process.sys.readTextFile(path));
      this.isFresh = false;
      return value;
    } catch (error) {
      // A cache that is not there or is broken is asked for again.
      if (isSysError(error) || error instanceof SyntaxError) return undefined;
      throw error;
    }
  }

  #write(file: string, value: unknown): void {
    const path = `${this.#folder}/${file}`;
    try {
      this.#process.sys.mkdir(path.slice(0, path.lastIndexOf('/')), { recursive: true, mode: 0o750 });
      this.#process.sys.writeFile(path, JSON.stringify(value), { mode: 0o660 });
    } catch (error) {
      // A home that cannot be written costs time on the next call, nothing else.
      if (!isSysError(error)) throw error;
    }
  }
}
