import { runContainerd } from '../../kube/runtime/containerd.ts';
import { runShim } from '../../kube/runtime/containerd-shim.ts';
import type { Program } from '../../kernel/process.ts';

export const containerd: Program = {
  name: 'containerd',
  paths: ['/usr/bin/containerd'],
  memory: { residentBytes: 45_000_000, virtualBytes: 1_000_000_000 },
  main: runContainerd,
};

export const containerdShim: Program = {
  name: 'containerd-shim',
  paths: ['/usr/bin/containerd-shim'],

  memory: { residentBytes: 6_000_000, virtualBytes: 110_000_000 },
  main: runShim,
};
