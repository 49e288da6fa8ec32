// Models kube-apiserver's request path: authentication, authorisation, routing, answers.

import { background } from '../../sim/background.ts';
import type { Clock } from '../../sim/clock.ts';
import { isSysError } from '../../sim/errno.ts';
import type { Rng } from '../../sim/rng.ts';
import { DEADLINE_EXCEEDED, type EtcdClient } from '../../etcd/client.ts';
import { EtcdError } from '../../etcd/mvcc.ts';
import type { HttpRequest, HttpResponder } from '../../net/http.ts';
import { HttpParseError } from '../../net/http-message.ts';
import { InvariantError } from '../../sim/invariant.ts';
import { ProcessExit } from '../../sim/stream.ts';
import { ApiError, isNotFound } from '../machinery/api-error.ts';
import { goQuote } from '../machinery/go-syntax.ts';
import { apiVersionOf } from '../machinery/resources.ts';
import {
  forbidden,
  internalError,
  methodNotSupported,
  notAcceptable,
  notFound,
  noSuchResource,
  timeout,
  plainError,
} from '../machinery/status.ts';
import { servedVersions, type ApiObject, type ResourceDefinition, type ServedVersion } from '../registry/definition.ts';
import type { AdmissionPlugin, ClusterReader } from './admission.ts';
import type { Authenticator } from './authentication.ts';
import type { Authorizer } from './authorization.ts';
import { forbiddenFor, sanitized } from './authorization.ts';
import { readApiObject, readObject, readText } from './body.ts';
import { deprecationWarning, withHeader } from './deprecation.ts';
import { ImpersonationError, impersonated } from './impersonation.ts';
import { apiGroup, apiGroupList, apiResourceList, apiVersions } from './discovery.ts';
import { APPLY_PATCH, applyPatch, patchTypeOf, patchTypesOf } from './patch.ts';
import type { Aggregator } from './aggregation/aggregator.ts';
import { serveCustomScale } from './custom-scale.ts';
import { listFrom } from './listing.ts';
import { isPretty, prettily } from './pretty.ts';
import { requestInfoOf, type RequestInfo } from './request-info.ts';
import { deleteOptionsOf, listOptionsOf, versionProblem } from './request-options.ts';
import type { Exchange, RequestFilters } from './request-filters.ts';
import { ResourceEndpoint, type WriteContext, type WriteHooks } from './resource-endpoint.ts';
import { withWarnings } from './owner-references.ts';
import { inProtobuf, isProtobufBody, prefersProtobuf, PROTOBUF, withJsonBody } from './proto-http.ts';
import { ResourceIndex } from './resource-index.ts';
import { ResourceStore, type Stored } from './resource-store.ts';
import { checkRoute } from './routes.ts';
import { Selection } from './selection.ts';
import { includeOf, negotiate, partialOf, tableOf, type Include, type Representation } from './table.ts';
import type { User } from './user.ts';
import { fromStorage, isStorage } from './version-conversion.ts';
import { managerOfAgent, writeOptionsOf, type WriteOptions } from './write-options.ts';
import { serveWatch } from './watch-stream.ts';
import { overWebSocket } from './websocket-responder.ts';
import { isWebSocketRequest } from '../../net/websocket.ts';

const JSON_TYPE = { 'content-type': 'application/json', 'cache-control': 'no-cache, private' };

/** What a subresource or a special resource needs to answer by itself. */
export interface SpecialRequest {
  readonly info: RequestInfo;
  readonly user: User;
  readonly request: HttpRequest;
  readonly respond: HttpResponder;
  readonly endpoint: ResourceEndpoint;
  readonly served: ServedVersion;
  readonly context: WriteContext;
  readonly readBody: () => Promise<unknown>;
  readonly readText: () => Promise<string>;
  /** The body as an object of the resource. */
  readonly readNamed: () => Promise<{ readonly object: ApiObject; readonly body: string }>;
  readonly sendObject: (status: number, object: unknown) => Promise<void>;
}

