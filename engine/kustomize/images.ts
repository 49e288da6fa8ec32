// Models `images`: other names, tags and digests for the images of containers, wherever a list of containers stands.

import { goType, isObject, type JsonObject } from '../kube/machinery/go-values.ts';
import { KustomizeError } from './error.ts';
import type { ImageChange } from './kustomization.ts';

export function changeImages(object: JsonObject, changes: readonly ImageChange[]): void {
  let found = false;
  for (const path of ['containers', 'initContainers']) {
    // Only the second list counts as found: below an object with containers alone the search goes on.
    found = Object.hasOwn(object, path);
    if (found) changeContainers(object[path], changes);
  }
  if (found) return;
  for (const value of Object.values(object)) {
    if (isObject(value)) changeImages(value, changes);
    else if (Array.isArray(value)) for (const item of value as unknown[]) if (isObject(item)) changeImages(item, changes);
  }
}

function changeContainers(containers: unknown, changes: readonly ImageChange[]): void {
  if (!Array.isArray(containers)) throw new KustomizeError(`containers path is not of type []interface{} but ${goType(containers)}`);
  for (const container of containers as unknown[]) {
    if (!isObject(container) || typeof container['image'] !== 'string') continue;
    const image = container['image'];
    const change = changes.find(({ name }) => isMatch(image, name ?? ''));
    if (change === undefined) continue;
    const { newName = '', newTag = '', digest = '' } = change;
    const [name, tag] = split(image);
    const newEnd = digest !== '' ? `@${digest}` : newTag !== '' ? `:${newTag}` : tag;
    container['image'] = (newName === '' ? name : newName) + newEnd;
  }
}

/** The name is a regular expression, by a slip that users may rely on. */
function isMatch(image: string, name: string): boolean {
  return new RegExp(`^${name}(:[a-zA-Z0-9_.-]*)?$`).test(image);
}

/** Name and `:tag` or `@digest`; a colon before the first slash is a port's. */
function split(image: string): readonly [string, string] {
  const slash = image.indexOf('/');
  const colon = image.lastIndexOf(':');
  const at = image.lastIndexOf('@');
  const cut = colon > slash ? colon : at;
  return cut < 0 ? [image, ''] : [image.slice(0, cut), image.slice(cut)];
}
