// Models `kubectl create configmap` and `create secret`: contents from files, directories, env files and literals.

import { isUtf8, text, toBase64, toHex, utf8 } from '../../../sim/bytes.ts';
import { isSysError } from '../../../sim/errno.ts';
import { sha256 } from '@noble/hashes/sha2.js';
import type { Context } from '../context.ts';
import { CliError } from '../errors.ts';
import { marshal, sortKeys, type JsonObject } from '../printers/json.ts';
import { newMetadata } from './create-generators.ts';

const KEY = /^[-._a-zA-Z0-9]+$/;
const KEY_HINT =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

export function configMap(context: Context, name: string): JsonObject {
  const data: JsonObject = {};
  const binaryData: JsonObject = {};
  for (const [key, bytes] of contents(context, name, 'ConfigMap')) {
    if (isUtf8(bytes)) data[key] = text(bytes);
    else binaryData[key] = toBase64(bytes);
  }
  const body = { ...(Object.keys(data).length === 0 ? {} : { data }), ...(Object.keys(binaryData).length === 0 ? {} : { binaryData }) };
  const hash = { ...(Object.keys(binaryData).length === 0 ? {} : { binaryData }), data, kind: 'ConfigMap', name };
  return { kind: 'ConfigMap', apiVersion: 'v1', metadata: newMetadata(hashedName(context, name, hash)), ...body };
}

export function genericSecret(context: Context, name: string): JsonObject {
  return secret(context, name, context.flags.string('type'), contents(context, name, 'Secret'));
}

export function tlsSecret(context: Context, name: string): JsonObject {
  const { flags } = context;
  for (const flag of ['cert', 'key']) if (flags.string(flag) === '') throw context.usage(`flag ${flag} is required`);
  const read = (path: string): Uint8Array => {
    try {
      return context.process.sys.readFile(path);
    } catch (error) {
      if (isSysError(error)) throw new CliError(`Cannot read file ${path}, open ${path}: ${error.strerror.toLowerCase()}`);
      throw error;
    }
  };
  const certificate = read(flags.string('cert'));
  const key = read(flags.string('key'));
  if (!text(certificate).includes('-----BEGIN')) throw new CliError('tls: failed to find any PEM data in certificate input');
  if (!text(key).includes('-----BEGIN')) throw new CliError('tls: failed to find any PEM data in key input');
  return secret(
    context,
    name,
    'kubernetes.io/tls',
    new Map([
      ['tls.crt', certificate],
      ['tls.key', key],
    ]),
  );
}

export function registrySecret(context: Context, name: string): JsonObject {
  const { flags } = context;
  if (flags.list('from-file').length > 0) return secret(context, name, 'kubernetes.io/dockerconfigjson', contents(context, name, 'Secret'));
  for (const flag of ['docker-username', 'docker-password', 'docker-server'])
    if (flags.string(flag) === '') throw context.usage(`flag ${flag} is required`);
  const username = flags.string('docker-username');
  const password = flags.string('docker-password');
  const email = flags.string('docker-email');
  const entry = { username, password, ...(email === '' ? {} : { email }), auth: toBase64(utf8(`${username}:${password}`)) };
  const config = marshal({ auths: { [flags.string('docker-server')]: entry } });
  return secret(context, name, 'kubernetes.io/dockerconfigjson', new Map([['.dockerconfigjson', utf8(config)]]));
}

function secret(context: Context, name: string, type: string, values: ReadonlyMap<string, Uint8Array>): JsonObject {
  const data: JsonObject = {};
  for (const [key, bytes] of values) data[key] = toBase64(bytes);
  const hash = { data, kind: 'Secret', name, type };
  return {
    kind: 'Secret',
    apiVersion: 'v1',
    metadata: newMetadata(hashedName(context, name, hash)),
    ...(values.size === 0 ? {} : { data }),
    ...(type === '' ? {} : { type }),
  };
}

/** The name with the hash of --append-hash, whose letters avoid words. */
function hashedName(context: Context, name: string, body: JsonObject): string {
  if (!context.flags.bool('append-hash')) return name;
  const letters: Readonly<Record<string, string>> = { '0': 'g', '1': 'h', '3': 'k', a: 'm', e: 't' };
  const hash = toHex(sha256(utf8(marshal(sortKeys(body)))))
    .slice(0, 10)
    .replace(/[013ae]/g, (char) => letters[char] ?? char);
  return `${name}-${hash}`;
}

