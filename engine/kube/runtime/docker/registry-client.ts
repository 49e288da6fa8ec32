// Models the registry side of `docker pull`: distribution's HTTP API v2 over the machine's network.

import { text, utf8, concat } from '../../../sim/bytes.ts';
import { SysError } from '../../../sim/errno.ts';
import type { ByteSource } from '../../../sim/stream.ts';
import type { HttpResponse } from '../../../net/http.ts';
import { HttpClient } from '../../../net/http-client.ts';
import { connectTls, TlsError } from '../../../net/tls.ts';
import type { Syscalls } from '../../../kernel/process.ts';
import { resolveHost, ResolveError } from '../resolver.ts';
import { digestOf, MANIFEST_TYPE } from '../catalogue/image.ts';
import { familiarName, type ImageReference } from '../image-reference.ts';
import { DockerError } from './types.ts';

/** docker gives up on a registry that does not answer. */
const HEADER_TIMEOUT_MS = 15_000;
const HTTPS_PORT = 443;
const CA_BUNDLE = '/etc/pki/tls/certs/ca-bundle.crt';

export interface Manifest {
  readonly digest: string;
  readonly config: { readonly digest: string; readonly size: number };
  readonly layers: readonly { readonly digest: string; readonly size: number }[];
}

export class RegistryClient {
  readonly #sys: Syscalls;

  constructor(sys: Syscalls) {
    this.#sys = sys;
  }

  async manifest(reference: ImageReference): Promise<Manifest> {
    const wanted = reference.digest ?? reference.tag ?? 'latest';
    const response = await this.#get(reference, `/v2/${reference.path}/manifests/${wanted}`, { accept: MANIFEST_TYPE });
    const body = text(await readAll(response.body));
    if (response.status !== 200) throw this.#failure(reference, wanted, response.status, body);
    return { ...(JSON.parse(body) as Omit<Manifest, 'digest'>), digest: digestOf(body) };
  }

  async config(reference: ImageReference, digest: string): Promise<string> {
    const response = await this.#get(reference, `/v2/${reference.path}/blobs/${digest}`);
    const body = text(await readAll(response.body));
    if (response.status !== 200) throw this.#failure(reference, digest, response.status, body);
    return body;
  }

  /** What a layer takes on disk: the head of its archive says so. */
  async unpackedBytes(reference: ImageReference, digest: string): Promise<number> {
    const response = await this.#get(reference, `/v2/${reference.path}/blobs/${digest}`, {}, 'HEAD');
    await readAll(response.body);
    return Number(response.headers.get('x-unpacked-size') ?? '0');
  }

  /** Reads a layer to its end; what is read is a running count, the link sets the pace. */
  async download(reference: ImageReference, digest: string, onProgress: (bytes: number) => void): Promise<void> {
    const response = await this.#get(reference, `/v2/${reference.path}/blobs/${digest}`);
    if (response.status !== 200) throw this.#failure(reference, digest, response.status, text(await readAll(response.body)));
    let rest = '';
    try {
      for (;;) {
        const chunk = await response.body.read();
        if (chunk === undefined) return;
        const lines = (rest + text(chunk)).split('\n');
        rest = lines.pop() ?? '';
        const last = lines.at(-1);
        if (last !== undefined && last !== '') onProgress(Number(last));
      }
    } catch (error) {
      if (error instanceof SysError) throw new DockerError(500, `read tcp: ${error.strerror.toLowerCase()}`);
      throw error;
    }
  }

  async #get(reference: ImageReference, target: string, headers: Record<string, string> = {}, method = 'GET'): Promise<HttpResponse> {
    const [name = '', portText] = (reference.domain === 'docker.io' ? 'registry-1.docker.io' : reference.domain).split(':');
    const port = portText === undefined ? HTTPS_PORT : Number(portText);
    const shown = `https://${name}${portText === undefined ? '' : `:${portText}`}`;
    const client = new HttpClient({ host: name, maxIdle: 0, connect: (signal) => this.#connect(name, port, signal) });
    const timeout = new AbortController();
    const timer = this.#sys.clock.setTimer(HEADER_TIMEOUT_MS, () => timeout.abort(new Error('timeout')));
    try {
      return await client.request({ method, target, headers, signal: timeout.signal });
    } catch (error) {
      if (timeout.signal.aborted) {
        throw new DockerError(
          500,
          `Get ${shown}/v2/: net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)`,
        );
      }
      if (error instanceof ResolveError) throw new DockerError(500, `Get ${shown}/v2/: dial tcp: ${error.message}`);
      if (error instanceof TlsError) throw new DockerError(500, `Get ${shown}/v2/: ${error.message}`);
      if (error instanceof SysError) throw new DockerError(500, `Get ${shown}/v2/: dial tcp: ${error.strerror.toLowerCase()}`);
      throw error;
    } finally {
      timer.dispose();
    }
  }

  async #connect(name: string, port: number, signal: AbortSignal | undefined): ReturnType<typeof connectTls> {
    const sys = this.#sys;
    const [address] = await resolveHost(sys, name, signal);
    const connection = await sys.net.connect({ address: address!, port, ...(signal === undefined ? {} : { signal }) });
    const own = `/etc/docker/certs.d/${name}:${port}/ca.crt`;
    const caFile = sys.exists(own) ? own : CA_BUNDLE;
    const ca = sys.exists(caFile) ? sys.readTextFile(caFile) : undefined;
    return connectTls(connection, { serverName: name, nowMs: sys.now(), ...(ca === undefined ? { insecure: true } : { ca }) });
  }

  #failure(reference: ImageReference, wanted: string, status: number, body: string): DockerError {
    const name = familiarName(reference);
    if (status === 401 || status === 403) {
      return new DockerError(
        404,
        `pull access denied for ${name}, repository does not exist or may require 'docker login': denied: requested access to the resource is denied`,
      );
    }
    const message = errorOf(body);
    if (status === 404)
      return new DockerError(404, `manifest for ${name}${wanted.startsWith('sha256:') ? '@' : ':'}${wanted} not found: ${message}`);
    return new DockerError(500, message);
  }
}

/** `manifest unknown: manifest unknown`, from a registry's error document. */
function errorOf(body: string): string {
  try {
    const { errors } = JSON.parse(body) as { readonly errors?: readonly { readonly code: string; readonly message: string }[] };
    const first = errors?.[0];
    if (first !== undefined) return `${first.code.toLowerCase().replace(/_/g, ' ')}: ${first.message}`;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return 'unknown: unknown error';
}

export async function readAll(source: ByteSource): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for (;;) {
    const chunk = await source.read();
    if (chunk === undefined) return chunks.length === 0 ? utf8('') : concat(chunks);
    chunks.push(chunk);
  }
}
