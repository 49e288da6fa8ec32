import { runContainerd } from '../../kube/runtime/containerd.ts';
import { runShim } from '../../kube/runtime/containerd-shim.ts';
import type { Program } from '../../kernel/process.ts';

export const containerd: Program = { name: 'containerd', paths: ['/usr/bin/containerd'], main: runContainerd };

export const containerdShim: Program = {
  name: 'containerd-shim',
  paths: ['/usr/bin/containerd-shim'],

  main: runShim,
};
