// Pure part of the garbage collector: the graph of owners and dependents as the informers report it.

import type { KubeObject, OwnerReference, ResourceReference } from '../machinery/types.ts';

const FOREGROUND = 'foregroundDeletion';
const ORPHAN = 'orphan';

export class GraphNode {
  readonly uid: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace: string | undefined;
  resource: ResourceReference | undefined;
  owners: readonly OwnerReference[] = [];
  readonly dependents = new Set<string>();
  isBeingDeleted = false;
  isDeletingDependents = false;
  /** Known only from a dependent's reference so far; perhaps it never existed. */
  isVirtual = true;

  constructor(identity: { uid: string; apiVersion: string; kind: string; name: string; namespace: string | undefined }) {
    this.uid = identity.uid;
    this.apiVersion = identity.apiVersion;
    this.kind = identity.kind;
    this.name = identity.name;
    this.namespace = identity.namespace;
  }

  blocks(owner: string): boolean {
    return this.owners.some((reference) => reference.uid === owner && reference.blockOwnerDeletion === true);
  }
}

export class OwnerGraph {
  readonly #nodes = new Map<string, GraphNode>();
  readonly #on: { readonly toDelete: (uid: string) => void; readonly toOrphan: (uid: string) => void };

  constructor(on: { readonly toDelete: (uid: string) => void; readonly toOrphan: (uid: string) => void }) {
    this.#on = on;
  }

  get(uid: string): GraphNode | undefined {
    return this.#nodes.get(uid);
  }

  changed(object: KubeObject, resource: ResourceReference, old: KubeObject | undefined): void {
    const { uid, name, namespace, ownerReferences = [], finalizers = [], deletionTimestamp } = object.metadata;
    let node = this.#nodes.get(uid);
    if (node === undefined) {
      node = new GraphNode({ uid, apiVersion: object.apiVersion, kind: object.kind, name, namespace });
      this.#nodes.set(uid, node);
    }
    node.resource = resource;
    node.isVirtual = false;
    this.#connect(node, ownerReferences);
    const wasGoing = old?.metadata.deletionTimestamp !== undefined;
    const isGoing = deletionTimestamp !== undefined;
    if (isGoing) node.isBeingDeleted = true;
    if (isGoing && finalizers.includes(ORPHAN) && !(wasGoing && (old.metadata.finalizers ?? []).includes(ORPHAN))) this.#on.toOrphan(uid);
    if (isGoing && finalizers.includes(FOREGROUND) && !node.isDeletingDependents) {
      node.isDeletingDependents = true;
      for (const dependent of node.dependents) this.#on.toDelete(dependent);
      this.#on.toDelete(uid);
    }
  }

  removed(uid: string): void {
    const node = this.#nodes.get(uid);
    if (node === undefined) return;
    this.#nodes.delete(uid);
    for (const { uid: owner } of node.owners) {
      const ownerNode = this.#nodes.get(owner);
      ownerNode?.dependents.delete(uid);
      if (ownerNode?.isDeletingDependents === true) this.#on.toDelete(owner);
    }
    for (const dependent of node.dependents) this.#on.toDelete(dependent);
  }

  #connect(node: GraphNode, owners: readonly OwnerReference[]): void {
    const former = node.owners;
    node.owners = owners;
    for (const owner of former) {
      const stays = owners.find((other) => other.uid === owner.uid);
      const ownerNode = this.#nodes.get(owner.uid);
      if (stays === undefined) ownerNode?.dependents.delete(node.uid);
      const unblocked = owner.blockOwnerDeletion === true && stays?.blockOwnerDeletion !== true;
      if (unblocked && ownerNode?.isDeletingDependents === true) this.#on.toDelete(owner.uid);
    }
    for (const owner of owners) {
      let ownerNode = this.#nodes.get(owner.uid);
      if (ownerNode === undefined) {
        // Nobody has seen this owner: look whether there is one at all.
        ownerNode = new GraphNode({ ...owner, namespace: node.namespace });
        this.#nodes.set(owner.uid, ownerNode);
        this.#on.toDelete(owner.uid);
      }
      const isNew = !ownerNode.dependents.has(node.uid);
      ownerNode.dependents.add(node.uid);
      if (isNew && ownerNode.isDeletingDependents) this.#on.toDelete(node.uid);
    }
  }
}
