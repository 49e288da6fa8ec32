// Models nginx's http core as far as the lab's images need it: locations, static files, return, variables, server-side includes.

import { concat, text, utf8 } from '../../../sim/bytes.ts';
import { isSysError } from '../../../sim/errno.ts';
import type { HttpRequest } from '../../../net/http.ts';
import { reasonPhrase } from '../../../net/http-status.ts';
import type { Syscalls } from '../../../kernel/process.ts';
import { find, findAll, type Directive } from './config.ts';

export interface ServerBlock {
  readonly ports: readonly { readonly address: string; readonly port: number; readonly isTls: boolean }[];
  readonly names: readonly string[];
  readonly directives: readonly Directive[];
}

export interface Answer {
  status: number;
  body: Uint8Array;
  headers: Record<string, string>;
  location: readonly Directive[];
  /** A line for the error log. */
  error: string | undefined;
}

const FORMATS_DEFAULT = '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"';
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

export class Site {
  readonly #sys: Syscalls;
  readonly #http: readonly Directive[];
  readonly #version: string;
  readonly servers: readonly ServerBlock[];

  constructor(sys: Syscalls, http: readonly Directive[], version: string) {
    this.#sys = sys;
    this.#http = http;
    this.#version = version;
    this.servers = findAll(http, 'server').map((server) => serverOf(server.block ?? []));
  }

  answer(
    request: HttpRequest,
    port: number,
  ): { readonly answer: Answer; readonly server: ServerBlock; readonly variables: (name: string) => string } {
    const host = (request.headers.get('host') ?? '').replace(/:\d+$/, '');
    const listening = this.servers.filter((server) => server.ports.some((listen) => listen.port === port));
    const server = listening.find((candidate) => candidate.names.includes(host)) ?? listening[0]!;
    const state = { status: 200, bytes: 0 };
    const variables = (name: string): string => this.#variable(name, request, state);
    const answer = this.#locate(server.directives, request, pathOf(request.target), variables);
    for (const header of this.#directives('add_header', answer.location, server)) {
      const [name = '', value = '', flag] = header.args;
      if (flag === 'always' || [200, 201, 204, 206, 301, 302, 303, 304, 307, 308].includes(answer.status))
        answer.headers[name] = expand(value, variables);
    }
    answer.headers['Server'] = `nginx/${this.#version}`;
    if (request.method === 'HEAD') answer.headers['Content-Length'] = String(answer.body.length);
    state.status = answer.status;
    state.bytes = request.method === 'HEAD' ? 0 : answer.body.length;
    return { answer, server, variables };
  }

  /** Lines for the access logs, each with the log's path. */
  accessLines(
    location: readonly Directive[],
    server: ServerBlock,
    variables: (name: string) => string,
  ): readonly { readonly path: string; readonly line: string }[] {
    const formats = new Map(findAll(this.#http, 'log_format').map((format) => [format.args[0] ?? '', format.args.slice(1).join('')]));
    return this.#directives('access_log', location, server)
      .filter((log) => log.args[0] !== 'off')
      .map((log) => ({
        path: expand(log.args[0] ?? '', variables),
        line: `${expand(formats.get(log.args[1] ?? 'combined') ?? FORMATS_DEFAULT, variables)}\n`,
      }));
  }

  /** The directives of a name at the innermost level that has any. */
  #directives(name: string, location: readonly Directive[], server: ServerBlock): readonly Directive[] {
    for (const level of [location, server.directives, this.#http]) {
      const found = findAll(level, name);
      if (found.length > 0) return found;
    }
    return [];
  }

  #setting(name: string, location: readonly Directive[], server: readonly Directive[]): Directive | undefined {
    return find(location, name) ?? find(server, name) ?? find(this.#http, name);
  }

  #locate(server: readonly Directive[], request: HttpRequest, path: string, variables: (name: string) => string): Answer {
    const location = matchLocation(server, path);
    const body = location?.block ?? [];
    if (request.method === 'TRACE') return this.#page(405, body);
    const returned = find(body, 'return') ?? (location === undefined ? find(server, 'return') : undefined);
    if (returned !== undefined) return this.#returned(returned, body, server, variables);
    const answer = this.#file(server, body, request, path, variables);
    return this.#errorPage(answer, server, body, request, path, variables);
  }

  #returned(
    directive: Directive,
    location: readonly Directive[],
    server: readonly Directive[],
    variables: (name: string) => string,
  ): Answer {
    const status = Number(directive.args[0]);
    const value = expand(directive.args[1] ?? '', variables);
    if ([301, 302, 303, 307, 308].includes(status)) {
      const answer = this.#page(status, location);
      answer.headers['Location'] = value;
      return answer;
    }
    if (directive.args[1] === undefined) return this.#page(status, location);
    const type = this.#setting('default_type', location, server)?.args[0] ?? 'text/plain';
    return { status, body: utf8(value), headers: { 'Content-Type': type }, location, error: undefined };
  }

