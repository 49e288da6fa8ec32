// What happens to pod security policies on their way into the store (pkg/registry/policy/podsecuritypolicy).

import { FieldError } from '../../machinery/field-errors.ts';
import { dns1123Subdomain } from '../../machinery/names.ts';
import { list, number, problems, record, text } from '../checks.ts';
import { appArmorProfile, seccompProfileName } from '../core/pod-annotation-validation.ts';
import { MAX_SYSCTL, procMount, SYSCTL_SEGMENT } from '../core/pod-security-validation.ts';
import { csiDriverName, hasBacksteps } from '../core/volume-source-validation.ts';
import type { ApiObject, Json, Strategy } from '../definition.ts';
import { specOf } from '../object-access.ts';

export const POD_SECURITY_POLICY_STRATEGY: Strategy<ApiObject> = {
  setDefaults: (policy) => void (specOf(policy)['allowPrivilegeEscalation'] ??= true),
  validate: (policy) => policyErrors(policy),
  validateUpdate: (next, _current, meta) => [...meta.update, ...policyErrors(next)],
};

const APPARMOR = 'apparmor.security.beta.kubernetes.io/';
const SECCOMP = 'seccomp.security.alpha.kubernetes.io/';

function policyErrors(policy: ApiObject): readonly FieldError[] {
  const errors: FieldError[] = [];
  annotations(errors, policy.metadata.annotations ?? {});
  const spec = specOf(policy);
  rule(errors, record(spec['runAsUser']), ['MustRunAs', 'MustRunAsNonRoot', 'RunAsAny'], 'spec.runAsUser');
  runAsGroup(errors, record(spec['runAsGroup']), 'spec.runAsGroup');
  rule(errors, record(spec['seLinux']), ['MustRunAs', 'RunAsAny'], 'spec.seLinux');
  rule(errors, record(spec['supplementalGroups']), GROUP_RULES, 'spec.supplementalGroups');
  rule(errors, record(spec['fsGroup']), GROUP_RULES, 'spec.fsGroup');
  for (const volume of list(spec['volumes']))
    if (!VOLUMES.includes(text(volume))) errors.push(FieldError.notSupported('spec.volumes', volume, VOLUMES));
  capabilities(errors, spec);
  if (spec['defaultAllowPrivilegeEscalation'] === true && spec['allowPrivilegeEscalation'] !== true) {
    const why = 'Cannot set DefaultAllowPrivilegeEscalation to true without also setting AllowPrivilegeEscalation to true';
    errors.push(FieldError.invalid('spec.defaultAllowPrivilegeEscalation', true, why));
  }
  for (const [index, type] of list(spec['allowedProcMountTypes']).entries())
    procMount(errors, type, `spec.allowedProcMountTypes[${index}]`);
  hostPaths(errors, spec['allowedHostPaths']);
  for (const [index, volume] of list(spec['allowedFlexVolumes']).entries()) {
    const at = `spec.allowedFlexVolumes.allowedFlexVolumes[${index}].driver`;
    if (text((volume as Json)['driver']) === '') errors.push(FieldError.required(at, 'must specify a driver'));
  }
  for (const [index, driver] of list(spec['allowedCSIDrivers']).entries())
    csiDriverName(errors, `spec.allowedCSIDrivers.allowedCSIDriver[${index}].name`, text((driver as Json)['name']));
  const allowed = list(spec['allowedUnsafeSysctls']).map(text);
  const forbidden = list(spec['forbiddenSysctls']).map(text);
  sysctls(errors, allowed, 'spec.allowedUnsafeSysctls');
  sysctls(errors, forbidden, 'spec.forbiddenSysctls');
  sysctlOverlaps(errors, allowed, forbidden);
  runtimeClasses(errors, record(spec['runtimeClass']), 'spec.runtimeClass');
  return errors;
}

const GROUP_RULES = ['MayRunAs', 'MustRunAs', 'RunAsAny'];
const VOLUMES = [
  '*',
  'awsElasticBlockStore',
  'azureDisk',
  'azureFile',
  'cephFS',
  'cinder',
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'fc',
  'flexVolume',
  'flocker',
  'gcePersistentDisk',
  'gitRepo',
  'glusterfs',
  'hostPath',
  'iscsi',
  'nfs',
  'persistentVolumeClaim',
  'photonPersistentDisk',
  'portworxVolume',
  'projected',
  'quobyte',
  'rbd',
  'scaleIO',
  'secret',
  'storageos',
  'vsphereVolume',
];

function annotations(errors: FieldError[], given: Readonly<Record<string, string>>): void {
  const path = (key: string): string => `metadata.annotations[${key}]`;
  const [appArmor, seccomp] = [`${APPARMOR}defaultProfileName`, `${SECCOMP}defaultProfileName`];
  const [appArmors, seccomps] = [`${APPARMOR}allowedProfileNames`, `${SECCOMP}allowedProfileNames`];
  if ((given[appArmor] ?? '') !== '') appArmorProfile(errors, given[appArmor]!, path(appArmor), given[appArmor]!);
  if ((given[appArmors] ?? '') !== '')
    for (const profile of given[appArmors]!.split(',')) appArmorProfile(errors, profile, path(appArmors), given[appArmors]!);
  if ((given[seccomp] ?? '') !== '') seccompProfileName(errors, given[seccomp]!, path(seccomp));
  if ((given[seccomps] ?? '') !== '')
    for (const profile of given[seccomps]!.split(',')) if (profile !== '*') seccompProfileName(errors, profile, path(seccomps));
}

function rule(errors: FieldError[], options: Json | undefined, supported: readonly string[], path: string): void {
  const given = text(options?.['rule']);
  if (!supported.includes(given)) errors.push(FieldError.notSupported(`${path}.rule`, given, supported));
  ranges(errors, options?.['ranges'], path);
}

