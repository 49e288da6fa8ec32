// Models client-go's clients that act as a service account (--use-service-account-credentials): a token of TokenRequest, asked for
// when it is first needed, again when half of its time is over, and again when the server does not know it any more.

import type { Clock } from '../../sim/clock.ts';
import type { HttpResponse } from '../../net/http.ts';
import { isAlreadyExists, isNotFound } from '../machinery/api-error.ts';
import { SERVICE_ACCOUNT } from '../machinery/resources.ts';
import type { ServiceAccount } from '../machinery/types.ts';
import type { KubeClient } from './contracts.ts';
import type { HttpTransport } from './rest-client.ts';

const EXPIRATION_SECONDS = 3600;
const UNAUTHORIZED = 401;

export interface AccountTransportOptions {
  readonly namespace: string;
  readonly name: string;
  /** May create the account and its tokens. */
  readonly root: KubeClient;
  /** Connections that present no certificate, which would count before the token. Shared by all accounts; closed by its owner. */
  readonly transport: HttpTransport;
  readonly clock: Clock;
}

interface Token {
  readonly value: string;
  readonly renewAtMs: number;
}

export class AccountTransport implements HttpTransport {
  readonly #options: AccountTransportOptions;
  #token: Promise<Token> | undefined;

  constructor(options: AccountTransportOptions) {
    this.#options = options;
  }

  async request(request: Parameters<HttpTransport['request']>[0]): Promise<HttpResponse> {
    const { transport } = this.#options;
    const token = await this.#current();
    const response = await transport.request({ ...request, headers: { ...request.headers, authorization: `Bearer ${token.value}` } });
    if (response.status === UNAUTHORIZED && (await this.#token) === token) this.#token = undefined;
    return response;
  }

  close(): void {
    this.#token = undefined;
  }

  async #current(): Promise<Token> {
    if (this.#token !== undefined) {
      const pending = this.#token;
      if ((await pending).renewAtMs > this.#options.clock.now()) return pending;
      if (this.#token === pending) this.#token = undefined;
    }
    this.#token ??= this.#renew();
    return this.#token;
  }

  /** A failure is the request's that needed the token; the next one asks again. */
  async #renew(): Promise<Token> {
    const { clock } = this.#options;
    const startedMs = clock.now();
    const asking = this.#ask();
    try {
      return { value: await asking, renewAtMs: startedMs + (EXPIRATION_SECONDS * 1000) / 2 };
    } catch (error) {
      this.#token = undefined;
      throw error;
    }
  }

  async #ask(): Promise<string> {
    const { root, name, namespace } = this.#options;
    const request = { kind: 'TokenRequest', apiVersion: 'authentication.k8s.io/v1', spec: { expirationSeconds: EXPIRATION_SECONDS } };
    for (;;) {
      try {
        const answer = (await root.createSubresource(SERVICE_ACCOUNT, name, namespace, 'token', request)) as { status: { token: string } };
        return answer.status.token;
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
      await this.#create();
    }
  }

  /** Makes the account unless it is there, as a program does with all it will need when it starts. */
  async ensureAccount(): Promise<void> {
    const { root, name, namespace } = this.#options;
    try {
      await root.get<ServiceAccount>(SERVICE_ACCOUNT, name, namespace);
    } catch (error) {
      if (!isNotFound(error)) throw error;
      await this.#create();
    }
  }

  async #create(): Promise<void> {
    const { root, name, namespace } = this.#options;
    try {
      await root.create<ServiceAccount>(SERVICE_ACCOUNT, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
  }
}
