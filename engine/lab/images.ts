import type { ImageEntry, ImageTree } from '../fs/image-tree.ts';
import { imageTrees } from '../kube/runtime/catalogue/index.ts';
import { centos7Image } from '../machine/images/centos7.ts';
import type { ProgramRegistry } from '../programs/registry.ts';

/** Every read-only tree of the lab by name: the machines' disk and the container images. Shared by all machines. */
export function labImages(programs: ProgramRegistry, options: { readonly trustedPem: () => string }): ReadonlyMap<string, ImageTree> {
  const trees = [trusting(centos7Image(programs), options.trustedPem), ...imageTrees((name) => programs.get(name) !== undefined)];
  return new Map(trees.map((tree) => [tree.name, tree]));
}

/** With the authority of the emulated internet in the system's trust store. */
function trusting(tree: ImageTree, pem: () => string): ImageTree {
  // Made when it is first read: keys take a while to make, and a lab that only runs its cluster never asks.
  const bundle: ImageEntry = {
    kind: 'file',
    mode: 0o444,
    get contents() {
      return `# NoBox Internet Root CA\n${pem()}`;
    },
  };
  const entries = new Map(tree.entries);
  entries.set('/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem', bundle);
  entries.set('/etc/pki/tls/certs/ca-bundle.crt', { kind: 'symlink', target: '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem' });
  return { ...tree, entries };
}
