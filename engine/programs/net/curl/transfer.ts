// One transfer of curl: connect, TLS, request, answer, redirects, the progress meter.

import type { Connection, Process } from '../../../kernel/process.ts';
import { lookup } from '../io.ts';
import { concat, text, toBase64, utf8 } from '../../../sim/bytes.ts';
import { isSysError } from '../../../sim/errno.ts';
import { HttpClient } from '../../../net/http-client.ts';
import type { HttpResponse } from '../../../net/http.ts';
import { connectTls, TlsError } from '../../../net/tls.ts';
import { X509Error, parseCertificate } from '../../../net/x509.ts';
import { parseIp } from '../../../net/address.ts';
import type { CurlOptions } from './arguments.ts';

const DEFAULT_BUNDLE = '/etc/pki/tls/certs/ca-bundle.crt';

export class CurlError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

interface Body {
  readonly bytes: Uint8Array;
  readonly type: string | undefined;
}

interface Target {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly user: string | undefined;
}

export class Transfer {
  readonly #process: Process;
  readonly #options: CurlOptions;
  readonly #url: string;
  readonly #index: number;
  readonly #startMs: number;
  readonly #abort = new AbortController();
  #deadline: { dispose(): void } | undefined;
  #client: HttpClient | undefined;
  #connection: Connection | undefined;
  #received = 0;
  #uploaded = 0;
  #expected: number | undefined;
  #status = 0;
  #headerBytes = 0;
  #connectMs = 0;
  #redirects = 0;
  #contentType = '';
  #effectiveUrl: string;
  #meterStarted = false;
  lastChunkBytes = 0;

  constructor(process: Process, options: CurlOptions, url: string, index: number) {
    this.#process = process;
    this.#options = options;
    this.#url = url;
    this.#index = index;
    this.#effectiveUrl = url;
    this.#startMs = process.sys.clock.now();
  }

  /** The meter is shown when the body goes somewhere else than to the terminal. */
  get hasMeter(): boolean {
    return this.#meterStarted;
  }

