// Priorities of the groups and versions that the server itself has, as v1.20 registers them: they order discovery.

export interface Priority {
  readonly group: number;
  readonly version: number;
}

const GROUPS: Readonly<Record<string, readonly [group: number, versions: Readonly<Record<string, number>>]>> = {
  '': [18000, { v1: 1 }],
  apps: [17800, { v1: 15 }],
  'events.k8s.io': [17750, { v1: 15, v1beta1: 5 }],
  'authentication.k8s.io': [17700, { v1: 15, v1beta1: 9 }],
  'authorization.k8s.io': [17600, { v1: 15, v1beta1: 9 }],
  autoscaling: [17500, { v1: 15, v2beta1: 9, v2beta2: 1 }],
  batch: [17400, { v1: 15, v1beta1: 9 }],
  'certificates.k8s.io': [17300, { v1: 15, v1beta1: 9 }],
  'networking.k8s.io': [17200, { v1: 15, v1beta1: 9 }],
  extensions: [17150, { v1beta1: 1 }],
  policy: [17100, { v1beta1: 9 }],
  'rbac.authorization.k8s.io': [17000, { v1: 15, v1beta1: 12 }],
  'storage.k8s.io': [16800, { v1: 15, v1beta1: 9 }],
  'apiextensions.k8s.io': [16700, { v1: 15, v1beta1: 9 }],
  'admissionregistration.k8s.io': [16700, { v1: 15, v1beta1: 12 }],
  'scheduling.k8s.io': [16600, { v1: 15, v1beta1: 12 }],
  'coordination.k8s.io': [16500, { v1: 15, v1beta1: 9 }],
  'node.k8s.io': [16300, { v1: 15, v1beta1: 9 }],
  'discovery.k8s.io': [16200, { v1beta1: 12 }],
  'flowcontrol.apiserver.k8s.io': [16100, { v1beta1: 12 }],
};

/** What is defined comes after all that is built in. */
export const CUSTOM_PRIORITY: Priority = { group: 1000, version: 100 };

/** Undefined for what is not registered. */
export function builtInPriority(group: string, version: string): Priority | undefined {
  const found = GROUPS[group];
  const versionPriority = found?.[1][version];
  return found === undefined || versionPriority === undefined ? undefined : { group: found[0], version: versionPriority };
}

/** Every group and version that registers itself. */
export function builtInVersions(): readonly { readonly group: string; readonly version: string }[] {
  return Object.entries(GROUPS).flatMap(([group, [, versions]]) => Object.keys(versions).map((version) => ({ group, version })));
}
