// Models who may use the kubelet's server: client certificates, bearer tokens (TokenReview), SubjectAccessReview on nodes.

import { text, toHex, utf8 } from '../../../sim/bytes.ts';
import { sha256 } from '@noble/hashes/sha2.js';
import type { Clock } from '../../../sim/clock.ts';
import { isSysError } from '../../../sim/errno.ts';
import type { HttpRequest } from '../../../net/http.ts';
import { parseCertificate, verifyCertificate, X509Error } from '../../../net/x509.ts';
import type { KubeClient } from '../../client/contracts.ts';
import { ApiError } from '../../machinery/api-error.ts';
import { HttpError } from './http-error.ts';

/** authentication.webhook.cacheTTL, authorization.webhook.cacheAuthorizedTTL and cacheUnauthorizedTTL. */
const TOKEN_TTL_MS = 120_000;
const ALLOWED_TTL_MS = 300_000;
const REFUSED_TTL_MS = 30_000;
const MOST_CACHED = 1024;

export interface AccessOptions {
  readonly clock: Clock;
  readonly client: Pick<KubeClient, 'raw'>;
  readonly nowMs: () => number;
  readonly clientCa: () => string | undefined;
  readonly isAnonymous: boolean;
  /** authentication.webhook.enabled */
  readonly reviewsTokens: boolean;
  readonly authorizationMode: 'Webhook' | 'AlwaysAllow';
  readonly nodeName: string;
  readonly log: (line: string) => void;
}

export interface KubeletUser {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
}

const VERBS: Readonly<Record<string, string>> = { POST: 'create', GET: 'get', PUT: 'update', PATCH: 'patch', DELETE: 'delete' };

export class Access {
  readonly #options: AccessOptions;
  readonly #cache = new Map<string, { readonly value: unknown; readonly untilMs: number }>();

  constructor(options: AccessOptions) {
    this.#options = options;
  }

  /** Throws HttpError when the request may not be answered. */
  async check(request: HttpRequest): Promise<void> {
    const user = await this.#user(request);
    if (user === undefined) throw new HttpError(401, 'Unauthorized');
    if (this.#options.authorizationMode === 'AlwaysAllow') return;
    const verb = VERBS[request.method] ?? '';
    const subresource = subresourceOf(request.target.split('?')[0]!);
    const about = `(user=${user.name}, verb=${verb}, resource=nodes, subresource=${subresource})`;
    let isAllowed: boolean;
    try {
      isAllowed = await this.#isAllowed(user, verb, subresource);
    } catch (error) {
      if (!(error instanceof ApiError) && !isSysError(error) && !isTlsProblem(error)) throw error;
      throw new HttpError(500, `Authorization error ${about}`);
    }
    if (!isAllowed) throw new HttpError(403, `Forbidden ${about}`);
  }

  async #user(request: HttpRequest): Promise<KubeletUser | undefined> {
    const problems: string[] = [];
    const byCertificate = this.#fromCertificate(request.clientCertificate, problems);
    if (byCertificate !== undefined) return byCertificate;
    const token = /^Bearer +(\S+)/i.exec(request.headers.get('authorization') ?? '')?.[1];
    if (token !== undefined && this.#options.reviewsTokens) {
      const user = await this.#fromToken(token, problems);
      if (user !== undefined) return user;
      problems.push('invalid bearer token');
    }
    if (problems.length > 0) {
      this.#options.log(`Unable to authenticate the request due to an error: ${problems.join(', ')}`);
      return undefined;
    }
    return this.#options.isAnonymous ? { name: 'system:anonymous', groups: ['system:unauthenticated'] } : undefined;
  }

  #fromCertificate(pem: string | undefined, problems: string[]): KubeletUser | undefined {
    const ca = this.#options.clientCa();
    if (pem === undefined || ca === undefined) return undefined;
    try {
      verifyCertificate(pem, ca, { nowMs: this.#options.nowMs(), usage: 'client' });
    } catch (error) {
      if (!(error instanceof X509Error)) throw error;
      problems.push(error.message);
      return undefined;
    }
    const { subject } = parseCertificate(pem);
    return { name: subject.commonName, groups: [...subject.organizations, 'system:authenticated'] };
  }

  async #fromToken(token: string, problems: string[]): Promise<KubeletUser | undefined> {
    const key = `token ${toHex(sha256(utf8(token)))}`;
    const cached = this.#cached<{ readonly user: KubeletUser | undefined }>(key);
    if (cached !== undefined) return cached.user;
    try {
      const answer = await this.#review<{
        readonly authenticated?: boolean;
        readonly user?: { readonly username?: string; readonly uid?: string; readonly groups?: readonly string[] };
      }>('/apis/authentication.k8s.io/v1/tokenreviews', { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } });
      const user =
        answer?.authenticated === true
          ? {
              name: answer.user?.username ?? '',
              groups: answer.user?.groups ?? [],
              ...(answer.user?.uid === undefined ? {} : { uid: answer.user.uid }),
            }
          : undefined;
      this.#keep(key, { user }, TOKEN_TTL_MS);
      return user;
    } catch (error) {
      if (!(error instanceof ApiError) && !isSysError(error) && !isTlsProblem(error)) throw error;
      problems.push(error.message);
      return undefined;
    }
  }

  async #isAllowed(user: KubeletUser, verb: string, subresource: string): Promise<boolean> {
    const spec = {
      user: user.name,
      groups: user.groups,
      ...(user.uid === undefined ? {} : { uid: user.uid }),
      resourceAttributes: { verb, version: 'v1', resource: 'nodes', subresource, name: this.#options.nodeName },
    };
    const key = `access ${JSON.stringify(spec)}`;
    const cached = this.#cached<boolean>(key);
    if (cached !== undefined) return cached;
    const body = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec };
    const answer = await this.#review<{ readonly allowed?: boolean }>('/apis/authorization.k8s.io/v1/subjectaccessreviews', body);
    const isAllowed = answer?.allowed === true;
    this.#keep(key, isAllowed, isAllowed ? ALLOWED_TTL_MS : REFUSED_TTL_MS);
    return isAllowed;
  }

  async #review<T>(target: string, body: object): Promise<T | undefined> {
    const response = await this.#options.client.raw('POST', target, {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    let json = '';
    for (let chunk = await response.body.read(); chunk !== undefined; chunk = await response.body.read()) json += text(chunk);
    const answer = JSON.parse(json) as { readonly kind: string; readonly status?: T };
    if (response.status >= 400) throw new ApiError(answer as unknown as ConstructorParameters<typeof ApiError>[0]);
    return answer.status;
  }

  #cached<T>(key: string): T | undefined {
    const found = this.#cache.get(key);
    return found !== undefined && found.untilMs > this.#options.clock.now() ? (found.value as T) : undefined;
  }

  #keep(key: string, value: unknown, forMs: number): void {
    if (this.#cache.size >= MOST_CACHED) this.#cache.clear();
    this.#cache.set(key, { value, untilMs: this.#options.clock.now() + forMs });
  }
}

function isTlsProblem(error: unknown): error is Error {
  return error instanceof Error && (error.name === 'TlsError' || error.name === 'X509Error' || error.name === 'HttpParseError');
}

/** Which part of the node a path belongs to. */
function subresourceOf(path: string): string {
  const under = (root: string): boolean => path === root || path.startsWith(`${root}/`);
  if (under('/stats')) return 'stats';
  if (under('/metrics')) return 'metrics';
  if (under('/logs')) return 'log';
  if (under('/spec')) return 'spec';
  return 'proxy';
}
