// Models authentication: a proxy's headers, client certificates, bearer tokens, anonymous.

import { parseCertificate, verifyCertificate, X509Error } from '../../net/x509.ts';
import type { HttpRequest } from '../../net/http.ts';
import { text } from '../../sim/bytes.ts';
import { fromBase64Url } from '../machinery/jwt.ts';
import { unauthorized } from '../machinery/status.ts';
import { unescaped } from './impersonation.ts';
import { ANONYMOUS, AUTHENTICATED, type User } from './user.ts';

/** The user of a token and whom it is meant for; what is wrong with it; or undefined when it is not this one's to judge. */
export type TokenVerdict = { readonly user: User; readonly audiences: readonly string[] } | string | undefined;
export type TokenAuthenticator = (token: string, audiences: readonly string[]) => TokenVerdict;

export interface RequestHeaderOptions {
  readonly clientCa: string | undefined;
  readonly allowedNames: readonly string[];
  readonly extraHeaderPrefixes: readonly string[];
  readonly groupHeaders: readonly string[];
  readonly usernameHeaders: readonly string[];
}

export interface AuthenticatorOptions {
  /** Names in a client certificate's subject. */
  readonly subjectOf: (pem: string) => { readonly commonName: string; readonly organizations: readonly string[] };
  /** `--client-ca-file`; without it every certificate that gets here is taken for checked. */
  readonly clientCa?: string | undefined;
  readonly requestHeader?: RequestHeaderOptions | undefined;
  readonly tokens: readonly TokenAuthenticator[];
  readonly isAnonymousAllowed?: boolean;
  readonly nowMs: () => number;
  readonly log?: (line: string) => void;
}

const WEBSOCKET_TOKEN = 'base64url.bearer.authorization.k8s.io.';

