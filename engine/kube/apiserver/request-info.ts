// Models RequestInfo: what a request asks for, read from its method and path.

import type { HttpRequest } from '../../net/http.ts';

export interface RequestInfo {
  readonly method: string;
  readonly path: string;
  readonly query: ReadonlyMap<string, string>;
  /** Under /api or /apis; all else is a plain path. */
  readonly isResource: boolean;
  readonly verb: string;
  readonly group: string;
  readonly version: string;
  readonly namespace: string;
  readonly resource: string;
  readonly name: string;
  /** The name as it stands in the path; '' when only a selector says one. */
  readonly pathName: string;
  /** One of the old paths under /watch/. */
  readonly isWatchPath: boolean;
  readonly subresource: string;
  /** What follows the subresource: the path of a proxy request. */
  readonly rest: string;
}

/** Paths under a namespace that are the namespace's own. */
const NAMESPACE_SUBRESOURCES = new Set(['status', 'finalize']);

export function requestInfoOf(request: Pick<HttpRequest, 'method' | 'target'>): RequestInfo {
  const mark = request.target.indexOf('?');
  const path = mark < 0 ? request.target : request.target.slice(0, mark);
  const query = mark < 0 ? new Map<string, string>() : parseQuery(request.target.slice(mark + 1));
  const parts = path.split('/');
  // Slashes at the start, at the end and next to each other separate nothing.
  let filled = 0;
  for (const part of parts) if (part !== '') parts[filled++] = part;
  parts.length = filled;
  let group = '';
  let at: number;
  if (parts[0] === 'api') at = 1;
  else if (parts[0] === 'apis') {
    group = parts[1] ?? '';
    at = 2;
  } else return plainInfo(request.method, path, query);
  const version = parts[at++];
  if (version === undefined || parts[at] === undefined) return plainInfo(request.method, path, query);

  let namespace = '';
  let rest = parts.slice(at).map(decode);
  let isDeprecatedWatch = false;
  if (rest[0] === 'watch' && rest.length > 1) {
    isDeprecatedWatch = true;
    rest = rest.slice(1);
  }
  if (rest[0] === 'namespaces' && rest.length > 1) {
    namespace = rest[1]!;
    if (rest.length > 2 && !NAMESPACE_SUBRESOURCES.has(rest[2]!)) rest = rest.slice(2);
  }
  const resource = rest[0] ?? '';
  const name = rest[1] ?? '';
  const subresource = rest[2] ?? '';
  const isWatch = isDeprecatedWatch || isTrue(query.get('watch'));
  return {
    method: request.method,
    path,
    query,
    isResource: true,
    verb: verbOf(request.method, name !== '', { isWatch, isDeprecatedWatch }),
    group,
    version,
    namespace,
    resource,
    // A list or watch of one object by name is about that object.
    name: name === '' && query.size > 0 ? (/^metadata\.name==?([^,]+)$/.exec(query.get('fieldSelector') ?? '')?.[1] ?? '') : name,
    pathName: name,
    isWatchPath: isDeprecatedWatch,
    subresource,
    rest: rest.length > 3 ? rest.slice(3).join('/') : '',
  };
}

function plainInfo(method: string, path: string, query: RequestInfo['query']): RequestInfo {
  return {
    method,
    path,
    query,
    isResource: false,
    verb: method.toLowerCase(),
    group: '',
    version: '',
    namespace: '',
    resource: '',
    name: '',
    pathName: '',
    isWatchPath: false,
    subresource: '',
    rest: '',
  };
}

function verbOf(method: string, isNamed: boolean, watch: { readonly isWatch: boolean; readonly isDeprecatedWatch: boolean }): string {
  switch (method) {
    case 'GET':
      return isNamed && !watch.isDeprecatedWatch ? 'get' : watch.isWatch ? 'watch' : 'list';
    case 'HEAD':
      return isNamed ? 'get' : 'list';
    case 'POST':
      return 'create';
    case 'PUT':
      return 'update';
    case 'PATCH':
      return 'patch';
    case 'DELETE':
      return isNamed ? 'delete' : 'deletecollection';
    default:
      return method.toLowerCase();
  }
}

export function isTrue(value: string | undefined): boolean {
  return value === 'true' || value === '1';
}

function parseQuery(text: string): ReadonlyMap<string, string> {
  const query = new Map<string, string>();
  for (const pair of text.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const key = decode(equals < 0 ? pair : pair.slice(0, equals));
    if (!query.has(key)) query.set(key, equals < 0 ? '' : decode(pair.slice(equals + 1).replaceAll('+', ' ')));
  }
  return query;
}

/** All values of a key that may be repeated. */
export function queryValues(target: string, key: string): readonly string[] {
  const mark = target.indexOf('?');
  if (mark < 0) return [];
  return target
    .slice(mark + 1)
    .split('&')
    .filter((pair) => pair === key || pair.startsWith(`${key}=`))
    .map((pair) => decode(pair.slice(key.length + 1).replaceAll('+', ' ')));
}

function decode(part: string): string {
  if (!part.includes('%')) return part;
  try {
    return decodeURIComponent(part);
  } catch (error) {
    // A stray % stands for itself.
    if (error instanceof URIError) return part;
    throw error;
  }
}
