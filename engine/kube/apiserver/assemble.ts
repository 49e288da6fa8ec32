// Puts an API server together from its configuration.

import { background } from '../../sim/background.ts';
import type { Clock } from '../../sim/clock.ts';
import type { Rng } from '../../sim/rng.ts';
import { HttpClient } from '../../net/http-client.ts';
import type { Connection } from '../../sim/stream.ts';
import type { EtcdClient } from '../../etcd/client.ts';
import { BUILT_IN } from '../registry/index.ts';
import { SysError } from '../../sim/errno.ts';
import type { ResourceDefinition } from '../registry/definition.ts';
import type { ClusterReader } from './admission.ts';
import { admissionChain } from './admission/chain.ts';
import { Aggregator } from './aggregation/aggregator.ts';
import { CustomResources } from './custom-resources.ts';
import { bootstrap, ensureNamespace } from './bootstrap.ts';
import { FlagError } from './flags.ts';
import { kubeletProxy } from './kubelet-proxy.ts';
import { randomSuffix } from './meta.ts';
import { NodeAuthorizer } from './node-authorizer.ts';
import { openApiPaths } from './openapi.ts';
import { PRIVILEGED, RbacAuthorizer } from './rbac.ts';
import { escalationGuard } from './rbac-escalation.ts';
import { reviews } from './reviews.ts';
import { ServiceAllocation } from './service-allocation.ts';
import { subresources } from './subresources.ts';
import { bootstrapTokens, fileTokens, serviceAccountTokens } from './tokens.ts';
import { Authenticator, type RequestHeaderOptions } from './authentication.ts';
import { UnionAuthorizer, type Authorizer } from './authorization.ts';
import { FlowReader } from './flow-match.ts';
import { healthPaths } from './health.ts';
import { MetricRegistry } from './metrics.ts';
import { RequestFilters } from './request-filters.ts';
import { serverPaths } from './server-paths.ts';
import { ApiServer } from './server.ts';
import { openIdPaths, tokenRequests } from './token-request.ts';
import { webhookPlugins } from './webhooks/plugins.ts';

export interface AssemblyOptions {
  readonly clock: Clock;
  readonly rng: Rng;
  readonly etcd: EtcdClient;
  /** Names in a client certificate's subject. */
  readonly subjectOf: (pem: string) => { readonly commonName: string; readonly organizations: readonly string[] };
  /** `--authorization-mode`, in order. */
  readonly authorizationModes: readonly string[];
  readonly admissionPlugins?: { readonly enabled: readonly string[]; readonly disabled: readonly string[] };
  /** Keys that sign and check service account tokens. */
  readonly serviceAccount?:
    | {
        readonly publicPem: string;
        readonly privatePem: string | undefined;
        readonly issuer: string;
        readonly audiences?: readonly string[];
      }
    | undefined;
  /** `--token-auth-file`. */
  readonly tokenFile?: { readonly path: string; readonly contents: string } | undefined;
  readonly isAnonymousAllowed?: boolean;
  readonly bootstrapTokens?: boolean;
  readonly serviceClusterIpRange?: string;
  readonly serviceNodePortRange?: string;
  readonly advertised: { readonly address: string; readonly port: number };
  readonly clientCa?: string | undefined;
  readonly requestHeader?: RequestHeaderOptions;
  /** Opens a connection to a kubelet or a pod. */
  readonly connectBackend?: (to: BackendAddress) => Promise<Connection>;
  readonly newHttpClient?: (connect: () => Promise<Connection>, host: string) => HttpClient;
  readonly log: (line: string) => void;
  /** Lines that are no errors. */
  readonly logInfo?: (line: string) => void;
  /** One line for each request. */
  readonly access?: (line: string) => void;
  /** `--max-requests-inflight` and `--max-mutating-requests-inflight`. */
  readonly maxReading?: number;
  readonly maxWriting?: number;
  readonly hasProfiling?: boolean;
  /** `--enable-logs-handler`. */
  readonly hasLogs?: boolean;
  /** `--event-ttl`. */
  readonly eventTtlSeconds?: number;
  /** What the program can tell of itself. */
  readonly addMetrics?: (metrics: MetricRegistry) => void;
}

