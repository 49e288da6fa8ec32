import { runDockerd } from '../../kube/runtime/docker/daemon.ts';
import type { Program } from '../../kernel/process.ts';

export const dockerd: Program = {
  name: 'dockerd',
  paths: ['/usr/bin/dockerd'],
  memory: { residentBytes: 92_000_000, virtualBytes: 1_100_000_000 },
  main: runDockerd,
};
