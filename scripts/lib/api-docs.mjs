// Descriptions of the API's types and fields, read from the comments of a package of type declarations (the release next to v1.20):
// `{ 'core/v1': { Pod: ['what a pod is', { spec: 'what its spec is' }] } }`. `kubectl explain` shows them.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './node24.mjs';

const TYPES = path.join(root, 'node_modules/kubernetes-types-1.21');

/** Where v1.20 says something else than the next release: everywhere, or in one field. */
const EVERYWHERE = [
  ['configuration/manage-resources-containers/', 'configuration/manage-compute-resources-container/'],
  ['in the admission chain and', 'in the admission change and'],
];
const GATED = ' This is a beta field enabled by ImmutableEphemeralVolumes feature gate.';
const IN_FIELDS = {
  'core/v1.ConfigMap.immutable': [[/$/, GATED]],
  'core/v1.Secret.immutable': [[/$/, GATED]],
  'core/v1.Secret.stringData': [
    ['input field for convenience.', 'convenience method.'],
    ['The stringData field is', 'It is'],
  ],
  'core/v1.PodAffinityTerm.namespaces': [
    [/specifies .* namespaceSelector\. /s, 'specifies which namespaces the labelSelector applies to (matches against); '],
    [' namespaces list and null namespaceSelector means', ' list means'],
  ],
  'core/v1.PodSpec.terminationGracePeriodSeconds': [[/stop immediately via .*? shut down\)\./s, 'delete immediately.']],
  'core/v1.ServiceSpec.externalName': [[/`type` to be "ExternalName"\.$/, 'Type to be']],
  'core/v1.ServiceSpec.topologyKeys': [[/ This field is deprecated and will be removed .*$/s, '']],
  'apps/v1.RollingUpdateDaemonSet.maxUnavailable': [
    ['rounding down to a minimum of one.', 'rounding up.'],
    ['be 0 if MaxSurge is 0 ', 'be 0. '],
  ],
  'batch/v1.JobSpec.activeDeadlineSeconds': [
    ['continuously ', ''],
    [/positive integer\..*$/s, 'positive integer'],
  ],
  'batch/v1.JobStatus.conditions': [
    [/When a Job fails, .* More info/s, 'When a job fails, one of the conditions will have type == "Failed". More info'],
  ],
  'batch/v1.JobStatus.startTime': [
    [
      /^.* It is represented/s,
      'Represents time when the job was acknowledged by the job controller. It is not guaranteed to be set in happens-before order across separate operations. It is represented',
    ],
  ],
  'networking/v1.NetworkPolicyPort.port': [[/ If present, only traffic .*$/s, '']],
  'networking/v1.NetworkPolicySpec.policyTypes': [
    ['["Ingress"], ["Egress"], or ["Ingress", "Egress"]', '"Ingress", "Egress", or "Ingress,Egress"'],
  ],
  'policy/v1beta1.PodDisruptionBudgetSpec.selector': [[/ A null selector selects .*$/s, '']],
  'policy/v1beta1.PodSecurityPolicy': [[/ Deprecated in 1\.21\.$/, '']],
};
for (const version of ['v1', 'v1beta1']) {
  for (const field of ['attachRequired', 'podInfoOnMount', 'volumeLifecycleModes', 'fsGroupPolicy'])
    IN_FIELDS[`storage/${version}.CSIDriverSpec.${field}`] = [[/\s*This field is immutable\.$/, '']];
  for (const field of ['tokenRequests', 'requiresRepublish'])
    IN_FIELDS[`storage/${version}.CSIDriverSpec.${field}`] = [['is a beta', 'is an alpha']];
  IN_FIELDS[`storage/${version}.CSIDriverSpec.storageCapacity`] = [['This field is immutable.\n\nThis is a beta', 'This is an alpha']];
}

export function apiDocs() {
  const docs = {};
  for (const group of readdirSync(TYPES, { withFileTypes: true })) {
    if (!group.isDirectory()) continue;
    for (const file of readdirSync(path.join(TYPES, group.name))) {
      if (!file.endsWith('.d.ts')) continue;
      const pkg = `${group.name}/${file.slice(0, -'.d.ts'.length)}`;
      docs[pkg] = typesOf(pkg, readFileSync(path.join(TYPES, group.name, file), 'utf8'));
    }
  }
  return docs;
}

export function writeApiDocs(file) {
  writeFileSync(file, JSON.stringify(apiDocs()));
}

function typesOf(pkg, source) {
  const types = {};
  const lines = source.split('\n');
  let comment;
  let fields;
  let name;
  for (let at = 0; at < lines.length; at++) {
    if (/^\s*\/\*\*/.test(lines[at])) {
      const text = [];
      for (at++; !lines[at].includes('*/'); at++) text.push(lines[at].replace(/^\s*\* ?/, ''));
      comment = text.join('\n');
      continue;
    }
    const type = /^export (?:interface|declare type|type) (\w+)/.exec(lines[at]);
    const field = /^ {4}(?:readonly )?["']?([\w$-]+)["']?\??:/.exec(lines[at]);
    if (type !== null) {
      [, name] = type;
      types[name] = [inV1_20(`${pkg}.${name}`, comment ?? ''), (fields = {})];
    } else if (field !== null && fields !== undefined && comment !== undefined)
      fields[field[1]] = inV1_20(`${pkg}.${name}.${field[1]}`, comment);
    comment = undefined;
  }
  return types;
}

function inV1_20(where, text) {
  const everywhere = EVERYWHERE.reduce((given, [next, then]) => given.replaceAll(next, then), text);
  return (IN_FIELDS[where] ?? []).reduce((given, [next, then]) => given.replace(next, then), everywhere);
}
