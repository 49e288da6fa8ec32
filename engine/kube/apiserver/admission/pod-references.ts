// Which secrets, configuration maps and claims a pod's spec names.

import type { Pod } from '../../machinery/types.ts';

/** Names of `kind` the pod refers to. */
export function namesIn(pod: Pod, kind: 'secrets' | 'configmaps' | 'persistentvolumeclaims'): ReadonlySet<string> {
  const names = new Set<string>();
  const add = (name: string | undefined): void => {
    if (name !== undefined && name !== '') names.add(name);
  };
  const { spec } = pod;
  if (spec === undefined) return names;
  const volumes = spec.volumes ?? [];
  if (kind === 'persistentvolumeclaims') {
    for (const volume of volumes) add(volume.persistentVolumeClaim?.claimName);
    return names;
  }
  const isSecret = kind === 'secrets';
  if (isSecret) for (const reference of spec.imagePullSecrets ?? []) add(reference.name);
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? []), ...(spec.ephemeralContainers ?? [])]) {
    for (const source of container.envFrom ?? []) add((isSecret ? source.secretRef : source.configMapRef)?.name);
    for (const { valueFrom } of container.env ?? []) add((isSecret ? valueFrom?.secretKeyRef : valueFrom?.configMapKeyRef)?.name);
  }
  for (const volume of volumes) {
    add(isSecret ? volume.secret?.secretName : volume.configMap?.name);
    for (const source of volume.projected?.sources ?? []) add((isSecret ? source.secret : source.configMap)?.name);
    if (!isSecret) continue;
    for (const other of [volume.cephfs, volume.flexVolume, volume.rbd, volume.scaleIO, volume.iscsi, volume.storageos])
      add(other?.secretRef?.name);
    add(volume.azureFile?.secretName);
    add(volume.csi?.nodePublishSecretRef?.name);
  }
  return names;
}
