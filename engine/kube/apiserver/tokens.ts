// Models bearer tokens: service account JWTs (ES256) and bootstrap tokens.

import { fromBase64, text, toBase64, utf8 } from '../../sim/bytes.ts';
import { signBytes, verifyBytes } from '../../net/x509.ts';
import type { Clock } from '../../sim/clock.ts';
import type { ClusterReader } from './admission.ts';
import type { TokenAuthenticator } from './authentication.ts';
import type { User } from './user.ts';

type Claims = Readonly<Record<string, unknown>>;

export function signToken(claims: Claims, privateKeyPem: string): string {
  const signed = `${encode(utf8(JSON.stringify({ alg: 'ES256', typ: 'JWT' })))}.${encode(utf8(JSON.stringify(claims)))}`;
  return `${signed}.${encode(signBytes(utf8(signed), privateKeyPem, 'raw'))}`;
}

/** The claims of a token this key signed; undefined for anything else. */
export function verifyToken(token: string, publicKeyPem: string): Claims | undefined {
  const [header = '', payload = '', signature] = token.split('.');
  if (signature === undefined) return undefined;
  try {
    if (!verifyBytes(utf8(`${header}.${payload}`), decode(signature), publicKeyPem, 'raw')) return undefined;
    return JSON.parse(text(decode(payload))) as Claims;
  } catch (error) {
    // Whatever does not decode is no token.
    if (error instanceof Error) return undefined;
    throw error;
  }
}

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

/** Tokens of service accounts: those kept in secrets, and bound ones of TokenRequest. */
export function serviceAccountTokens(options: {
  readonly reader: ClusterReader;
  readonly publicPem: string;
  readonly clock: Clock;
}): TokenAuthenticator {
  const { reader, publicPem, clock } = options;
  // Checking a signature is dear and its outcome never changes; the objects behind the token are looked up every time.
  const verified = new Map<string, Claims | undefined>();
  return (token) => {
    if (!verified.has(token)) {
      if (verified.size > 1000) verified.clear();
      verified.set(token, verifyToken(token, publicPem));
    }
    const claims = verified.get(token);
    if (claims === undefined) return undefined;
    const bound = claims['kubernetes.io'] as
      { namespace: string; serviceaccount: { name: string; uid: string }; pod?: { name: string; uid: string } } | undefined;
    const namespace = bound?.namespace ?? String(claims['kubernetes.io/serviceaccount/namespace'] ?? '');
    const name = bound?.serviceaccount.name ?? String(claims['kubernetes.io/serviceaccount/service-account.name'] ?? '');
    const uid = bound?.serviceaccount.uid ?? String(claims['kubernetes.io/serviceaccount/service-account.uid'] ?? '');
    const account = reader.store('', 'serviceaccounts').get(namespace, name);
    if (account === undefined || account.object.metadata.uid !== uid) return undefined;
    if (bound !== undefined) {
      const nowSeconds = clock.now() / 1000;
      if (Number(claims['exp'] ?? 0) < nowSeconds || Number(claims['nbf'] ?? 0) > nowSeconds) return undefined;
      if (bound.pod !== undefined && reader.store('', 'pods').get(namespace, bound.pod.name)?.object.metadata.uid !== bound.pod.uid)
        return undefined;
      const extra =
        bound.pod === undefined
          ? {}
          : { 'authentication.kubernetes.io/pod-name': [bound.pod.name], 'authentication.kubernetes.io/pod-uid': [bound.pod.uid] };
      return serviceAccountUser(namespace, name, uid, extra);
    }
    const secret = reader.store('', 'secrets').get(namespace, String(claims['kubernetes.io/serviceaccount/secret.name'] ?? ''));
    const kept = (secret?.object['data'] as Record<string, string> | undefined)?.['token'];
    if (kept === undefined || text(fromBase64(kept)) !== token) return undefined;
    return serviceAccountUser(namespace, name, uid);
  };
}

/** Tokens of kubeadm join: `abcdef.0123456789abcdef`, kept as secrets of kube-system. */
export function bootstrapTokens(options: { readonly reader: ClusterReader; readonly clock: Clock }): TokenAuthenticator {
  return (token) => {
    const match = /^([a-z0-9]{6})\.([a-z0-9]{16})$/.exec(token);
    if (match === null) return undefined;
    const [, id = '', secretPart] = match;
    const secret = options.reader.store('', 'secrets').get('kube-system', `bootstrap-token-${id}`);
    if (secret?.object['type'] !== 'bootstrap.kubernetes.io/token') return undefined;
    const data = secret.object['data'] as Record<string, string>;
    const value = (key: string): string => (data[key] === undefined ? '' : text(fromBase64(data[key])));
    if (value('token-id') !== id || value('token-secret') !== secretPart || value('usage-bootstrap-authentication') !== 'true')
      return undefined;
    const expiration = value('expiration');
    if (expiration !== '' && Date.parse(expiration) < options.clock.now()) return undefined;
    const extra = value('auth-extra-groups')
      .split(',')
      .filter((each) => each !== '');
    return { name: `system:bootstrap:${id}`, groups: ['system:bootstrappers', ...extra] };
  };
}

function encode(bytes: Uint8Array): string {
  return toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

function decode(part: string): Uint8Array {
  return fromBase64(part.replaceAll('-', '+').replaceAll('_', '/'));
}
