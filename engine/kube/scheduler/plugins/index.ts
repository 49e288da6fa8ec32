// The default plugins of v1.20, in the order in which they run.

import type { FilterPlugin, ScorePlugin } from '../framework.ts';
import { imageLocality } from './image-locality.ts';
import { interPodAffinity } from './inter-pod-affinity.ts';
import { balancedAllocation, leastAllocated, nodeResourcesFit } from './node-resources.ts';
import { nodeAffinity, nodeName, nodePorts, nodePreferAvoidPods, nodeUnschedulable } from './node-selection.ts';
import { podTopologySpread } from './pod-topology-spread.ts';
import { taintToleration } from './taint-toleration.ts';
import { volumeBinding } from './volume-binding.ts';

export const FILTERS: readonly FilterPlugin[] = [
  nodeUnschedulable,
  nodeName,
  taintToleration,
  nodeAffinity,
  nodePorts,
  nodeResourcesFit,
  volumeBinding,
  podTopologySpread,
  interPodAffinity,
];

export const SCORES: readonly ScorePlugin[] = [
  balancedAllocation,
  imageLocality,
  interPodAffinity,
  leastAllocated,
  nodeAffinity,
  nodePreferAvoidPods,
  podTopologySpread,
  taintToleration,
];