  #file(
    server: readonly Directive[],
    location: readonly Directive[],
    request: HttpRequest,
    path: string,
    variables: (name: string) => string,
  ): Answer {
    const root = expand(this.#setting('root', location, server)?.args[0] ?? '/etc/nginx/html', variables);
    const tries = find(location, 'try_files');
    if (tries !== undefined) return this.#tried(tries.args, root, server, location, request, variables);
    if (request.method !== 'GET' && request.method !== 'HEAD') return this.#page(405, location);
    if (path.endsWith('/')) return this.#index(root, server, location, request, path, variables);
    return this.#serve(`${root}${path}`, path, server, location, request, variables);
  }

  #tried(
    names: readonly string[],
    root: string,
    server: readonly Directive[],
    location: readonly Directive[],
    request: HttpRequest,
    variables: (name: string) => string,
  ): Answer {
    for (const name of names.slice(0, -1)) {
      const path = expand(name, variables);
      const found = this.#stat(`${root}${path}`);
      if (found === 'file' && !path.endsWith('/')) return this.#serve(`${root}${path}`, path, server, location, request, variables);
      if (found === 'directory' && path.endsWith('/')) return this.#index(root, server, location, request, path, variables);
    }
    const last = names.at(-1) ?? '=404';
    if (last.startsWith('=')) return this.#page(Number(last.slice(1)), location);
    return this.#locate(server, request, expand(last, variables), variables);
  }

  #index(
    root: string,
    server: readonly Directive[],
    location: readonly Directive[],
    request: HttpRequest,
    path: string,
    variables: (name: string) => string,
  ): Answer {
    const names = this.#setting('index', location, server)?.args ?? ['index.html'];
    for (const name of names)
      if (this.#stat(`${root}${path}${name}`) === 'file')
        return this.#serve(`${root}${path}${name}`, `${path}${name}`, server, location, request, variables);
    if (this.#stat(`${root}${path}`) !== 'directory') {
      return this.#fail(404, location, `"${root}${path}${names[0]!}" is not found (2: No such file or directory)`);
    }
    return this.#fail(403, location, `directory index of "${root}${path}" is forbidden`);
  }

  #serve(
    file: string,
    path: string,
    server: readonly Directive[],
    location: readonly Directive[],
    request: HttpRequest,
    variables: (name: string) => string,
  ): Answer {
    try {
      const stat = this.#sys.stat(file);
      if (stat.kind === 'directory') {
        const answer = this.#page(301, location);
        answer.headers['Location'] = `http://${request.headers.get('host') ?? ''}${path}/`;
        return answer;
      }
      const modified = httpDate(stat.mtimeMs);
      const etag = `"${Math.floor(stat.mtimeMs / 1000).toString(16)}-${stat.sizeBytes.toString(16)}"`;
      const headers = {
        'Content-Type': this.#typeOf(file, server, location),
        'Last-Modified': modified,
        ETag: etag,
        'Accept-Ranges': 'bytes',
      };
      const isKnown =
        request.headers.get('if-none-match') === etag ||
        (request.headers.get('if-none-match') === undefined && request.headers.get('if-modified-since') === modified);
      if (isKnown)
        return { status: 304, body: new Uint8Array(), headers: { 'Last-Modified': modified, ETag: etag }, location, error: undefined };
      const contents = this.#sys.readFile(file);
      if (this.#setting('ssi', location, server)?.args[0] === 'on') {
        const page = text(contents).replace(/<!--#\s*echo\s+var="(\w+)"\s*-->/g, (_, name: string) => variables(name));
        return { status: 200, body: utf8(page), headers: { 'Content-Type': headers['Content-Type'] }, location, error: undefined };
      }
      return { status: 200, body: contents, headers, location, error: undefined };
    } catch (error) {
      if (isSysError(error, 'ENOENT', 'ENOTDIR'))
        return this.#fail(404, location, `open() "${file}" failed (2: No such file or directory)`);
      if (isSysError(error, 'EACCES')) return this.#fail(403, location, `open() "${file}" failed (13: Permission denied)`);
      throw error;
    }
  }

  #stat(path: string): string | undefined {
    try {
      return this.#sys.stat(path).kind;
    } catch (error) {
      if (isSysError(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return undefined;
      throw error;
    }
  }

  #typeOf(file: string, server: readonly Directive[], location: readonly Directive[]): string {
    const extension = /\.(\w+)$/.exec(file)?.[1];
    const types = find(this.#http, 'types')?.block ?? [];
    const known = extension === undefined ? undefined : types.find((type) => type.args.includes(extension));
    return known?.name ?? this.#setting('default_type', location, server)?.args[0] ?? 'text/plain';
  }

  #errorPage(
    answer: Answer,
    server: readonly Directive[],
    location: readonly Directive[],
    request: HttpRequest,
    path: string,
    variables: (name: string) => string,
  ): Answer {
    if (answer.status < 400) return answer;
    const page = [...findAll(location, 'error_page'), ...findAll(server, 'error_page')].find((directive) =>
      directive.args.includes(String(answer.status)),
    );
    const target = page?.args.at(-1);
    if (target === undefined || !target.startsWith('/') || target === path) return answer;
    const replaced = this.#locate(server, { ...request, method: 'GET' }, target, variables);
    return replaced.status === 200 ? { ...replaced, status: answer.status, error: answer.error } : answer;
  }

  #fail(status: number, location: readonly Directive[], error: string): Answer {
    return { ...this.#page(status, location), error };
  }

  /** nginx's own page for a status. */
  #page(status: number, location: readonly Directive[]): Answer {
    const title = `${status} ${status === 404 ? 'Not Found' : reasonPhrase(status)}`;
    const body = `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n<hr><center>nginx/${this.#version}</center>\r\n</body>\r\n</html>\r\n`;
    return {
      status,
      body: concat([utf8(status === 204 ? '' : body)]),
      headers: { 'Content-Type': 'text/html' },
      location,
      error: undefined,
    };
  }

  #variable(name: string, request: HttpRequest, state: { readonly status: number; readonly bytes: number }): string {
    const [remoteAddress = '', remotePort = ''] = splitAddress(request.remoteAddress);
    const [serverAddress = '', serverPort = ''] = splitAddress(request.localAddress);
    const nowMs = this.#sys.now();
    const values: Readonly<Record<string, () => string>> = {
      hostname: () => this.#sys.hostname(),
      request_method: () => request.method,
      request_uri: () => request.target,
      uri: () => pathOf(request.target),
      document_uri: () => pathOf(request.target),
      args: () => request.target.split('?')[1] ?? '',
      request: () => `${request.method} ${request.target} HTTP/1.1`,
      remote_addr: () => remoteAddress,
      remote_port: () => remotePort,
      server_addr: () => serverAddress,
      server_port: () => serverPort,
      host: () => (request.headers.get('host') ?? '').replace(/:\d+$/, ''),
      scheme: () => (request.clientCertificate === undefined ? 'http' : 'https'),
      server_protocol: () => 'HTTP/1.1',
      status: () => String(state.status),
      body_bytes_sent: () => String(state.bytes),
      bytes_sent: () => String(state.bytes),
      time_local: () => timeLocal(nowMs),
      date_local: () => timeLocal(nowMs),
      time_iso8601: () => new Date(nowMs).toISOString().replace(/\.\d+Z$/, '+00:00'),
      msec: () => (nowMs / 1000).toFixed(3),
      nginx_version: () => this.#version,
      pid: () => '1',
      remote_user: () => '-',
      request_time: () => '0.000',
    };
    const known = values[name];
    if (known !== undefined) return known();
    if (name.startsWith('http_')) return request.headers.get(name.slice(5).replaceAll('_', '-')) ?? '-';
    if (name.startsWith('arg_')) return new RegExp(`[?&]${name.slice(4)}=([^&]*)`).exec(request.target)?.[1] ?? '';
    return '';
  }
}

