import type { Program } from '../../kernel/process.ts';
import { etcd } from './etcd.ts';
import { kubeApiserver } from './kube-apiserver.ts';

export const programs: readonly Program[] = [etcd, kubeApiserver];
