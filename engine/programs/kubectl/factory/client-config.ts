// Models clientcmd's deferred client configuration: the merged kubeconfig plus the flags that override it.

import type { Process } from '../../../kernel/process.ts';
import { fromBase64, text } from '../../../sim/bytes.ts';
import { isSysError } from '../../../sim/errno.ts';
import { CliError, ExitError } from '../errors.ts';
import { parseGoDuration } from '../flags/duration.ts';
import type { FlagSet } from '../flags/flag-set.ts';
import { klogLine } from '../klog.ts';
import type { JsonObject } from '../printers/json.ts';
import { KubeConfig, loadKubeConfig } from './kubeconfig.ts';

/** How to reach and convince a server. */
export interface RestConfig {
  /** `https://192.168.1.10:6443`, without a trailing slash. */
  readonly server: string;
  readonly ca: string | undefined;
  readonly isInsecure: boolean;
  readonly serverName: string | undefined;
  readonly certificate: { readonly certificatePem: string; readonly privateKeyPem: string } | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly impersonate: { readonly user: string; readonly groups: readonly string[] };
  /** 0: none. */
  readonly timeoutMs: number;
}

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

export class ClientConfig {
  readonly kubeConfig: KubeConfig;
  readonly #process: Process;
  readonly #flags: FlagSet;

  private constructor(process: Process, flags: FlagSet, kubeConfig: KubeConfig) {
    this.#process = process;
    this.#flags = flags;
    this.kubeConfig = kubeConfig;
  }

  static load(process: Process, flags: FlagSet, warn: (line: string) => void): ClientConfig {
    const config = loadKubeConfig(process, flags, (path) => {
      warn(klogLine(process, 'W', 'loader.go:223', `Config not found: ${path}`));
    });
    return new ClientConfig(process, flags, config);
  }

  get contextName(): string {
    return this.#flags.string('context') || this.kubeConfig.currentContext;
  }

  /** The namespace and whether it was given by flag (or by an override of the environment's). */
  namespace(): { readonly name: string; readonly isExplicit: boolean } {
    this.#confirmUsable();
    const flag = this.#flags.string('namespace');
    if (flag !== '') return { name: flag, isExplicit: true };
    const context = this.#context();
    const own = context['namespace'];
    if (typeof own === 'string' && own !== '') return { name: own, isExplicit: false };
    if (this.#isInCluster()) return { name: this.#readFile(`${SERVICE_ACCOUNT}/namespace`).trim() || 'default', isExplicit: false };
    return { name: 'default', isExplicit: false };
  }

  /** Throws CliError when the configuration cannot be used. */
  restConfig(): RestConfig {
    const timeoutMs = this.#timeout();
    if (this.#isInCluster()) return this.#inCluster(timeoutMs);
    const contextFlag = this.#flags.string('context');
    if (contextFlag !== '' && !this.kubeConfig.contexts.has(contextFlag)) throw new CliError(`context "${contextFlag}" does not exist`);
    this.#confirmUsable();
    const context = this.#context();
    const cluster = this.#cluster(context);
    const user = this.#user(context);
    if (this.#flags.string('as') === '' && this.#flags.list('as-group').length > 0) {
      const name = this.#userFlag() || textOf(context['user']);
      throw new CliError(`requesting groups or user-extra for ${name} without impersonating a user`);
    }
    const server = this.#flags.string('server') || textOf(cluster['server']) || 'http://localhost:8080';
    return {
      server: /^[a-z]+:\/\//.test(server) ? server.replace(/\/+$/, '') : `http://${server.replace(/\/+$/, '')}`,
      ca: this.#pem(
        this.#flags.string('certificate-authority') || textOf(cluster['certificate-authority']),
        this.#flags.string('certificate-authority') === '' ? cluster['certificate-authority-data'] : undefined,
      ),
      isInsecure: this.#flags.isChanged('insecure-skip-tls-verify')
        ? this.#flags.bool('insecure-skip-tls-verify')
        : cluster['insecure-skip-tls-verify'] === true,
      serverName: this.#flags.string('tls-server-name') || textOf(cluster['tls-server-name']) || undefined,
      certificate: this.#clientCertificate(user),
      headers: this.#authorization(user),
      impersonate: { user: this.#flags.string('as'), groups: this.#flags.list('as-group') },
      timeoutMs,
    };
  }

  #timeout(): number {
    const given = this.#flags.string('request-timeout');
    if (given === '' || given === '0') return 0;
    if (/^\d+$/.test(given)) return Number(given) * 1000;
    const ms = parseGoDuration(given);
    if (ms === undefined) {
      throw new CliError(
        'Invalid timeout value. Timeout must be a single integer in seconds, or an integer followed by a corresponding time unit (e.g. 1s | 2m | 3h)',
      );
    }
    return ms;
  }

