// Models client-go's REST connection of one kubectl: requests, warnings of the server, errors as kubectl words them.

import { connectTls, TlsError } from '../../../net/tls.ts';
import { X509Error } from '../../../net/x509.ts';
import { HttpClient } from '../../../net/http-client.ts';
import type { HttpResponse } from '../../../net/http.ts';
import type { Process } from '../../../kernel/process.ts';
import { errorOf, readAll } from '../../../kube/client/rest-client.ts';
import { text } from '../../../sim/bytes.ts';
import { isSysError } from '../../../sim/errno.ts';
import type { Connection } from '../../../sim/stream.ts';
import { UrlError } from '../errors.ts';
import type { JsonObject } from '../printers/json.ts';
import type { RestConfig } from './client-config.ts';
import { DialError } from './dial-error.ts';
import { resolveHost } from './resolve-host.ts';

const USER_AGENT = 'kubectl/v1.20.2 (linux/amd64) kubernetes/faecb19';
/** net.Dialer's timeout in client-go's transport. */
const DIAL_TIMEOUT_MS = 30_000;

export interface RestRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal;
}

export interface RestHooks {
  readonly verbosity: number;
  onWarning(text: string): Promise<void>;
  log(text: string): Promise<void>;
}

export class Rest {
  readonly config: RestConfig;
  readonly #process: Process;
  readonly #hooks: RestHooks;
  readonly #http: HttpClient;

  constructor(process: Process, config: RestConfig, hooks: RestHooks) {
    this.#process = process;
    this.config = config;
    this.#hooks = hooks;
    this.#http = new HttpClient({ connect: (signal) => this.connect(signal), host: this.host, maxIdle: 8 });
  }

  /** `192.168.1.10:6443`. */
  get host(): string {
    return /^[a-z]+:\/\/([^/]*)/.exec(this.config.server)?.[1] ?? this.config.server;
  }

