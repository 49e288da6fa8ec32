// Models TaintToleration: NoSchedule and NoExecute filter, PreferNoSchedule scores.

import type { Taint, Toleration } from '../../machinery/types.ts';
import { FITS, normalize, refuseForGood, type FilterPlugin, type ScorePlugin } from '../framework.ts';

/** v1.Toleration.ToleratesTaint. */
export function tolerates(toleration: Toleration, taint: Pick<Taint, 'key' | 'effect' | 'value'>): boolean {
  if ((toleration.effect ?? '') !== '' && toleration.effect !== taint.effect) return false;
  if ((toleration.key ?? '') !== '' && toleration.key !== taint.key) return false;
  const operator = toleration.operator ?? '';
  if (operator === 'Exists') return true;
  return (operator === '' || operator === 'Equal') && (toleration.value ?? '') === (taint.value ?? '');
}

export const taintToleration: FilterPlugin & ScorePlugin = {
  name: 'TaintToleration',
  weight: 1,
  filter: (pod, { node }) => {
    const tolerations = pod.spec?.tolerations ?? [];
    const taint = (node.spec?.taints ?? []).find(
      (candidate) =>
        (candidate.effect === 'NoSchedule' || candidate.effect === 'NoExecute') &&
        !tolerations.some((toleration) => tolerates(toleration, candidate)),
    );
    if (taint === undefined) return FITS;
    return refuseForGood(`node(s) had taint {${taint.key}: ${taint.value ?? ''}}, that the pod didn't tolerate`);
  },
  score: (pod, nodes) => {
    const tolerations = (pod.spec?.tolerations ?? []).filter(({ effect = '' }) => effect === '' || effect === 'PreferNoSchedule');
    const counts = nodes.map(
      ({ node }) =>
        (node.spec?.taints ?? []).filter(
          (taint) => taint.effect === 'PreferNoSchedule' && !tolerations.some((toleration) => tolerates(toleration, taint)),
        ).length,
    );
    return normalize(counts, { reverse: true });
  },
};
