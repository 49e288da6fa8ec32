// Models /version, /healthz, /livez, /readyz and /metrics.

import { isSysError } from '../../sim/errno.ts';
import type { EtcdClient } from '../../etcd/client.ts';
import { EtcdError } from '../../etcd/mvcc.ts';
import type { PathHandler } from './server.ts';

export const VERSION = {
  major: '1',
  minor: '20',
  gitVersion: 'v1.20.2',
  gitCommit: 'faecb196815e248d3ecfb03c680a4507229c2a56',
  gitTreeState: 'clean',
  buildDate: '2021-01-13T13:20:00Z',
  goVersion: 'go1.15.5',
  compiler: 'gc',
  platform: 'linux/amd64',
};

const HOOKS = [
  'poststarthook/start-kube-apiserver-admission-initializer',
  'poststarthook/generic-apiserver-start-informers',
  'poststarthook/priority-and-fairness-config-consumer',
  'poststarthook/priority-and-fairness-filter',
  'poststarthook/start-apiextensions-informers',
  'poststarthook/start-apiextensions-controllers',
  'poststarthook/crd-informer-synced',
  'poststarthook/bootstrap-controller',
  'poststarthook/rbac/bootstrap-roles',
  'poststarthook/scheduling/bootstrap-system-priority-classes',
  'poststarthook/priority-and-fairness-config-producer',
  'poststarthook/start-cluster-authentication-info-controller',
  'poststarthook/aggregator-reload-proxy-client-cert',
  'poststarthook/start-kube-aggregator-informers',
  'poststarthook/apiservice-registration-controller',
  'poststarthook/apiservice-status-available-controller',
  'poststarthook/kube-apiserver-autoregistration',
];
const LAST_CHECKS = ['autoregister-completion', 'poststarthook/apiservice-openapi-controller'];
const TEXT = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff', 'cache-control': 'no-cache, private' };

export function healthPaths(options: { readonly etcd: EtcdClient; readonly isReady: () => boolean }): PathHandler {
  return async (info, _request, respond) => {
    if (info.path === '/version' || info.path === '/version/') {
      await respond.send({ status: 200, headers: { 'content-type': 'application/json' } }, JSON.stringify(VERSION, undefined, 2));
      return true;
    }
    if (info.path === '/metrics') {
      const uname =
        "# HELP kubernetes_build_info [ALPHA] A metric with a constant '1' value labeled by major, minor, git version, git commit, git tree state, build date, Go version, and compiler from which Kubernetes was built, and platform on which it is running.\n# TYPE kubernetes_build_info gauge\n";
      const { buildDate, compiler, gitCommit, gitTreeState, gitVersion, goVersion, major, minor, platform } = VERSION;
      const line = `kubernetes_build_info{build_date="${buildDate}",compiler="${compiler}",git_commit="${gitCommit}",git_tree_state="${gitTreeState}",git_version="${gitVersion}",go_version="${goVersion}",major="${major}",minor="${minor}",platform="${platform}"} 1\n`;
      await respond.send({ status: 200, headers: { ...TEXT, 'content-type': 'text/plain; version=0.0.4; charset=utf-8' } }, uname + line);
      return true;
    }
    const match = /^\/(healthz|livez|readyz)(?:\/(.*))?$/.exec(info.path);
    if (match === null) return false;
    const endpoint = match[1]!;
    const failed = new Set<string>();
    if (!(await isEtcdHealthy(options.etcd))) failed.add('etcd');
    const isReady = endpoint === 'livez' || options.isReady();
    const checks = [
      'ping',
      'log',
      'etcd',
      ...(endpoint === 'readyz' ? ['informer-sync'] : []),
      ...HOOKS,
      ...LAST_CHECKS,
      ...(endpoint === 'readyz' ? ['shutdown'] : []),
    ];
    if (!isReady) failed.add(endpoint === 'readyz' ? 'informer-sync' : 'poststarthook/rbac/bootstrap-roles');
    if (match[2] !== undefined && match[2] !== '') {
      const check = match[2];
      if (!checks.includes(check)) {
        await respond.send({ status: 404, headers: TEXT }, '404 page not found\n');
        return true;
      }
      await respond.send(
        { status: failed.has(check) ? 500 : 200, headers: TEXT },
        failed.has(check) ? `internal server error: reason withheld\n` : 'ok',
      );
      return true;
    }
    const lines = checks.map((check) => (failed.has(check) ? `[-]${check} failed: reason withheld\n` : `[+]${check} ok\n`)).join('');
    if (failed.size > 0) await respond.send({ status: 500, headers: TEXT }, `${lines}${endpoint} check failed\n`);
    else await respond.send({ status: 200, headers: TEXT }, info.query.has('verbose') ? `${lines}${endpoint} check passed\n` : 'ok');
    return true;
  };
}

async function isEtcdHealthy(etcd: EtcdClient): Promise<boolean> {
  try {
    await etcd.status();
    return true;
  } catch (error) {
    if (isSysError(error) || error instanceof EtcdError) return false;
    throw error;
  }
}
