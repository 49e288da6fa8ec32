// Models kubectl's describers: which kind is shown how.

import type { Context } from '../context.ts';
import type { JsonObject } from '../printers/json.ts';
import type { Info } from '../resource/infos.ts';
import {
  describeConfigMap,
  describeEndpoints,
  describeNamespace,
  describeSecret,
  describeService,
  describeServiceAccount,
} from './core.ts';
import { describeAutoscaler } from './autoscaling.ts';
import { describeGeneric } from './generic.ts';
import { describeEndpointSlice, describeIngress, describeIngressClass } from './networking.ts';
import { describeNode } from './node.ts';
import { describePod } from './pod.ts';
import { describeBudget, describeLimitRange, describeNetworkPolicy, describePriorityClass, describeQuota } from './policy.ts';
import { describeRole, describeRoleBinding } from './rbac.ts';
import { describeClaim, describeCsiNode, describePersistentVolume, describeStorageClass } from './storage.ts';
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
  '/PersistentVolume': describePersistentVolume,
  '/PersistentVolumeClaim': describeClaim,
  '/ResourceQuota': describeQuota,
  '/LimitRange': describeLimitRange,
  'storage.k8s.io/StorageClass': describeStorageClass,
  'storage.k8s.io/CSINode': describeCsiNode,
  'scheduling.k8s.io/PriorityClass': describePriorityClass,
  'networking.k8s.io/NetworkPolicy': describeNetworkPolicy,
  'networking.k8s.io/Ingress': describeIngress,
  'extensions/Ingress': describeIngress,
  'networking.k8s.io/IngressClass': describeIngressClass,
  'discovery.k8s.io/EndpointSlice': describeEndpointSlice,
  'autoscaling/HorizontalPodAutoscaler': describeAutoscaler,
  'rbac.authorization.k8s.io/Role': describeRole,
  'rbac.authorization.k8s.io/ClusterRole': describeRole,
  'rbac.authorization.k8s.io/RoleBinding': describeRoleBinding,
  'rbac.authorization.k8s.io/ClusterRoleBinding': describeRoleBinding,
};

/** The text of one object. */
export function describeObject(context: Context, info: Info, showEvents: boolean): Promise<string> {
  const describer = DESCRIBERS[`${info.mapping.group}/${info.mapping.kind}`] ?? describeGeneric;
  return describer(context, info.object ?? {}, showEvents);
}
