// Models kubeconfig files: which are read (clientcmd's loading rules), how they merge and how they are written back.

import type { Process } from '../../../kernel/process.ts';
import { isSysError } from '../../../sim/errno.ts';
import { CliError } from '../errors.ts';
import type { FlagSet } from '../flags/flag-set.ts';
import { isObject, type JsonObject } from '../printers/json.ts';
import { toYaml } from '../printers/yaml.ts';
import { decodeYaml, YamlError } from '../../../kube/machinery/yaml-decode.ts';

export interface Named {
  readonly origin: string;
  readonly value: JsonObject;
}

/** A merged configuration; entries know the file they came from. */
export class KubeConfig {
  readonly clusters = new Map<string, Named>();
  readonly contexts = new Map<string, Named>();
  readonly users = new Map<string, Named>();
  currentContext = '';
  currentContextOrigin = '';
  preferences: JsonObject = {};
  extensions: unknown = undefined;

  isEmpty(): boolean {
    return this.clusters.size + this.contexts.size + this.users.size === 0 && this.currentContext === '';
  }
}

export type Section = 'clusters' | 'contexts' | 'users';
export const SECTIONS: readonly (readonly [Section, string])[] = [
  ['clusters', 'cluster'],
  ['contexts', 'context'],
  ['users', 'user'],
];

/** The files that make the configuration, and whether the first must exist. */
export function configPaths(
  process: Process,
  flags: FlagSet,
): { readonly paths: readonly string[]; readonly isExplicit: boolean; readonly isFromEnvironment: boolean } {
  const explicit = flags.string('kubeconfig');
  if (explicit !== '') return { paths: [explicit], isExplicit: true, isFromEnvironment: false };
  const listed = (process.env.get('KUBECONFIG') ?? '').split(':').filter((path) => path !== '');
  if (listed.length > 0) return { paths: [...new Set(listed)], isExplicit: false, isFromEnvironment: true };
  return { paths: [`${process.env.get('HOME') ?? ''}/.kube/config`], isExplicit: false, isFromEnvironment: false };
}

/** Reads and merges; the first file to set a value wins. */
export function loadKubeConfig(process: Process, flags: FlagSet, warn: (path: string) => void): KubeConfig {
  const { paths, isExplicit, isFromEnvironment } = configPaths(process, flags);
  const merged = new KubeConfig();
  for (const path of paths) {
    let text: string;
    try {
      text = process.sys.readTextFile(path);
    } catch (error) {
      if (!isSysError(error)) throw error;
      if (isExplicit) throw new CliError(`${error.errno === 'ENOENT' ? 'stat' : 'open'} ${path}: ${error.strerror.toLowerCase()}`);
      if (error.errno !== 'ENOENT' && error.errno !== 'ENOTDIR')
        throw new CliError(`error loading config file "${path}": open ${path}: ${error.strerror.toLowerCase()}`);
      if (isFromEnvironment) warn(path);
      continue;
    }
    merge(merged, path, parseConfig(path, text), absolute(process, path));
  }
  return merged;
}

/** Throws CliError when the file is none. */
export function parseConfig(path: string, text: string): JsonObject {
  let value: unknown;
  try {
    value = decodeYaml(text);
  } catch (error) {
    if (error instanceof YamlError) throw new CliError(`error loading config file "${path}": yaml: ${error.message}`);
    throw error;
  }
  if (value === null || value === undefined) return {};
  if (!isObject(value))
    throw new CliError(
      `error loading config file "${path}": couldn't get version/kind; json parse error: json: cannot unmarshal ${Array.isArray(value) ? 'array' : typeof value} into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`,
    );
  if (value['kind'] !== undefined && value['kind'] !== 'Config')
    throw new CliError(
      `error loading config file "${path}": no kind "${String(value['kind'])}" is registered for version "${String(value['apiVersion'] ?? '')}" in scheme "k8s.io/client-go/tools/clientcmd/api/latest/latest.go:50"`,
    );
  return value;
}

function merge(into: KubeConfig, path: string, file: JsonObject, absolutePath: string): void {
  for (const [section, singular] of SECTIONS) {
    const entries = file[section];
    if (!Array.isArray(entries)) continue;
    for (const entry of entries) {
      if (!isObject(entry) || typeof entry['name'] !== 'string' || into[section].has(entry['name'])) continue;
      const value = isObject(entry[singular]) ? entry[singular] : {};
      into[section].set(entry['name'], { origin: path, value: withAbsolutePaths(value, absolutePath) });
    }
  }
  if (into.currentContext === '' && typeof file['current-context'] === 'string') {
    into.currentContext = file['current-context'];
    into.currentContextOrigin = path;
  }
  if (isObject(file['preferences'])) into.preferences = { ...file['preferences'], ...into.preferences };
}

const PATH_KEYS = ['certificate-authority', 'client-certificate', 'client-key', 'tokenFile'];

function withAbsolutePaths(value: JsonObject, configPath: string): JsonObject {
  const folder = configPath.slice(0, configPath.lastIndexOf('/'));
  const out: JsonObject = { ...value };
  for (const key of PATH_KEYS) {
    const path = out[key];
    if (typeof path === 'string' && path !== '' && !path.startsWith('/')) out[key] = normalisePath(`${folder}/${path}`);
  }
  return out;
}

export function normalisePath(path: string): string {
  const out: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') out.pop();
    else if (part !== '' && part !== '.') out.push(part);
  }
  return `/${out.join('/')}`;
}

export function absolute(process: Process, path: string): string {
  return normalisePath(path.startsWith('/') ? path : `${process.sys.cwd()}/${path}`);
}

/** The YAML form of a configuration, entries sorted by name. */
export function configObject(config: KubeConfig): JsonObject {
  const section = (name: Section, singular: string): unknown => {
    const entries = [...config[name]].sort(([a], [b]) => (a < b ? -1 : 1));
    return entries.length === 0 ? null : entries.map(([entry, { value }]) => ({ [singular]: value, name: entry }));
  };
  return {
    kind: 'Config',
    apiVersion: 'v1',
    preferences: config.preferences,
    clusters: section('clusters', 'cluster'),
    users: section('users', 'user'),
    contexts: section('contexts', 'context'),
    'current-context': config.currentContext,
  };
}

/** Writes each entry to the file it came from; new ones to the first existing file, else the last. */
export function saveKubeConfig(process: Process, flags: FlagSet, config: KubeConfig): void {
  const { paths } = configPaths(process, flags);
  const fallback = paths.find((path) => process.sys.exists(path)) ?? paths[paths.length - 1] ?? '';
  for (const path of paths) {
    const part = new KubeConfig();
    for (const [section] of SECTIONS) {
      for (const [name, entry] of config[section])
        if ((paths.includes(entry.origin) ? entry.origin : fallback) === path) part[section].set(name, entry);
    }
    const owner = paths.includes(config.currentContextOrigin) ? config.currentContextOrigin : fallback;
    if (owner === path) part.currentContext = config.currentContext;
    if (path === fallback) part.preferences = config.preferences;
    if (path !== fallback && !process.sys.exists(path)) continue;
    writeConfig(process, path, part);
  }
}

function writeConfig(process: Process, path: string, config: KubeConfig): void {
  const folder = path.slice(0, path.lastIndexOf('/'));
  try {
    if (folder !== '' && !process.sys.exists(folder)) process.sys.mkdir(folder, { recursive: true, mode: 0o755 });
    process.sys.writeFile(path, toYaml(configObject(config)), { mode: 0o600 });
  } catch (error) {
    if (isSysError(error)) throw new CliError(`open ${path}: ${error.strerror.toLowerCase()}`);
    throw error;
  }
}
