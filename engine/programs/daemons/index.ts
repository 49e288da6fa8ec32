import type { Program } from '../../kernel/process.ts';
import { containerd, containerdShim } from './containerd.ts';
import { dockerProxy } from './docker-proxy.ts';
import { dockerd } from './dockerd.ts';
import { kubeControllerManager } from './kube-controller-manager.ts';
import { kubeProxy } from './kube-proxy.ts';
import { kubeScheduler } from './kube-scheduler.ts';
import { kubelet } from './kubelet.ts';

export const programs: readonly Program[] = [
  containerd,
  containerdShim,
  dockerProxy,
  dockerd,
  kubeControllerManager,
  kubeScheduler,
  kubelet,
  kubeProxy,
];
