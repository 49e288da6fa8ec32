// Models the REST mapper: from what a user calls a resource, or from a kind, to where it is served.

import { CliError, NoResourceError } from '../errors.ts';
import type { ApiResource, Discovery } from './discovery.ts';

export interface Mapping {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly kind: string;
  readonly isNamespaced: boolean;
  readonly verbs: readonly string[];
}

export interface MappedResource extends Mapping {
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
}

export class RestMapper {
  readonly #discovery: Discovery;
  #resources: readonly MappedResource[] | undefined;

  constructor(discovery: Discovery) {
    this.#discovery = discovery;
  }

  /** Every resource (no subresources); preferred versions first within their group. */
  async all(): Promise<readonly MappedResource[]> {
    if (this.#resources !== undefined) return this.#resources;
    const { groups, lists } = await this.#discovery.resources();
    const ordered = groups.flatMap((group) => {
      const own = lists.filter((list) => list.group === group.name);
      return [
        ...own.filter((list) => list.version === group.preferredVersion),
        ...own.filter((list) => list.version !== group.preferredVersion),
      ];
    });
    this.#resources = ordered.flatMap((list) =>
      list.resources.filter(({ name }) => !name.includes('/')).map((resource) => mapped(resource, list.group, list.version)),
    );
    return this.#resources;
  }

  /** Throws `the server doesn't have a resource type "x"` (CliError, or NoResourceError when `plain`). */
  async resourceFor(argument: string): Promise<MappedResource> {
    const found = (await this.#retry(() => this.#find(argument))) ?? undefined;
    if (found === undefined)
      throw new CliError(
        `the server doesn't have a resource type "${argument.split('.')[0] === argument ? argument : (argument.split('.')[0] ?? '')}"`,
      );
    return found;
  }

  /** As resourceFor, with the error that is printed without `error: `. */
  async resourceOrNone(argument: string): Promise<MappedResource> {
    const found = await this.#retry(() => this.#find(argument));
    if (found === undefined) throw new NoResourceError(noMatch(argument));
    return found;
  }

  /** The resource types a category stands for, in the server's order; empty when it is none. */
  async category(name: string): Promise<readonly MappedResource[]> {
    const seen = new Set<string>();
    return (await this.all()).filter((resource) => {
      const key = `${resource.resource}.${resource.group}`;
      if (!resource.categories.includes(name) || seen.has(key)) return false;
      seen.add(key);
      return true;
    });
  }

  /** Undefined when no such kind is served. */
  async kind(apiVersion: string, kind: string): Promise<MappedResource | undefined> {
    const slash = apiVersion.indexOf('/');
    const group = slash < 0 ? '' : apiVersion.slice(0, slash);
    const version = apiVersion.slice(slash + 1);
    return this.#retry(async () =>
      (await this.all()).find(
        (resource) =>
          resource.group === group && resource.version === version && (resource.kind === kind || resource.kind.toLowerCase() === kind),
      ),
    );
  }

  async #retry(find: () => Promise<MappedResource | undefined>): Promise<MappedResource | undefined> {
    const found = await find();
    if (found !== undefined || this.#discovery.isFresh) return found;
    this.#discovery.invalidate();
    this.#resources = undefined;
    return find();
  }

  async #find(argument: string): Promise<MappedResource | undefined> {
    const all = await this.all();
    const lower = argument.toLowerCase();
    const [name = '', second = '', ...rest] = lower.split('.');
    const called = (resource: MappedResource): boolean => resource.resource === name || resource.singular === name;
    const byShortName = all.find(
      (resource) => resource.shortNames.includes(name) && (second === '' || groupMatches(resource, [second, ...rest].join('.'))),
    );
    const isName = (resource: MappedResource): boolean =>
      called(resource) || (byShortName !== undefined && resource.resource === byShortName.resource && resource.group === byShortName.group);
    if (rest.length > 0) {
      const exact = all.find((resource) => isName(resource) && resource.version === second && resource.group === rest.join('.'));
      if (exact !== undefined) return exact;
    }
    const group = [second, ...rest].join('.');
    const matches = all.filter((resource) => isName(resource) && (group === '' || groupMatches(resource, group)));
    return (
      matches[0] ?? all.find((resource) => isName(resource) && rest.length === 0 && resource.version === second && resource.group === '')
    );
  }
}

function groupMatches(resource: Mapping, group: string): boolean {
  return resource.group === group || (group !== '' && resource.group.startsWith(group));
}

function noMatch(argument: string): string {
  const [name = '', ...rest] = argument.split('.');
  return rest.length === 0
    ? `the server doesn't have a resource type "${name}"`
    : `the server doesn't have a resource type "${name}" in group "${rest.join('.')}"`;
}

function mapped(resource: ApiResource, group: string, version: string): MappedResource {
  return {
    group: resource.group ?? group,
    version: resource.version ?? version,
    resource: resource.name,
    kind: resource.kind,
    isNamespaced: resource.namespaced,
    verbs: resource.verbs,
    singular: resource.singularName === '' ? resource.kind.toLowerCase() : resource.singularName,
    shortNames: resource.shortNames ?? [],
    categories: resource.categories ?? [],
  };
}

export function apiVersionOf(mapping: { readonly group: string; readonly version: string }): string {
  return mapping.group === '' ? mapping.version : `${mapping.group}/${mapping.version}`;
}

/** `pods`, `deployments.apps`. */
export function groupResource(mapping: { readonly group: string; readonly resource: string }): string {
  return mapping.group === '' ? mapping.resource : `${mapping.resource}.${mapping.group}`;
}

/** `pod`, `deployment.apps`: what is put before names. */
export function groupKind(mapping: { readonly group: string; readonly kind: string }): string {
  const kind = mapping.kind.toLowerCase();
  return mapping.group === '' ? kind : `${kind}.${mapping.group}`;
}

/** `/apis/apps/v1/namespaces/NS/deployments/NAME/SUB`. */
export function pathOf(
  mapping: Mapping,
  place: { readonly namespace?: string | undefined; readonly name?: string; readonly subresource?: string } = {},
): string {
  const base = mapping.group === '' ? `/api/${mapping.version}` : `/apis/${mapping.group}/${mapping.version}`;
  const namespace = mapping.isNamespaced && place.namespace !== undefined && place.namespace !== '' ? `/namespaces/${place.namespace}` : '';
  const name = place.name === undefined ? '' : `/${encodeURIComponent(place.name)}`;
  return `${base}${namespace}/${mapping.resource}${name}${place.subresource === undefined ? '' : `/${place.subresource}`}`;
}

/** A query string in net/url's order (sorted by key); empty values are left out. */
export function query(values: Readonly<Record<string, string | undefined>>): string {
  const pairs = Object.entries(values)
    .filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== '')
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([key, value]) =>
        `${key}=${encodeURIComponent(value)
          .replace(/%20/g, '+')
          .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)}`,
    );
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}
