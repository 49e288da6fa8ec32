// Models which methods go-restful has routes for: what has no path is not found, what has no method is not allowed.

import { ApiError } from '../machinery/api-error.ts';
import { noSuchResource } from '../machinery/status.ts';
import type { ResourceDefinition, ServedVersion } from '../registry/definition.ts';
import type { RequestInfo } from './request-info.ts';

/** 405 of the router, which knows nothing of resources. */
export function methodNotAllowed(): ApiError {
  return new ApiError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'the server does not allow this method on the requested resource',
    reason: 'MethodNotAllowed',
    details: {},
    code: 405,
  });
}

const VERBS: Readonly<Record<string, string>> = { GET: 'get', PUT: 'update', PATCH: 'patch', DELETE: 'delete' };

/** Throws unless the path exists and takes the method. `pathName` is the name in the path, which a selector can't stand for. */
export function checkRoute(info: RequestInfo, definition: ResourceDefinition, served: ServedVersion): void {
  const { method, namespace, pathName, subresource } = info;
  const isNamespacesOwn = definition.plural === 'namespaces' && definition.group === '';
  if (!definition.isNamespaced && namespace !== '' && !isNamespacesOwn) throw noSuchResource();
  if (definition.isNamespaced && namespace === '' && pathName !== '') throw noSuchResource();
  if (subresource !== '') {
    const isStatus = subresource === 'status' && definition.hasStatus && served.hasStatus !== false;
    if (!isStatus && definition.strategy.subresources?.[subresource] === undefined) throw noSuchResource();
    if (info.rest !== '') throw noSuchResource();
    if (method !== 'GET' && method !== 'PUT' && method !== 'PATCH') throw methodNotAllowed();
    return;
  }
  const { verbs } = definition;
  const can = (verb: string): boolean => (verbs as readonly string[]).includes(verb);
  if (info.isWatchPath) {
    if (method !== 'GET' || !can('watch')) throw methodNotAllowed();
    return;
  }
  if (pathName !== '') {
    const verb = VERBS[method];
    if (!['get', 'update', 'patch', 'delete'].some(can)) throw noSuchResource();
    if (verb === undefined || !can(verb)) throw methodNotAllowed();
    return;
  }
  const isEverywhere = definition.isNamespaced && namespace === '';
  if (method === 'GET' && can('list')) {
    if (info.verb === 'watch' && !can('watch')) throw methodNotAllowed();
    return;
  }
  if (!isEverywhere && method === 'POST' && can('create')) return;
  if (!isEverywhere && method === 'DELETE' && can('deletecollection')) return;
  throw methodNotAllowed();
}