export type SpecialHandler = (special: SpecialRequest) => Promise<void>;
/** Answers paths outside /api and /apis; false when the path is none of its own. */
export type PathHandler = (info: RequestInfo, request: HttpRequest, respond: HttpResponder) => Promise<boolean>;

export interface ApiServerOptions {
  readonly clock: Clock;
  readonly rng: Rng;
  readonly etcd: EtcdClient;
  readonly definitions: readonly ResourceDefinition[];
  readonly authenticator: Authenticator;
  readonly authorizer: (reader: ClusterReader) => Authorizer;
  /** What surrounds every request. */
  readonly filters: (reader: ClusterReader) => RequestFilters;
  readonly admission: (reader: ClusterReader) => readonly AdmissionPlugin[];
  /** `resource.group` or `resource.group/subresource` (`pods/log`) to who answers it. */
  readonly specials: ReadonlyMap<string, SpecialHandler>;
  readonly hooks: ReadonlyMap<string, WriteHooks>;
  readonly paths: readonly PathHandler[];
  /** `192.168.1.10:6443`, as /api tells it. */
  readonly advertised: string;
  readonly aggregator?: Aggregator;
  /** Runs when every store has its first list: makes sure of what must be there. */
  readonly onStarted?: (signal: AbortSignal) => Promise<void>;
  readonly log: (line: string) => void;
}

/** A version of a resource as it is served, with the Warning header of its answers. */
interface Served {
  readonly endpoint: ResourceEndpoint;
  readonly served: ServedVersion;
  readonly warning: string | undefined;
}

function warningOf({ kind }: ResourceDefinition, served: ServedVersion): string | undefined {
  return served.warning === undefined ? deprecationWarning(served, kind) : `299 - ${goQuote(served.warning)}`;
}

export class ApiServer implements ClusterReader {
  readonly #options: ApiServerOptions;
  readonly #endpoints = new Map<string, ResourceEndpoint>();
  readonly #byName = new ResourceIndex<ResourceEndpoint>();
  /** Every version served, by group and resource. */
  readonly #served = new ResourceIndex<Map<string, Served>>();
  readonly #admission: readonly AdmissionPlugin[];
  readonly #authorizer: Authorizer;
  readonly #filters: RequestFilters;
  readonly #running = new Map<ResourceEndpoint, AbortController>();
  #signal: AbortSignal | undefined;
  #hasStarted = false;

  constructor(options: ApiServerOptions) {
    this.#options = options;
    this.#admission = options.admission(this);
    this.#authorizer = options.authorizer(this);
    this.#filters = options.filters(this);
    for (const definition of options.definitions) this.install(definition);
  }

  get definitions(): readonly ResourceDefinition[] {
    return [...this.#endpoints.values()].map((endpoint) => endpoint.definition);
  }

  get authorizer(): Authorizer {
    return this.#authorizer;
  }

  store(group: string, resource: string): ResourceStore {
    return this.endpoint(group, resource).store;
  }

  endpoint(group: string, resource: string): ResourceEndpoint {
    const endpoint = this.#byName.get(group, resource);
    if (endpoint === undefined) throw new Error(`no resource ${resource} in group ${group}`);
    return endpoint;
  }

  /** Whether there is such a resource in such a version. */
  serves(info: Pick<RequestInfo, 'group' | 'version' | 'resource'>): boolean {
    return this.#servedAs(info) !== undefined;
  }

  #servedAs({ group, version, resource }: Pick<RequestInfo, 'group' | 'version' | 'resource'>): Served | undefined {
    return this.#served.get(group, resource)?.get(version);
  }

  /** Every store has had its first list, and what must be there has been written. */
  get hasStarted(): boolean {
    return this.#hasStarted;
  }

