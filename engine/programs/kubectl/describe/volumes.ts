// Models how the describers show volumes: those of pods, and the sources of persistent ones.

import { at } from '../commands/common.ts';
import { isObject, type JsonObject } from '../printers/json.ts';
import { objects, text } from './values.ts';
import type { DescribeWriter } from './writer.ts';

export function writeVolumes(writer: DescribeWriter, volumes: readonly JsonObject[], space: string): void {
  if (volumes.length === 0) {
    writer.line(0, `${space}Volumes:\t<none>`);
    return;
  }
  writer.line(0, `${space}Volumes:`);
  for (const volume of volumes) {
    writer.line(1, `${space === '' ? '' : ' '}${text(volume['name'])}:`);
    for (const line of volumeLines(volume)) writer.line(2, line);
  }
}

/** The source of a volume, a line each; `<unknown>` for one this describer does not know. */
export function volumeLines(volume: JsonObject): readonly string[] {
  const pick = (key: string): JsonObject | undefined => {
    const value = volume[key];
    return isObject(value) ? value : undefined;
  };
  const hostPath = pick('hostPath');
  if (hostPath !== undefined)
    return [
      'Type:\tHostPath (bare host directory volume)',
      `Path:\t${text(hostPath['path'])}`,
      `HostPathType:\t${hostPath['type'] === undefined ? '<none>' : text(hostPath['type'])}`,
    ];
  const emptyDir = pick('emptyDir');
  if (emptyDir !== undefined)
    return [
      "Type:\tEmptyDir (a temporary directory that shares a pod's lifetime)",
      `Medium:\t${text(emptyDir['medium'])}`,
      `SizeLimit:\t${text(emptyDir['sizeLimit'] ?? '<unset>')}`,
    ];
  const secret = pick('secret');
  if (secret !== undefined)
    return [
      'Type:\tSecret (a volume populated by a Secret)',
      `SecretName:\t${text(secret['secretName'])}`,
      `Optional:\t${text(secret['optional'] ?? false)}`,
    ];
  const configMap = pick('configMap');
  if (configMap !== undefined)
    return [
      'Type:\tConfigMap (a volume populated by a ConfigMap)',
      `Name:\t${text(configMap['name'])}`,
      `Optional:\t${text(configMap['optional'] ?? false)}`,
    ];
  const nfs = pick('nfs');
  if (nfs !== undefined)
    return [
      'Type:\tNFS (an NFS mount that lasts the lifetime of a pod)',
      `Server:\t${text(nfs['server'])}`,
      `Path:\t${text(nfs['path'])}`,
      `ReadOnly:\t${text(nfs['readOnly'] ?? false)}`,
    ];
  const claim = pick('persistentVolumeClaim');
  if (claim !== undefined)
    return [
      'Type:\tPersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)',
      `ClaimName:\t${text(claim['claimName'])}`,
      `ReadOnly:\t${text(claim['readOnly'] ?? false)}`,
    ];
  const downward = pick('downwardAPI');
  if (downward !== undefined)
    return [
      'Type:\tDownwardAPI (a volume populated by information about the pod)',
      'Items:',
      ...objects(downward['items']).map(
        (item) => `  ${text(at(item, 'fieldRef', 'fieldPath') ?? at(item, 'resourceFieldRef', 'resource'))} -> ${text(item['path'])}`,
      ),
    ];
  const projected = pick('projected');
  if (projected !== undefined)
    return [
      'Type:\tProjected (a volume that contains injected data from multiple sources)',
      ...objects(projected['sources']).flatMap(projectedLines),
    ];
  const local = pick('local');
  if (local !== undefined)
    return ['Type:\tLocalVolume (a persistent volume backed by local storage on a node)', `Path:\t${text(local['path'])}`];
  const csi = pick('csi');
  if (csi !== undefined) return csiLines(csi);
  return ['<unknown>'];
}

/** A pod's own source has no handle. */
function csiLines(csi: JsonObject): readonly string[] {
  const attributes = isObject(csi['volumeAttributes']) ? csi['volumeAttributes'] : {};
  const pairs = Object.keys(attributes)
    .sort()
    .map((key) => `${key}=${text(attributes[key])}`);
  return [
    'Type:\tCSI (a Container Storage Interface (CSI) volume source)',
    `Driver:\t${text(csi['driver'])}`,
    `FSType:\t${text(csi['fsType'])}`,
    ...(csi['volumeHandle'] === undefined ? [] : [`VolumeHandle:\t${text(csi['volumeHandle'])}`]),
    `ReadOnly:\t${text(csi['readOnly'] ?? false)}`,
    ...(pairs.length === 0
      ? ['VolumeAttributes:\t<none>']
      : pairs.map((pair, index) => `${index === 0 ? 'VolumeAttributes:' : '  '}\t${pair}`)),
  ];
}

function projectedLines(source: JsonObject): readonly string[] {
  const secret = source['secret'];
  if (isObject(secret)) return [`SecretName:\t${text(secret['name'])}`, `SecretOptionalName:\t${text(secret['optional'] ?? '<nil>')}`];
  const map = source['configMap'];
  if (isObject(map)) return [`ConfigMapName:\t${text(map['name'])}`, `ConfigMapOptional:\t${text(map['optional'] ?? '<nil>')}`];
  const token = source['serviceAccountToken'];
  if (isObject(token)) return [`TokenExpirationSeconds:\t${text(token['expirationSeconds'] ?? 3600)}`];
  return ['DownwardAPI:\ttrue'];
}
