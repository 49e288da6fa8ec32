// APIServices as objects: what they say, how they are ordered, and the ones the server makes itself.

import { compareKubeVersions } from '../../machinery/versions.ts';
import { rfc3339 } from '../../machinery/time.ts';
import type { KubeObject } from '../../machinery/types.ts';
import type { ApiObject } from '../../registry/definition.ts';
import { builtInPriority, CUSTOM_PRIORITY } from './priorities.ts';

export interface AvailableCondition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly lastTransitionTime?: string | null;
  readonly reason?: string;
  readonly message?: string;
}

export type ApiService = KubeObject & {
  readonly spec: {
    readonly service?: { readonly namespace?: string; readonly name?: string; readonly port?: number } | null;
    readonly group?: string;
    readonly version?: string;
    readonly insecureSkipTLSVerify?: boolean;
    readonly caBundle?: string;
    readonly groupPriorityMinimum: number;
    readonly versionPriority: number;
  };
  readonly status?: { readonly conditions?: readonly AvailableCondition[] | null };
};

export const AUTOMANAGED = 'kube-aggregator.kubernetes.io/automanaged';
const LOCAL = { reason: 'Local', message: 'Local APIServices are always available' };

export function availabilityOf(service: ApiService): AvailableCondition | undefined {
  return (service.status?.conditions ?? []).find((condition) => condition.type === 'Available');
}

export function isAvailable(service: ApiService): boolean {
  return availabilityOf(service)?.status === 'True';
}

/** The status with this availability; its time is that of the last change of status. */
export function withAvailability(
  service: ApiService,
  given: Pick<AvailableCondition, 'status' | 'reason' | 'message'>,
  nowMs: number,
): { readonly conditions: readonly AvailableCondition[] } {
  const conditions = service.status?.conditions ?? [];
  const old = availabilityOf(service);
  const time = old?.status === given.status && (old.lastTransitionTime ?? null) !== null ? old.lastTransitionTime! : rfc3339(nowMs);
  const { status, ...rest } = given;
  const next: AvailableCondition = { type: 'Available', status, lastTransitionTime: time, ...rest };
  return { conditions: old === undefined ? [...conditions, next] : conditions.map((condition) => (condition === old ? next : condition)) };
}

export const LOCALLY_AVAILABLE = { status: 'True', ...LOCAL } as const;

/** An APIService for what the server has itself: built in, or defined. */
export function localApiService(group: string, version: string): ApiObject {
  const priority = builtInPriority(group, version);
  const { group: groupPriority, version: versionPriority } = priority ?? CUSTOM_PRIORITY;
  return {
    kind: 'APIService',
    apiVersion: 'apiregistration.k8s.io/v1',
    metadata: { name: `${version}.${group}`, labels: { [AUTOMANAGED]: priority === undefined ? 'true' : 'onstart' } },
    spec: {
      ...(group === '' ? {} : { group }),
      version,
      groupPriorityMinimum: groupPriority,
      versionPriority,
    },
  } as unknown as ApiObject;
}

/** By group, the one of the highest priority first; in each the version of the highest priority first. */
export function byGroup(services: readonly ApiService[]): readonly (readonly ApiService[])[] {
  const sorted = [...services].sort(
    (a, b) => b.spec.groupPriorityMinimum - a.spec.groupPriorityMinimum || (a.metadata.name < b.metadata.name ? -1 : 1),
  );
  const groups = new Map<string, ApiService[]>();
  for (const service of sorted) {
    const { group = '' } = service.spec;
    const known = groups.get(group);
    if (known === undefined) groups.set(group, [service]);
    else known.push(service);
  }
  const versions = [...groups.values()];
  for (const group of versions)
    group.sort(
      (a, b) => b.spec.versionPriority - a.spec.versionPriority || compareKubeVersions(b.spec.version ?? '', a.spec.version ?? ''),
    );
  return versions;
}

/** A group as discovery shows it. */
export function discoveryGroup(services: readonly ApiService[]): Record<string, unknown> {
  const { group = '' } = services[0]!.spec;
  const versions = services.map(({ spec: { version = '' } }) => ({ groupVersion: `${group}/${version}`, version }));
  return { name: group, versions, preferredVersion: versions[0] };
}
