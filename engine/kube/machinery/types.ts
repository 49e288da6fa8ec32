// The API types the parts share. Field lists come from kubernetes-types; metadata is always there on objects that were read.

import type * as apps from 'kubernetes-types/apps/v1';
import type * as coordination from 'kubernetes-types/coordination/v1';
import type * as core from 'kubernetes-types/core/v1';
import type * as meta from 'kubernetes-types/meta/v1';

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

export interface ObjectMeta {
  name: string;
  generateName?: string;
  namespace?: string;
  uid: string;
  resourceVersion: string;
  generation?: number;
  creationTimestamp: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  finalizers?: string[];
  managedFields?: meta.ManagedFieldsEntry[];
}

/** Any object as the API server serves it. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
}

type Served<T> = Omit<T, 'apiVersion' | 'kind' | 'metadata'> & KubeObject;

export type Pod = Served<core.Pod>;
export type Node = Served<core.Node>;
export type Namespace = Served<core.Namespace>;
export type Service = Served<core.Service>;
export type Endpoints = Served<core.Endpoints>;
export type ServiceAccount = Served<core.ServiceAccount>;
export type ConfigMap = Served<core.ConfigMap>;
export type Secret = Served<core.Secret>;
export type Event = Served<core.Event>;
export type Lease = Served<coordination.Lease>;
export type Deployment = Served<apps.Deployment>;
export type ReplicaSet = Served<apps.ReplicaSet>;
export type DaemonSet = Served<apps.DaemonSet>;

export type {
  Container,
  ContainerState,
  ContainerStatus,
  NodeCondition,
  PodCondition,
  PodSpec,
  PodTemplateSpec,
  Probe,
  Taint,
  Toleration,
} from 'kubernetes-types/core/v1';

/** Where a kind is served: `{ group: 'apps', version: 'v1', resource: 'deployments', kind: 'Deployment', isNamespaced: true }`. */
export interface ResourceReference {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly kind: string;
  readonly isNamespaced: boolean;
}

/** meta/v1 Status, the body of every error answer. */
export interface Status {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: { readonly continue?: string };
  readonly status: 'Success' | 'Failure';
  readonly message?: string;
  readonly reason?: string;
  readonly details?: {
    readonly name?: string;
    readonly group?: string;
    readonly kind?: string;
    readonly uid?: string;
    readonly causes?: readonly { readonly reason?: string; readonly message?: string; readonly field?: string }[];
    readonly retryAfterSeconds?: number;
  };
  readonly code: number;
}
