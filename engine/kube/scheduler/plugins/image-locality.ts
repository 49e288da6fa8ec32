// Models ImageLocality: nodes that have large images of the pod already are better, if not too few others have them.

import { MAX_SCORE, type ScorePlugin } from '../framework.ts';

const MEGABYTE = 1024 * 1024;
const MIN_BYTES = 23 * MEGABYTE;
const MAX_CONTAINER_BYTES = 1000 * MEGABYTE;

export const imageLocality: ScorePlugin = {
  name: 'ImageLocality',
  weight: 1,
  score: (pod, nodes, snapshot) => {
    const sizes = snapshot.nodes.map(
      ({ node }) =>
        new Map((node.status?.images ?? []).flatMap((image) => (image.names ?? []).map((name) => [name, image.sizeBytes ?? 0] as const))),
    );
    const ofNode = new Map(snapshot.nodes.map((info, i) => [info.node.metadata.name, sizes[i]!]));
    const containers = pod.spec?.containers ?? [];
    const max = MAX_CONTAINER_BYTES * containers.length;
    return nodes.map(({ node }) => {
      const here = ofNode.get(node.metadata.name);
      let sum = 0;
      for (const { image = '' } of containers) {
        const name = normalizedName(image);
        const size = here?.get(name);
        if (size !== undefined) sum += Math.trunc(size * (sizes.filter((other) => other.has(name)).length / sizes.length));
      }
      const clipped = Math.min(Math.max(sum, MIN_BYTES), max);
      return Math.trunc((MAX_SCORE * (clipped - MIN_BYTES)) / (max - MIN_BYTES));
    });
  },
};

function normalizedName(name: string): string {
  return name.lastIndexOf(':') <= name.lastIndexOf('/') ? `${name}:latest` : name;
}
