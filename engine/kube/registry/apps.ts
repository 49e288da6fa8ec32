// Kinds of the group apps.

import { defineResource, type ResourceDefinition } from './definition.ts';

const workload = (kind: string, plural: string, shortNames: readonly string[], hasScale: boolean): ResourceDefinition =>
  defineResource({
    group: 'apps',
    version: 'v1',
    kind,
    plural,
    shortNames,
    isNamespaced: true,
    categories: ['all'],
    hasStatus: true,
    hasGeneration: true,
    hasScale,
  });

export const APPS: readonly ResourceDefinition[] = [
  defineResource({ group: 'apps', version: 'v1', kind: 'ControllerRevision', plural: 'controllerrevisions', isNamespaced: true }),
  workload('DaemonSet', 'daemonsets', ['ds'], false),
  workload('Deployment', 'deployments', ['deploy'], true),
  workload('ReplicaSet', 'replicasets', ['rs'], true),
  workload('StatefulSet', 'statefulsets', ['sts'], true),
];
