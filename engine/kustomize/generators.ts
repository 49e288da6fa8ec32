// Models configMapGenerator and secretGenerator, and the hash that follows the names of what they make.

import { sha256 } from '@noble/hashes/sha2.js';
import { marshal, isObject, sortKeys, goValue, type JsonObject } from '../kube/machinery/go-values.ts';
import { configMapKey, envVarName } from '../kube/machinery/names.ts';
import { isUtf8, text, toBase64, toHex, utf8 } from '../sim/bytes.ts';
import { KustomizeError, wrapped } from './error.ts';
import type { GeneratorArgs, GeneratorOptions } from './kustomization.ts';
import type { Loader } from './loader.ts';
import { idSyntax, idText, nameOf, resourceOf, setName, type Behavior, type Resource } from './resource.ts';

type Kind = 'ConfigMap' | 'Secret';
type Pair = readonly [key: string, value: Uint8Array];

/** The objects of one of the two lists of generators. */
export function generate(loader: Loader, kind: Kind, list: readonly GeneratorArgs[], options: GeneratorOptions | undefined): Resource[] {
  const out: Resource[] = [];
  for (const args of list) {
    const object = wrapped(`NewResMapFrom${kind}Args`, () => objectOf(loader, kind, args, options));
    const resource = resourceOf(object, { behavior: behaviorOf(args), needsHash: options?.disableNameSuffixHash !== true });
    if (out.some(({ id }) => idText(id) === idText(resource.id)))
      throw new KustomizeError(`duplicated ${idSyntax(resource.id)} is not allowed`);
    out.push(resource);
  }
  return out;
}

function behaviorOf({ behavior }: GeneratorArgs): Behavior {
  return behavior === 'replace' || behavior === 'merge' || behavior === 'create' ? behavior : 'unspecified';
}

function objectOf(loader: Loader, kind: Kind, args: GeneratorArgs, options: GeneratorOptions | undefined): JsonObject {
  const { env = '', literals = [], files = [] } = args;
  const pairs = [
    ...wrapped(`env source file: ${env}`, () => (env === '' ? [] : fromEnvFile(loader, env))),
    ...wrapped(`literal sources ${goValue(literals)}`, () => literals.map(fromLiteral)),
    ...wrapped(`file sources: ${goValue(files)}`, () => files.map((source) => fromFile(loader, source))),
  ];
  const filled = (map: Readonly<Record<string, string>> | undefined): boolean => Object.keys(map ?? {}).length > 0;
  return {
    apiVersion: 'v1',
    kind,
    metadata: {
      ...((args.name ?? '') === '' ? {} : { name: args.name }),
      ...((args.namespace ?? '') === '' ? {} : { namespace: args.namespace }),
      ...(filled(options?.labels) ? { labels: { ...options?.labels } } : {}),
      ...(filled(options?.annotations) ? { annotations: { ...options?.annotations } } : {}),
    },
    ...(kind === 'Secret' ? secretData(pairs, args.type ?? '') : configData(pairs)),
  };
}

function configData(pairs: readonly Pair[]): JsonObject {
  const data: Record<string, string> = {};
  const binaryData: Record<string, string> = {};
  for (const [key, bytes] of pairs) {
    checkKey(key, 'ConfigMap');
    const isText = isUtf8(bytes);
    const map = isText ? data : binaryData;
    if (Object.hasOwn(map, key))
      throw new KustomizeError(`cannot add key ${key}, another key by that name already exists: ${goValue(map)}`);
    map[key] = isText ? text(bytes) : toBase64(bytes);
  }
  return {
    ...(Object.keys(data).length > 0 ? { data } : {}),
    ...(Object.keys(binaryData).length > 0 ? { binaryData } : {}),
  };
}

function secretData(pairs: readonly Pair[], type: string): JsonObject {
  const data: Record<string, string> = {};
  for (const [key, bytes] of pairs) {
    checkKey(key, 'Secret');
    if (Object.hasOwn(data, key)) throw new KustomizeError(`cannot add key ${key}, another key by that name already exists`);
    data[key] = toBase64(bytes);
  }
  return { ...(Object.keys(data).length > 0 ? { data } : {}), type: type === '' ? 'Opaque' : type };
}

function checkKey(key: string, kind: Kind): void {
  const errors = configMapKey(key);
  if (errors.length > 0) throw new KustomizeError(`${JSON.stringify(key)} is not a valid key name for a ${kind}: ${errors.join(';')}`);
}

function fromLiteral(source: string): Pair {
  const equals = source.indexOf('=');
  if (equals <= 0) throw new KustomizeError(`invalid literal source ${source}, expected key=value`);
  return [source.slice(0, equals), utf8(source.slice(equals + 1).replace(/^["']+|["']+$/g, ''))];
}

function fromFile(loader: Loader, source: string): Pair {
  const parts = source.split('=');
  const [key = '', path = ''] = parts;
  if (parts.length === 1) return [key.slice(key.lastIndexOf('/') + 1), loader.load(key)];
  if (parts.length > 2) throw new KustomizeError("key names or file paths cannot contain '='");
  if (key === '') throw new KustomizeError(`key name for file path ${path} missing`);
  if (path === '') throw new KustomizeError(`file path for key name ${key} missing`);
  return [key, loader.load(path)];
}

function fromEnvFile(loader: Loader, path: string): readonly Pair[] {
  const out: Pair[] = [];
  const lines = text(loader.load(path))
    .replace(/^\ufeff/, '')
    .split('\n');
  for (const raw of lines) {
    const line = raw.replace(/\r$/, '').trimStart();
    if (line === '' || line.startsWith('#')) continue;
    const equals = line.indexOf('=');
    const key = equals < 0 ? line : line.slice(0, equals);
    const errors = envVarName(key);
    if (errors.length > 0) throw new KustomizeError(`${JSON.stringify(key)} is not a valid key name: ${errors.join(';')}`);
    out.push([key, utf8(equals < 0 ? loader.files.environment(key) : line.slice(equals + 1))]);
  }
  return out;
}

/** Puts the hash of its contents behind the name of everything generated. */
export function addHashes(resources: readonly Resource[]): void {
  for (const { object, needsHash } of resources) {
    if (needsHash) setName(object, `${nameOf(object)}-${hashOf(object)}`);
  }
}

/** Letters that make words are replaced. */
const LETTERS: Readonly<Record<string, string>> = { 0: 'g', 1: 'h', 3: 'k', a: 'm', e: 't' };
const HASH_LENGTH = 10;

function hashOf(object: JsonObject): string {
  const { kind } = object;
  const data = isObject(object['data']) ? object['data'] : null;
  const binaryData = isObject(object['binaryData']) ? object['binaryData'] : {};
  const hashed = {
    kind,
    name: nameOf(object),
    data,
    ...(kind === 'Secret' ? { type: object['type'] ?? '' } : Object.keys(binaryData).length > 0 ? { binaryData } : {}),
  };
  const hex = toHex(sha256(utf8(marshal(sortKeys(hashed)))));
  return [...hex.slice(0, HASH_LENGTH)].map((letter) => LETTERS[letter] ?? letter).join('');
}
