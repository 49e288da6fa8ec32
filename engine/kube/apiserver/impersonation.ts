// Models impersonation: a request in the name of somebody else, when its sender may `impersonate` each part of him.

import type { HttpRequest } from '../../net/http.ts';
import { forbiddenFor, type Authorizer } from './authorization.ts';
import { AUTHENTICATED, type User } from './user.ts';

const EXTRA = 'impersonate-extra-';
const UNAUTHENTICATED = 'system:unauthenticated';

/** Headers that do not fit together; the answer is plain text. */
export class ImpersonationError extends Error {
  override readonly name = 'ImpersonationError';
}

/** Who the request counts as. Throws ApiError 403 for what the sender may not be. */
export function impersonated(user: User, request: HttpRequest, authorizer: Authorizer): User {
  const { headers } = request;
  const wanted = headers.get('impersonate-user') ?? '';
  const groups = valuesOf(headers.get('impersonate-group'));
  const extras: (readonly [key: string, value: string])[] = [];
  for (const [name, value] of headers) {
    if (name.startsWith(EXTRA)) for (const each of valuesOf(value)) extras.push([unescaped(name.slice(EXTRA.length)), each]);
  }
  if (wanted === '') {
    if (groups.length === 0 && extras.length === 0) return user;
    const asked = [
      ...groups.map((name) => `{Group  ${name}    }`),
      ...extras.map(([key, value]) => `{UserExtra  ${value}  authentication.k8s.io/v1  ${key}}`),
    ];
    throw new ImpersonationError(`requested [${asked.join(' ')}] without impersonating a user`);
  }
  const check = (group: string, resource: string, namespace: string, name: string, subresource = ''): void => {
    const at = { isResource: true, verb: 'impersonate', group, resource, subresource, namespace, name, path: '' };
    const decision = authorizer.authorize(user, at);
    if (!decision.isAllowed) throw forbiddenFor(user, at, decision.reason);
  };
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(wanted);
  const actingGroups: string[] = [];
  if (account === null) check('', 'users', '', wanted);
  else {
    check('', 'serviceaccounts', account[1]!, account[2]!);
    if (groups.length === 0) actingGroups.push('system:serviceaccounts', `system:serviceaccounts:${account[1]!}`);
  }
  for (const group of groups) {
    check('', 'groups', '', group);
    actingGroups.push(group);
  }
  const extra: Record<string, string[]> = {};
  for (const [key, value] of extras) {
    check('authentication.k8s.io', 'userextras', '', value, key);
    (extra[key] ??= []).push(value);
  }
  if (wanted === 'system:anonymous') {
    if (!actingGroups.includes(UNAUTHENTICATED)) actingGroups.push(UNAUTHENTICATED);
  } else if (!actingGroups.includes(AUTHENTICATED) && !actingGroups.includes(UNAUTHENTICATED)) actingGroups.push(AUTHENTICATED);
  return { name: wanted, groups: actingGroups, ...(extras.length === 0 ? {} : { extra }) };
}

/** A header that was sent several times comes joined. */
function valuesOf(header: string | undefined): readonly string[] {
  return header === undefined ? [] : header.split(', ').filter((each) => each !== '');
}

/** A key of the extra part of a user, as headers carry it. */
export function unescaped(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch (error) {
    // A stray % stands for itself.
    if (error instanceof URIError) return key;
    throw error;
  }
}
