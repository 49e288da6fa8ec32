// Models /pause of k8s.gcr.io/pause: holds a pod's namespaces and reaps orphans until it is told to go.

import { isSysError } from '../../sim/errno.ts';
import type { Process, Program } from '../../kernel/process.ts';

export const pause: Program = { name: 'pause', paths: [], memory: { residentBytes: 4_000, virtualBytes: 1_024_000 }, main };

async function main(process: Process): Promise<number> {
  const { sys } = process;
  const reap = async (): Promise<void> => {
    try {
      while ((await sys.wait(-1, { noHang: true })) !== undefined);
    } catch (error) {
      if (!isSysError(error, 'ECHILD')) throw error;
    }
  };
  sys.onSignal('SIGCHLD', () => void reap());
  return sys.block<number>((resolve) => {
    sys.onSignal('SIGINT', () => resolve(0));
    sys.onSignal('SIGTERM', () => resolve(0));
    return undefined;
  });
}