  /** clientcmd's ConfirmUsable: the contexts, clusters and users named must be there. */
  #confirmUsable(): void {
    const name = this.contextName;
    if (name !== '' && !this.kubeConfig.contexts.has(name))
      throw new ExitError(1, `Error in configuration: context was not found for specified context: ${name}`);
    const context = this.#context();
    const userName = this.#userFlag() || textOf(context['user']);
    if (userName !== '' && !this.kubeConfig.users.has(userName)) throw new CliError(`auth info "${userName}" does not exist`);
    const clusterName = this.#flags.string('cluster') || textOf(context['cluster']);
    if (
      clusterName !== '' &&
      this.#flags.string('server') === '' &&
      textOf(this.kubeConfig.clusters.get(clusterName)?.value['server']) === ''
    ) {
      throw new CliError(`no server found for cluster "${clusterName}"`);
    }
  }

  #context(): JsonObject {
    return this.kubeConfig.contexts.get(this.contextName)?.value ?? {};
  }

  #cluster(context: JsonObject): JsonObject {
    return this.kubeConfig.clusters.get(this.#flags.string('cluster') || textOf(context['cluster']))?.value ?? {};
  }

  #user(context: JsonObject): JsonObject {
    return this.kubeConfig.users.get(this.#userFlag() || textOf(context['user']))?.value ?? {};
  }

  #userFlag(): string {
    return this.#flags.isList('user') ? '' : this.#flags.string('user');
  }

  #clientCertificate(user: JsonObject): RestConfig['certificate'] {
    const certificateFlag = this.#flags.string('client-certificate');
    const keyFlag = this.#flags.string('client-key');
    const certificatePem = this.#pem(
      certificateFlag || textOf(user['client-certificate']),
      certificateFlag === '' ? user['client-certificate-data'] : undefined,
    );
    const privateKeyPem = this.#pem(keyFlag || textOf(user['client-key']), keyFlag === '' ? user['client-key-data'] : undefined);
    return certificatePem === undefined || privateKeyPem === undefined ? undefined : { certificatePem, privateKeyPem };
  }

  #authorization(user: JsonObject): Readonly<Record<string, string>> {
    let token = this.#flags.string('token') || textOf(user['token']);
    if (token === '' && textOf(user['tokenFile']) !== '') token = this.#readFile(textOf(user['tokenFile'])).trim();
    if (token !== '') return { authorization: `Bearer ${token}` };
    const name = this.#flags.string('username') || textOf(user['username']);
    if (name !== '') return { authorization: `Basic ${btoa(`${name}:${this.#flags.string('password') || textOf(user['password'])}`)}` };
    return {};
  }

  #pem(path: string, data: unknown): string | undefined {
    if (typeof data === 'string' && data !== '') return text(fromBase64(data));
    return path === '' ? undefined : this.#readFile(path);
  }

  #readFile(path: string): string {
    try {
      return this.#process.sys.readTextFile(path);
    } catch (error) {
      if (isSysError(error)) throw new CliError(`unable to read ${path} due to open ${path}: ${error.strerror.toLowerCase()}`);
      throw error;
    }
  }

  /** A pod without a kubeconfig speaks as its service account. */
  #isInCluster(): boolean {
    return (
      this.kubeConfig.isEmpty() &&
      this.#flags.string('server') === '' &&
      (this.#process.env.get('KUBERNETES_SERVICE_HOST') ?? '') !== '' &&
      this.#process.sys.exists(`${SERVICE_ACCOUNT}/token`)
    );
  }

  #inCluster(timeoutMs: number): RestConfig {
    const host = this.#process.env.get('KUBERNETES_SERVICE_HOST') ?? '';
    const port = this.#process.env.get('KUBERNETES_SERVICE_PORT') ?? '443';
    return {
      server: `https://${host}:${port}`,
      ca: this.#readFile(`${SERVICE_ACCOUNT}/ca.crt`),
      isInsecure: this.#flags.bool('insecure-skip-tls-verify'),
      serverName: undefined,
      certificate: undefined,
      headers: { authorization: `Bearer ${this.#readFile(`${SERVICE_ACCOUNT}/token`).trim()}` },
      impersonate: { user: this.#flags.string('as'), groups: this.#flags.list('as-group') },
      timeoutMs,
    };
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