function contents(context: Context, name: string, kind: string): ReadonlyMap<string, Uint8Array> {
  const { flags } = context;
  const out = new Map<string, Uint8Array>();
  const add = (key: string, bytes: Uint8Array): void => {
    if (!KEY.test(key))
      throw new CliError(
        kind === 'Secret'
          ? `${key} is not valid key name for a Secret ${KEY_HINT}`
          : `"${key}" is not a valid key name for a ConfigMap: ${KEY_HINT}`,
      );
    if (out.has(key))
      throw new CliError(
        kind === 'Secret'
          ? `cannot add key ${key}, another key by that name already exists`
          : `cannot add key "${key}", another key by that name already exists in Data for ConfigMap "${name}"`,
      );
    out.set(key, bytes);
  };
  const envFile = flags.has('from-env-file') ? flags.string('from-env-file') : '';
  if (envFile !== '' && (flags.list('from-file').length > 0 || flags.list('from-literal').length > 0)) {
    throw new CliError('from-env-file cannot be combined with from-file or from-literal');
  }
  for (const source of flags.list('from-file')) addFile(context, source, add);
  for (const source of flags.has('from-literal') ? flags.list('from-literal') : []) {
    const equals = source.indexOf('=');
    if (equals <= 0) throw new CliError(`invalid literal source ${source}, expected key=value`);
    const value = source.slice(equals + 1).replace(/^(['"])(.*)\1$/s, '$2');
    add(source.slice(0, equals), utf8(value));
  }
  if (envFile !== '') addEnvFile(context, envFile, add);
  return new Map([...out].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function addFile(context: Context, source: string, add: (key: string, bytes: Uint8Array) => void): void {
  const { sys } = context.process;
  const equals = source.indexOf('=');
  if (source.split('=').length > 2) throw new CliError("key names or file paths cannot contain '='");
  if (equals === 0) throw new CliError(`key name for file path ${source.slice(1)} missing`);
  if (equals === source.length - 1) throw new CliError(`file path for key name ${source.slice(0, -1)} missing`);
  const path = source.slice(equals + 1);
  const key = equals < 0 ? (path.replace(/\/+$/, '').split('/').pop() ?? path) : source.slice(0, equals);
  try {
    if (sys.stat(path).kind !== 'directory') {
      add(key, sys.readFile(path));
      return;
    }
    if (equals >= 0) throw new CliError('cannot give a key name for a directory path');
    for (const name of [...sys.readdir(path)].sort()) {
      const file = `${path.replace(/\/+$/, '')}/${name}`;
      if (sys.stat(file).kind === 'file') add(name, sys.readFile(file));
    }
  } catch (error) {
    if (isSysError(error)) throw new CliError(`error reading ${path}: ${error.strerror.toLowerCase()}`);
    throw error;
  }
}

function addEnvFile(context: Context, path: string, add: (key: string, bytes: Uint8Array) => void): void {
  let lines: readonly string[];
  try {
    lines = context.process.sys.readTextFile(path).split(/\r?\n/);
  } catch (error) {
    if (isSysError(error)) throw new CliError(`error reading ${path}: ${error.strerror.toLowerCase()}`);
    throw error;
  }
  lines.forEach((line, index) => {
    const trimmed = line.replace(index === 0 ? /^\ufeff?\s*/ : /^\s*/, '');
    if (trimmed === '' || trimmed.startsWith('#')) return;
    const equals = trimmed.indexOf('=');
    const key = equals < 0 ? trimmed : trimmed.slice(0, equals);
    if (!/^[-._a-zA-Z][-._a-zA-Z0-9]*$/.test(key)) {
      throw new CliError(
        `"${key}" is not a valid key name: a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or 'MyEnvName1', regex used for validation is '[-._a-zA-Z][-._a-zA-Z0-9]*')`,
      );
    }
    add(key, utf8(equals < 0 ? (context.process.env.get(key) ?? '') : trimmed.slice(equals + 1)));
  });
}
