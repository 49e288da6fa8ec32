// Which resources the server has, by asking it (discovery): for controllers that work on every kind.

import { text } from '../../sim/bytes.ts';
import type { KubeClient } from '../client/contracts.ts';
import { readAll } from '../client/rest-client.ts';
import type { ResourceReference } from '../machinery/types.ts';

export interface DiscoveredResource extends ResourceReference {
  readonly verbs: readonly string[];
}

interface ResourceList {
  readonly resources?: readonly {
    readonly name: string;
    readonly kind: string;
    readonly namespaced: boolean;
    readonly verbs: readonly string[];
  }[];
}

/** Every resource in its group's preferred version, without subresources. A group that cannot be asked is in `failed`. */
export async function discover(
  client: KubeClient,
): Promise<{ readonly resources: readonly DiscoveredResource[]; readonly failed: readonly string[] }> {
  const failed: string[] = [];
  const resources: DiscoveredResource[] = [];
  const groups = (await readJson(client, '/apis')) as {
    readonly groups?: readonly { readonly name: string; readonly preferredVersion: { readonly version: string } }[];
  };
  const versions = [
    { group: '', version: 'v1', path: '/api/v1' },
    ...(groups.groups ?? []).map(({ name, preferredVersion: { version } }) => ({ group: name, version, path: `/apis/${name}/${version}` })),
  ];
  for (const { group, version, path } of versions) {
    let list: ResourceList;
    try {
      list = (await readJson(client, path)) as ResourceList;
    } catch (error) {
      if (!(error instanceof DiscoveryError)) throw error;
      failed.push(path);
      continue;
    }
    for (const { name, kind, namespaced, verbs } of list.resources ?? []) {
      if (!name.includes('/')) resources.push({ group, version, resource: name, kind, isNamespaced: namespaced, verbs });
    }
  }
  return { resources, failed };
}

export class DiscoveryError extends Error {
  override readonly name = 'DiscoveryError';
}

async function readJson(client: KubeClient, path: string): Promise<unknown> {
  const response = await client.raw('GET', path, { headers: { accept: 'application/json' } });
  const body = text(await readAll(response.body));
  if (response.status !== 200) throw new DiscoveryError(`unable to retrieve the complete list of server APIs: ${path}: ${response.status}`);
  return JSON.parse(body) as unknown;
}