  async run(): Promise<void> {
    const { maxTimeMs } = this.#options;
    if (maxTimeMs !== undefined && maxTimeMs > 0) {
      this.#deadline = this.#process.sys.clock.setTimer(maxTimeMs, () => this.#abort.abort(this.#timedOut('max')));
    }
    let target = parseUrl(this.#url);
    let method = this.#method();
    let body = this.#body();
    for (;;) {
      const response = await this.#request(target, method, body);
      const location = response.headers.get('location');
      if (!this.#options.location || location === undefined || response.status < 300 || response.status > 399) {
        if (this.#options.fail && response.status >= 400) {
          throw new CurlError(22, `The requested URL returned error: ${response.status} ${response.reason}`);
        }
        await this.#output(target, response, method);
        return;
      }
      if (++this.#redirects > this.#options.maxRedirects)
        throw new CurlError(47, `Maximum (${this.#options.maxRedirects}) redirects followed`);
      if (this.#options.include || this.#options.head) await this.#write(utf8(headText(response)), target);
      while ((await this.#reading(response.body.read())) !== undefined);
      target = parseUrl(resolveLocation(target, location));
      this.#effectiveUrl = urlOf(target);
      if (response.status !== 307 && response.status !== 308 && method === 'POST' && this.#options.method === undefined) {
        method = 'GET';
        body = undefined;
      }
      this.close();
    }
  }

  close(): void {
    this.#client?.close();
    this.#connection?.close();
    this.#client = undefined;
    this.#connection = undefined;
  }

  dispose(): void {
    this.#deadline?.dispose();
    this.close();
  }

  #method(): string {
    const options = this.#options;
    if (options.method !== undefined) return options.method;
    if (options.head) return 'HEAD';
    if (options.upload !== undefined) return 'PUT';
    return (options.data.length > 0 && !options.get) || options.form.length > 0 ? 'POST' : 'GET';
  }

  #body(): Body | undefined {
    const { upload, data, form, get } = this.#options;
    if (upload !== undefined) return { bytes: this.#readFile(upload, 26, `Can't open '${upload}'!`), type: undefined };
    if (form.length > 0) return this.#multipart(form);
    if (data.length === 0 || get) return undefined;
    return { bytes: this.#dataBytes(), type: 'application/x-www-form-urlencoded' };
  }

  #dataBytes(): Uint8Array {
    const parts: Uint8Array[] = [];
    this.#options.data.forEach(({ text: value, kind }, at) => {
      if (at > 0) parts.push(utf8('&'));
      if (kind === 'urlencode') parts.push(utf8(urlEncodeOption(value)));
      else if (value.startsWith('@') && kind !== 'raw') {
        const bytes = this.#readFile(value.slice(1), 26, `couldn't open file "${value.slice(1)}"`);
        parts.push(kind === 'binary' ? bytes : utf8(text(bytes).replace(/[\r\n]/g, '')));
      } else parts.push(utf8(value));
    });
    return concat(parts);
  }

  #multipart(form: readonly string[]): { readonly bytes: Uint8Array; readonly type: string } {
    const boundary = `----------------------------${[...this.#process.sys.rng.bytes(6)].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
    const parts: Uint8Array[] = [];
    for (const field of form) {
      const [name = '', ...rest] = field.split('=');
      const value = rest.join('=');
      let head = `--${boundary}\r\nContent-Disposition: form-data; name="${name}"`;
      let bytes = utf8(value);
      if (value.startsWith('@') || value.startsWith('<')) {
        const path = value.slice(1).split(';')[0]!;
        bytes = this.#readFile(path, 26, `couldn't open file "${path}"`);
        if (value.startsWith('@')) head += `; filename="${path.split('/').pop()!}"\r\nContent-Type: application/octet-stream`;
      }
      parts.push(utf8(`${head}\r\n\r\n`), bytes, utf8('\r\n'));
    }
    parts.push(utf8(`--${boundary}--\r\n`));
    return { bytes: concat(parts), type: `multipart/form-data; boundary=${boundary}` };
  }

  #readFile(path: string, status: number, message: string): Uint8Array {
    try {
      return this.#process.sys.readFile(path === '-' ? '/dev/stdin' : path);
    } catch (error) {
      if (!isSysError(error)) throw error;
      throw new CurlError(status, message);
    }
  }

  async #request(target: Target, method: string, body: Body | undefined): Promise<HttpResponse> {
    const options = this.#options;
    const connection = await this.#connect(target);
    this.#connection = connection;
    const isDefaultPort = target.port === (target.scheme === 'https' ? 443 : 80);
    const hostHeader = isDefaultPort ? target.host : `${target.host}:${target.port}`;
    const headers = new Map<string, string>();
    const user = options.user ?? target.user;
    if (user !== undefined) headers.set('Authorization', `Basic ${toBase64(utf8(user))}`);
    headers.set('User-Agent', options.userAgent ?? 'curl/7.29.0');
    headers.set('Host', hostHeader);
    headers.set('Accept', '*/*');
    if (options.referer !== undefined) headers.set('Referer', options.referer);
    if (options.cookie?.includes('=') === true) headers.set('Cookie', options.cookie);
    if (options.compressed) headers.set('Accept-Encoding', 'identity');
    if (body !== undefined) headers.set('Content-Length', String(body.bytes.length));
    if (body?.type !== undefined) headers.set('Content-Type', body.type);
    for (const header of options.headers) {
      const colon = header.indexOf(':');
      const name = (colon < 0 ? header : header.slice(0, colon)).trim();
      const value = colon < 0 ? '' : header.slice(colon + 1).trim();
      const known = [...headers.keys()].find((one) => one.toLowerCase() === name.toLowerCase());
      if (known !== undefined) headers.delete(known);
      if (value !== '') headers.set(known ?? name, value);
    }
    const query = options.get && options.data.length > 0 ? `${target.path.includes('?') ? '&' : '?'}${text(this.#dataBytes())}` : '';
    const path = target.path + query;
    await this.#verbose('>', [`${method} ${path} HTTP/1.1`, ...[...headers].map(([name, value]) => `${name}: ${value}`), '']);
    this.#client = new HttpClient({ connect: () => Promise.resolve(connection), host: hostHeader });
    try {
      const response = await this.#reading(
        this.#client.request({
          method,
          target: path,
          headers: Object.fromEntries(headers),
          ...(body === undefined ? {} : { body: body.bytes }),
          signal: this.#abort.signal,
        }),
      );
      this.#uploaded = body?.bytes.length ?? 0;
      this.#status = response.status;
      this.#contentType = response.headers.get('content-type') ?? '';
      this.#headerBytes += headText(response).length;
      await this.#verbose('<', headText(response).trimEnd().split('\r\n').concat(''));
      if (options.cookieJar !== undefined && response.headers.has('set-cookie')) this.#saveCookies(options.cookieJar, target, response);
      return response;
    } catch (error) {
      throw this.#translate(error);
    }
  }

  async #connect(target: Target): Promise<Connection> {
    const { sys } = this.#process;
    const options = this.#options;
    if (options.unixSocket !== undefined) {
      try {
        return await sys.connectUnix(options.unixSocket);
      } catch (error) {
        if (!isSysError(error)) throw error;
        throw new CurlError(7, `Failed to connect to ${target.host}: ${error.strerror}`);
      }
    }
    const connecting = new AbortController();
    const limit = options.connectTimeoutMs;
    const timer =
      limit === undefined || limit === 0 ? undefined : sys.clock.setTimer(limit, () => connecting.abort(this.#timedOut('connect')));
    const signal = AbortSignal.any([connecting.signal, this.#abort.signal]);
    try {
      const address = await this.#resolve(target, signal);
      await this.#verboseLine(`* About to connect() to ${target.host} port ${target.port} (#0)`);
      await this.#verboseLine(`*   Trying ${address}...`);
      let connection: Connection;
      try {
        connection = await sys.net.connect({
          address,
          port: target.port,
          signal,
          ...(options.interface !== undefined && parseIp(options.interface) !== undefined ? { sourceAddress: options.interface } : {}),
        });
      } catch (error) {
        if (!isSysError(error)) throw error;
        await this.#verboseLine(`* ${error.strerror}`);
        await this.#verboseLine(`* Failed connect to ${target.host}:${target.port}; ${error.strerror}`);
        throw new CurlError(7, `Failed connect to ${target.host}:${target.port}; ${error.strerror}`);
      }
      this.#connectMs = sys.clock.now() - this.#startMs;
      await this.#verboseLine(`* Connected to ${target.host} (${address}) port ${target.port} (#0)`);
      return target.scheme === 'https' ? await this.#secure(connection, target) : connection;
    } finally {
      timer?.dispose();
    }
  }

  async #resolve(target: Target, signal: AbortSignal): Promise<string> {
    for (const entry of this.#options.resolve) {
      const [host, port, address] = entry.split(':');
      if (host === target.host && Number(port) === target.port && address !== undefined) return address;
    }
    const found = await lookup(this.#process, target.host, signal);
    if (found.kind === 'found') return found.addresses[0]!;
    throw new CurlError(
      6,
      `Could not resolve host: ${target.host}; ${found.kind === 'not-found' ? 'Name or service not known' : 'Unknown error'}`,
    );
  }

  async #secure(connection: Connection, target: Target): Promise<Connection> {
    const { sys } = this.#process;
    const options = this.#options;
    const ca = options.insecure ? undefined : this.#bundle();
    let certificate;
    if (options.certificate !== undefined) {
      const pem = text(
        this.#readFile(options.certificate.split(':')[0]!, 58, `unable to load client cert: -8018 (SEC_ERROR_UNKNOWN_PKCS11_ERROR)`),
      );
      const key =
        options.key === undefined ? pem : text(this.#readFile(options.key, 58, 'unable to load client key: -8178 (SEC_ERROR_BAD_KEY)'));
      certificate = { certificatePem: pem, privateKeyPem: key };
    }
    try {
      const secured = await connectTls(connection, {
        serverName: target.host,
        insecure: options.insecure,
        nowMs: sys.now(),
        rng: sys.rng,
        ...(ca === undefined ? {} : { ca }),
        ...(certificate === undefined ? {} : { certificate }),
      });
      if (options.verbose && secured.peerCertificatePem !== undefined) await this.#describeCertificate(secured.peerCertificatePem);
      return secured;
    } catch (error) {
      connection.close();
      if (error instanceof X509Error || (error instanceof TlsError && /x509|certificate/.test(error.message)))
        throw new CurlError(60, trustMessage(error.message));
      if (error instanceof TlsError) throw new CurlError(35, 'SSL received a record that exceeded the maximum permissible length.');
      throw this.#translate(error, 35);
    }
  }

  #bundle(): string {
    const path = this.#options.caFile ?? DEFAULT_BUNDLE;
    if (!this.#process.sys.exists(path)) {
      if (this.#options.caFile === undefined) return '';
      throw new CurlError(77, `Problem with the SSL CA cert (path? access rights?)`);
    }
    return this.#process.sys.readTextFile(path);
  }

  async #describeCertificate(pem: string): Promise<void> {
    const certificate = parseCertificate(pem);
    await this.#verboseLine('* Server certificate:');
    await this.#verboseLine(`* \tsubject: CN=${certificate.subject.commonName}`);
    await this.#verboseLine(`* \tcommon name: ${certificate.subject.commonName}`);
    await this.#verboseLine(`* \tissuer: CN=${certificate.issuer.commonName}`);
  }

  async #output(target: Target, response: HttpResponse, method: string): Promise<void> {
    const length = response.headers.get('content-length');
    this.#expected = length === undefined ? undefined : Number(length);
    if (this.#options.dumpHeader !== undefined) this.#process.sys.writeFile(this.#options.dumpHeader, headText(response));
    if (this.#options.include || this.#options.head) await this.#write(utf8(headText(response)), target);
    if (method === 'HEAD') return;
    try {
      for (;;) {
        const chunk = await this.#reading(response.body.read());
        if (chunk === undefined) break;
        this.#received += chunk.length;
        this.lastChunkBytes = chunk.length;
        await this.#write(chunk, target);
      }
      if (this.#received === 0) await this.#write(new Uint8Array(0), target);
    } catch (error) {
      if (isSysError(error, 'ECONNRESET', 'ETIMEDOUT')) throw new CurlError(56, `Recv failure: ${error.strerror}`);
      if (error instanceof Error && /unexpected EOF|ended early/i.test(error.message)) {
        throw new CurlError(18, `transfer closed with ${(this.#expected ?? 0) - this.#received} bytes remaining to read`);
      }
      throw error;
    }
  }

  #sink: ((bytes: Uint8Array) => Promise<void>) | undefined;

  async #write(bytes: Uint8Array, target: Target): Promise<void> {
    this.#sink ??= await this.#openSink(target);
    if (bytes.length > 0) await this.#sink(bytes);
  }

  async #openSink(target: Target): Promise<(bytes: Uint8Array) => Promise<void>> {
    const { sys, stdout } = this.#process;
    let path = this.#options.outputs[this.#index];
    if (path === undefined && this.#options.remoteName) {
      path = target.path.split('?')[0]!.split('/').pop()!;
      if (path === '') throw new CurlError(23, 'Remote file name has no length!');
    }
    const isTerminal = path === undefined || path === '-' ? stdout.tty !== undefined : false;
    if (!this.#options.silent && !isTerminal) await this.#startMeter();
    if (path === undefined || path === '-') return (bytes) => stdout.write(bytes);
    let fd: number;
    try {
      fd = sys.open(path, { write: true, create: true, truncate: true });
    } catch (error) {
      if (!isSysError(error)) throw error;
      await this.#warn(`Failed to create the file ${path}: ${error.strerror}`);
      throw new CurlError(23, `Failed writing body (0 != ${this.lastChunkBytes})`);
    }
    return (bytes) => sys.file(fd).write(bytes);
  }

  async #warn(message: string): Promise<void> {
    if (!this.#options.silent) await this.#process.stderr.write(utf8(`Warning: ${message}\n`));
  }

  async #startMeter(): Promise<void> {
    if (this.#meterStarted || this.#options.progressBar) return;
    this.#meterStarted = true;
    await this.#process.stderr.write(
      utf8(
        '  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current\n' +
          '                                 Dload  Upload   Total   Spent    Left  Speed\n' +
          '\r  0     0    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0',
      ),
    );
  }

  async endMeter(): Promise<void> {
    const elapsed = Math.max(0, this.#process.sys.clock.now() - this.#startMs) / 1000;
    const speed = (bytes: number): string => short(elapsed < 0.001 ? bytes * 100 : bytes / elapsed);
    const total = this.#expected ?? this.#received;
    const percent = total === 0 ? 0 : 100;
    const spent = elapsed < 1 ? '--:--:--' : clockTime(elapsed);
    await this.#process.stderr.write(
      utf8(
        `\r${String(percent).padStart(3)} ${short(total)}  ${String(percent).padStart(3)} ${short(this.#received)}    0 ${short(this.#uploaded)}  ${speed(this.#received).padStart(6)} ${speed(this.#uploaded).padStart(6)} --:--:-- ${spent} --:--:-- ${speed(this.#received)}\n`,
      ),
    );
  }

  expandWriteOut(format: string): string {
    const seconds = (ms: number): string => (ms / 1000).toFixed(3);
    const total = this.#process.sys.clock.now() - this.#startMs;
    const values: Readonly<Record<string, string>> = {
      http_code: String(this.#status).padStart(3, '0'),
      response_code: String(this.#status).padStart(3, '0'),
      http_connect: '000',
      time_total: seconds(total),
      time_connect: seconds(this.#connectMs),
      time_namelookup: seconds(0),
      time_appconnect: seconds(0),
      time_pretransfer: seconds(this.#connectMs),
      time_starttransfer: seconds(total),
      time_redirect: seconds(0),
      size_download: String(this.#received),
      size_upload: String(this.#uploaded),
      size_header: String(this.#headerBytes),
      size_request: '0',
      speed_download: (total === 0 ? 0 : (this.#received * 1000) / total).toFixed(3),
      speed_upload: '0.000',
      content_type: this.#contentType,
      num_connects: '1',
      num_redirects: String(this.#redirects),
      url_effective: this.#effectiveUrl,
      remote_ip: this.#connection?.remoteAddress.split(':')[0] ?? '',
      ssl_verify_result: '0',
    };
    return format
      .replace(/%\{(\w+)\}/g, (_, name: string) => values[name] ?? '')
      .replace(/\\n/g, '\n')
      .replace(/\\t/g, '\t')
      .replace(/\\r/g, '\r')
      .replace(/%%/g, '%');
  }

  async #reading<T>(promise: Promise<T>): Promise<T> {
    const { signal } = this.#abort;
    if (this.#options.maxTimeMs === undefined) return promise;
    let stop: () => void = () => undefined;
    const aborted = new Promise<never>((_, reject) => {
      const onAbort = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
      if (signal.aborted) onAbort();
      signal.addEventListener('abort', onAbort, { once: true });
      stop = () => signal.removeEventListener('abort', onAbort);
    });
    try {
      return await Promise.race([promise, aborted]);
    } finally {
      stop();
    }
  }

  #timedOut(what: 'connect' | 'max'): CurlError {
    const elapsed = this.#process.sys.clock.now() - this.#startMs;
    // The real one looks at its clock a millisecond after the limit.
    if (what === 'connect' || this.#connection === undefined)
      return new CurlError(28, `Connection timed out after ${elapsed + 1} milliseconds`);
    return new CurlError(
      28,
      `Operation timed out after ${elapsed + 1} milliseconds with ${this.#received} out of ${this.#expected ?? -1} bytes received`,
    );
  }

  #translate(error: unknown, status = 56): unknown {
    if (error instanceof CurlError) return error;
    if (isSysError(error, 'ECONNRESET') && error.message.endsWith('EOF')) return new CurlError(52, 'Empty reply from server');
    if (isSysError(error, 'ECONNRESET', 'ETIMEDOUT', 'EHOSTUNREACH')) return new CurlError(status, `Recv failure: ${error.strerror}`);
    if (isSysError(error, 'EPIPE')) return new CurlError(55, 'Send failure: Broken pipe');
    if (error instanceof TlsError) return new CurlError(56, error.message);
    if (error instanceof Error && (error.name === 'HttpParseError' || /EOF|closed|ended/i.test(error.message)) && !isSysError(error)) {
      return new CurlError(52, 'Empty reply from server');
    }
    return error;
  }

  #saveCookies(path: string, target: Target, response: HttpResponse): void {
    const lines = response.headers
      .get('set-cookie')!
      .split(', ')
      .map((cookie) => {
        const [name, value] = cookie.split(';')[0]!.split('=');
        return `${target.host}\tFALSE\t/\tFALSE\t0\t${name}\t${value ?? ''}\n`;
      });
    this.#process.sys.writeFile(
      path,
      `# Netscape HTTP Cookie File\n# http://curl.haxx.se/rfc/cookie_spec.html\n# This file was generated by libcurl! Edit at your own risk.\n\n${lines.join('')}`,
    );
  }

  async #verbose(mark: string, lines: readonly string[]): Promise<void> {
    if (this.#options.verbose)
      await this.#process.stderr.write(utf8(lines.map((line) => `${mark} ${line}\r\n`.replace(/\r\n$/, '\n')).join('')));
  }

  async #verboseLine(line: string): Promise<void> {
    if (this.#options.verbose) await this.#process.stderr.write(utf8(`${line}\n`));
  }
}

function parseUrl(url: string): Target {
  const parts = /^(?:([A-Za-z][A-Za-z0-9+.-]*):\/\/)?(?:([^@/?#]*)@)?(\[[^\]]+\]|[^:/?#]*)(?::(\d*))?([^#]*)/.exec(url);
  const scheme = (parts?.[1] ?? 'http').toLowerCase();
  if (scheme !== 'http' && scheme !== 'https') throw new CurlError(1, `Protocol ${scheme} not supported or disabled in libcurl`);
  const host = parts?.[3] ?? '';
  if (parts === null || host === '') throw new CurlError(3, '<url> malformed');
  const rest = parts[5] ?? '';
  return {
    scheme,
    host,
    port: parts[4] === undefined || parts[4] === '' ? (scheme === 'https' ? 443 : 80) : Number(parts[4]),
    path: rest === '' ? '/' : rest.startsWith('?') ? `/${rest}` : rest,
    user: parts[2],
  };
}

function urlOf(target: Target): string {
  const isDefault = target.port === (target.scheme === 'https' ? 443 : 80);
  return `${target.scheme}://${target.host}${isDefault ? '' : `:${target.port}`}${target.path}`;
}

function resolveLocation(from: Target, location: string): string {
  if (/^https?:\/\//i.test(location)) return location;
  if (location.startsWith('/')) return urlOf({ ...from, path: location });
  return urlOf({ ...from, path: from.path.split('?')[0]!.replace(/[^/]*$/, '') + location });
}

function headText(response: HttpResponse): string {
  let head = `HTTP/1.1 ${response.status} ${response.reason}\r\n`;
  for (const [name, value] of response.headers)
    head += `${name.replace(/(^|-)([a-z])/g, (_, dash: string, letter: string) => dash + letter.toUpperCase()).replace(/^Etag$/, 'ETag')}: ${value}\r\n`;
  return `${head}\r\n`;
}

function urlEncodeOption(value: string): string {
  const equals = value.indexOf('=');
  if (equals < 0) return encodeURIComponent(value);
  return `${equals === 0 ? '' : `${value.slice(0, equals)}=`}${encodeURIComponent(value.slice(equals + 1))}`;
}

/** How NSS words what Go's verifier found. */
function trustMessage(message: string): string {
  if (/expired/.test(message)) return "Peer's Certificate has expired.";
  if (/valid for|doesn't contain|not valid for/.test(message))
    return "Unable to communicate securely with peer: requested domain name does not match the server's certificate.";
  return "Peer's Certificate issuer is not recognized.";
}

/** Five characters, as the meter has them: 12345, 99.9k, 12.3M. */
function short(value: number): string {
  const number = Math.floor(value);
  if (number < 100_000) return String(number).padStart(5);
  if (number < 10_240_000) return `${Math.floor(number / 1024)}k`.padStart(5);
  if (number < 104_857_600) return `${(number / 1_048_576).toFixed(1)}M`.padStart(5);
  return `${Math.floor(number / 1_048_576)}M`.padStart(5);
}

function clockTime(seconds: number): string {
  const whole = Math.floor(seconds);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${String(Math.floor(whole / 3600)).padStart(2)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
}
