// The door for real kubectl: TLS with the cluster's own authority on loopback, and behind it the emulated API server over the
// emulated network. Bytes pass as they are; who the client is, is told by a certificate with the same name, signed on the fly.

import { randomBytes, randomInt } from 'node:crypto';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Connection } from '#engine/sim/stream.ts';
import { isSysError } from '#engine/sim/errno.ts';
import { SeededRng } from '#engine/sim/rng.ts';
import { connectTls, TlsError, type Identity } from '#engine/net/tls.ts';
import { createCertificate, generateKeyPair, parseCertificate, verifyCertificate, X509Error } from '#engine/net/x509.ts';
import type { ClusterPki, HostedLab } from '../hosted-lab.ts';
import type { ClockDriver } from '../clock-driver.ts';
import { serveHttp2 } from './http2.ts';
import { pipe } from './pipe.ts';

const API_ADDRESS = '192.168.1.10';
const API_PORT = 6443;
/** Of the service `kubernetes`. */
const SERVICE_ADDRESS = '10.96.0.1';
const DAY_MS = 86_400_000;
/** kubectl on the real computer compares with real time, whatever time the lab has: valid long before and after both. */
const MARGIN_MS = 10 * 365 * DAY_MS;
/** How often a refusing API server is asked whether it is back. */
const PROBE_MS = 500;
const MOST_IDENTITIES = 256;

export interface ApiDoorOptions {
  readonly lab: HostedLab;
  readonly driver: ClockDriver;
  readonly pki: ClusterPki;
  readonly onError: (error: unknown) => void;
}

export interface ApiDoor {
  readonly url: string;
  readonly kubeconfig: string;
  close(): Promise<void>;
}

export async function openApiDoor(options: ApiDoorOptions): Promise<ApiDoor> {
  const door = new ApiListener(options);
  await door.start();
  return door;
}

