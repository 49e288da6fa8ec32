import type { ImageTree } from '../fs/image-tree.ts';
import { imageTrees } from '../kube/runtime/catalogue/index.ts';
import { centos7Image } from '../machine/images/centos7.ts';
import type { ProgramRegistry } from '../programs/registry.ts';

/** Every read-only tree of the lab by name: the machines' disk and the container images. Shared by all machines. */
export function labImages(programs: ProgramRegistry): ReadonlyMap<string, ImageTree> {
  const trees = [centos7Image(programs), ...imageTrees((name) => programs.get(name) !== undefined)];
  return new Map(trees.map((tree) => [tree.name, tree]));
}
