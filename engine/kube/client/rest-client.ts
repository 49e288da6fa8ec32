// Models client-go's REST client: typed verbs over HTTP.

import { concat, text as decode, utf8 } from '../../sim/bytes.ts';
import type { ByteSource } from '../../sim/stream.ts';
import type { HttpResponse } from '../../net/http.ts';
import { ApiError } from '../machinery/api-error.ts';
import { apiVersionOf, resourcePath } from '../machinery/resources.ts';
import type { KubeObject, ResourceReference, Status } from '../machinery/types.ts';
import type { DeepPartialObject, DeleteOptions, KubeClient, ListOptions, PatchType, WatchEvent } from './contracts.ts';
import { parseEvent } from './shared-events.ts';

/** What the client needs of net/http-client.ts. */
export interface HttpTransport {
  request(request: {
    readonly method: string;
    readonly target: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string | Uint8Array;
    readonly signal?: AbortSignal;
  }): Promise<HttpResponse>;
  close(): void;
}

export interface RestClientOptions {
  readonly transport: HttpTransport;
  /** `kube-controller-manager/v1.20.2 (linux/amd64) kubernetes/faecb19`; managedFields name its first word. */
  readonly userAgent: string;
  readonly token?: (() => string) | undefined;
}

export class RestClient implements KubeClient {
  readonly #transport: HttpTransport;
  readonly #userAgent: string;
  readonly #token: (() => string) | undefined;

  constructor(options: RestClientOptions) {
    this.#transport = options.transport;
    this.#userAgent = options.userAgent;
    this.#token = options.token;
  }

  get<T extends KubeObject>(resource: ResourceReference, name: string, namespace?: string): Promise<T> {
    return this.#object<T>('GET', resourcePath(resource, { namespace, name }));
  }

  async list<T extends KubeObject>(
    resource: ResourceReference,
    options: ListOptions = {},
  ): Promise<{ readonly items: readonly T[]; readonly resourceVersion: string; readonly continue: string | undefined }> {
    const list = await this.#object<{ items?: T[] | null; metadata: { resourceVersion?: string; continue?: string } }>(
      'GET',
      resourcePath(resource, { namespace: options.namespace }) + listQuery(options),
    );
    const apiVersion = apiVersionOf(resource);
    // Lists come without kind and version on their items.
    const items = (list.items ?? []).map((item) => ({ ...item, apiVersion, kind: resource.kind }));
    const next = list.metadata.continue;
    return { items, resourceVersion: list.metadata.resourceVersion ?? '', continue: next === '' ? undefined : next };
  }

  create<T extends KubeObject>(resource: ResourceReference, object: DeepPartialObject<T>): Promise<T> {
    return this.#object<T>('POST', resourcePath(resource, { namespace: object.metadata.namespace }), object);
  }

  update<T extends KubeObject>(resource: ResourceReference, object: T): Promise<T> {
    const { namespace, name } = object.metadata;
    return this.#object<T>('PUT', resourcePath(resource, { namespace, name }), object);
  }

  updateStatus<T extends KubeObject>(resource: ResourceReference, object: T): Promise<T> {
    const { namespace, name } = object.metadata;
    return this.#object<T>('PUT', resourcePath(resource, { namespace, name, subresource: 'status' }), object);
  }

  patch<T extends KubeObject>(
    resource: ResourceReference,
    target: { readonly name: string; readonly namespace?: string; readonly subresource?: string },
    type: PatchType,
    body: unknown,
  ): Promise<T> {
    return this.#object<T>('PATCH', resourcePath(resource, target), body, type);
  }

  async delete(resource: ResourceReference, name: string, namespace?: string, options: DeleteOptions = {}): Promise<void> {
    await this.#object('DELETE', resourcePath(resource, { namespace, name }), { kind: 'DeleteOptions', apiVersion: 'v1', ...options });
  }

  createSubresource(
    resource: ResourceReference,
    name: string,
    namespace: string | undefined,
    subresource: string,
    body: unknown,
  ): Promise<unknown> {
    return this.#object('POST', resourcePath(resource, { namespace, name, subresource }), body);
  }

  async *watch<T extends KubeObject>(
    resource: ResourceReference,
    options: ListOptions & { readonly signal: AbortSignal; readonly allowBookmarks?: boolean; readonly timeoutSeconds?: number },
  ): AsyncIterable<WatchEvent<T>> {
    const query = listQuery(options, [
      ['watch', 'true'],
      ...(options.allowBookmarks === true ? [['allowWatchBookmarks', 'true'] as const] : []),
      ...(options.timeoutSeconds === undefined ? [] : [['timeoutSeconds', String(options.timeoutSeconds)] as const]),
    ]);
    const target = resourcePath(resource, { namespace: options.namespace }) + query;
    const response = await this.raw('GET', target, { signal: options.signal });
    if (response.status !== 200) throw await errorOf(response);
    for await (const line of linesOf(response.body, options.signal)) {
      const event = parseEvent(line) as WatchEvent<T> | { readonly type: 'ERROR'; readonly object: Status };
      if (event.type === 'ERROR') throw new ApiError(event.object);
      yield event;
    }
  }

  raw(
    method: string,
    target: string,
    options: {
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string | Uint8Array;
      readonly signal?: AbortSignal;
    } = {},
  ): Promise<HttpResponse> {
    const token = this.#token?.();
    return this.#transport.request({
      method,
      target,
      headers: {
        accept: 'application/json, */*',
        'user-agent': this.#userAgent,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...options.headers,
      },
      ...(options.body === undefined ? {} : { body: options.body }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
  }

  close(): void {
    this.#transport.close();
  }

  async #object<T>(method: string, target: string, body?: unknown, contentType = 'application/json'): Promise<T> {
    const response = await this.raw(
      method,
      target,
      body === undefined ? {} : { headers: { 'content-type': contentType }, body: utf8(JSON.stringify(body)) },
    );
    if (response.status >= 400) throw await errorOf(response);
    return JSON.parse(decode(await readAll(response.body))) as T;
  }
}

