// Which admission plugins run, in v1.20's order, and what --enable-admission-plugins and --disable-admission-plugins make of it.

import type { ApiObject } from '../../registry/definition.ts';
import type { AdmissionPlugin, ClusterReader } from '../admission.ts';
import { refusal } from '../admission.ts';
import type { Authorizer } from '../authorization.ts';
import { FlagError } from '../flags.ts';
import { certificateApproval, certificateSigning, CERTIFICATE_SUBJECT_RESTRICTION } from './certificates.ts';
import {
  defaultIngressClass,
  defaultStorageClass,
  persistentVolumeClaimResize,
  STORAGE_OBJECT_IN_USE_PROTECTION,
  TAINT_NODES_BY_CONDITION,
} from './defaults.ts';
import { limitRanger } from './limit-ranger.ts';
import { namespaceAutoProvision, namespaceExists, namespaceLifecycle } from './namespaces.ts';
import { nodeRestriction } from './node-restriction.ts';
import {
  ALWAYS_PULL_IMAGES,
  DEFAULT_TOLERATION_SECONDS,
  EXTENDED_RESOURCE_TOLERATION,
  LIMIT_POD_HARD_ANTI_AFFINITY_TOPOLOGY,
  podNodeSelector,
  SECURITY_CONTEXT_DENY,
} from './pods.ts';
import { priority } from './priority.ts';
import { resourceQuota } from './resource-quota.ts';
import { runtimeClass } from './runtime-class.ts';
import { serviceAccount } from './service-account.ts';

export interface ChainOptions {
  readonly reader: ClusterReader;
  readonly authorizer: () => Authorizer;
  readonly randomSuffix: () => string;
  readonly nowMs: () => number;
  readonly createNamespace: (namespace: ApiObject) => Promise<void>;
  readonly enabled: readonly string[];
  readonly disabled: readonly string[];
  /** What guards roles and bindings behind the plugins that may change them. */
  readonly guard?: AdmissionPlugin;
  /** Plugins made elsewhere, by name: the webhooks. */
  readonly others?: Readonly<Record<string, AdmissionPlugin>>;
}

/** Every plugin v1.20 knows, in the order in which they run. */
export const PLUGIN_ORDER = [
  'AlwaysAdmit',
  'NamespaceAutoProvision',
  'NamespaceLifecycle',
  'NamespaceExists',
  'SecurityContextDeny',
  'LimitPodHardAntiAffinityTopology',
  'LimitRanger',
  'ServiceAccount',
  'NodeRestriction',
  'TaintNodesByCondition',
  'AlwaysPullImages',
  'ImagePolicyWebhook',
  'PodSecurityPolicy',
  'PodNodeSelector',
  'Priority',
  'DefaultTolerationSeconds',
  'PodTolerationRestriction',
  'DenyEscalatingExec',
  'DenyExecOnPrivileged',
  'EventRateLimit',
  'ExtendedResourceToleration',
  'PersistentVolumeLabel',
  'DefaultStorageClass',
  'StorageObjectInUseProtection',
  'OwnerReferencesPermissionEnforcement',
  'PersistentVolumeClaimResize',
  'RuntimeClass',
  'CertificateApproval',
  'CertificateSigning',
  'CertificateSubjectRestriction',
  'DefaultIngressClass',
  'MutatingAdmissionWebhook',
  'ValidatingAdmissionWebhook',
  'ResourceQuota',
  'AlwaysDeny',
] as const;

const ON_BY_DEFAULT: readonly string[] = [
  'NamespaceLifecycle',
  'LimitRanger',
  'ServiceAccount',
  'TaintNodesByCondition',
  'Priority',
  'DefaultTolerationSeconds',
  'DefaultStorageClass',
  'StorageObjectInUseProtection',
  'PersistentVolumeClaimResize',
  'RuntimeClass',
  'CertificateApproval',
  'CertificateSigning',
  'CertificateSubjectRestriction',
  'DefaultIngressClass',
  'MutatingAdmissionWebhook',
  'ValidatingAdmissionWebhook',
  'ResourceQuota',
];

/** The names that run. Throws FlagError for names nobody knows or that are both on and off. */
export function pluginNames(enabled: readonly string[], disabled: readonly string[]): readonly string[] {
  const known = new Set<string>(PLUGIN_ORDER);
  for (const [flag, names] of [
    ['enable', enabled],
    ['disable', disabled],
  ] as const) {
    const unknown = names.find((name) => !known.has(name));
    if (unknown !== undefined) throw new FlagError(`${flag}-admission-plugins plugin "${unknown}" is unknown`);
  }
  const both = enabled.filter((name) => disabled.includes(name));
  if (both.length > 0)
    throw new FlagError(`[${both.sort().join(' ')}] in enable-admission-plugins and disable-admission-plugins overlapped`);
  return PLUGIN_ORDER.filter((name) => enabled.includes(name) || (ON_BY_DEFAULT.includes(name) && !disabled.includes(name)));
}

