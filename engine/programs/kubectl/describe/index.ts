// Models kubectl's describers: which kind is shown how.

import type { Context } from '../context.ts';
import type { JsonObject } from '../printers/json.ts';
import type { Info } from '../resource/infos.ts';
import {
  describeBudget,
  describeConfigMap,
  describeEndpoints,
  describeNamespace,
  describeSecret,
  describeService,
  describeServiceAccount,
} from './core.ts';
import { describeGeneric } from './generic.ts';
import { describeNode } from './node.ts';
import { describePod } from './pod.ts';
import {
  describeCronJob,
  describeDaemonSet,
  describeDeployment,
  describeJob,
  describeReplicaSet,
  describeStatefulSet,
} from './workloads.ts';

export type Describer = (context: Context, object: JsonObject, showEvents: boolean) => Promise<string>;

const DESCRIBERS: Readonly<Record<string, Describer>> = {
  '/Pod': describePod,
  '/Node': describeNode,
  '/Service': describeService,
  '/Endpoints': describeEndpoints,
  '/ConfigMap': describeConfigMap,
  '/Secret': describeSecret,
  '/Namespace': describeNamespace,
  '/ServiceAccount': describeServiceAccount,
  '/ReplicationController': describeReplicaSet,
  'apps/Deployment': describeDeployment,
  'apps/ReplicaSet': describeReplicaSet,
  'apps/DaemonSet': describeDaemonSet,
  'apps/StatefulSet': describeStatefulSet,
  'batch/Job': describeJob,
  'batch/CronJob': describeCronJob,
  'policy/PodDisruptionBudget': describeBudget,
};

/** The text of one object. */
export function describeObject(context: Context, info: Info, showEvents: boolean): Promise<string> {
  const describer = DESCRIBERS[`${info.mapping.group}/${info.mapping.kind}`] ?? describeGeneric;
  return describer(context, info.object ?? {}, showEvents);
}
