// Models discovery: /api, /apis and the resource lists of each group and version.

import { sha256 } from '@noble/hashes/sha2.js';
import { utf8 } from '../../sim/bytes.ts';
import { compareKubeVersions } from '../machinery/versions.ts';
import { servedVersions, type ResourceDefinition } from '../registry/definition.ts';

/** Order and preference of groups as v1.20 lists them. */
const GROUPS: readonly (readonly [string, readonly string[]])[] = [
  ['apiregistration.k8s.io', ['v1', 'v1beta1']],
  ['apps', ['v1']],
  ['events.k8s.io', ['v1', 'v1beta1']],
  ['authentication.k8s.io', ['v1', 'v1beta1']],
  ['authorization.k8s.io', ['v1', 'v1beta1']],
  ['autoscaling', ['v1', 'v2beta1', 'v2beta2']],
  ['batch', ['v1', 'v1beta1']],
  ['certificates.k8s.io', ['v1', 'v1beta1']],
  ['networking.k8s.io', ['v1', 'v1beta1']],
  ['extensions', ['v1beta1']],
  ['policy', ['v1beta1']],
  ['rbac.authorization.k8s.io', ['v1', 'v1beta1']],
  ['storage.k8s.io', ['v1', 'v1beta1']],
  ['admissionregistration.k8s.io', ['v1', 'v1beta1']],
  ['apiextensions.k8s.io', ['v1', 'v1beta1']],
  ['scheduling.k8s.io', ['v1', 'v1beta1']],
  ['coordination.k8s.io', ['v1', 'v1beta1']],
  ['node.k8s.io', ['v1', 'v1beta1']],
  ['discovery.k8s.io', ['v1beta1']],
  ['flowcontrol.apiserver.k8s.io', ['v1beta1']],
];

export interface ApiGroup {
  readonly name: string;
  readonly versions: readonly string[];
}

/** Every group served, the built-in ones first. */
export function apiGroups(definitions: readonly ResourceDefinition[]): readonly ApiGroup[] {
  const groups = new Map<string, string[]>();
  for (const [name, versions] of GROUPS) groups.set(name, [...versions]);
  const custom: string[] = [];
  for (const definition of definitions) {
    for (const { group, version } of servedVersions(definition)) {
      if (group === '') continue;
      const versions = groups.get(group);
      if (versions === undefined) {
        groups.set(group, [version]);
        custom.push(group);
      } else if (!versions.includes(version)) versions.push(version);
    }
  }
  custom.sort();
  for (const group of custom) groups.get(group)!.sort((a, b) => compareKubeVersions(b, a));
  const builtIn = GROUPS.map(([name]) => name);
  return [...builtIn, ...custom].map((name) => ({ name, versions: groups.get(name)! }));
}

function groupObject({ name, versions }: ApiGroup): Record<string, unknown> {
  const shown = versions.map((version) => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions: shown, preferredVersion: shown[0] };
}

export function apiVersions(address: string): Record<string, unknown> {
  return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: address }] };
}

/** `registered` are the groups as the aggregator has them, once it has. */
export function apiGroupList(
  definitions: readonly ResourceDefinition[],
  registered?: readonly Record<string, unknown>[],
): Record<string, unknown> {
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: registered ?? apiGroups(definitions).map(groupObject) };
}

export function apiGroup(
  definitions: readonly ResourceDefinition[],
  name: string,
  registered?: Record<string, unknown>,
): Record<string, unknown> | undefined {
  if (registered !== undefined) return { kind: 'APIGroup', apiVersion: 'v1', ...registered };
  const group = apiGroups(definitions).find((each) => each.name === name);
  return group === undefined ? undefined : { kind: 'APIGroup', apiVersion: 'v1', ...groupObject(group) };
}

export function apiResourceList(
  definitions: readonly ResourceDefinition[],
  group: string,
  version: string,
): Record<string, unknown> | undefined {
  const isKnown =
    group === '' ? version === 'v1' : apiGroups(definitions).some((each) => each.name === group && each.versions.includes(version));
  if (!isKnown) return undefined;
  const resources: Record<string, unknown>[] = [];
  for (const definition of definitions) {
    const served = servedVersions(definition).find((each) => each.group === group && each.version === version);
    if (served === undefined) continue;
    const { plural, kind, isNamespaced, shortNames, categories, singular } = definition;
    resources.push({
      name: plural,
      singularName: definition.isCustom ? singular : '',
      namespaced: isNamespaced,
      kind,
      verbs: definition.discoveryVerbs?.() ?? definition.verbs,
      ...(shortNames.length === 0 ? {} : { shortNames }),
      ...(categories.length === 0 ? {} : { categories }),
      ...(definition.verbs.includes('list') && !definition.discoveryOnly ? { storageVersionHash: hashOf(definition) } : {}),
    });
    const sub = (
      name: string,
      subKind: string,
      verbs: readonly string[],
      of: { readonly group?: string; readonly version?: string } = {},
    ): void => {
      resources.push({
        name: `${plural}/${name}`,
        singularName: '',
        namespaced: isNamespaced,
        ...(of.group === undefined ? {} : { group: of.group }),
        ...(of.version === undefined ? {} : { version: of.version }),
        kind: subKind,
        verbs,
      });
    };
    for (const other of definition.otherSubresources) sub(other.name, other.kind, other.verbs, other);
    if (served.hasScale ?? definition.hasScale) sub('scale', 'Scale', ['get', 'patch', 'update'], { group: 'autoscaling', version: 'v1' });
    if (served.hasStatus ?? definition.hasStatus) sub('status', kind, ['get', 'patch', 'update']);
  }
  resources.sort((a, b) => (String(a['name']) < String(b['name']) ? -1 : 1));
  return {
    kind: 'APIResourceList',
    ...(group === '' ? {} : { apiVersion: 'v1' }),
    groupVersion: group === '' ? version : `${group}/${version}`,
    resources,
  };
}

const hashes = new Map<string, string>();

/** The first eight bytes of a digest over the stored group, version and kind. */
function hashOf({ group, version, kind, hashedVersion }: ResourceDefinition): string {
  const name = `${group}/${hashedVersion ?? version}/${kind}`;
  let hash = hashes.get(name);
  if (hash === undefined) {
    hash = btoa(String.fromCharCode(...sha256(utf8(name)).subarray(0, 8)));
    hashes.set(name, hash);
  }
  return hash;
}