export interface BackendAddress {
  /** Or the name of a host. */
  readonly address: string;
  readonly port: number;
  readonly isTls: boolean;
  /** Whom to trust and as whom to come; left out: as to a kubelet. */
  readonly tls?: BackendTls;
  readonly signal?: AbortSignal | undefined;
}

export interface BackendTls {
  readonly serverName: string;
  /** PEM bundle of authorities. */
  readonly ca?: string;
  readonly insecure?: boolean;
  /** `proxy`: shows the front proxy's certificate, so that what headers say of the user is believed. */
  readonly identity?: 'proxy';
}

export function assembleApiServer(options: AssemblyOptions): ApiServer {
  const { clock, rng, etcd } = options;
  const reader: ClusterReader = { store: (group, resource) => server.store(group, resource) };
  const keys = options.serviceAccount;
  const advertised = `${options.advertised.address}:${options.advertised.port}`;
  const tokens = [
    ...(options.tokenFile === undefined ? [] : [fileTokens(options.tokenFile.contents, options.tokenFile.path)]),
    ...(keys === undefined
      ? []
      : [
          serviceAccountTokens({
            reader,
            publicPem: keys.publicPem,
            issuer: keys.issuer,
            audiences: keys.audiences ?? [keys.issuer],
            clock,
          }),
        ]),
    ...(options.bootstrapTokens === true ? [bootstrapTokens({ reader, clock })] : []),
  ];
  const authenticator = new Authenticator({
    subjectOf: options.subjectOf,
    clientCa: options.clientCa,
    requestHeader: options.requestHeader,
    tokens,
    isAnonymousAllowed: options.isAnonymousAllowed ?? true,
    nowMs: () => clock.now(),
    log: options.log,
  });
  const rbac = new RbacAuthorizer(reader);
  const allocation = new ServiceAllocation({
    reader,
    rng,
    clusterIpRange: options.serviceClusterIpRange ?? '10.96.0.0/12',
    nodePortRange: options.serviceNodePortRange ?? '30000-32767',
  });
  const connect = options.connectBackend ?? (() => Promise.reject(new SysError('ENETUNREACH')));
  const newHttpClient = options.newHttpClient ?? ((open, host) => new HttpClient({ connect: open, host, maxIdle: 0 }));
  const customResources = new CustomResources({ server: () => server, clock });
  const aggregator = new Aggregator({ server: () => server, reader, clock, connect, newHttpClient });
  const metrics = new MetricRegistry();
  metrics.gauge('etcd_object_counts', '[ALPHA] Objects stored, by resource.', function* () {
    for (const { group, plural, discoveryOnly } of server.definitions) {
      if (!discoveryOnly) yield [{ resource: group === '' ? plural : `${plural}.${group}` }, server.store(group, plural).size];
    }
  });
  options.addMetrics?.(metrics);
  let isShuttingDown = false;
  const server: ApiServer = new ApiServer({
    clock,
    rng,
    etcd,
    definitions: options.eventTtlSeconds === undefined ? BUILT_IN : BUILT_IN.map((each) => withEventTtl(each, options.eventTtlSeconds!)),
    authenticator,
    authorizer: () => new UnionAuthorizer([PRIVILEGED, ...options.authorizationModes.map((mode) => modeOf(mode, reader, rbac))]),
    filters: () =>
      new RequestFilters({
        clock,
        metrics,
        flows: new FlowReader(reader),
        maxReading: options.maxReading ?? 400,
        maxWriting: options.maxWriting ?? 200,
        isServed: (info) => server.serves(info),
        access: options.access,
      }),
    admission: () =>
      admissionChain({
        reader,
        authorizer: () => server.authorizer,
        guard: escalationGuard(
          () => rbac,
          () => server.authorizer,
        ),
        randomSuffix: () => randomSuffix(rng),
        nowMs: () => clock.now(),
        createNamespace: (namespace) => ensureNamespace(server, namespace),
        enabled: options.admissionPlugins?.enabled ?? [],
        disabled: options.admissionPlugins?.disabled ?? [],
        others: webhookPlugins({ reader, clock, rng, connect, newHttpClient }),
      }),
    specials: new Map([
      ...subresources({ clock, reader, pods: () => server.endpoint('', 'pods') }),
      ...(keys === undefined ? [] : [['serviceaccounts./token', tokenRequests({ clock, reader, issuer: keys })] as const]),
      ...kubeletProxy({ reader, rng: rng.fork('proxy'), connect, newHttpClient }),
      ...reviews({
        authenticator: () => authenticator,
        authorizer: () => server.authorizer,
        rbac: () => rbac,
        nowMs: () => clock.now(),
        connect,
        newHttpClient,
      }),
    ]),
    hooks: new Map([['/services', allocation]]),
    paths: [
      healthPaths({
        etcd,
        clock,
        metrics,
        hasStarted: () => server.hasStarted,
        isShuttingDown: () => isShuttingDown,
        ...(options.logInfo === undefined ? {} : { log: options.logInfo }),
      }),
      serverPaths({
        definitions: () => server.definitions,
        hasOpenId: keys !== undefined,
        hasProfiling: options.hasProfiling !== false,
        hasLogs: options.hasLogs !== false,
      }),
      openApiPaths(BUILT_IN, () => customResources.openApi),
      ...(keys === undefined ? [] : [openIdPaths(keys, advertised)]),
    ],
    advertised,
    aggregator,
    onStarted: (signal) => {
      signal.addEventListener('abort', () => (isShuttingDown = true), { once: true });
      background(customResources.follow(signal));
      background(aggregator.follow(signal));
      return bootstrap({
        server,
        aggregator,
        clock,
        etcd,
        advertised: options.advertised,
        serviceAddress: allocation.firstAddress,
        authenticationConfig: authenticationConfigOf(options),
        signal,
        log: options.log,
      });
    },
    log: options.log,
  });
  return server;
}

