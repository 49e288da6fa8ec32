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

/** Every resource in its group's preferred version, without subresources. A group that cannot be asked is in `failed`, and why. */
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
      failed.push(`${group === '' ? version : `${group}/${version}`}: ${error.message}`);
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

/** The client's words for an answer that is no list. */
function problemOf(status: number): string {
  if (status === 503) return 'the server is currently unable to handle the request';
  if (status === 404) return 'the server could not find the requested resource';
  return `an error on the server ("unknown") has prevented the request from succeeding`;
}

async function readJson(client: KubeClient, path: string): Promise<unknown> {
  const response = await client.raw('GET', path, { headers: { accept: 'application/json' } });
  const body = text(await readAll(response.body));
  if (response.status !== 200) throw new DiscoveryError(problemOf(response.status));
  return JSON.parse(body) as unknown;
}
