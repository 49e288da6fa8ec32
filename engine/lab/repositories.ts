// Files of the book's and the lectures' repositories, rewritten by us: the same names, kinds, objects, labels and images.

import { calicoManifest } from '../kube/cni/manifest.ts';
import { BOOK_FILES } from './kits/book.ts';
import { STARTER_KIT_FILES } from './kits/starter-kit.ts';

/** The repository that a lab's m-k8s has cloned into root's home. */
export const CLONED: Readonly<Record<string, ReadonlyMap<string, string>>> = {
  _Book_k8sInfra: BOOK_FILES,
  '_Lecture_k8s_starter.kit': STARTER_KIT_FILES,
};

const REPOSITORIES: Readonly<Record<string, () => ReadonlyMap<string, string>>> = {
  'sysnet4admin/_Book_k8sInfra': () => BOOK_FILES,
  'sysnet4admin/_Lecture_k8s_starter.kit': () => STARTER_KIT_FILES,
  'sysnet4admin/IaC': () => new Map([['manifests/172.16_net_calico_v1.yaml', calicoManifest]]),
};

/** Undefined when there is no such repository or file. */
export function repositoryFile(repository: string, path: string): string | undefined {
  return REPOSITORIES[repository]?.().get(path);
}
