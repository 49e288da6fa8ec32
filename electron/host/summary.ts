import type { ClusterWatch } from '#engine/lab/cluster-watch.ts';
import type { Lab } from '#engine/lab/lab.ts';
import type { Pod } from '#engine/kube/machinery/types.ts';

/** What the lab holds, in a few words a line: shown beside a snapshot's name. */
export function summarize(lab: Lab, watch: ClusterWatch | undefined): readonly string[] {
  const on = lab.machines.filter((machine) => machine.power === 'on').length;
  const lines = [`${on}/${lab.machines.length} machines on`];
  if (watch !== undefined) {
    const nodes = watch.list('nodes');
    const pods = (watch.list('pods') as readonly Pod[]).filter((pod) => pod.metadata.namespace !== 'kube-system');
    if (nodes.length > 0) lines.push(`${nodes.length} nodes, ${pods.length} pods outside of kube-system`);
  }
  return lines;
}
