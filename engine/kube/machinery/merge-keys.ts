// How the lists of the built-in types merge: patchMergeKey and listMapKey of the API types, by the field above and the field itself.

const CONTAINERS = ['containers', 'initContainers', 'ephemeralContainers'];

export interface ListRule {
  /** Key of strategic merge patches; undefined for lists of plain values. */
  readonly patchKey: string | undefined;
  /** Keys by which server-side apply and managedFields tell elements apart. */
  readonly mapKeys: readonly string[];
}

const rule = (patchKey: string, ...mapKeys: readonly string[]): ListRule => ({
  patchKey,
  mapKeys: mapKeys.length === 0 ? [patchKey] : mapKeys,
});
const SET: ListRule = { patchKey: undefined, mapKeys: [] };

/** Merge rules of a list at `path` (field names from the root of the object, list elements left out); undefined: replaced as a whole. */
export function listRule(path: readonly string[]): ListRule | undefined {
  const field = path.at(-1)!;
  const parent = path.at(-2) ?? '';
  switch (field) {
    case 'containers':
    case 'initContainers':
    case 'ephemeralContainers':
    case 'volumes':
      return parent === 'spec' ? rule('name') : undefined;
    case 'env':
      return CONTAINERS.includes(parent) ? rule('name') : undefined;
    case 'ports':
      if (CONTAINERS.includes(parent)) return rule('containerPort', 'containerPort', 'protocol');
      return parent === 'spec' && path.length === 2 ? rule('port', 'port', 'protocol') : undefined;
    case 'volumeMounts':
      return CONTAINERS.includes(parent) ? rule('mountPath') : undefined;
    case 'volumeDevices':
      return CONTAINERS.includes(parent) ? rule('devicePath') : undefined;
    case 'imagePullSecrets':
      return parent === 'spec' ? rule('name') : undefined;
    case 'hostAliases':
      return rule('ip');
    case 'topologySpreadConstraints':
      return rule('topologyKey', 'topologyKey', 'whenUnsatisfiable');
    case 'ownerReferences':
      return parent === 'metadata' ? rule('uid') : undefined;
    case 'finalizers':
      return parent === 'metadata' ? SET : undefined;
    case 'conditions':
      return parent === 'status' ? rule('type') : undefined;
    case 'addresses':
      return parent === 'status' ? rule('type') : undefined;
    case 'podIPs':
      return parent === 'status' ? rule('ip') : undefined;
    case 'podCIDRs':
      return parent === 'spec' ? SET : undefined;
    case 'secrets':
      return path.length === 1 ? rule('name') : undefined;
    case 'webhooks':
      return path.length === 1 ? rule('name') : undefined;
    default:
      return undefined;
  }
}
