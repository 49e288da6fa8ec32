// Models authentication: client certificates, bearer tokens, anonymous.

import type { HttpRequest } from '../../net/http.ts';
import { unauthorized } from '../machinery/status.ts';
import { ANONYMOUS, AUTHENTICATED, type User } from './user.ts';

/** Finds the user of a token; undefined when it is not his to judge or not valid. */
export type TokenAuthenticator = (token: string) => User | undefined;

export class Authenticator {
  readonly #subjectOf: (pem: string) => { readonly commonName: string; readonly organizations: readonly string[] };
  readonly #tokens: readonly TokenAuthenticator[];
  readonly #certificates = new Map<string, User>();

  constructor(options: {
    readonly subjectOf: (pem: string) => { readonly commonName: string; readonly organizations: readonly string[] };
    readonly tokens: readonly TokenAuthenticator[];
  }) {
    this.#subjectOf = options.subjectOf;
    this.#tokens = options.tokens;
  }

  /** Throws 401 when credentials were given and are not good. */
  authenticate(request: HttpRequest): User {
    if (request.clientCertificate !== undefined) return this.#fromCertificate(request.clientCertificate);
    const authorization = request.headers.get('authorization');
    const token = /^Bearer +(\S+)/i.exec(authorization ?? '')?.[1];
    if (token === undefined) return ANONYMOUS;
    const user = this.authenticateToken(token);
    if (user === undefined) throw unauthorized();
    return user;
  }

  authenticateToken(token: string): User | undefined {
    for (const authenticate of this.#tokens) {
      const user = authenticate(token);
      if (user !== undefined) return { ...user, groups: [...user.groups, AUTHENTICATED] };
    }
    return undefined;
  }

  #fromCertificate(pem: string): User {
    let user = this.#certificates.get(pem);
    if (user === undefined) {
      const { commonName, organizations } = this.#subjectOf(pem);
      user = { name: commonName, groups: [...organizations, AUTHENTICATED] };
      this.#certificates.set(pem, user);
    }
    return user;
  }
}
