// Models VolumeBinding as far as the scheduler refuses pods for their claims.
// Not modelled: delayed binding (WaitForFirstConsumer) and the topology of volumes.

import type { Pod } from '../../machinery/types.ts';
import { FITS, refuseForGood, type FilterPlugin, type Snapshot } from '../framework.ts';

export const volumeBinding: FilterPlugin = {
  name: 'VolumeBinding',
  preFilter: (pod, snapshot) => {
    for (const name of claimNames(pod)) {
      const claim = snapshot.claim(pod.metadata.namespace ?? '', name);
      if (claim === undefined) return refuseForGood(`persistentvolumeclaim "${name}" not found`);
      if (claim.metadata.deletionTimestamp !== undefined) return refuseForGood(`persistentvolumeclaim "${name}" is being deleted`);
    }
    return hasUnbound(pod, snapshot) ? refuseForGood('pod has unbound immediate PersistentVolumeClaims') : FITS;
  },
  filter: () => FITS,
};

function claimNames(pod: Pod): readonly string[] {
  return (pod.spec?.volumes ?? []).map((volume) => volume.persistentVolumeClaim?.claimName).filter((name) => name !== undefined);
}

function hasUnbound(pod: Pod, snapshot: Snapshot): boolean {
  return claimNames(pod).some((name) => (snapshot.claim(pod.metadata.namespace ?? '', name)?.spec?.volumeName ?? '') === '');
}
