// Models the node IPAM controller (RangeAllocator) and the TTL controller: what the control plane writes on every new node.

import { NODE } from '../machinery/resources.ts';
import type { Node } from '../machinery/types.ts';
import { onEach, runWorkers, type ControllerContext } from './controller.ts';

const TTL_ANNOTATION = 'node.alpha.kubernetes.io/ttl';

/** Gives every node the next free range of the cluster's CIDR. */
export function startNodeIpam(context: ControllerContext, clusterCidr: string, nodeMaskSize = 24): void {
  const nodes = context.informers.for<Node>(NODE);
  const events = context.recorder('cidrAllocator');
  const queue = context.queue('node_ipam');
  onEach(nodes, (node, _old, removed) => {
    if (!removed) queue.add(node.metadata.name);
  });
  const total = 2 ** (nodeMaskSize - Number(clusterCidr.split('/')[1]));
  let next = 0;
  runWorkers(context, queue, { workers: 1, after: [nodes], what: 'node CIDR' }, async (name) => {
    const node = nodes.lister.get(name);
    if (node === undefined || (node.spec?.podCIDR ?? '') !== '') return;
    const taken = new Set(nodes.lister.list().map((other) => other.spec?.podCIDR ?? ''));
    for (let tried = 0; tried < total; tried++) {
      const cidr = subnetAt(clusterCidr, nodeMaskSize, (next + tried) % total);
      if (taken.has(cidr)) continue;
      next = (next + tried + 1) % total;
      await context.client.patch<Node>(NODE, { name }, 'application/strategic-merge-patch+json', {
        spec: { podCIDR: cidr, podCIDRs: [cidr] },
      });
      context.log('I', `Set node ${name} PodCIDR to [${cidr}]`);
      return;
    }
    events.event(node, 'Normal', 'CIDRNotAvailable', `Node ${name} status is now: CIDRNotAvailable`);
  });
}

/** The n-th subnet of a range. */
export function subnetAt(cidr: string, maskSize: number, index: number): string {
  const [address = '0.0.0.0'] = cidr.split('/');
  const base = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const start = base + index * 2 ** (32 - maskSize);
  return `${[24, 16, 8, 0].map((shift) => Math.floor(start / 2 ** shift) % 256).join('.')}/${maskSize}`;
}

/** How long kubelets may cache secrets: 0 s in clusters of up to 100 nodes, then more. */
export function startTtl(context: ControllerContext): void {
  const nodes = context.informers.for<Node>(NODE);
  const queue = context.queue('ttlcontroller');
  onEach(nodes, (node, _old, removed) => {
    if (!removed) queue.add(node.metadata.name);
  });
  runWorkers(context, queue, { workers: 5, after: [nodes], what: 'node ttl' }, async (name) => {
    const node = nodes.lister.get(name);
    if (node === undefined) return;
    const size = nodes.lister.list().length;
    const seconds = size <= 100 ? 0 : size <= 500 ? 15 : size <= 1000 ? 30 : size <= 2000 ? 60 : 300;
    if (node.metadata.annotations?.[TTL_ANNOTATION] === String(seconds)) return;
    await context.client.patch<Node>(NODE, { name }, 'application/strategic-merge-patch+json', {
      metadata: { annotations: { [TTL_ANNOTATION]: String(seconds) } },
    });
  });
}