function runAsGroup(errors: FieldError[], options: Json | undefined, path: string): void {
  if (options === undefined) return;
  const given = list(options['ranges']);
  const at = `${path}.ranges`;
  switch (options['rule']) {
    case 'RunAsAny':
      if (given.length > 0) errors.push(FieldError.invalidOf(at, '[]policy.IDRange', given, 'Ranges must be empty'));
      return;
    case 'MustRunAs':
    case 'MayRunAs':
      if (given.length === 0) errors.push(FieldError.invalidOf(at, '[]policy.IDRange', undefined, 'must provide at least one range'));
      ranges(errors, given, path);
      return;
    default:
      errors.push(FieldError.notSupported(`${path}.rule`, text(options['rule']), ['MustRunAs', 'RunAsAny', 'MayRunAs']));
  }
}

function ranges(errors: FieldError[], given: unknown, path: string): void {
  for (const [index, range] of list(given).entries()) {
    const at = `${path}.ranges[${index}]`;
    const [least, most] = [number((range as Json)['min']), number((range as Json)['max'])];
    if (least < 0) errors.push(FieldError.invalid(`${at}.min`, least, 'min cannot be negative'));
    if (most < 0) errors.push(FieldError.invalid(`${at}.max`, most, 'max cannot be negative'));
    if (least > most) errors.push(FieldError.invalid(`${at}.min`, least, 'min cannot be greater than max'));
  }
}

/** These paths are upstream's: they start at the top. */
function capabilities(errors: FieldError[], spec: Json): void {
  const dropped = list(spec['requiredDropCapabilities']);
  if (dropped.length > 0 && list(spec['allowedCapabilities']).includes('*'))
    errors.push(
      FieldError.invalidOf(
        'requiredDropCapabilities',
        '[]core.Capability',
        dropped,
        'must be empty when all capabilities are allowed by a wildcard',
      ),
    );
  for (const field of ['defaultAddCapabilities', 'allowedCapabilities'] as const) {
    for (const capability of list(spec[field]))
      if (dropped.includes(capability))
        errors.push(FieldError.invalid(field, capability, `capability is listed in ${field} and requiredDropCapabilities`));
  }
}

function hostPaths(errors: FieldError[], given: unknown): void {
  for (const [index, each] of list(given).entries()) {
    const prefix = text((each as Json)['pathPrefix']);
    const at = `spec.allowedHostPaths[${index}]`;
    if (prefix === '') {
      errors.push(FieldError.required(at, 'is required'));
      return;
    }
    if (hasBacksteps(prefix)) errors.push(FieldError.invalid(at, prefix, "must not contain '..'"));
  }
}

const SYSCTL_PATTERN = `(${SYSCTL_SEGMENT}\\.)*([a-z0-9][-_a-z0-9]*)?[a-z0-9*]`;
const SYSCTL_PATTERN_RE = new RegExp(`^${SYSCTL_PATTERN}$`);

function sysctls(errors: FieldError[], given: readonly string[], path: string): void {
  for (const [index, pattern] of given.entries()) {
    const at = `${path}[${index}]`;
    if (pattern === '') errors.push(FieldError.invalid(at, pattern, 'empty sysctl not allowed'));
    else if (pattern.length > MAX_SYSCTL || !SYSCTL_PATTERN_RE.test(pattern))
      errors.push(FieldError.invalid(at, pattern, `must have at most ${MAX_SYSCTL} characters and match regex ${SYSCTL_PATTERN}`));
  }
  if (given.length > 1 && given.some((pattern) => pattern.startsWith('*')))
    errors.push(FieldError.forbidden(`${path}.items`, "if '*' is present, must not specify other sysctls"));
}

function sysctlOverlaps(errors: FieldError[], allowed: readonly string[], forbidden: readonly string[]): void {
  for (const [i, ours] of allowed.entries()) {
    for (const [j, theirs] of forbidden.entries()) {
      const ourPrefix = ours.endsWith('*') ? ours.slice(0, -1) : undefined;
      const theirPrefix = theirs.endsWith('*') ? theirs.slice(0, -1) : undefined;
      if (
        theirPrefix === undefined && ourPrefix === undefined
          ? ours === theirs
          : theirPrefix !== undefined && (ourPrefix ?? ours).startsWith(theirPrefix)
      )
        errors.push(FieldError.invalid(`spec.allowedUnsafeSysctls[${i}]`, ours, `sysctl overlaps with ${theirs}`));
      else if (ourPrefix !== undefined && (theirPrefix ?? theirs).startsWith(ourPrefix))
        errors.push(FieldError.invalid(`spec.forbiddenSysctls[${j}]`, theirs, `sysctl overlaps with ${ours}`));
    }
  }
}

function runtimeClasses(errors: FieldError[], options: Json | undefined, path: string): void {
  if (options === undefined) return;
  const names = list(options['allowedRuntimeClassNames']).map(text);
  const at = `${path}.allowedRuntimeClassNames`;
  for (const [index, name] of names.entries()) {
    if (name !== '*') problems(errors, `${at}[${index}]`, name, dns1123Subdomain(name));
    if (names.indexOf(name) < index) errors.push(FieldError.duplicate(`${at}[${index}]`, name));
  }
  const fallback = options['defaultRuntimeClassName'];
  if (typeof fallback === 'string') {
    problems(errors, `${path}.defaultRuntimeClassName`, fallback, dns1123Subdomain(fallback));
    if (!names.includes(fallback) && !names.includes('*'))
      errors.push(FieldError.required(at, `default ${JSON.stringify(fallback)} must be allowed`));
  }
  if (names.includes('*') && names.length > 1)
    errors.push(FieldError.invalid(at, names, "if '*' is present, must not specify other RuntimeClass names"));
}