/** Reads a body to its end. */
export async function readAll(body: ByteSource, signal?: AbortSignal): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for (;;) {
    const chunk = await body.read(undefined, signal);
    if (chunk === undefined) return chunks.length === 0 ? new Uint8Array() : concat(chunks);
    chunks.push(chunk);
  }
}

/** The error an answer stands for; bodies that are no Status get the wording client-go makes up for them. */
export async function errorOf(response: HttpResponse): Promise<ApiError> {
  const body = decode(await readAll(response.body));
  if (body.startsWith('{')) {
    const status = JSON.parse(body) as Status;
    if (status.kind === 'Status') return new ApiError(status);
  }
  const reasons: Record<number, readonly [string, string]> = {
    401: ['Unauthorized', 'the server has asked for the client to provide credentials'],
    403: ['Forbidden', body === '' ? 'unknown' : body],
    404: ['NotFound', 'the server could not find the requested resource'],
    405: ['MethodNotAllowed', 'the server does not allow this method on the requested resource'],
    409: ['Conflict', 'the server reported a conflict'],
    429: ['TooManyRequests', 'the server has received too many requests and has asked us to try again later'],
    500: ['InternalError', `an error on the server ("${body}") has prevented the request from succeeding`],
    503: ['ServiceUnavailable', 'the server is currently unable to handle the request'],
  };
  const [reason, message] = reasons[response.status] ?? [
    'Unknown',
    response.status >= 500
      ? `an error on the server ("${body}") has prevented the request from succeeding`
      : `the server responded with the status code ${response.status} but did not return more information`,
  ];
  return new ApiError({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code: response.status });
}

async function* linesOf(body: ByteSource, signal: AbortSignal): AsyncIterable<string> {
  const NEWLINE = 10;
  let rest: Uint8Array[] = [];
  for (;;) {
    const chunk = await body.read(undefined, signal);
    if (chunk === undefined) return;
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
      const line = chunk.subarray(from, at);
      yield decode(rest.length === 0 ? line : concat([...rest, line]));
      rest = [];
      from = at + 1;
    }
    if (from < chunk.length) rest.push(chunk.subarray(from));
  }
}

function listQuery(options: ListOptions, more: readonly (readonly [string, string])[] = []): string {
  const pairs: (readonly [string, string])[] = [];
  if (options.labelSelector !== undefined && options.labelSelector !== '') pairs.push(['labelSelector', options.labelSelector]);
  if (options.fieldSelector !== undefined && options.fieldSelector !== '') pairs.push(['fieldSelector', options.fieldSelector]);
  if (options.resourceVersion !== undefined && options.resourceVersion !== '') pairs.push(['resourceVersion', options.resourceVersion]);
  if (options.limit !== undefined) pairs.push(['limit', String(options.limit)]);
  if (options.continue !== undefined) pairs.push(['continue', options.continue]);
  pairs.push(...more);
  return pairs.length === 0 ? '' : `?${pairs.map(([key, value]) => `${key}=${encodeURIComponent(value)}`).join('&')}`;
}