class ApiListener implements ApiDoor {
  readonly #options: ApiDoorOptions;
  readonly #rng = new SeededRng(randomInt(2 ** 32));
  readonly #sockets = new Set<Socket>();
  /** Upstream connections that wait for their client's handshake, by the client's port. */
  readonly #upstreams = new Map<number, Connection>();
  /** By the client's own certificate: making one takes longer than a request. */
  readonly #identities = new Map<string, Identity>();
  readonly #tls;
  #server: Server | undefined;
  #port = 0;
  #probe: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: ApiDoorOptions) {
    this.#options = options;
    const { certificatePem, privateKeyPem } = this.#servingIdentity();
    this.#tls = process.getBuiltinModule('node:tls').createServer({
      cert: certificatePem,
      key: privateKeyPem,
      ca: options.pki.caPem,
      requestCert: true,
      rejectUnauthorized: false,
      // A client that has said all it has to say still wants the answer.
      allowHalfOpen: true,
      ALPNProtocols: ['h2', 'http/1.1'],
    });
    this.#tls.on('secureConnection', (socket) => void this.#attend(socket).catch(options.onError));
    this.#tls.on('tlsClientError', (_, socket) => this.#dropUpstream((socket as unknown as Socket).remotePort));
  }

  get url(): string {
    return `https://127.0.0.1:${this.#port}`;
  }

  get kubeconfig(): string {
    return this.#options.pki.adminKubeconfigYaml.replace(/^(\s*server:\s*).*$/m, `$1${this.url}`);
  }

  async start(): Promise<void> {
    try {
      await this.#listen(API_PORT);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      await this.#listen(0);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#probe);
    for (const socket of this.#sockets) socket.destroy();
    for (const port of [...this.#upstreams.keys()]) this.#dropUpstream(port);
    await this.#stopListening();
  }

  #listen(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const server = createServer(
        { pauseOnConnect: true, noDelay: true, allowHalfOpen: true },
        (socket) => void this.#accept(socket).catch(this.#options.onError),
      );
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => {
        server.off('error', reject);
        server.on('error', this.#options.onError);
        this.#server = server;
        this.#port = (server.address() as AddressInfo).port;
        resolve();
      });
    });
  }

  #stopListening(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    return server === undefined ? Promise.resolve() : new Promise((resolve) => server.close(() => resolve()));
  }

  /** TCP first, as on the wire: a connection the guest refuses never gets to a handshake. */
  async #accept(socket: Socket): Promise<void> {
    const { lab, driver } = this.#options;
    this.#sockets.add(socket);
    const port = socket.remotePort ?? 0;
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#dropUpstream(port);
    });
    socket.on('error', () => socket.destroy());
    driver.poke();
    let upstream: Connection;
    try {
      upstream = await lab.connectHostOnly(API_ADDRESS, API_PORT);
    } catch (error) {
      if (!isSysError(error)) throw error;
      socket.resetAndDestroy();
      if (isSysError(error, 'ECONNREFUSED')) await this.#refuseUntilBack();
      return;
    }
    if (socket.destroyed) {
      upstream.close();
      return;
    }
    this.#upstreams.set(port, upstream);
    this.#greet(socket);
  }

  /** A client that speaks plain HTTP is told so, as Go's server tells it. */
  #greet(socket: Socket): void {
    socket.once('data', (start: Buffer) => {
      if (/^(?:GET |HEAD|POST|PUT |OPTI|PATC|DELE)/.test(start.toString('latin1', 0, 4))) {
        this.#dropUpstream(socket.remotePort);
        socket.end('HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n');
        return;
      }
      socket.pause();
      socket.unshift(start);
      this.#tls.emit('connection', socket);
    });
    socket.resume();
  }

  /** Nothing listens in the guest: nothing listens here either, until it does again. */
  async #refuseUntilBack(): Promise<void> {
    if (this.#server === undefined) return;
    await this.#stopListening();
    const look = async (): Promise<void> => {
      if (this.#isClosed) return;
      try {
        (await this.#options.lab.connectHostOnly(API_ADDRESS, API_PORT)).close();
        if (!this.#isClosed) await this.#listen(this.#port);
      } catch (error) {
        if (!isSysError(error)) throw error;
        this.#probe = setTimeout(() => void look().catch(this.#options.onError), PROBE_MS);
      }
    };
    this.#probe = setTimeout(() => void look().catch(this.#options.onError), PROBE_MS);
  }

  async #attend(socket: TLSSocket): Promise<void> {
    const { lab, driver, pki } = this.#options;
    const port = socket.remotePort ?? 0;
    const upstream = this.#upstreams.get(port);
    this.#upstreams.delete(port);
    if (upstream === undefined) {
      socket.destroy();
      return;
    }
    const identity = this.#identityOf(socket);
    const secure = async (connection: Connection): Promise<Connection> =>
      connectTls(connection, {
        serverName: API_ADDRESS,
        ca: pki.caPem,
        insecure: true,
        nowMs: lab.clock.now(),
        ...(identity === undefined ? {} : { certificate: identity }),
      });
    const hooks = { poke: () => driver.poke(), flush: () => lab.flush() };
    let secured: Connection;
    try {
      secured = await secure(upstream);
    } catch (error) {
      socket.destroy();
      if (!isSysError(error) && !(error instanceof TlsError)) throw error;
      return;
    }
    if (socket.alpnProtocol !== 'h2') return pipe(socket, secured, hooks);
    const connect = async (): Promise<Connection> => secure(await lab.connectHostOnly(API_ADDRESS, API_PORT));
    await serveHttp2(socket, { ...hooks, first: secured, connect, onError: this.#options.onError });
  }

  /** A certificate that says the same of its bearer; one that the cluster did not sign stays one that it did not sign. */
  #identityOf(socket: TLSSocket): Identity | undefined {
    const { raw } = socket.getPeerCertificate() as { raw?: Buffer };
    if (raw === undefined) return undefined;
    const pem = `-----BEGIN CERTIFICATE-----\n${raw.toString('base64').replace(/.{64}/g, '$&\n').trimEnd()}\n-----END CERTIFICATE-----\n`;
    const known = this.#identities.get(pem);
    if (known !== undefined) return known;
    const { subject, notBeforeMs, notAfterMs } = parseCertificate(pem);
    const { publicKeyPem, privateKeyPem } = generateKeyPair(this.#rng);
    const isKnown = this.#isSignedByCluster(pem, (notBeforeMs + notAfterMs) / 2);
    const certificatePem = createCertificate({
      subject,
      publicKeyPem,
      issuer: isKnown ? this.#authority : { selfSignedBy: privateKeyPem },
      serial: randomBytes(8),
      notBeforeMs,
      notAfterMs,
      usages: ['client'],
    });
    const identity = { certificatePem, privateKeyPem };
    if (this.#identities.size >= MOST_IDENTITIES) this.#identities.clear();
    this.#identities.set(pem, identity);
    return identity;
  }

  /** Whether it is valid now is the API server's question: it asks by lab time. */
  #isSignedByCluster(pem: string, nowMs: number): boolean {
    try {
      verifyCertificate(pem, this.#options.pki.caPem, { nowMs, usage: 'client' });
      return true;
    } catch (error) {
      if (error instanceof X509Error) return false;
      throw error;
    }
  }

  get #authority(): { readonly certificatePem: string; readonly privateKeyPem: string } {
    return { certificatePem: this.#options.pki.caPem, privateKeyPem: this.#options.pki.caKeyPem };
  }

  #servingIdentity(): Identity {
    const { publicKeyPem, privateKeyPem } = generateKeyPair(this.#rng);
    const nowMs = Date.now();
    const labMs = this.#options.lab.clock.now();
    const certificatePem = createCertificate({
      subject: { commonName: 'kube-apiserver', organizations: [] },
      publicKeyPem,
      issuer: this.#authority,
      serial: randomBytes(8),
      notBeforeMs: Math.min(nowMs, labMs) - DAY_MS,
      notAfterMs: Math.max(nowMs, labMs) + MARGIN_MS,
      dnsNames: [
        'kubernetes',
        'kubernetes.default',
        'kubernetes.default.svc',
        'kubernetes.default.svc.cluster.local',
        'm-k8s',
        'localhost',
      ],
      addresses: [SERVICE_ADDRESS, API_ADDRESS, '127.0.0.1'],
      usages: ['server'],
    });
    return { certificatePem, privateKeyPem };
  }

  #dropUpstream(port: number | undefined): void {
    if (port === undefined) return;
    this.#upstreams.get(port)?.close();
    this.#upstreams.delete(port);
  }
}
