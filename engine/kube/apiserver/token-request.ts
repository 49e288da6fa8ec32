// Models TokenRequest: a service account's token with an end, for named audiences, perhaps bound to a pod or a secret;
// and the discovery documents by which others can check such tokens.

import type { Clock } from '../../sim/clock.ts';
import { jwkOf } from '../machinery/jwk.ts';
import { isRecord } from '../machinery/deep.ts';
import { typedBody } from './typed-body.ts';
import { FieldError } from '../machinery/field-errors.ts';
import { signToken } from '../machinery/jwt.ts';
import { badRequest, conflict, invalid, methodNotSupported, notFound } from '../machinery/status.ts';
import { rfc3339 } from '../machinery/time.ts';
import type { ApiObject } from '../registry/definition.ts';
import type { ClusterReader } from './admission.ts';
import type { PathHandler, SpecialHandler } from './server.ts';

export interface TokenIssuer {
  readonly publicPem: string;
  readonly privatePem: string | undefined;
  readonly issuer: string;
  readonly audiences?: readonly string[];
}

interface TokenRequest {
  readonly metadata?: object;
  readonly spec?: {
    readonly audiences?: readonly string[];
    readonly expirationSeconds?: number;
    readonly boundObjectRef?: {
      readonly apiVersion?: string;
      readonly kind?: string;
      readonly name?: string;
      readonly uid?: string;
    } | null;
  };
}

const DEFAULT_EXPIRATION_SECONDS = 3600;
const MIN_EXPIRATION_SECONDS = 600;
const MAX_EXPIRATION_SECONDS = 2 ** 32;

export function tokenRequests(options: {
  readonly clock: Clock;
  readonly reader: ClusterReader;
  readonly issuer: TokenIssuer;
}): SpecialHandler {
  const { clock, reader, issuer } = options;
  return async (special) => {
    const { info, endpoint, context } = special;
    if (info.verb !== 'create') throw methodNotSupported({ group: '', resource: 'serviceaccounts/token' }, info.verb);
    const { privatePem } = issuer;
    if (privatePem === undefined) throw badRequest('the server issues no tokens');
    const given = (await special.readBody()) ?? {};
    if (!isRecord(given)) throw badRequest('the object provided is unrecognized (must be of type TokenRequest)');
    const body = typedBody('authentication/v1.TokenRequest', given) as unknown as TokenRequest;
    const seconds = body.spec?.expirationSeconds ?? DEFAULT_EXPIRATION_SECONDS;
    const problems: FieldError[] = [];
    if (seconds < MIN_EXPIRATION_SECONDS)
      problems.push(FieldError.invalid('spec.expirationSeconds', seconds, 'may not specify a duration less than 10 minutes'));
    if (seconds > MAX_EXPIRATION_SECONDS)
      problems.push(FieldError.invalid('spec.expirationSeconds', seconds, 'may not specify a duration larger than 2^32 seconds'));
    if (problems.length > 0) throw invalid({ group: 'authentication.k8s.io', kind: 'TokenRequest' }, '', problems);
    await endpoint.admitSubresource('CREATE', info.name, body as unknown as ApiObject, undefined, context);
    const account = endpoint.find(info.namespace, info.name).object;
    const named = body.spec?.audiences ?? [];
    const audiences = named.length > 0 ? named : (issuer.audiences ?? [issuer.issuer]);
    const reference = body.spec?.boundObjectRef ?? undefined;
    const bound = reference === undefined ? {} : boundTo(reference, info.namespace, info.name, reader);
    const now = Math.floor(clock.now() / 1000);
    const token = signToken(
      {
        aud: audiences,
        exp: now + seconds,
        iat: now,
        iss: issuer.issuer,
        'kubernetes.io': { namespace: info.namespace, ...bound, serviceaccount: { name: info.name, uid: account.metadata.uid } },
        nbf: now,
        sub: `system:serviceaccount:${info.namespace}:${info.name}`,
      },
      privatePem,
    );
    await special.sendObject(201, {
      kind: 'TokenRequest',
      apiVersion: 'authentication.k8s.io/v1',
      metadata: { ...body.metadata, creationTimestamp: null },
      spec: { audiences, expirationSeconds: seconds, boundObjectRef: reference ?? null },
      status: { token, expirationTimestamp: rfc3339((now + seconds) * 1000) },
    });
  };
}

type Reference = NonNullable<NonNullable<TokenRequest['spec']>['boundObjectRef']>;

/** The claims that tie a token to an object: with the object it ends. */
function boundTo(reference: Reference, namespace: string, account: string, reader: ClusterReader): Record<string, unknown> {
  const { apiVersion = '', kind = '', name = '', uid = '' } = reference;
  const resource = kind === 'Pod' ? 'pods' : kind === 'Secret' ? 'secrets' : undefined;
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  if (resource === undefined || group !== '')
    throw badRequest(`cannot bind token to object of type ${group}/${version ?? ''}, Kind=${kind}`);
  const found = reader.store('', resource).get(namespace, name)?.object;
  if (found === undefined) throw notFound({ group: '', resource }, name);
  if (kind === 'Pod' && (found['spec'] as { serviceAccountName?: string }).serviceAccountName !== account)
    throw badRequest(`cannot bind token for serviceaccount ${JSON.stringify(account)} to pod running with different serviceaccount name.`);
  if (uid !== '' && uid !== found.metadata.uid)
    throw conflict(
      { group: '', resource: kind },
      name,
      `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  return { [kind === 'Pod' ? 'pod' : 'secret']: { name, uid: found.metadata.uid } };
}

/** /.well-known/openid-configuration and /openid/v1/jwks: served when the issuer is a proper URL. */
export function openIdPaths(issuer: TokenIssuer, advertised: string): PathHandler {
  const isUrl = /^https:\/\/[^?#]+$/.test(issuer.issuer);
  const key = jwkOf(issuer.publicPem);
  const documents: Readonly<Record<string, { readonly type: string; readonly body: string }>> = {
    '/.well-known/openid-configuration': {
      type: 'application/json',
      body: JSON.stringify({
        issuer: issuer.issuer,
        jwks_uri: `https://${advertised}/openid/v1/jwks`,
        response_types_supported: ['id_token'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: [key.alg],
      }),
    },
    '/openid/v1/jwks': { type: 'application/jwk-set+json', body: JSON.stringify({ keys: [key] }) },
  };
  return async (info, request, respond) => {
    const document = isUrl && (request.method === 'GET' || request.method === 'HEAD') ? documents[info.path] : undefined;
    if (document === undefined) return false;
    await respond.send({ status: 200, headers: { 'content-type': document.type, 'cache-control': 'public, max-age=3600' } }, document.body);
    return true;
  };
}
