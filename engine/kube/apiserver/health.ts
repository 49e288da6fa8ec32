// Models /version, /healthz, /livez, /readyz and /metrics.

import type { Clock } from '../../sim/clock.ts';
import { isSysError } from '../../sim/errno.ts';
import type { EtcdClient } from '../../etcd/client.ts';
import { EtcdError } from '../../etcd/mvcc.ts';
import type { MetricRegistry } from './metrics.ts';
import { queryValues } from './request-info.ts';
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
/** Hooks that are through only when the server has written what must be there. */
const SLOW_HOOKS = new Set([
  'poststarthook/crd-informer-synced',
  'poststarthook/bootstrap-controller',
  'poststarthook/rbac/bootstrap-roles',
  'poststarthook/scheduling/bootstrap-system-priority-classes',
  'poststarthook/priority-and-fairness-config-producer',
]);
const LAST_CHECKS = ['autoregister-completion', 'poststarthook/apiservice-openapi-controller'];
const TEXT = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' };
/** How long the health check waits for etcd. */
const ETCD_TIMEOUT_MS = 2000;

export interface HealthOptions {
  readonly etcd: EtcdClient;
  readonly clock: Clock;
  readonly metrics: MetricRegistry;
  /** Every store has had its first list, and what must be there is. */
  readonly hasStarted: () => boolean;
  readonly isShuttingDown: () => boolean;
  readonly log?: (line: string) => void;
}

/** The checks behind a path, in their order. */
export function checksOf(endpoint: string): readonly string[] {
  const isReady = endpoint === 'readyz';
  return ['ping', 'log', 'etcd', ...(isReady ? ['informer-sync'] : []), ...HOOKS, ...LAST_CHECKS, ...(isReady ? ['shutdown'] : [])];
}

export function healthPaths(options: HealthOptions): PathHandler {
  const { metrics } = options;
  metrics.gauge('kubernetes_build_info', '[ALPHA] Of what the server was built.', () => [[BUILD, 1]]);
  return async (info, request, respond) => {
    if (info.path === '/version' || info.path === '/version/') {
      await respond.send({ status: 200, headers: { 'content-type': 'application/json' } }, JSON.stringify(VERSION, undefined, 2));
      return true;
    }
    if (info.path === '/metrics') {
      await respond.send({ status: 200, headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' } }, metrics.text());
      return true;
    }
    const match = /^\/(healthz|livez|readyz)(?:\/(.*))?$/.exec(info.path);
    if (match === null) return false;
    const endpoint = match[1]!;
    const single = match[2] ?? '';
    if (single !== '') {
      if (!checksOf(endpoint).includes(single)) return false;
      const problem = await problemWith(single, options);
      if (problem === undefined) await respond.send({ status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' } }, 'ok');
      else await respond.send({ status: 500, headers: TEXT }, `internal server error: ${problem}\n`);
      return true;
    }
    const excluded = new Set(queryValues(request.target, 'exclude'));
    const failed: string[] = [];
    let lines = '';
    let reasons = '';
    for (const check of checksOf(endpoint)) {
      if (excluded.delete(check)) {
        lines += `[+]${check} excluded: ok\n`;
        continue;
      }
      const problem = await problemWith(check, options);
      if (problem === undefined) lines += `[+]${check} ok\n`;
      else {
        failed.push(check);
        lines += `[-]${check} failed: reason withheld\n`;
        reasons += `[-]${check} failed: ${problem}\n`;
      }
    }
    if (excluded.size > 0) {
      const names = [...excluded].sort().map((name) => JSON.stringify(name));
      lines += `warn: some health checks cannot be excluded: no matches for ${names.join(',')}\n`;
    }
    if (failed.length > 0) {
      options.log?.(`${failed.join(',')} check failed: ${endpoint}\n${reasons}`);
      await respond.send({ status: 500, headers: TEXT }, `${lines}${endpoint} check failed\n`);
    } else await respond.send({ status: 200, headers: TEXT }, info.query.has('verbose') ? `${lines}${endpoint} check passed\n` : 'ok');
    return true;
  };
}

const BUILD = {
  build_date: VERSION.buildDate,
  compiler: VERSION.compiler,
  git_commit: VERSION.gitCommit,
  git_tree_state: VERSION.gitTreeState,
  git_version: VERSION.gitVersion,
  go_version: VERSION.goVersion,
  major: VERSION.major,
  minor: VERSION.minor,
  platform: VERSION.platform,
};

async function problemWith(check: string, options: HealthOptions): Promise<string | undefined> {
  if (check === 'etcd') return etcdProblem(options);
  if (check === 'shutdown') return options.isShuttingDown() ? 'process is shutting down' : undefined;
  if (options.hasStarted()) return undefined;
  if (check === 'informer-sync') return 'informers not started yet';
  if (check === 'autoregister-completion') return 'missing APIService';
  return SLOW_HOOKS.has(check) ? 'not finished' : undefined;
}

async function etcdProblem({ etcd }: HealthOptions): Promise<string | undefined> {
  try {
    await etcd.status({ timeoutMs: ETCD_TIMEOUT_MS });
    return undefined;
  } catch (error) {
    if (isSysError(error)) return `error getting data from etcd: ${error.strerror.toLowerCase()}`;
    if (error instanceof EtcdError) return `error getting data from etcd: ${error.message}`;
    throw error;
  }
}