function withEventTtl(definition: ResourceDefinition, ttlSeconds: number): ResourceDefinition {
  return definition.ttlSeconds === undefined ? definition : { ...definition, ttlSeconds };
}

function modeOf(mode: string, reader: ClusterReader, rbac: RbacAuthorizer): Authorizer {
  switch (mode) {
    case 'AlwaysAllow':
      return ALWAYS_ALLOW;
    case 'AlwaysDeny':
      return { authorize: () => ({ isAllowed: false, reason: 'Everything is forbidden.' }) };
    case 'Node':
      return new NodeAuthorizer(reader);
    case 'RBAC':
      return rbac;
    default:
      throw new FlagError(`authorization-mode "${mode}" is not a valid mode`);
  }
}

/** What extension servers may read of how this one authenticates. */
function authenticationConfigOf({ clientCa, requestHeader }: AssemblyOptions): Readonly<Record<string, string>> {
  return {
    ...(clientCa === undefined ? {} : { 'client-ca-file': clientCa }),
    ...(requestHeader?.clientCa === undefined
      ? {}
      : {
          'requestheader-allowed-names': JSON.stringify(requestHeader.allowedNames),
          'requestheader-client-ca-file': requestHeader.clientCa,
          'requestheader-extra-headers-prefix': JSON.stringify(requestHeader.extraHeaderPrefixes),
          'requestheader-group-headers': JSON.stringify(requestHeader.groupHeaders),
          'requestheader-username-headers': JSON.stringify(requestHeader.usernameHeaders),
        }),
  };
}

const ALWAYS_ALLOW: Authorizer = { authorize: () => ({ isAllowed: true, reason: '' }) };