function serverOf(directives: readonly Directive[]): ServerBlock {
  const listens = findAll(directives, 'listen');
  const ports = (listens.length === 0 ? [{ args: ['80'] }] : listens)
    .filter((listen) => !(listen.args[0] ?? '').startsWith('['))
    .map((listen) => {
      const [address, port] = splitAddress(/^\d+$/.test(listen.args[0] ?? '') ? `0.0.0.0:${listen.args[0]!}` : (listen.args[0] ?? ''));
      return {
        address: address === '*' ? '0.0.0.0' : address,
        port: Number(port === '' ? '80' : port),
        isTls: listen.args.includes('ssl'),
      };
    });
  return { ports, names: find(directives, 'server_name')?.args ?? [''], directives };
}

function matchLocation(server: readonly Directive[], path: string): Directive | undefined {
  const locations = findAll(server, 'location');
  const exact = locations.find((location) => location.args[0] === '=' && location.args[1] === path);
  if (exact !== undefined) return exact;
  const prefix = locations
    .filter((location) => location.args.length === 1 || location.args[0] === '^~')
    .filter((location) => path.startsWith(location.args.at(-1) ?? ''))
    .sort((a, b) => (b.args.at(-1)?.length ?? 0) - (a.args.at(-1)?.length ?? 0))[0];
  if (prefix?.args[0] === '^~') return prefix;
  const expression = locations.find((location) => {
    if (location.args[0] === '~') return new RegExp(location.args[1] ?? '').test(path);
    return location.args[0] === '~*' && new RegExp(location.args[1] ?? '', 'i').test(path);
  });
  return expression ?? prefix;
}