  /** Every store has its first list, and what must be there is. */
  get isReady(): boolean {
    if (!this.#hasStarted) return false;
    for (const { definition, store } of this.#endpoints.values())
      if (!definition.discoveryOnly && !definition.isCustom && !store.isReady) return false;
    return true;
  }

  /** The newest version any store has seen. */
  get revision(): number {
    let newest = 0;
    for (const endpoint of this.#endpoints.values()) newest = Math.max(newest, endpoint.store.revision);
    return newest;
  }

  install(definition: ResourceDefinition): ResourceEndpoint {
    const { clock, rng, etcd, hooks } = this.#options;
    const endpoint = new ResourceEndpoint({
      store: new ResourceStore({ definition, etcd, clock }),
      clock,
      rng,
      admission: this.#admission,
      hooks: hooks.get(`${definition.group}/${definition.plural}`),
    });
    this.#endpoints.set(endpoint.name, endpoint);
    this.#byName.set(definition.group, definition.plural, endpoint);
    for (const served of servedVersions(definition)) {
      let versions = this.#served.get(served.group, definition.plural);
      if (versions === undefined) this.#served.set(served.group, definition.plural, (versions = new Map()));
      versions.set(served.version, { endpoint, served, warning: warningOf(definition, served) });
    }
    if (this.#signal !== undefined) this.#follow(endpoint, this.#signal);
    return endpoint;
  }

  uninstall(definition: ResourceDefinition): void {
    const endpoint = this.#byName.get(definition.group, definition.plural);
    if (endpoint === undefined) return;
    this.#endpoints.delete(endpoint.name);
    this.#byName.delete(definition.group, definition.plural);
    for (const { group } of servedVersions(endpoint.definition)) {
      const versions = this.#served.get(group, definition.plural);
      for (const [version, served] of versions ?? []) if (served.endpoint === endpoint) versions!.delete(version);
      if (versions?.size === 0) this.#served.delete(group, definition.plural);
    }
    this.#running.get(endpoint)?.abort(new Error('uninstalled'));
    this.#running.delete(endpoint);
  }

  /** Follows etcd; resolves when every store has its first list. */
  async start(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    for (const endpoint of this.#endpoints.values()) this.#follow(endpoint, signal);
    await Promise.all(
      [...this.#endpoints.values()].filter((endpoint) => !endpoint.definition.discoveryOnly).map((endpoint) => endpoint.store.whenReady),
    );
    await this.#options.onStarted?.(signal);
    this.#hasStarted = true;
  }

  #follow(endpoint: ResourceEndpoint, signal: AbortSignal): void {
    if (endpoint.definition.discoveryOnly) return;
    const own = new AbortController();
    this.#running.set(endpoint, own);
    // A refused connection is told of where it is dialled, once for all stores.
    const onFailure = (error: Error): void => {
      if (!isSysError(error)) this.#options.log(`watch chan error: ${error.message}`);
    };
    background(endpoint.store.run(AbortSignal.any([signal, own.signal]), { onFailure }));
  }

  async handle(request: HttpRequest, respond: HttpResponder): Promise<void> {
    const filters = this.#filters;
    const exchange = filters.begin(request, requestInfoOf(request), respond);
    try {
      await this.#answer(exchange, filters);
    } finally {
      filters.end(exchange);
    }
  }

  async #answer(respond: Exchange, filters: RequestFilters): Promise<void> {
    const { request, info } = respond;
    let out: HttpResponder = prefersProtobuf(request.headers.get('accept')) && !this.#isCustom(info) ? inProtobuf(respond) : respond;
    try {
      const user = impersonated(this.#options.authenticator.authenticate(request), request, this.#authorizer);
      if (!(await filters.admit(respond, user))) return;
      const decision = this.#authorizer.authorize(user, info);
      if (!decision.isAllowed) {
        respond.headers['x-content-type-options'] = 'nosniff';
        throw forbiddenFor(user, info, decision.reason);
      }
      out = this.#warning(info, isPretty(info, request) ? prettily(out) : out);
      await this.#dispatch(info, user, isProtobufBody(request) && !this.#isCustom(info) ? await withJsonBody(request) : request, out);
    } catch (error) {
      if (error instanceof ImpersonationError) {
        const body = sanitized(`Internal Server Error: ${JSON.stringify(request.target)}: ${error.message}`);
        await respond.send(
          { status: 500, headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' } },
          `${body}\n`,
        );
        return;
      }
      const answer = asApiError(error, info.method !== 'GET');
      if (answer === undefined) {
        // Our own fault, but not the end of the server: as upstream, the request alone panics.
        if (error instanceof ProcessExit || error instanceof InvariantError) throw error;
        this.#options.log(
          `apiserver panic'd on ${info.method} ${request.target}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
        );
        await out.send(
          { status: 500, headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' } },
          'This request caused apiserver to panic. Look in the logs for details.\n',
        );
        return;
      }
      const { status } = answer;
      const retry = status.details?.retryAfterSeconds;
      await out.send(
        { status: status.code, headers: { ...JSON_TYPE, ...(retry === undefined ? {} : { 'retry-after': String(retry) }) } },
        `${JSON.stringify(status)}\n`,
      );
    }
  }

  /** Custom resources have no protobuf form. */
  #isCustom(info: RequestInfo): boolean {
    return this.#servedAs(info)?.endpoint.definition.isCustom === true;
  }

  /** What answers a request for a deprecated version: it says so, whatever the answer is. */
  #warning(info: RequestInfo, respond: HttpResponder): HttpResponder {
    if (!info.isResource) return respond;
    const warning = this.#servedAs(info)?.warning;
    return warning === undefined ? respond : withHeader(respond, 'warning', warning);
  }

  async #dispatch(info: RequestInfo, user: User, request: HttpRequest, respond: HttpResponder): Promise<void> {
    const sendJson = (body: unknown): Promise<void> => respond.send({ status: 200, headers: JSON_TYPE }, `${JSON.stringify(body)}\n`);
    if (!info.isResource) {
      const parts = info.path.split('/').filter((part) => part !== '');
      const { definitions } = this;
      if (info.path === '/api') return sendJson(apiVersions(this.#options.advertised));
      if (info.path === '/apis') return sendJson(apiGroupList(definitions, this.#options.aggregator?.groups()));
      if (parts[0] === 'api' && parts.length === 2) {
        const list = apiResourceList(definitions, '', parts[1]!);
        if (list !== undefined) return sendJson(list);
      } else if (parts[0] === 'apis' && parts.length === 2) {
        const group = apiGroup(definitions, parts[1]!, this.#options.aggregator?.group(parts[1]!));
        if (group !== undefined) return sendJson(group);
      } else if (parts[0] === 'apis' && parts.length === 3) {
        const remote = this.#options.aggregator?.remote(parts[1]!, parts[2]!);
        if (remote !== undefined) return this.#options.aggregator!.proxy(remote, { user, request, respond });
        const list = apiResourceList(definitions, parts[1]!, parts[2]!);
        if (list !== undefined) return sendJson(list);
      }
      for (const handler of this.#options.paths) if (await handler(info, request, respond)) return;
      // Paths of no group are the mux's business, which answers in plain text.
      return notFoundPage(respond);
    }
    const remote = info.group === '' ? undefined : this.#options.aggregator?.remote(info.group, info.version);
    if (remote !== undefined) return this.#options.aggregator!.proxy(remote, { user, request, respond });
    const found = this.#servedAs(info);
    if (found === undefined) {
      // Groups of custom resources are unknown to the router; what it knows it refuses by itself.
      if (this.#isRouted(info.group)) throw noSuchResource();
      return notFoundPage(respond);
    }
    await this.#resource(info, user, request, respond, found.endpoint, found.served);
  }

  #isRouted(group: string): boolean {
    for (const { definition } of this.#endpoints.values())
      if (!definition.isCustom && [definition, ...definition.alsoServedAs].some((served) => served.group === group)) return true;
    return false;
  }

  /** Whether the scheme of built-in types has a kind. */
  #knows(apiVersion: string, kind: string): boolean {
    for (const { definition } of this.#endpoints.values()) {
      if (definition.isCustom || (definition.kind !== kind && `${definition.kind}List` !== kind)) continue;
      if ([definition, ...definition.alsoServedAs].some((served) => apiVersionOf(served) === apiVersion)) return true;
    }
    return ['DeleteOptions', 'Status', 'ListOptions'].includes(kind);
  }

  async #resource(
    info: RequestInfo,
    user: User,
    request: HttpRequest,
    given: HttpResponder,
    endpoint: ResourceEndpoint,
    served: ServedVersion,
  ): Promise<void> {
    const { definition } = endpoint;
    const warnings: string[] = [];
    const respond = withWarnings(given, warnings);
    const readBody = (): Promise<unknown> => readObject(request);
    const readNamed = (): ReturnType<typeof readApiObject> =>
      readApiObject(request, definition, served, (apiVersion, kind) => this.#knows(apiVersion, kind));
    const sendObject = (status: number, object: unknown): Promise<void> =>
      respond.send({ status, headers: JSON_TYPE }, `${JSON.stringify(object)}\n`);
    const patchType = info.verb === 'patch' ? patchTypeOf(request.headers.get('content-type'), patchTypesOf(definition)) : '';
    const { isDryRun, fieldManager, force } = optionsOf(info, patchType);
    const context: WriteContext = {
      user,
      warn: (text) => warnings.push(text),
      served,
      namespace: info.namespace,
      isDryRun,
      manager: fieldManager === '' ? managerOfAgent(request.headers.get('user-agent')) : fieldManager,
      subresource: info.subresource,
      authorizeCreate: () => {
        const decision = this.#authorizer.authorize(user, { ...info, verb: 'create' });
        if (!decision.isAllowed) throw forbidden({ group: info.group, resource: info.resource }, info.name, decision.reason);
      },
    };
    const special = this.#options.specials.get(info.subresource === '' ? endpoint.name : `${endpoint.name}/${info.subresource}`);
    if (special !== undefined) {
      await special({
        info,
        user,
        request,
        respond,
        endpoint,
        served,
        context,
        readBody,
        readText: () => readText(request),
        readNamed,
        sendObject,
      });
      return;
    }
    if (
      definition.isCustom &&
      (definition.isNamespaced ? info.namespace === '' && !ACROSS_NAMESPACES.has(info.verb) : info.namespace !== '')
    )
      return notFoundPage(respond);
    if (info.subresource === 'scale' && definition.scaleOf?.(served) !== undefined) {
      await serveCustomScale({
        info,
        user,
        request,
        respond,
        endpoint,
        served,
        context,
        readBody,
        readText: () => readText(request),
        readNamed,
        sendObject,
      });
      return;
    }
    if (!definition.isCustom) checkRoute(info, definition, served);
    else if (info.subresource !== '' && !(info.subresource === 'status' && (served.hasStatus ?? definition.hasStatus)))
      throw notFound({ group: definition.group, resource: definition.plural }, info.name);
    const accept = request.headers.get('accept');
    const representation = negotiate(accept, !definition.isCustom);
    if (representation === undefined) {
      throw notAcceptable(
        `only the following media types are accepted: application/json, application/yaml${definition.isCustom ? '' : `, ${PROTOBUF}`}`,
      );
    }
    const include = includeOf(info.query, representation);
    const shown: Shown = { definition, served, representation, include, nowMs: this.#options.clock.now() };
    const send = (status: number, stored: Stored): Promise<void> => respond.send({ status, headers: JSON_TYPE }, objectBody(stored, shown));
    if (!(definition.verbs as readonly string[]).includes(info.verb))
      throw methodNotSupported({ group: definition.group, resource: definition.plural }, info.verb);
    switch (info.verb) {
      case 'get':
        return send(200, await this.#get(info, endpoint));
      case 'list': {
        const { items, revision, more } = await listFrom(
          endpoint.store,
          info.namespace,
          new Selection(definition, info.query, info.name),
          listOptionsOf(info),
        );
        return respond.send({ status: 200, headers: JSON_TYPE }, listBody(items, shown, String(revision), more));
      }
      case 'watch':
        return serveWatch(
          {
            store: endpoint.store,
            served,
            namespace: info.namespace,
            selection: new Selection(definition, info.query, info.name),
            options: listOptionsOf(info),
            representation,
            include,
            clock: this.#options.clock,
            rng: this.#options.rng,
          },
          isWebSocketRequest(request) ? overWebSocket(request, respond, 'events') : respond,
        );
      case 'create': {
        const { object, body } = await readNamed();
        return send(201, await endpoint.create(object, { ...context, body }));
      }
      case 'update': {
        const { object, body } = await readNamed();
        const { stored, isNew } = await endpoint.update(info.name, object, { ...context, body });
        return send(isNew ? 201 : 200, stored);
      }
      case 'patch': {
        const patch = { name: info.name, type: patchType, body: await readText(request), force: force === true };
        const { stored, isNew } = await applyPatch(endpoint, patch, context);
        return send(isNew ? 201 : 200, stored);
      }
      case 'delete': {
        const asked = deleteOptionsOf(await readObject(request), info, request.target);
        const isDryRun = (asked.dryRun ?? []).length > 0;
        const { stored, outcome } = await endpoint.delete(info.name, asked, { ...context, isDryRun });
        // A client that wants dependents gone is told that this may take a while.
        const status = outcome !== 'gone' && asked.orphanDependents === false ? 202 : 200;
        if (definition.returnsDeleted || outcome === 'waiting') return send(status, stored);
        return sendObject(status, deletedStatus(definition, stored));
      }
      case 'deletecollection': {
        const asked = deleteOptionsOf(await readObject(request), info, request.target);
        const selection = new Selection(definition, info.query, info.name);
        const { items, revision, more } = await listFrom(endpoint.store, info.namespace, selection, listOptionsOf(info));
        const isDryRun = (asked.dryRun ?? []).length > 0;
        for (const { object } of items) {
          const namespace = object.metadata.namespace ?? '';
          try {
            await endpoint.delete(object.metadata.name, asked, { ...context, namespace, isDryRun });
          } catch (error) {
            if (!isNotFound(error)) throw error;
          }
        }
        return respond.send({ status: 200, headers: JSON_TYPE }, listBody(items, shown, String(revision), more));
      }
      default:
        throw methodNotSupported({ group: definition.group, resource: definition.plural }, info.verb);
    }
  }

  /** Without a version: what is true now. With one: anything that is at least so new. */
  async #get(info: RequestInfo, endpoint: ResourceEndpoint): Promise<Stored> {
    const version = info.query.get('resourceVersion') ?? '';
    if (version === '' || (version === '0' && !endpoint.store.isReady)) return endpoint.read(info.namespace, info.name);
    const problem = versionProblem(version);
    if (problem !== undefined) throw plainError(problem);
    await endpoint.store.waitUntilFresh(Number(version));
    return endpoint.find(info.namespace, info.name);
  }
}

/** Verbs that need no namespace. */
const ACROSS_NAMESPACES = new Set(['list', 'watch']);

/** What the mux answers for paths of nobody. */
function notFoundPage(respond: HttpResponder): Promise<void> {
  return respond.send(
    { status: 404, headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' } },
    '404 page not found\n',
  );
}

interface Shown {
  readonly definition: ResourceDefinition;
  readonly served: ServedVersion;
  readonly representation: Representation;
  readonly include: Include;
  readonly nowMs: number;
}

function objectBody(stored: Stored, { definition, served, representation, include, nowMs }: Shown): string {
  if (representation.kind === 'table') {
    const resourceVersion = stored.object.metadata.resourceVersion ?? '';
    return `${tableOf(definition, [stored.object], { version: representation.version, nowMs, include, resourceVersion, served })}\n`;
  }
  if (representation.kind === 'object' && isStorage(definition, served)) return `${stored.json}\n`;
  const object = fromStorage(stored.object, definition, served);
  return `${JSON.stringify(representation.kind === 'partial' ? partialOf(object, representation.version) : object)}\n`;
}

function listBody(
  items: readonly Stored[],
  shown: Shown,
  resourceVersion: string,
  more: { continue?: string; remainingItemCount?: number },
): string {
  const { definition, served, representation, include, nowMs } = shown;
  if (representation.kind === 'table') {
    const objects = items.map((stored) => stored.object);
    return `${tableOf(definition, objects, { version: representation.version, nowMs, include, resourceVersion, more, served })}\n`;
  }
  if (representation.kind === 'partial') {
    return `${JSON.stringify({
      kind: 'PartialObjectMetadataList',
      apiVersion: `meta.k8s.io/${representation.version}`,
      metadata: { resourceVersion, ...more },
      items: items.map((stored) => partialOf(fromStorage(stored.object, definition, served), representation.version)),
    })}\n`;
  }
  const apiVersion = apiVersionOf(served);
  const head = JSON.stringify({ kind: `${definition.kind}List`, apiVersion, metadata: { resourceVersion, ...more } });
  // Items of built-in lists carry no kind and version of their own; the prefix is always the same, so it is cut off.
  const prefix = `{"kind":${JSON.stringify(definition.kind)},"apiVersion":${JSON.stringify(apiVersion)},`;
  const bodies = items.map((stored) => {
    const json = isStorage(definition, served) ? stored.json : JSON.stringify(fromStorage(stored.object, definition, served));
    return !definition.isCustom && json.startsWith(prefix) ? `{${json.slice(prefix.length)}` : json;
  });
  return `${head.slice(0, -1)},"items":[${bodies.join(',')}]}\n`;
}

function deletedStatus(definition: ResourceDefinition, stored: Stored): unknown {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: {
      name: stored.object.metadata.name,
      ...(definition.group === '' ? {} : { group: definition.group }),
      kind: definition.plural,
      uid: stored.object.metadata.uid,
    },
  };
}

const READ_ONLY: WriteOptions = { isDryRun: false, fieldManager: '', force: undefined };

function optionsOf(info: RequestInfo, patchType: string): WriteOptions {
  switch (info.verb) {
    case 'create':
      return writeOptionsOf('CreateOptions', info.query);
    case 'update':
      return writeOptionsOf('UpdateOptions', info.query);
    case 'patch':
      return writeOptionsOf('PatchOptions', info.query, patchType === APPLY_PATCH);
    default:
      return READ_ONLY;
  }
}

/** Undefined for what no client is to blame for. */
function asApiError(error: unknown, isWrite: boolean): ApiError | undefined {
  if (error instanceof ApiError) return error;
  if (error instanceof EtcdError) {
    if (error.message !== DEADLINE_EXCEEDED) return plainError(error.message);
    return timeout(isWrite ? 'request did not complete within requested timeout 34s' : 'request did not complete within 1m0s', 0);
  }
  // A body that broke off or was no chunk: the request's fault, told as the reader told it.
  if (error instanceof HttpParseError) return plainError(error.message);
  if (isSysError(error)) {
    if (error.errno === 'EPIPE' || error.errno === 'ECONNRESET')
      return plainError('rpc error: code = Unavailable desc = transport is closing');
    return internalError(error.strerror);
  }
  return undefined;
}
