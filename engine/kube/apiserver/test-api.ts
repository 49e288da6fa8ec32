// An API server with its etcd in one room, for tests: real wires, no machines.

import { EtcdClient } from '../../etcd/client.ts';
import { MultiVersionStore } from '../../etcd/mvcc.ts';
import { EtcdServer } from '../../etcd/server.ts';
import { HttpClient } from '../../net/http-client.ts';
import { serveConnection } from '../../net/http-server.ts';
import type { VirtualClock } from '../../sim/clock.ts';
import { connectionPair } from '../../sim/connection-pair.ts';
import { SeededRng } from '../../sim/rng.ts';
import type { Connection } from '../../sim/stream.ts';
import { RestClient } from '../client/rest-client.ts';
import { assembleApiServer, type BackendAddress } from './assemble.ts';
import type { ApiServer } from './server.ts';

class MapDatabase {
  readonly #map = new Map<string, string>();
  get(key: string): string | undefined {
    return this.#map.get(key);
  }
  put(key: string, value: string): void {
    this.#map.set(key, value);
  }
  delete(key: string): void {
    this.#map.delete(key);
  }
  entries(prefix = ''): readonly (readonly [string, string])[] {
    return [...this.#map].filter(([key]) => key.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1));
  }
}

export interface TestApi extends AsyncDisposable {
  readonly clock: VirtualClock;
  readonly server: ApiServer;
  readonly client: RestClient;
  /** A client that sends this user agent, or this bearer token. */
  clientAs(options: { readonly userAgent?: string; readonly token?: string }): RestClient;
  /** A new connection to the server, as a listener would accept it. */
  connect(): Connection;
}

export async function openTestApi(options: {
  readonly clock: VirtualClock;
  readonly authorizationModes?: readonly string[];
  /** Left out: ServiceAccount is, as no controller makes accounts here. */
  readonly disabledPlugins?: readonly string[];
  /** What the server logs. */
  readonly log?: (line: string) => void;
  /** Besides NodeRestriction. */
  readonly enabledPlugins?: readonly string[];
  /** Lines of a token file: with it a client is who its token says, and without a token nobody. */
  readonly tokenFile?: string;
  /** Who answers where the server dials; left out, the network is unreachable. */
  readonly connectBackend?: (to: BackendAddress) => Promise<Connection>;
  readonly serviceAccount?: { readonly publicPem: string; readonly privatePem: string; readonly issuer: string };
}): Promise<TestApi> {
  const { clock } = options;
  const rng = new SeededRng(7);
  const faults: unknown[] = [];
  const etcdServer = new EtcdServer({
    store: new MultiVersionStore(new MapDatabase()),
    clock,
    identity: { name: 'm-k8s', memberId: '8e9e05c52164694d', version: '3.4.13' },
  });
  const etcd = new EtcdClient({
    clock,
    dial: () => {
      const [near, far] = connectionPair();
      void etcdServer.serve(far);
      return Promise.resolve(near);
    },
  });
  const server = assembleApiServer({
    clock,
    rng,
    etcd,
    subjectOf: () => ({ commonName: 'kubernetes-admin', organizations: ['system:masters'] }),
    authorizationModes: options.authorizationModes ?? ['AlwaysAllow'],
    admissionPlugins: {
      enabled: ['NodeRestriction', ...(options.enabledPlugins ?? [])],
      disabled: options.disabledPlugins ?? ['ServiceAccount'],
    },
    ...(options.tokenFile === undefined ? {} : { tokenFile: { path: '/tokens.csv', contents: options.tokenFile } }),
    ...(options.serviceAccount === undefined ? {} : { serviceAccount: options.serviceAccount }),
    ...(options.connectBackend === undefined ? {} : { connectBackend: options.connectBackend }),
    advertised: { address: '192.168.1.10', port: 6443 },
    log: options.log ?? (() => undefined),
  });
  const stop = new AbortController();
  await server.start(stop.signal);
  const connect = (): Connection => {
    const [near, far] = connectionPair();
    void serveConnection(far, (request, respond) => server.handle(request, respond), { clock, onFault: (error) => faults.push(error) });
    return near;
  };
  const clientAs = ({ userAgent = 'test/v0', token }: { readonly userAgent?: string; readonly token?: string }): RestClient =>
    new RestClient({
      transport: new HttpClient({ connect: () => Promise.resolve(connect()), host: '192.168.1.10:6443' }),
      userAgent,
      ...(token === undefined ? {} : { token: () => token }),
    });
  const client = clientAs({});
  return {
    clock,
    server,
    client,
    clientAs,
    connect,
    async [Symbol.asyncDispose]() {
      client.close();
      stop.abort(new Error('the test is over'));
      etcd.close();
      etcdServer.dispose();
      await clock.settle();
      if (faults.length > 0) throw faults[0] as Error;
    },
  };
}
