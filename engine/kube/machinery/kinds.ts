// The types of kinds that mostly controllers touch; the rest is in types.ts.

import type * as apps from 'kubernetes-types/apps/v1';
import type * as batch from 'kubernetes-types/batch/v1';
import type * as certificates from 'kubernetes-types/certificates/v1';
import type * as core from 'kubernetes-types/core/v1';
import type * as discovery from 'kubernetes-types/discovery/v1';
import type * as policy from 'kubernetes-types/policy/v1';
import type * as rbac from 'kubernetes-types/rbac/v1';
import type { KubeObject } from './types.ts';

type Served<T> = Omit<T, 'apiVersion' | 'kind' | 'metadata'> & KubeObject;

export type StatefulSet = Served<apps.StatefulSet>;
export type ControllerRevision = Served<apps.ControllerRevision>;
export type ReplicationController = Served<core.ReplicationController>;
export type PersistentVolume = Served<core.PersistentVolume>;
export type PersistentVolumeClaim = Served<core.PersistentVolumeClaim>;
export type ResourceQuota = Served<core.ResourceQuota>;
export type Job = Served<batch.Job>;
export type CronJob = Served<batch.CronJob>;
export type EndpointSlice = Served<discovery.EndpointSlice>;
export type PodDisruptionBudget = Served<policy.PodDisruptionBudget>;
export type CertificateSigningRequest = Served<certificates.CertificateSigningRequest>;
export type ClusterRole = Served<rbac.ClusterRole>;
