// Models the small plugins that look at pods: DefaultTolerationSeconds, AlwaysPullImages, PodNodeSelector, ExtendedResourceToleration,
// SecurityContextDeny, LimitPodHardAntiAffinityTopology and DenyEscalatingExec.

import { isRecord } from '../../machinery/deep.ts';
import { internalError } from '../../machinery/status.ts';
import type { ApiObject, Json } from '../../registry/definition.ts';
import { records } from '../../registry/object-access.ts';
import { isFor, refusal, type AdmissionPlugin, type AdmissionRequest, type ClusterReader } from '../admission.ts';

const TOLERATION_SECONDS = 300;
const specOf = (object: ApiObject): Json => (object as unknown as { spec: Json }).spec;
const containersOf = (object: ApiObject): readonly Json[] => [
  ...records(specOf(object)['initContainers']),
  ...records(specOf(object)['containers']),
];
const isWrite = (request: AdmissionRequest): boolean => request.operation === 'CREATE' || request.operation === 'UPDATE';

/** Pods stay five minutes on nodes that are not ready or not reached. */
export const DEFAULT_TOLERATION_SECONDS: AdmissionPlugin = {
  name: 'DefaultTolerationSeconds',
  admit(request) {
    if (!isFor(request, '', 'pods') || !isWrite(request)) return;
    const spec = specOf(request.object!);
    const tolerations = records(spec['tolerations']);
    const added: Json[] = [];
    for (const key of ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']) {
      const isThere = tolerations.some(
        (each) => ((each['key'] ?? '') === '' || each['key'] === key) && ((each['effect'] ?? '') === '' || each['effect'] === 'NoExecute'),
      );
      if (!isThere) added.push({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: TOLERATION_SECONDS });
    }
    if (added.length > 0) spec['tolerations'] = [...tolerations, ...added];
  },
};

/** Every container pulls its image, so that only who may pull it may run it. */
export const ALWAYS_PULL_IMAGES: AdmissionPlugin = {
  name: 'AlwaysPullImages',
  admit(request) {
    if (!isFor(request, '', 'pods') || !isWrite(request)) return;
    for (const container of containersOf(request.object!)) container['imagePullPolicy'] = 'Always';
  },
  validate(request) {
    if (!isFor(request, '', 'pods') || !isWrite(request)) return;
    for (const [field, list] of [
      ['initContainers', records(specOf(request.object!)['initContainers'])],
      ['containers', records(specOf(request.object!)['containers'])],
    ] as const) {
      for (const [index, container] of list.entries()) {
        if (container['imagePullPolicy'] === 'Always') continue;
        throw refusal(
          request,
          `spec.${field}[${index}].imagePullPolicy: Unsupported value: ${JSON.stringify(container['imagePullPolicy'] ?? '')}: supported values: "Always"`,
        );
      }
    }
  },
};

const NODE_SELECTOR = 'scheduler.alpha.kubernetes.io/node-selector';

/** A namespace may say on which nodes its pods run. */
export function podNodeSelector(reader: ClusterReader): AdmissionPlugin {
  const wanted = (request: AdmissionRequest): Readonly<Record<string, string>> => {
    const namespace = reader.store('', 'namespaces').get(undefined, request.namespace)?.object;
    const text = namespace?.metadata.annotations?.[NODE_SELECTOR] ?? '';
    const pairs: Record<string, string> = {};
    for (const part of text.split(',')) {
      const [key, value, ...more] = part.split('=').map((each) => each.trim());
      if (key === undefined || key === '') continue;
      if (value === undefined || more.length > 0) throw internalError(`invalid selector: ${text}`);
      pairs[key] = value;
    }
    return pairs;
  };
  const conflict = 'pod node label selector conflicts with its namespace node label selector';
  return {
    name: 'PodNodeSelector',
    admit(request) {
      if (!isFor(request, '', 'pods') || request.operation !== 'CREATE') return;
      const spec = specOf(request.object!);
      const selector = (spec['nodeSelector'] ?? {}) as Record<string, string>;
      const more = wanted(request);
      if (Object.keys(more).length === 0) return;
      for (const [key, value] of Object.entries(more))
        if (selector[key] !== undefined && selector[key] !== value) throw refusal(request, conflict);
      spec['nodeSelector'] = { ...selector, ...more };
    },
    validate(request) {
      if (!isFor(request, '', 'pods') || request.operation !== 'CREATE') return;
      const selector = (specOf(request.object!)['nodeSelector'] ?? {}) as Record<string, string>;
      for (const [key, value] of Object.entries(wanted(request))) if (selector[key] !== value) throw refusal(request, conflict);
    },
  };
}

