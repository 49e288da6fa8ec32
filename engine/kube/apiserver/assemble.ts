// Puts an API server together from its configuration.

import type { Clock } from '../../sim/clock.ts';
import type { Rng } from '../../sim/rng.ts';
import type { HttpClient } from '../../net/http-client.ts';
import type { Connection } from '../../sim/stream.ts';
import type { EtcdClient } from '../../etcd/client.ts';
import { BUILT_IN } from '../registry/index.ts';
import { Authenticator } from './authentication.ts';
import { UnionAuthorizer, type Authorizer } from './authorization.ts';
import { healthPaths } from './health.ts';
import { ApiServer } from './server.ts';

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
  readonly serviceAccount?: { readonly publicPem: string; readonly privatePem: string | undefined; readonly issuer: string } | undefined;
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
}

export interface RequestHeaderOptions {
  readonly clientCa: string | undefined;
  readonly allowedNames: readonly string[];
  readonly extraHeaderPrefixes: readonly string[];
  readonly groupHeaders: readonly string[];
  readonly usernameHeaders: readonly string[];
}

export interface BackendAddress {
  readonly address: string;
  readonly port: number;
  readonly isTls: boolean;
  readonly signal?: AbortSignal | undefined;
}

export function assembleApiServer(options: AssemblyOptions): ApiServer {
  const { clock, rng, etcd } = options;
  const server: ApiServer = new ApiServer({
    clock,
    rng,
    etcd,
    definitions: BUILT_IN,
    authenticator: new Authenticator({ subjectOf: options.subjectOf, tokens: [] }),
    authorizer: () => new UnionAuthorizer(options.authorizationModes.map(() => ALWAYS_ALLOW)),
    admission: () => [],
    specials: new Map(),
    hooks: new Map(),
    paths: [healthPaths({ etcd, isReady: () => server.isReady })],
    advertised: `${options.advertised.address}:${options.advertised.port}`,
    log: options.log,
  });
  return server;
}

const ALWAYS_ALLOW: Authorizer = { authorize: () => ({ isAllowed: true, reason: '' }) };
