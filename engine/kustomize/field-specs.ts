// Models kustomize's transformer configuration: which fields take prefixes, labels, annotations, variables; files may add to it.

import { isObject, type JsonObject } from '../kube/machinery/go-values.ts';
import { text } from '../sim/bytes.ts';
import { KustomizeError } from './error.ts';
import { isSelected } from './gvk.ts';
import { parsed } from './kustomization.ts';
import type { Loader } from './loader.ts';
import type { FieldSpec } from './mutate.ts';
import { NAME_REFERENCES, type NameReference } from './references.ts';

export interface TransformerConfig {
  readonly namePrefix: readonly FieldSpec[];
  readonly namespace: readonly FieldSpec[];
  readonly commonLabels: readonly FieldSpec[];
  readonly commonAnnotations: readonly FieldSpec[];
  readonly varReference: readonly FieldSpec[];
  readonly nameReference: readonly NameReference[];
}

export const EMPTY_CONFIG: TransformerConfig = {
  namePrefix: [],
  namespace: [],
  commonLabels: [],
  commonAnnotations: [],
  varReference: [],
  nameReference: [],
};

const TEMPLATED = ['Deployment', 'ReplicaSet', 'DaemonSet'];
const AFFINITIES = ['podAffinity', 'podAntiAffinity'].flatMap((term) => [
  `spec/template/spec/affinity/${term}/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels`,
  `spec/template/spec/affinity/${term}/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels`,
]);
const NETWORK = { group: 'networking.k8s.io', kind: 'NetworkPolicy' };

const LABELS: readonly FieldSpec[] = [
  { path: 'metadata/labels', create: true },
  { version: 'v1', kind: 'Service', path: 'spec/selector', create: true },
  { version: 'v1', kind: 'ReplicationController', path: 'spec/selector', create: true },
  { version: 'v1', kind: 'ReplicationController', path: 'spec/template/metadata/labels', create: true },
  ...[...TEMPLATED.map((kind) => ({ kind })), { group: 'apps', kind: 'StatefulSet' }].flatMap((gvk) => [
    { ...gvk, path: 'spec/selector/matchLabels', create: true },
    { ...gvk, path: 'spec/template/metadata/labels', create: true },
  ]),
  ...['Deployment', 'StatefulSet'].flatMap((kind) => AFFINITIES.map((path) => ({ group: 'apps', kind, path }))),
  { group: 'apps', kind: 'StatefulSet', path: 'spec/volumeClaimTemplates/metadata/labels', create: true },
  { group: 'batch', kind: 'Job', path: 'spec/selector/matchLabels' },
  { group: 'batch', kind: 'Job', path: 'spec/template/metadata/labels', create: true },
  { group: 'batch', kind: 'CronJob', path: 'spec/jobTemplate/spec/selector/matchLabels' },
  { group: 'batch', kind: 'CronJob', path: 'spec/jobTemplate/metadata/labels', create: true },
  { group: 'batch', kind: 'CronJob', path: 'spec/jobTemplate/spec/template/metadata/labels', create: true },
  { group: 'policy', kind: 'PodDisruptionBudget', path: 'spec/selector/matchLabels' },
  { ...NETWORK, path: 'spec/podSelector/matchLabels' },
  { ...NETWORK, path: 'spec/ingress/from/podSelector/matchLabels' },
  { ...NETWORK, path: 'spec/egress/to/podSelector/matchLabels' },
];

const ANNOTATIONS: readonly FieldSpec[] = [
  { path: 'metadata/annotations', create: true },
  { version: 'v1', kind: 'ReplicationController', path: 'spec/template/metadata/annotations', create: true },
  ...[...TEMPLATED, 'StatefulSet'].map((kind) => ({ kind, path: 'spec/template/metadata/annotations', create: true })),
  { group: 'batch', kind: 'Job', path: 'spec/template/metadata/annotations', create: true },
  { group: 'batch', kind: 'CronJob', path: 'spec/jobTemplate/metadata/annotations', create: true },
  { group: 'batch', kind: 'CronJob', path: 'spec/jobTemplate/spec/template/metadata/annotations', create: true },
];

