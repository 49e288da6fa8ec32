// Models where a client finds its cluster: a kubeconfig file, or the service account mounted into a pod.

import { parse } from 'yaml';
import { fromBase64, text } from '../../sim/bytes.ts';
import type { Process } from '../../kernel/process.ts';

export interface ClientConfig {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  /** PEM. */
  readonly ca: string | undefined;
  readonly isInsecure: boolean;
  readonly certificate: { readonly certificatePem: string; readonly privateKeyPem: string } | undefined;
  /** Read anew for every request: tokens in files get renewed. */
  readonly token: (() => string) | undefined;
  readonly namespace: string | undefined;
  readonly serverName: string | undefined;
}

interface NamedEntry<T> {
  readonly name: string;
  readonly value: T;
}

export interface KubeconfigCluster {
  readonly server?: string;
  readonly 'certificate-authority'?: string;
  readonly 'certificate-authority-data'?: string;
  readonly 'insecure-skip-tls-verify'?: boolean;
  readonly 'tls-server-name'?: string;
}
export interface KubeconfigUser {
  readonly 'client-certificate'?: string;
  readonly 'client-certificate-data'?: string;
  readonly 'client-key'?: string;
  readonly 'client-key-data'?: string;
  readonly token?: string;
  readonly tokenFile?: string;
}
export interface KubeconfigContext {
  readonly cluster?: string;
  readonly user?: string;
  readonly namespace?: string;
}
export interface Kubeconfig {
  readonly currentContext: string;
  readonly clusters: readonly NamedEntry<KubeconfigCluster>[];
  readonly users: readonly NamedEntry<KubeconfigUser>[];
  readonly contexts: readonly NamedEntry<KubeconfigContext>[];
}

/** What is wrong with a configuration, worded as clientcmd words it. */
export class KubeconfigError extends Error {
  override readonly name = 'KubeconfigError';
}

export function parseKubeconfig(contents: string): Kubeconfig {
  const file = (parse(contents) ?? {}) as Record<string, unknown>;
  const named = <T>(list: unknown, member: string): NamedEntry<T>[] =>
    Array.isArray(list)
      ? (list as Record<string, unknown>[]).map((entry) => ({ name: String(entry['name']), value: (entry[member] ?? {}) as T }))
      : [];
  return {
    currentContext: typeof file['current-context'] === 'string' ? file['current-context'] : '',
    clusters: named(file['clusters'], 'cluster'),
    users: named(file['users'], 'user'),
    contexts: named(file['contexts'], 'context'),
  };
}

/** Resolves a context to what a client needs; relative file names start at the kubeconfig's directory. */
export function resolveKubeconfig(
  config: Kubeconfig,
  options: { readonly context?: string; readonly directory: string; readonly readFile: (path: string) => string },
): ClientConfig {
  const contextName = options.context ?? config.currentContext;
  const context = config.contexts.find((entry) => entry.name === contextName)?.value;
  if (context === undefined && contextName !== '') throw new KubeconfigError(`context "${contextName}" does not exist`);
  const cluster = config.clusters.find((entry) => entry.name === context?.cluster)?.value;
  if (cluster === undefined && context?.cluster !== undefined) throw new KubeconfigError(`cluster "${context.cluster}" does not exist`);
  const user = config.users.find((entry) => entry.name === context?.user)?.value;
  const read = (data: string | undefined, path: string | undefined): string | undefined => {
    if (data !== undefined) return text(fromBase64(data));
    if (path === undefined) return undefined;
    return options.readFile(path.startsWith('/') ? path : `${options.directory}/${path}`);
  };
  const certificatePem = read(user?.['client-certificate-data'], user?.['client-certificate']);
  const privateKeyPem = read(user?.['client-key-data'], user?.['client-key']);
  const { token, tokenFile } = user ?? {};
  return {
    ...parseServer(cluster?.server ?? 'http://localhost:8080'),
    ca: read(cluster?.['certificate-authority-data'], cluster?.['certificate-authority']),
    isInsecure: cluster?.['insecure-skip-tls-verify'] === true,
    certificate: certificatePem !== undefined && privateKeyPem !== undefined ? { certificatePem, privateKeyPem } : undefined,
    token: tokenFile !== undefined ? () => options.readFile(tokenFile).trim() : token !== undefined ? () => token : undefined,
    namespace: context?.namespace,
    serverName: cluster?.['tls-server-name'],
  };
}

export function parseServer(server: string): { readonly host: string; readonly port: number; readonly isTls: boolean } {
  const match = /^(?:(https?):\/\/)?(\[[^\]]+\]|[^:/]+)(?::(\d+))?/.exec(server);
  if (match === null) throw new KubeconfigError(`invalid server address "${server}"`);
  const isTls = match[1] === 'https';
  return { host: match[2]!, port: match[3] === undefined ? (isTls ? 443 : 80) : Number(match[3]), isTls };
}

const SERVICE_ACCOUNT_DIRECTORY = '/var/run/secrets/kubernetes.io/serviceaccount';

/** The configuration of a process: the kubeconfig file given, or the service account of the pod it runs in. */
export function loadClientConfig(
  process: Process,
  options: { readonly kubeconfig?: string; readonly context?: string } = {},
): ClientConfig {
  const { sys, env } = process;
  if (options.kubeconfig !== undefined) {
    const path = options.kubeconfig;
    return resolveKubeconfig(parseKubeconfig(sys.readTextFile(path)), {
      directory: path.slice(0, Math.max(0, path.lastIndexOf('/'))) || '/',
      readFile: (file) => sys.readTextFile(file),
      ...(options.context === undefined ? {} : { context: options.context }),
    });
  }
  const host = env.get('KUBERNETES_SERVICE_HOST');
  const port = env.get('KUBERNETES_SERVICE_PORT');
  if (host === undefined || port === undefined) {
    throw new KubeconfigError(
      'unable to load in-cluster configuration, KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be defined',
    );
  }
  return {
    host,
    port: Number(port),
    isTls: true,
    ca: sys.readTextFile(`${SERVICE_ACCOUNT_DIRECTORY}/ca.crt`),
    isInsecure: false,
    certificate: undefined,
    token: () => sys.readTextFile(`${SERVICE_ACCOUNT_DIRECTORY}/token`).trim(),
    namespace: sys.readTextFile(`${SERVICE_ACCOUNT_DIRECTORY}/namespace`).trim(),
    serverName: undefined,
  };
}
