import type { Program } from '../../kernel/process.ts';
import { dockerHello } from './docker-hello.ts';
import { etcd } from './etcd.ts';
import { etcdctl } from './etcdctl/index.ts';
import { httpd } from './httpd.ts';
import { kubeApiserver } from './kube-apiserver.ts';
import { metricsServer } from './metrics-server/metrics-server.ts';
import { nginx } from './nginx/nginx.ts';
import { pause } from './pause.ts';

export const programs: readonly Program[] = [dockerHello, etcd, etcdctl, httpd, kubeApiserver, metricsServer, nginx, pause];