function pathOf(target: string): string {
  const path = target.split('?')[0] ?? '/';
  try {
    return decodeURIComponent(path);
  } catch (error) {
    if (error instanceof URIError) return path;
    throw error;
  }
}

function splitAddress(address: string): readonly [string, string] {
  const at = address.lastIndexOf(':');
  return at < 0 ? [address, ''] : [address.slice(0, at), address.slice(at + 1)];
}

export function expand(template: string, variables: (name: string) => string): string {
  return template.replace(/\$(?:\{(\w+)\}|(\w+))/g, (_, braced: string | undefined, plain: string | undefined) =>
    variables(braced ?? plain ?? ''),
  );
}

const two = (value: number): string => String(value).padStart(2, '0');

/** `21/Nov/2026:02:05:11 +0000`. */
export function timeLocal(ms: number): string {
  const date = new Date(ms);
  return `${two(date.getUTCDate())}/${MONTHS[date.getUTCMonth()]!}/${date.getUTCFullYear()}:${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} +0000`;
}

/** `2026/11/21 02:05:11`, of the error log. */
export function errorTime(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace('T', ' ').replaceAll('-', '/');
}

export function httpDate(ms: number): string {
  const date = new Date(ms);
  return `${DAYS[date.getUTCDay()]!}, ${two(date.getUTCDate())} ${MONTHS[date.getUTCMonth()]!} ${date.getUTCFullYear()} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} GMT`;
}
