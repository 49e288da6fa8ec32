// Every image the lab's registries hold. A family of images is a file here and one line in `SPECS`.

import { programOf, type ImageEntry, type ImageTree } from '../../../fs/image-tree.ts';
import { calicoImages } from './calico.ts';
import { generalImages } from './general.ts';
import { catalogueImage, type CatalogueImage, type ImageSpec } from './image.ts';
import { kubernetesImages } from './kubernetes.ts';
import { nginxImages } from './nginx.ts';

const FAMILIES: readonly (() => readonly ImageSpec[])[] = [kubernetesImages, calicoImages, nginxImages, generalImages];

let built: readonly CatalogueImage[] | undefined;

/** Computed once: it is the same for every lab. */
export function catalogue(): readonly CatalogueImage[] {
  built ??= FAMILIES.flatMap((family) => family()).map(catalogueImage);
  return built;
}

/**
 * The roots of all images, for kernels to mount. Executables whose program does not exist in this lab are left out, so that
 * starting one fails as a missing file does.
 */
export function imageTrees(hasProgram: (name: string) => boolean): readonly ImageTree[] {
  const isThere = (entry: ImageEntry): boolean => {
    if (entry.kind === 'program') return hasProgram(entry.program);
    if (entry.kind !== 'file' || typeof entry.contents !== 'string') return true;
    const named = programOf(entry.contents);
    return named === undefined || hasProgram(named);
  };
  return catalogue().map((image) => ({ name: image.id, entries: new Map([...image.entries].filter(([, entry]) => isThere(entry))) }));
}

/** Hosts that serve images, for the lab's internet. */
export function registryHosts(): readonly string[] {
  const domains = new Set(catalogue().map((image) => image.repository.slice(0, image.repository.indexOf('/'))));
  return [...domains].map((domain) => (domain === 'docker.io' ? 'registry-1.docker.io' : domain));
}
