// Models the aggregation of cluster roles: `admin`, `edit` and `view` collect the rules of roles labelled for them.

import { isDeepEqual } from '../machinery/deep.ts';
import type { ClusterRole } from '../machinery/kinds.ts';
import { CLUSTER_ROLE } from '../machinery/resources.ts';
import { labelSelectorOf } from '../machinery/selectors.ts';
import { onEach, runWorkers, type ControllerContext } from './controller.ts';

export function startClusterRoleAggregation(context: ControllerContext): void {
  const roles = context.informers.for<ClusterRole>(CLUSTER_ROLE);
  const queue = context.queue('ClusterRoleAggregator');
  onEach(roles, () => {
    for (const role of roles.lister.list()) if (role.aggregationRule !== undefined) queue.add(role.metadata.name);
  });
  runWorkers(context, queue, { workers: 5, after: [roles], what: 'cluster role' }, async (name) => {
    const role = roles.lister.get(name);
    if (role?.aggregationRule === undefined) return;
    const rules: NonNullable<ClusterRole['rules']> = [];
    for (const spec of role.aggregationRule.clusterRoleSelectors ?? []) {
      const selector = labelSelectorOf(spec);
      const sources = roles.lister
        .list()
        .filter((other) => other.metadata.name !== name && selector.matches(other.metadata.labels))
        .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
      for (const rule of sources.flatMap((source) => source.rules ?? [])) {
        if (!rules.some((other) => isDeepEqual(other, rule))) rules.push(rule);
      }
    }
    if (isDeepEqual(rules, role.rules ?? [])) return;
    await context.client.update<ClusterRole>(CLUSTER_ROLE, { ...role, rules });
  });
}