const ONLY_VALIDATE = new Set([
  'NamespaceExists',
  'SecurityContextDeny',
  'LimitPodHardAntiAffinityTopology',
  'ImagePolicyWebhook',
  'DenyEscalatingExec',
  'DenyExecOnPrivileged',
  'EventRateLimit',
  'OwnerReferencesPermissionEnforcement',
  'PersistentVolumeClaimResize',
  'CertificateApproval',
  'CertificateSigning',
  'CertificateSubjectRestriction',
  'ValidatingAdmissionWebhook',
  'ResourceQuota',
]);
const DO_BOTH = new Set([
  'AlwaysAdmit',
  'LimitRanger',
  'ServiceAccount',
  'AlwaysPullImages',
  'PodSecurityPolicy',
  'PodNodeSelector',
  'Priority',
  'PodTolerationRestriction',
  'RuntimeClass',
  'AlwaysDeny',
]);

/** What the server says of its plugins when it starts. */
export function loadedPlugins(names: readonly string[]): readonly string[] {
  const said = (what: string, list: readonly string[]): string =>
    `Loaded ${list.length} ${what} admission controller(s) successfully in the following order: ${list.join(',')}.`;
  return [
    said(
      'mutating',
      names.filter((name) => !ONLY_VALIDATE.has(name)),
    ),
    said(
      'validating',
      names.filter((name) => ONLY_VALIDATE.has(name) || DO_BOTH.has(name)),
    ),
  ];
}

/** Throws FlagError for a plugin that is asked for and not emulated. */
export function admissionChain(options: ChainOptions): readonly AdmissionPlugin[] {
  const { reader, authorizer, others = {} } = options;
  const made: Readonly<Record<string, (() => AdmissionPlugin) | undefined>> = {
    AlwaysAdmit: () => ({ name: 'AlwaysAdmit' }),
    NamespaceAutoProvision: () => namespaceAutoProvision(reader, options.createNamespace),
    NamespaceLifecycle: () => namespaceLifecycle(reader),
    NamespaceExists: () => namespaceExists(reader),
    SecurityContextDeny: () => SECURITY_CONTEXT_DENY,
    LimitPodHardAntiAffinityTopology: () => LIMIT_POD_HARD_ANTI_AFFINITY_TOPOLOGY,
    LimitRanger: () => limitRanger(reader),
    ServiceAccount: () => serviceAccount(reader, options.randomSuffix),
    NodeRestriction: () => nodeRestriction(reader),
    TaintNodesByCondition: () => TAINT_NODES_BY_CONDITION,
    AlwaysPullImages: () => ALWAYS_PULL_IMAGES,
    PodNodeSelector: () => podNodeSelector(reader),
    Priority: () => priority(reader),
    DefaultTolerationSeconds: () => DEFAULT_TOLERATION_SECONDS,
    ExtendedResourceToleration: () => EXTENDED_RESOURCE_TOLERATION,
    DefaultStorageClass: () => defaultStorageClass(reader),
    StorageObjectInUseProtection: () => STORAGE_OBJECT_IN_USE_PROTECTION,
    PersistentVolumeClaimResize: () => persistentVolumeClaimResize(reader),
    RuntimeClass: () => runtimeClass(reader),
    CertificateApproval: () => certificateApproval(authorizer),
    CertificateSigning: () => certificateSigning(authorizer),
    CertificateSubjectRestriction: () => CERTIFICATE_SUBJECT_RESTRICTION,
    DefaultIngressClass: () => defaultIngressClass(reader),
    ResourceQuota: () => resourceQuota(reader, options.nowMs),
    AlwaysDeny: () => ALWAYS_DENY,
  };
  const chain: AdmissionPlugin[] = [];
  for (const name of pluginNames(options.enabled, options.disabled)) {
    const plugin = others[name] ?? made[name]?.();
    if (plugin !== undefined) chain.push(plugin);
    else if (options.enabled.includes(name)) throw new FlagError(`admission plugin "${name}" is not emulated`);
  }
  return options.guard === undefined ? chain : [...chain, options.guard];
}

const ALWAYS_DENY: AdmissionPlugin = {
  name: 'AlwaysDeny',
  admit(request) {
    throw refusal(request, 'admission control is denying all modifications');
  },
};
