// Models the server's other paths: the index at /, /logs and /debug.
// Not modelled: profiles; there is no Go program to measure.

import type { ResourceDefinition } from '../registry/definition.ts';
import { apiGroups } from './discovery.ts';
import { checksOf } from './health.ts';
import type { PathHandler } from './server.ts';

const TEXT = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' };
const HTML = { 'content-type': 'text/html; charset=utf-8' };

export function serverPaths(options: {
  readonly definitions: () => readonly ResourceDefinition[];
  readonly hasOpenId: boolean;
  readonly hasProfiling: boolean;
  readonly hasLogs: boolean;
}): PathHandler {
  return async (info, _request, respond) => {
    const { path } = info;
    if (path === '/' || path === '/index.html') {
      const body = JSON.stringify({ paths: indexOf(options.definitions(), options) }, undefined, 2);
      await respond.send({ status: 200, headers: { 'content-type': 'application/json' } }, body);
      return true;
    }
    if ((options.hasLogs && path === '/logs') || (options.hasProfiling && path === '/debug/pprof')) {
      await respond.send({ status: 301, headers: { ...HTML, location: `${path}/` } }, `<a href="${path}/">Moved Permanently</a>.\n\n`);
      return true;
    }
    // The container's own /var/log, where nothing is written.
    if (options.hasLogs && path === '/logs/') {
      await respond.send({ status: 200, headers: HTML }, '<pre>\n</pre>\n');
      return true;
    }
    if (options.hasProfiling && path.startsWith('/debug/pprof/')) {
      await respond.send({ status: 501, headers: TEXT }, 'not emulated: profiling\n');
      return true;
    }
    return false;
  };
}

function indexOf(
  definitions: readonly ResourceDefinition[],
  options: { readonly hasOpenId: boolean; readonly hasProfiling: boolean; readonly hasLogs: boolean },
): readonly string[] {
  const paths = ['/api', '/api/v1', '/apis', '/apis/', '/metrics', '/openapi/v2', '/version'];
  for (const { name, versions } of apiGroups(definitions))
    paths.push(`/apis/${name}`, ...versions.map((version) => `/apis/${name}/${version}`));
  for (const endpoint of ['healthz', 'livez', 'readyz'])
    paths.push(`/${endpoint}`, ...checksOf(endpoint).map((check) => `/${endpoint}/${check}`));
  if (options.hasOpenId) paths.push('/.well-known/openid-configuration', '/openid/v1/jwks');
  if (options.hasLogs) paths.push('/logs');
  if (options.hasProfiling) paths.push('/debug/pprof', '/debug/pprof/');
  return paths.sort();
}
