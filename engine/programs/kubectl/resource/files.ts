// Models the builder's reading of -f: files, directories, URLs and stdin, with one or many documents each.

import { connectTls } from '../../../net/tls.ts';
import { HttpClient } from '../../../net/http-client.ts';
import { readAll } from '../../../kube/client/rest-client.ts';
import { concat, text } from '../../../sim/bytes.ts';
import { isSysError } from '../../../sim/errno.ts';
import type { Context } from '../context.ts';
import { CliError, throwAll } from '../errors.ts';
import { resolveHost } from '../factory/resolve-host.ts';
import { isObject, type JsonObject } from '../printers/json.ts';
import { kustomized } from './kustomize.ts';
import { decodeYaml, YamlError } from '../../../kube/machinery/yaml-decode.ts';

export interface FileDocument {
  /** What messages call it: the path as found, the URL or STDIN. */
  readonly source: string;
  readonly value: unknown;
}

const EXTENSIONS = ['.json', '.yaml', '.yml'];

/** A file's text with its name for messages. */
export interface SourceText {
  readonly source: string;
  read(): Promise<string>;
}

/** The sources of -f in order. Throws what is missing before anything is read. */
export function sourcesOf(context: Context, filenames: readonly string[], recursive: boolean): readonly SourceText[] {
  const errors: Error[] = [];
  const sources: SourceText[] = [];
  const isKustomized = context.flags.has('kustomize') && context.flags.string('kustomize') !== '';
  for (const name of filenames) {
    // With -k the only name is that of a kustomization's directory.
    if (isKustomized) sources.push({ source: name, read: () => Promise.resolve(kustomized(context, name)) });
    else if (name === '-') sources.push({ source: 'STDIN', read: () => readStdin(context) });
    else if (/^https?:\/\//.test(name)) sources.push({ source: name, read: () => readUrl(context, name) });
    else {
      try {
        sources.push(...pathSources(context, name, recursive));
      } catch (error) {
        if (!(error instanceof CliError)) throw error;
        errors.push(error);
      }
    }
  }
  throwAll(errors);
  return sources;
}

/** Documents of one source; empty ones are left out. Throws CliError `error parsing x: ...`. */
export async function documentsOf(source: SourceText): Promise<readonly FileDocument[]> {
  const contents = await source.read();
  const fail = (message: string): CliError => new CliError(`error parsing ${source.source}: ${message}`);
  if (/^\s*\{/.test(contents)) {
    const json = parseJson(contents);
    if (json !== undefined) return [{ source: source.source, value: json }];
  }
  const out: FileDocument[] = [];
  for (const part of contents.split(/\n---[^\n]*(?:\n|$)/)) {
    try {
      const value = decodeYaml(part);
      if (value === null || value === undefined) continue;
      out.push({ source: source.source, value });
    } catch (error) {
      if (error instanceof YamlError) throw fail(`error converting YAML to JSON: yaml: ${error.message}`);
      throw error;
    }
  }
  return out;
}

function parseJson(contents: string): unknown {
  try {
    return JSON.parse(contents);
  } catch (error) {
    // Several JSON documents, or YAML in flow style: the YAML reader says.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function pathSources(context: Context, path: string, recursive: boolean): readonly SourceText[] {
  const { sys } = context.process;
  let isFolder: boolean;
  try {
    isFolder = sys.stat(path).kind === 'directory';
  } catch (error) {
    if (isSysError(error, 'ENOENT')) throw new CliError(`the path "${path}" does not exist`);
    if (isSysError(error)) throw new CliError(`the path "${path}" cannot be accessed: stat ${path}: ${error.strerror.toLowerCase()}`);
    throw error;
  }
  if (!isFolder) return [fileSource(context, path)];
  const found: SourceText[] = [];
  const walk = (folder: string, depth: number): void => {
    for (const name of [...sys.readdir(folder)].sort()) {
      const child = folder === '.' ? name : `${folder.replace(/\/+$/, '')}/${name}`;
      if (sys.stat(child).kind === 'directory') {
        if (recursive) walk(child, depth + 1);
      } else if (EXTENSIONS.some((extension) => name.endsWith(extension))) found.push(fileSource(context, child));
    }
  };
  walk(path, 0);
  if (found.length === 0) throw new CliError(`error reading [${path}]: recognized file extensions are [${EXTENSIONS.join(' ')}]`);
  return found;
}

function fileSource(context: Context, path: string): SourceText {
  return { source: path, read: () => Promise.resolve(context.readTextFile(path)) };
}

async function readStdin(context: Context): Promise<string> {
  const chunks: Uint8Array[] = [];
  for (;;) {
    const chunk = await context.process.stdin.read();
    if (chunk === undefined) return chunks.length === 0 ? '' : text(concat(chunks));
    chunks.push(chunk);
  }
}

async function readUrl(context: Context, url: string, redirects = 0): Promise<string> {
  const match = /^(https?):\/\/([^/:]+)(?::(\d+))?(\/.*)?$/.exec(url);
  if (match === null) throw new CliError(`the URL passed to filename "${url}" is not valid: parse "${url}": invalid URL`);
  const [, scheme, host = '', portText, path = '/'] = match;
  const port = Number(portText ?? (scheme === 'https' ? 443 : 80));
  const { process } = context;
  const client = new HttpClient({
    host,
    connect: async () => {
      const address = await resolveHost(process, host);
      const connection = await process.sys.net.connect({ address, port, pid: process.pid });
      if (scheme === 'http') return connection;
      const bundle = '/etc/pki/tls/certs/ca-bundle.crt';
      const ca = process.sys.exists(bundle) ? process.sys.readTextFile(bundle) : undefined;
      return connectTls(connection, { serverName: host, nowMs: process.sys.now(), ...(ca === undefined ? {} : { ca }) });
    },
  });
  try {
    const response = await client.request({ method: 'GET', target: path, headers: { 'user-agent': 'Go-http-client/1.1', accept: '*/*' } });
    const location = response.headers.get('location');
    if (response.status >= 300 && response.status < 400 && location !== undefined && redirects < 10) {
      return await readUrl(
        context,
        location.startsWith('/') ? `${scheme ?? 'http'}://${host}:${port}${location}` : location,
        redirects + 1,
      );
    }
    const body = text(await readAll(response.body));
    if (response.status !== 200)
      throw new CliError(
        `unable to read URL "${url}", server reported ${response.status} ${response.reason}, status code=${response.status}`,
      );
    return body;
  } catch (error) {
    if (isSysError(error)) throw new CliError(`Get "${url}": dial tcp ${host}:${port}: connect: ${error.strerror.toLowerCase()}`);
    throw error;
  } finally {
    client.close();
  }
}

/** The items of List objects, others as they are. */
export function flatten(value: JsonObject): readonly JsonObject[] {
  if (!String(value['kind'] ?? '').endsWith('List') || !Array.isArray(value['items'])) return [value];
  const listKind = String(value['kind']);
  return (value['items'] as unknown[])
    .filter(isObject)
    .flatMap((item) =>
      flatten({ ...(listKind === 'List' ? {} : { apiVersion: value['apiVersion'], kind: listKind.slice(0, -4) }), ...item }),
    );
}