/** Pods that ask for an extended resource tolerate the taint named after it. */
export const EXTENDED_RESOURCE_TOLERATION: AdmissionPlugin = {
  name: 'ExtendedResourceToleration',
  admit(request) {
    if (!isFor(request, '', 'pods') || !isWrite(request)) return;
    const spec = specOf(request.object!);
    const names = new Set<string>();
    for (const container of containersOf(request.object!)) {
      const requests = isRecord(container['resources']) ? container['resources']['requests'] : undefined;
      for (const name of Object.keys(isRecord(requests) ? requests : {})) if (isExtended(name)) names.add(name);
    }
    const tolerations = records(spec['tolerations']);
    const added = [...names]
      .sort()
      .filter((key) => !tolerations.some((each) => each['key'] === key && each['operator'] === 'Exists' && (each['effect'] ?? '') === ''))
      .map((key) => ({ key, operator: 'Exists' }));
    if (added.length > 0) spec['tolerations'] = [...tolerations, ...added];
  },
};

/** Of a vendor's domain, not Kubernetes' own. */
function isExtended(name: string): boolean {
  return name.includes('/') && !name.includes('kubernetes.io/') && !name.startsWith('requests.');
}

/** Settings of the security context that could raise privileges are refused. */
export const SECURITY_CONTEXT_DENY: AdmissionPlugin = {
  name: 'SecurityContextDeny',
  validate(request) {
    if (!isFor(request, '', 'pods') || !isWrite(request)) return;
    const pod = (specOf(request.object!)['securityContext'] ?? {}) as Json;
    for (const [field, shown] of [
      ['supplementalGroups', 'SupplementalGroups'],
      ['seLinuxOptions', 'SELinuxOptions'],
      ['runAsUser', 'RunAsUser'],
      ['fsGroup', 'FSGroup'],
    ] as const)
      if (pod[field] !== undefined) throw refusal(request, `pod.Spec.SecurityContext.${shown} is forbidden`);
    for (const container of containersOf(request.object!)) {
      const own = (container['securityContext'] ?? {}) as Json;
      for (const [field, shown] of [
        ['seLinuxOptions', 'SELinuxOptions'],
        ['runAsUser', 'RunAsUser'],
      ] as const)
        if (own[field] !== undefined) throw refusal(request, `pod.Spec.SecurityContext.${shown} is forbidden`);
    }
  },
};

/** Required anti-affinity only between nodes, so that one pod cannot keep others from a whole zone. */
export const LIMIT_POD_HARD_ANTI_AFFINITY_TOPOLOGY: AdmissionPlugin = {
  name: 'LimitPodHardAntiAffinityTopology',
  validate(request) {
    if (!isFor(request, '', 'pods') || !isWrite(request)) return;
    const affinity = specOf(request.object!)['affinity'];
    const anti = isRecord(affinity) ? affinity['podAntiAffinity'] : undefined;
    if (!isRecord(anti)) return;
    for (const term of records(anti['requiredDuringSchedulingIgnoredDuringExecution'])) {
      if (term['topologyKey'] !== 'kubernetes.io/hostname')
        throw refusal(
          request,
          `affinity.PodAntiAffinity.RequiredDuringScheduling has TopologyKey ${String(term['topologyKey'])} but only key kubernetes.io/hostname is allowed`,
        );
    }
  },
};
