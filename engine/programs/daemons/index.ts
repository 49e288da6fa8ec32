import type { Program } from '../../kernel/process.ts';
import {
  bandwidth,
  calicoInstallCni,
  calicoIpam,
  calicoKubeControllers,
  calicoPlugin,
  checkStatus,
  flexVolInstaller,
  loopback,
  portMap,
} from './calico-cni.ts';
import { calicoNode } from './calico-node.ts';
import { containerd, containerdShim } from './containerd.ts';
import { coredns } from './coredns.ts';
import { dockerProxy } from './docker-proxy.ts';
import { dockerd } from './dockerd.ts';
import { programs as getty } from './getty.ts';
import { kubeControllerManager } from './kube-controller-manager.ts';
import { kubeProxy } from './kube-proxy.ts';
import { kubeScheduler } from './kube-scheduler.ts';
import { kubelet } from './kubelet.ts';
import { programs as plain } from './plain.ts';
import { sshd } from './sshd.ts';

export const programs: readonly Program[] = [
  ...plain,
  ...getty,
  containerd,
  containerdShim,
  coredns,
  dockerProxy,
  dockerd,
  kubeControllerManager,
  kubeScheduler,
  kubelet,
  kubeProxy,
  bandwidth,
  calicoInstallCni,
  calicoIpam,
  calicoKubeControllers,
  calicoNode,
  calicoPlugin,
  checkStatus,
  flexVolInstaller,
  loopback,
  portMap,
  sshd,
];