  /** Sends a request; throws UrlError when there was no answer. Error statuses are answers. */
  async send(request: RestRequest): Promise<HttpResponse> {
    const url = `${this.config.server}${request.target}`;
    const startMs = this.#process.sys.now();
    const { verbosity } = this.#hooks;
    const headers = {
      accept: 'application/json, */*',
      'user-agent': USER_AGENT,
      ...this.config.headers,
      ...this.#impersonation(),
      ...request.headers,
    };
    if (verbosity >= 8 && request.body !== undefined) await this.#hooks.log(`Request Body: ${request.body}`);
    if (verbosity >= 7) {
      await this.#hooks.log(`${request.method} ${url}`);
      await this.#hooks.log('Request Headers:');
      for (const [name, value] of Object.entries(headers))
        await this.#hooks.log(
          `    ${name.replace(/(^|-)(\w)/g, (part) => part.toUpperCase())}: ${name === 'authorization' ? '<masked>' : value}`,
        );
    }
    let response: HttpResponse;
    try {
      response = await this.#http.request({
        method: request.method,
        target: request.target,
        headers,
        ...(request.body === undefined ? {} : { body: request.body }),
        ...(request.signal === undefined ? {} : { signal: request.signal }),
      });
    } catch (error) {
      throw this.#requestError(error, request.method, url);
    }
    const tookMs = this.#process.sys.now() - startMs;
    if (verbosity >= 7) await this.#hooks.log(`Response Status: ${response.status} ${response.reason} in ${tookMs} milliseconds`);
    else if (verbosity >= 6)
      await this.#hooks.log(`${request.method} ${url} ${response.status} ${response.reason} in ${tookMs} milliseconds`);
    for (const warning of warningsOf(response)) await this.#hooks.onWarning(warning);
    return response;
  }

  /** The answer's text; throws ApiError for an error status. */
  async text(request: RestRequest): Promise<string> {
    const { signal, done } = this.#timeout(request.signal);
    try {
      const response = await this.send({ ...request, ...(signal === undefined ? {} : { signal }) });
      if (response.status >= 400) throw await errorOf(response);
      const body = text(await readAll(response.body, signal));
      if (this.#hooks.verbosity >= 8) await this.#hooks.log(`Response Body: ${body}`);
      return body;
    } finally {
      done();
    }
  }

  /** The answer as JSON; throws ApiError for an error status. */
  async json<T = JsonObject>(
    method: string,
    target: string,
    options: { readonly body?: unknown; readonly contentType?: string; readonly accept?: string } = {},
  ): Promise<T> {
    const body = await this.text({
      method,
      target,
      headers: {
        ...(options.accept === undefined ? {} : { accept: options.accept }),
        ...(options.body === undefined ? {} : { 'content-type': options.contentType ?? 'application/json' }),
      },
      ...(options.body === undefined
        ? {}
        : { body: typeof options.body === 'string' ? options.body : `${JSON.stringify(options.body)}\n` }),
    });
    return JSON.parse(body) as T;
  }

  close(): void {
    this.#http.close();
  }

  /** Opens a connection to the server, TLS and all. */
  async connect(signal?: AbortSignal): Promise<Connection> {
    const isTls = this.config.server.startsWith('https:');
    const match = /^\[?(.*?)\]?(?::(\d+))?$/.exec(this.host);
    const host = match?.[1] ?? this.host;
    const port = Number(match?.[2] ?? (isTls ? 443 : 80));
    const address = await resolveHost(this.#process, host);
    const connection = await this.#dial(address, port, signal);
    if (!isTls) return connection;
    return connectTls(connection, {
      serverName: this.config.serverName ?? host,
      insecure: this.config.isInsecure,
      ...(this.config.ca === undefined ? {} : { ca: this.config.ca }),
      ...(this.config.certificate === undefined ? {} : { certificate: this.config.certificate }),
      nowMs: this.#process.sys.now(),
    });
  }

  async #dial(address: string, port: number, signal?: AbortSignal): Promise<Connection> {
    const giveUp = new AbortController();
    const onAbort = (): void => giveUp.abort(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    const timer = this.#process.sys.clock.setTimer(DIAL_TIMEOUT_MS, () =>
      giveUp.abort(new DialError(`dial tcp ${address}:${port}: i/o timeout`)),
    );
    try {
      return await this.#process.sys.net.connect({ address, port, pid: this.#process.pid, signal: giveUp.signal });
    } catch (error) {
      if (isSysError(error)) throw new DialError(`dial tcp ${address}:${port}: connect: ${error.strerror.toLowerCase()}`);
      throw error;
    } finally {
      timer.dispose();
      signal?.removeEventListener('abort', onAbort);
    }
  }

  #timeout(outer: AbortSignal | undefined): { readonly signal: AbortSignal | undefined; done(): void } {
    if (this.config.timeoutMs === 0) return { signal: outer, done: () => undefined };
    const controller = new AbortController();
    const timer = this.#process.sys.clock.setTimer(this.config.timeoutMs, () =>
      controller.abort(new DialError('net/http: request canceled (Client.Timeout exceeded while awaiting headers)')),
    );
    const onAbort = (): void => controller.abort(outer?.reason);
    outer?.addEventListener('abort', onAbort, { once: true });
    return {
      signal: controller.signal,
      done: () => {
        timer.dispose();
        outer?.removeEventListener('abort', onAbort);
      },
    };
  }

  #impersonation(): Readonly<Record<string, string>> {
    const { user, groups } = this.config.impersonate;
    if (user === '') return {};
    return { 'impersonate-user': user, ...(groups.length === 0 ? {} : { 'impersonate-group': groups.join(',') }) };
  }

  #requestError(error: unknown, method: string, url: string): unknown {
    if (error instanceof DialError) return new UrlError(method, url, error.message);
    if (error instanceof X509Error)
      return new UrlError(method, url, error.message.startsWith('x509:') ? error.message : `x509: ${error.message}`);
    if (error instanceof TlsError) return new UrlError(method, url, error.message);
    if (isSysError(error, 'ECONNRESET', 'EPIPE'))
      return new UrlError(method, url, /EOF/.test(error.message) ? 'EOF' : `read tcp ${this.host}: read: ${error.strerror.toLowerCase()}`);
    if (isSysError(error)) return new UrlError(method, url, error.strerror.toLowerCase());
    return error;
  }
}

/** Texts of `Warning: 299 - "..."` headers. */
function warningsOf(response: HttpResponse): readonly string[] {
  const header = response.headers.get('warning');
  if (header === undefined) return [];
  return [...header.matchAll(/299 [^ ]+ "((?:\\.|[^"\\])*)"/g)].map((match) => (match[1] ?? '').replace(/\\(.)/g, '$1'));
}