export class Authenticator {
  readonly #options: AuthenticatorOptions;
  /** Certificates that were found good, and until when. */
  /** By authority and certificate: what is wrong with it, or until when nothing is. */
  readonly #verdicts = new Map<string, Map<string, string | number>>();
  readonly #subjects = new Map<string, User>();

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
  }

  /** Throws 401 when credentials were given and are not good. */
  authenticate(request: HttpRequest): User {
    const problems: string[] = [];
    const user = this.#fromProxy(request, problems) ?? this.#fromCertificate(request, problems) ?? this.#fromToken(request, problems);
    if (user !== undefined) return user;
    if (problems.length === 0 && this.#options.isAnonymousAllowed !== false) return ANONYMOUS;
    if (problems.length > 0)
      this.#options.log?.(
        `Unable to authenticate the request due to an error: ${problems.length === 1 ? problems[0]! : `[${problems.join(', ')}]`}`,
      );
    throw unauthorized();
  }

  /** The user, or what is wrong with the token. */
  authenticateToken(token: string, audiences: readonly string[]): { readonly user: User; readonly audiences: readonly string[] } | string {
    const problems: string[] = [];
    for (const judge of this.#options.tokens) {
      const verdict = judge(token, audiences);
      if (typeof verdict === 'string') problems.push(verdict);
      else if (verdict !== undefined) return { ...verdict, user: authenticated(verdict.user) };
    }
    return problems.length === 0 ? 'invalid bearer token' : `[${['invalid bearer token', ...problems].join(', ')}]`;
  }

  /** An aggregating proxy vouches for its users in headers, with a certificate of an authority of its own. */
  #fromProxy(request: HttpRequest, problems: string[]): User | undefined {
    const { requestHeader, subjectOf } = this.#options;
    const pem = request.clientCertificate;
    if (requestHeader?.clientCa === undefined || pem === undefined) return undefined;
    const problem = this.#certificateProblem(pem, requestHeader.clientCa);
    if (problem !== undefined) {
      // Certificates of users come this way too; only what no authority knows is a fault, and the next check says so.
      return undefined;
    }
    const { commonName } = subjectOf(pem);
    if (requestHeader.allowedNames.length > 0 && !requestHeader.allowedNames.includes(commonName)) {
      problems.push(`x509: subject with cn=${commonName} is not in the allowed list`);
      return undefined;
    }
    const name = requestHeader.usernameHeaders.map((header) => request.headers.get(header.toLowerCase()) ?? '').find((each) => each !== '');
    if (name === undefined) return undefined;
    const groups = requestHeader.groupHeaders.flatMap((header) =>
      (request.headers.get(header.toLowerCase()) ?? '').split(', ').filter((each) => each !== ''),
    );
    const extra: Record<string, string[]> = {};
    for (const [header, value] of request.headers) {
      const prefix = requestHeader.extraHeaderPrefixes.find((each) => header.startsWith(each.toLowerCase()));
      if (prefix !== undefined) (extra[unescaped(header.slice(prefix.length))] ??= []).push(...value.split(', '));
    }
    return authenticated({ name, groups, ...(Object.keys(extra).length === 0 ? {} : { extra }) });
  }

  #fromCertificate(request: HttpRequest, problems: string[]): User | undefined {
    const pem = request.clientCertificate;
    if (pem === undefined) return undefined;
    const { clientCa, subjectOf } = this.#options;
    const problem = clientCa === undefined ? undefined : this.#certificateProblem(pem, clientCa);
    if (problem !== undefined) {
      problems.push(problem);
      return undefined;
    }
    let user = this.#subjects.get(pem);
    if (user === undefined) {
      const { commonName, organizations } = subjectOf(pem);
      // A subject without a name names nobody.
      if (commonName === '') return undefined;
      user = authenticated({ name: commonName, groups: organizations });
      if (this.#subjects.size > 1000) this.#subjects.clear();
      this.#subjects.set(pem, user);
    }
    return user;
  }

  #fromToken(request: HttpRequest, problems: string[]): User | undefined {
    const token = bearerOf(request) ?? websocketToken(request);
    if (token === undefined) return undefined;
    const found = this.authenticateToken(token, []);
    if (typeof found !== 'string') return found.user;
    problems.push(found);
    return undefined;
  }

  /** Checking a signature costs a millisecond, so what was found stays true: until the certificate runs out, or for good. */
  #certificateProblem(pem: string, ca: string): string | undefined {
    const nowMs = this.#options.nowMs();
    let verdicts = this.#verdicts.get(ca);
    if (verdicts === undefined) this.#verdicts.set(ca, (verdicts = new Map()));
    const known = verdicts.get(pem);
    if (known !== undefined && (typeof known === 'string' || nowMs <= known)) return typeof known === 'string' ? known : undefined;
    if (verdicts.size > 1000) verdicts.clear();
    try {
      verifyCertificate(pem, ca, { nowMs, usage: 'client' });
      verdicts.set(pem, parseCertificate(pem).notAfterMs);
      return undefined;
    } catch (error) {
      if (!(error instanceof X509Error)) throw error;
      // Whose it is does not change; what the time has to do with it does.
      if (!error.message.includes('expired')) verdicts.set(pem, error.message);
      return error.message;
    }
  }
}

function authenticated(user: User): User {
  return { ...user, groups: user.groups.includes(AUTHENTICATED) ? user.groups : [...user.groups, AUTHENTICATED] };
}

function bearerOf(request: HttpRequest): string | undefined {
  const [scheme = '', token = ''] = (request.headers.get('authorization') ?? '').trim().split(' ');
  return scheme.toLowerCase() === 'bearer' && token !== '' ? token : undefined;
}

/** Browsers cannot set headers on a WebSocket, so a subprotocol may carry the token. */
function websocketToken(request: HttpRequest): string | undefined {
  if ((request.headers.get('upgrade') ?? '').toLowerCase() !== 'websocket') return undefined;
  for (const protocol of (request.headers.get('sec-websocket-protocol') ?? '').split(',')) {
    const name = protocol.trim();
    if (!name.startsWith(WEBSOCKET_TOKEN)) continue;
    try {
      return text(fromBase64Url(name.slice(WEBSOCKET_TOKEN.length)));
    } catch (error) {
      // What does not decode is a token nobody knows.
      if (error instanceof Error) return name;
      throw error;
    }
  }
  return undefined;
}
