// Models TLS as far as a lab can tell: who is asked for, who proves to be whom, and the alerts when that fails.
// Not modelled: ciphers and signatures. After a short handshake in the record format of TLS the bytes travel as they are, and
// an end proves to own its key by having it: this code is the only way in, and it does not vouch for a key that is not the
// certificate's. (A signature for each connection would take more time than everything else a lab does.)

import { concat, text, utf8 } from '../sim/bytes.ts';
import { SysError } from '../sim/errno.ts';
import type { Rng } from '../sim/rng.ts';
import type { Connection } from '../sim/stream.ts';
import { parseCertificate, publicKeyOf, verifyCertificate, X509Error } from './x509.ts';

export interface Identity {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

export interface TlsConnection extends Connection {
  readonly peerCertificatePem: string | undefined;
}

/** A handshake that failed; the message is Go's (crypto/tls, crypto/x509). */
export class TlsError extends Error {
  override readonly name = 'TlsError';
}

export interface TlsClientOptions {
  readonly serverName: string;
  /** PEM bundle of authorities. Without it, and unless `insecure`, no server is trusted. */
  readonly ca?: string;
  readonly insecure?: boolean;
  readonly certificate?: Identity;
  readonly nowMs: number;
  readonly rng?: Rng;
}

export interface TlsServerOptions {
  readonly certificate: Identity;
  /** Authorities for client certificates; without it none is asked for. */
  readonly clientCa?: string;
  readonly requireClient?: boolean;
  /** False: any certificate is let in that the client owns the key of, and whoever serves the connection judges it. */
  readonly verifiesClient?: boolean;
  readonly nowMs: number;
  readonly rng?: Rng;
}

const HANDSHAKE = 0x16;
const ALERT = 0x15;

interface ClientHello {
  readonly serverName: string;
}
interface ServerHello {
  readonly certificate: string;
  readonly ownsKey: boolean;
  readonly asksForClient: boolean;
}
interface ClientFinish {
  readonly certificate?: string;
  readonly ownsKey?: boolean;
}

/** Handshake as a client. Throws TlsError, X509Error, or SysError when the connection breaks. Closes the connection on failure. */
export async function connectTls(connection: Connection, options: TlsClientOptions): Promise<TlsConnection> {
  const reader = new RecordReader(connection);
  await send(connection, HANDSHAKE, { serverName: options.serverName } satisfies ClientHello);
  const hello = (await reader.handshake('server')) as ServerHello;
  try {
    if (options.insecure !== true) {
      verifyCached(hello.certificate, options.ca ?? '', { nowMs: options.nowMs, usage: 'server', host: options.serverName });
    }
    if (!hello.ownsKey) throw new TlsError('tls: invalid signature by the server certificate');
  } catch (error) {
    await send(connection, ALERT, { message: 'bad certificate' });
    connection.close();
    throw error;
  }
  const own = hello.asksForClient ? options.certificate : undefined;
  const finish: ClientFinish = own === undefined ? {} : { certificate: own.certificatePem, ownsKey: ownsKey(own) };
  await send(connection, HANDSHAKE, finish);
  return reader.connection(hello.certificate);
}

/** Handshake as a server. Throws TlsError after having told the client why; SysError when the connection breaks. */
export async function acceptTls(connection: Connection, options: TlsServerOptions): Promise<TlsConnection> {
  const reader = new RecordReader(connection);
  await reader.handshake('client');
  await send(connection, HANDSHAKE, {
    certificate: options.certificate.certificatePem,
    ownsKey: ownsKey(options.certificate),
    asksForClient: options.clientCa !== undefined,
  } satisfies ServerHello);
  const finish = (await reader.handshake('client')) as ClientFinish;
  let peer: string | undefined;
  if (finish.certificate !== undefined && options.clientCa !== undefined) {
    try {
      if (options.verifiesClient !== false) verifyCached(finish.certificate, options.clientCa, { nowMs: options.nowMs, usage: 'client' });
      if (finish.ownsKey !== true) throw new TlsError('tls: invalid signature by the client certificate');
      peer = finish.certificate;
    } catch (error) {
      if (!(error instanceof X509Error) && !(error instanceof TlsError)) throw error;
      await refuse(connection, 'bad certificate', error.message);
    }
  }
  if (peer === undefined && options.requireClient === true)
    await refuse(connection, 'bad certificate', "tls: client didn't provide a certificate");
  return reader.connection(peer);
}

async function refuse(connection: Connection, alert: string, reason: string): Promise<never> {
  await send(connection, ALERT, { message: alert });
  connection.close();
  throw new TlsError(reason);
}

// Checking a signature costs about a millisecond; the same certificates meet thousands of times. What is cached is a
// pure function of its key, so labs may share it.
const verified = new Map<string, number>();
const VERIFIED_LIMIT = 512;

function verifyCached(certificate: string, ca: string, options: { nowMs: number; usage: 'server' | 'client'; host?: string }): void {
  const key = `${options.usage} ${options.host ?? ''} ${certificate} ${ca}`;
  const validUntil = verified.get(key);
  if (validUntil !== undefined && options.nowMs < validUntil && options.nowMs > validUntil - 1000 * 3600 * 24 * 3650) return;
  verifyCertificate(certificate, ca, options);
  if (verified.size >= VERIFIED_LIMIT) verified.clear();
  verified.set(key, parseCertificate(certificate).notAfterMs);
}

function ownsKey(identity: Identity): boolean {
  return publicKeyOf(identity.privateKeyPem) === parseCertificate(identity.certificatePem).publicKeyPem;
}

function send(connection: Connection, type: number, message: unknown): Promise<void> {
  const body = utf8(JSON.stringify(message));
  return connection.write(concat([Uint8Array.from([type, 3, 3, body.length >> 8, body.length & 0xff]), body]));
}

/** Reads whole records and keeps what came after them for the connection's user. */
class RecordReader {
  readonly #connection: Connection;
  #rest: Uint8Array = new Uint8Array();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** The next handshake message of `sender`. */
  async handshake(sender: 'client' | 'server'): Promise<unknown> {
    await this.#need(5);
    const type = this.#rest[0]!;
    if (type !== HANDSHAKE && type !== ALERT) {
      const start = this.#rest;
      if (sender === 'client') await refusePlainHttp(this.#connection, start);
      this.#connection.close();
      throw new TlsError(
        sender === 'client' && looksLikeHttp(start)
          ? 'http: server gave HTTP response to HTTPS client'
          : 'tls: first record does not look like a TLS handshake',
      );
    }
    const length = (this.#rest[3]! << 8) | this.#rest[4]!;
    await this.#need(5 + length);
    const message: unknown = JSON.parse(text(this.#rest.subarray(5, 5 + length)));
    this.#rest = this.#rest.subarray(5 + length);
    if (type === ALERT) {
      this.#connection.close();
      throw new TlsError(`remote error: tls: ${(message as { message: string }).message}`);
    }
    return message;
  }

  connection(peerCertificatePem: string | undefined): TlsConnection {
    const inner = this.#connection;
    let rest = this.#rest;
    let isProven = rest.length > 0;
    const first = async (maxBytes: number, signal: AbortSignal | undefined): Promise<Uint8Array | undefined> => {
      const chunk = await inner.read(maxBytes, signal);
      // A server that turns a client certificate down says so after the client believes to be through.
      if (!isProven && chunk?.[0] === ALERT && chunk[1] === 3) {
        throw new TlsError(`remote error: tls: ${(JSON.parse(text(chunk.subarray(5))) as { message: string }).message}`);
      }
      isProven = true;
      return chunk;
    };
    return {
      localAddress: inner.localAddress,
      remoteAddress: inner.remoteAddress,
      peerCertificatePem,
      read(maxBytes = 65536, signal) {
        if (rest.length === 0) return isProven ? inner.read(maxBytes, signal) : first(maxBytes, signal);
        const taken = rest.subarray(0, maxBytes);
        rest = rest.subarray(taken.length);
        return Promise.resolve(taken);
      },
      write: (bytes) => inner.write(bytes),
      shutdownWrite: () => inner.shutdownWrite(),
      close: (options) => inner.close(options),
    };
  }

  async #need(bytes: number): Promise<void> {
    while (this.#rest.length < bytes) {
      const chunk = await this.#connection.read();
      if (chunk === undefined) {
        this.#connection.close();
        throw new SysError('ECONNRESET', 'EOF');
      }
      this.#rest = concat([this.#rest, chunk]);
    }
  }
}

function looksLikeHttp(bytes: Uint8Array): boolean {
  return /^[A-Z]{3,7} |^HTTP\//.test(text(bytes.subarray(0, 8)));
}

/** What Go's server answers to plain HTTP on its TLS port. */
async function refusePlainHttp(connection: Connection, start: Uint8Array): Promise<void> {
  if (!looksLikeHttp(start)) return;
  const body = 'Client sent an HTTP request to an HTTPS server.\n';
  await connection.write(utf8(`HTTP/1.0 400 Bad Request\r\n\r\n${body}`));
}