const VARIABLES: readonly FieldSpec[] = [
  ...['StatefulSet', 'Deployment', 'DaemonSet'].flatMap((kind) =>
    ['command', 'args', 'env/value', 'volumeMounts/mountPath'].flatMap((field) => both(kind, 'spec/template/spec', field)),
  ),
  ...['command', 'args', 'env/value', 'volumeMounts/mountPath'].flatMap((field) => both('Pod', 'spec', field)),
  ...['command', 'args', 'env/value'].flatMap((field) => [
    { kind: 'Job', path: `spec/template/spec/containers/${field}` },
    { kind: 'CronJob', path: `spec/jobTemplate/spec/template/spec/containers/${field}` },
  ]),
  ...['ReplicaSet', 'Job', 'CronJob'].flatMap((kind) => both(kind, 'spec/template/spec', 'volumeMounts/mountPath')),
  { kind: 'Ingress', path: 'spec/rules/host' },
  { kind: 'Ingress', path: 'spec/tls/hosts' },
  { path: 'metadata/labels' },
];

function both(kind: string, at: string, field: string): readonly FieldSpec[] {
  return ['containers', 'initContainers'].map((list) => ({ kind, path: `${at}/${list}/${field}` }));
}

const DEFAULT_CONFIG: TransformerConfig = {
  namePrefix: [{ path: 'metadata/name' }],
  namespace: [{ path: 'metadata/namespace', create: true }],
  commonLabels: LABELS,
  commonAnnotations: ANNOTATIONS,
  varReference: VARIABLES,
  nameReference: NAME_REFERENCES,
};

/** The built-in configuration with that of files. */
export function configOf(loader: Loader, paths: readonly string[]): TransformerConfig {
  let config = DEFAULT_CONFIG;
  for (const path of paths) {
    const value = parsed(text(loader.load(path)));
    config = mergeConfigs(config, fromFile(isObject(value) ? value : {}));
  }
  return config;
}

function fromFile(value: JsonObject): TransformerConfig {
  const list = (key: string): readonly JsonObject[] => (Array.isArray(value[key]) ? (value[key] as unknown[]).filter(isObject) : []);
  const specs = (key: string): readonly FieldSpec[] => list(key) as unknown as readonly FieldSpec[];
  return {
    namePrefix: specs('namePrefix'),
    namespace: specs('namespace'),
    commonLabels: specs('commonLabels'),
    commonAnnotations: specs('commonAnnotations'),
    varReference: specs('varReference'),
    nameReference: list('nameReference').map((reference) => ({
      ...(reference as unknown as NameReference),
      fields: (reference['fieldSpecs'] ?? reference['FieldSpecs'] ?? []) as readonly FieldSpec[],
    })),
  };
}

export function mergeConfigs(a: TransformerConfig, b: TransformerConfig): TransformerConfig {
  return {
    namePrefix: mergeSpecs(a.namePrefix, b.namePrefix),
    namespace: mergeSpecs(a.namespace, b.namespace),
    commonLabels: mergeSpecs(a.commonLabels, b.commonLabels),
    commonAnnotations: mergeSpecs(a.commonAnnotations, b.commonAnnotations),
    varReference: mergeSpecs(a.varReference, b.varReference),
    nameReference: mergeReferences(a.nameReference, b.nameReference),
  };
}

function mergeSpecs(a: readonly FieldSpec[], b: readonly FieldSpec[]): readonly FieldSpec[] {
  const out = [...a];
  for (const spec of b) {
    const same = out.find((old) => old.path === spec.path && isSelected(gvkOfSpec(old), spec));
    if (same === undefined) out.push(spec);
    else if ((same.create ?? false) !== (spec.create ?? false)) throw new KustomizeError('conflicting fieldspecs');
  }
  return out;
}

function mergeReferences(a: readonly NameReference[], b: readonly NameReference[]): readonly NameReference[] {
  const key = ({ group = '', version = '', kind }: NameReference): string => `${group}/${version}/${kind}`;
  const out = [...a];
  for (const reference of b) {
    const at = out.findIndex((old) => key(old) === key(reference));
    const old = out[at];
    if (old === undefined) out.push(reference);
    else out[at] = { ...old, fields: mergeSpecs(old.fields, reference.fields) };
  }
  return out;
}

function gvkOfSpec({ group = '', version = '', kind = '' }: FieldSpec): { group: string; version: string; kind: string } {
  return { group, version, kind };
}
