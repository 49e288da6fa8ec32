// Models bearer tokens: service account JWTs, bootstrap tokens, and tokens of a file.

import { fromBase64, text } from '../../sim/bytes.ts';
import type { Clock } from '../../sim/clock.ts';
import { claimsOf, isSignedBy, type Claims } from '../machinery/jwt.ts';
import type { ClusterReader } from './admission.ts';
import { FlagError } from './flags.ts';
import type { TokenAuthenticator, TokenVerdict } from './authentication.ts';
import type { User } from './user.ts';

const LEGACY_ISSUER = 'kubernetes/serviceaccount';
const INVALIDATED = 'Token has been invalidated';

export function serviceAccountUser(
  namespace: string,
  name: string,
  uid: string,
  extra: Readonly<Record<string, readonly string[]>> = {},
): User {
  return {
    name: `system:serviceaccount:${namespace}:${name}`,
    uid,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`],
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
}

interface Bound {
  readonly namespace?: string;
  readonly serviceaccount?: { readonly name: string; readonly uid: string };
  readonly pod?: { readonly name: string; readonly uid: string };
  readonly secret?: { readonly name: string; readonly uid: string };
}

/** Tokens of service accounts: those kept in secrets, and bound ones of TokenRequest. */
export function serviceAccountTokens(options: {
  readonly reader: ClusterReader;
  readonly publicPem: string;
  /** `--service-account-issuer`; its tokens are bound ones. */
  readonly issuer: string;
  /** Whom tokens must be meant for. */
  readonly audiences: readonly string[];
  readonly clock: Clock;
}): TokenAuthenticator {
  const { reader, publicPem, issuer, audiences, clock } = options;
  // Checking a signature is dear and its outcome never changes; the objects behind the token are looked up every time.
  const checked = new Map<string, Claims | undefined>();
  const verified = (token: string): Claims | undefined => {
    if (!checked.has(token)) {
      if (checked.size > 1000) checked.clear();
      const claims = claimsOf(token);
      checked.set(token, claims !== undefined && isSignedBy(token, publicPem) ? claims : undefined);
    }
    return checked.get(token);
  };
  const uidOf = (resource: string, namespace: string, name: string): string | undefined =>
    reader.store('', resource).get(namespace, name)?.object.metadata.uid;

  const bound = (claims: Claims): User | string => {
    const nowSeconds = clock.now() / 1000;
    if (Number(claims['exp'] ?? 0) < nowSeconds) return 'Token has expired.';
    if (Number(claims['nbf'] ?? 0) > nowSeconds + 60) return 'Token could not be validated.';
    const { namespace = '', serviceaccount, pod, secret } = (claims['kubernetes.io'] ?? {}) as Bound;
    const { name = '', uid = '' } = serviceaccount ?? {};
    const account = reader.store('', 'serviceaccounts').get(namespace, name)?.object.metadata;
    if (account === undefined || account.deletionTimestamp !== undefined) return INVALIDATED;
    if (account.uid !== uid) return INVALIDATED;
    if (secret !== undefined && uidOf('secrets', namespace, secret.name) !== secret.uid) return INVALIDATED;
    if (pod === undefined) return serviceAccountUser(namespace, name, uid);
    if (uidOf('pods', namespace, pod.name) !== pod.uid) return INVALIDATED;
    const extra = { 'authentication.kubernetes.io/pod-name': [pod.name], 'authentication.kubernetes.io/pod-uid': [pod.uid] };
    return serviceAccountUser(namespace, name, uid, extra);
  };
  const legacy = (claims: Claims, token: string): User | string => {
    const claim = (name: string): string => String(claims[`kubernetes.io/serviceaccount/${name}`] ?? '');
    const [namespace, name, uid] = [claim('namespace'), claim('service-account.name'), claim('service-account.uid')];
    if (claims['sub'] !== `system:serviceaccount:${namespace}:${name}`) return 'sub claim is invalid';
    if (namespace === '') return 'namespace claim is missing';
    if (claim('secret.name') === '') return 'secretName claim is missing';
    if (name === '') return 'serviceAccountName claim is missing';
    if (uid === '') return 'serviceAccountUID claim is missing';
    const secret = reader.store('', 'secrets').get(namespace, claim('secret.name'))?.object;
    const kept = (secret?.['data'] as Record<string, string> | undefined)?.['token'];
    if (secret === undefined || secret.metadata.deletionTimestamp !== undefined) return INVALIDATED;
    if (kept === undefined || text(fromBase64(kept)) !== token) return "Token does not match server's copy";
    const account = reader.store('', 'serviceaccounts').get(namespace, name)?.object.metadata;
    if (account === undefined || account.deletionTimestamp !== undefined) return INVALIDATED;
    if (account.uid !== uid) return `ServiceAccount UID (${account.uid}) does not match claim (${uid})`;
    return serviceAccountUser(namespace, name, uid);
  };
  return (token, wanted): TokenVerdict => {
    const claims = claimsOf(token);
    const isBound = claims?.['kubernetes.io'] !== undefined && claims['iss'] === issuer;
    if (claims === undefined || (!isBound && claims['iss'] !== LEGACY_ISSUER)) return undefined;
    if (verified(token) === undefined) return 'square/go-jose: error in cryptographic primitive';
    const given = claims['aud'];
    // Tokens of old name nobody: they are for the API server.
    const named = Array.isArray(given) ? given.map(String) : typeof given === 'string' ? [given] : [];
    const meantFor = named.length === 0 ? audiences : named;
    const asked = wanted.length === 0 ? audiences : wanted;
    const shared = meantFor.filter((audience) => asked.includes(audience));
    const quoted = (list: readonly string[]): string => `[${list.map((each) => JSON.stringify(each)).join(' ')}]`;
    if (shared.length === 0) return `token audiences ${quoted(meantFor)} is invalid for the target audiences ${quoted(asked)}`;
    const user = isBound ? bound(claims) : legacy(claims, token);
    return typeof user === 'string' ? user : { user, audiences: shared };
  };
}

/** Tokens of kubeadm join: `abcdef.0123456789abcdef`, kept as secrets of kube-system. */
export function bootstrapTokens(options: { readonly reader: ClusterReader; readonly clock: Clock }): TokenAuthenticator {
  return (token) => {
    const match = /^([a-z0-9]{6})\.([a-z0-9]{16})$/.exec(token);
    if (match === null) return undefined;
    const [, id = '', secretPart] = match;
    const secret = options.reader.store('', 'secrets').get('kube-system', `bootstrap-token-${id}`)?.object;
    if (secret?.['type'] !== 'bootstrap.kubernetes.io/token' || secret.metadata.deletionTimestamp !== undefined) return undefined;
    const data = secret['data'] as Record<string, string>;
    const value = (key: string): string => (data[key] === undefined ? '' : text(fromBase64(data[key])));
    if (value('token-id') !== id || value('token-secret') !== secretPart) return undefined;
    if (value('usage-bootstrap-authentication') !== 'true') return undefined;
    const expiration = value('expiration');
    // What is no time counts as past.
    if (expiration !== '' && !(Date.parse(expiration) > options.clock.now())) return undefined;
    const extra = value('auth-extra-groups')
      .split(',')
      .filter((each) => each !== '');
    if (!extra.every((each) => /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/.test(each))) return undefined;
    return { user: { name: `system:bootstrap:${id}`, groups: ['system:bootstrappers', ...extra].sort() }, audiences: [] };
  };
}

/** `--token-auth-file`: lines of token, user, uid and, in quotes, groups. Throws what is wrong with a line. */
export function fileTokens(contents: string, path: string): TokenAuthenticator {
  const users = new Map<string, User>();
  for (const [index, line] of contents.split('\n').entries()) {
    if (line.trim() === '') continue;
    const fields = [...line.matchAll(/(?:^|,)\s*(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
      ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain?.trim() ?? '',
    );
    if (fields.length < 3)
      throw new FlagError(`token file '${path}' must have at least 3 columns (token, user name, user uid), found ${fields.length}`);
    const [token = '', name = '', uid = '', groups = ''] = fields;
    if (token === '') throw new FlagError(`empty token has been found in token file '${path}', record number '${index + 1}'`);
    const list = groups.split(',').filter((each) => each !== '');
    users.set(token, { name, uid, groups: list });
  }
  return (token) => {
    const user = users.get(token);
    return user === undefined ? undefined : { user, audiences: [] };
  };
}
