import { runDockerd } from '../../kube/runtime/docker/daemon.ts';
import type { Program } from '../../kernel/process.ts';

export const dockerd: Program = { name: 'dockerd', paths: ['/usr/bin/dockerd'], main: runDockerd };
