// The kubelet's flags and its KubeletConfiguration file.

import { parse } from 'yaml';
import type { Process } from '../../kernel/process.ts';

export interface KubeletConfig {
  readonly kubeconfig: string;
  readonly bootstrapKubeconfig: string | undefined;
  readonly nodeName: string;
  readonly nodeIp: string | undefined;
  readonly pauseImage: string;
  readonly networkPlugin: string;
  readonly nodeLabels: Readonly<Record<string, string>>;
  readonly registerWithTaints: readonly { readonly key: string; readonly value?: string; readonly effect: string }[];
  readonly staticPodPath: string | undefined;
  readonly clusterDns: readonly string[];
  readonly clusterDomain: string;
  readonly clientCaFile: string | undefined;
  readonly isAnonymous: boolean;
  /** authentication.webhook.enabled: bearer tokens are judged by the API server. */
  readonly reviewsTokens: boolean;
  readonly authorizationMode: 'Webhook' | 'AlwaysAllow';
  readonly healthzPort: number;
  readonly healthzAddress: string;
  readonly port: number;
  readonly address: string;
  readonly maxPods: number;
  readonly resolvConf: string;
  readonly statusUpdateMs: number;
  readonly statusReportMs: number;
  readonly fileCheckMs: number;
  readonly leaseSeconds: number;
  readonly serializesPulls: boolean;
}

/** What keeps the kubelet from starting; printed as is, exit status 255. */
export class KubeletConfigError extends Error {
  override readonly name = 'KubeletConfigError';
}

const FLAGS = [
  'bootstrap-kubeconfig',
  'kubeconfig',
  'config',
  'network-plugin',
  'pod-infra-container-image',
  'node-ip',
  'hostname-override',
  'node-labels',
  'register-with-taints',
  'cgroup-driver',
  'container-runtime',
  'container-runtime-endpoint',
  'runtime-cgroups',
  'kubelet-cgroups',
  'v',
  'logtostderr',
  'max-pods',
  'resolv-conf',
  'cluster-dns',
  'cluster-domain',
  'pod-manifest-path',
  'fail-swap-on',
  'cni-conf-dir',
  'cni-bin-dir',
  'feature-gates',
  'cert-dir',
  'root-dir',
  'authentication-token-webhook',
  'read-only-port',
] as const;
type Flag = (typeof FLAGS)[number];

export function parseFlags(args: readonly string[]): ReadonlyMap<Flag, string> {
  const flags = new Map<Flag, string>();
  for (let at = 0; at < args.length; at++) {
    const argument = args[at]!;
    const match = /^--?([a-z-]+)(?:=(.*))?$/s.exec(argument);
    if (match === null) throw new KubeletConfigError(`unknown command: ${argument}`);
    const name = match[1] as Flag;
    if (!FLAGS.includes(name)) throw new KubeletConfigError(`unknown flag: --${name}`);
    const next = args[at + 1];
    if (match[2] !== undefined) flags.set(name, match[2]);
    else if (next !== undefined && !next.startsWith('-')) {
      flags.set(name, next);
      at++;
    } else flags.set(name, 'true');
  }
  return flags;
}

interface ConfigFile {
  readonly staticPodPath?: string;
  readonly clusterDNS?: readonly string[];
  readonly clusterDomain?: string;
  readonly authentication?: {
    readonly x509?: { readonly clientCAFile?: string };
    readonly anonymous?: { readonly enabled?: boolean };
    readonly webhook?: { readonly enabled?: boolean };
  };
  readonly authorization?: { readonly mode?: string };
  readonly healthzPort?: number;
  readonly healthzBindAddress?: string;
  readonly port?: number;
  readonly address?: string;
  readonly maxPods?: number;
  readonly resolvConf?: string;
  readonly nodeStatusUpdateFrequency?: string;
  readonly nodeStatusReportFrequency?: string;
  readonly fileCheckFrequency?: string;
  readonly nodeLeaseDurationSeconds?: number;
  readonly serializeImagePulls?: boolean;
}

/** Reads the flags and the file they name. */
export function loadConfig(process: Process): KubeletConfig {
  const { sys } = process;
  const flags = parseFlags(process.argv.slice(1));
  const path = flags.get('config');
  let file: ConfigFile = {};
  if (path !== undefined) {
    if (!sys.exists(path)) {
      throw new KubeletConfigError(
        `failed to load Kubelet config file ${path}, error failed to read kubelet config file "${path}", error: open ${path}: no such file or directory`,
      );
    }
    try {
      file = (parse(sys.readTextFile(path)) ?? {}) as ConfigFile;
    } catch (error) {
      throw new KubeletConfigError(
        `failed to load Kubelet config file ${path}, error failed to decode: ${error instanceof Error ? error.message.split('\n')[0]! : String(error)}`,
      );
    }
  }
  const hostname = (flags.get('hostname-override') ?? sys.hostname()).toLowerCase();
  const labels = (flags.get('node-labels') ?? '').split(',').filter((entry) => entry !== '');
  return {
    kubeconfig: flags.get('kubeconfig') ?? '',
    bootstrapKubeconfig: flags.get('bootstrap-kubeconfig'),
    nodeName: hostname,
    nodeIp: flags.get('node-ip'),
    pauseImage: flags.get('pod-infra-container-image') ?? 'k8s.gcr.io/pause:3.2',
    networkPlugin: flags.get('network-plugin') ?? '',
    nodeLabels: Object.fromEntries(labels.map((entry) => [entry.split('=')[0]!, entry.split('=')[1] ?? ''])),
    registerWithTaints: [],
    staticPodPath: file.staticPodPath ?? flags.get('pod-manifest-path'),
    clusterDns: file.clusterDNS ?? flags.get('cluster-dns')?.split(',') ?? [],
    clusterDomain: file.clusterDomain ?? flags.get('cluster-domain') ?? '',
    clientCaFile: file.authentication?.x509?.clientCAFile,
    // A file's defaults are stricter than those of the flags.
    isAnonymous: file.authentication?.anonymous?.enabled ?? path === undefined,
    reviewsTokens: file.authentication?.webhook?.enabled ?? (path !== undefined || flags.get('authentication-token-webhook') === 'true'),
    authorizationMode:
      (file.authorization?.mode ?? (path === undefined ? 'AlwaysAllow' : 'Webhook')) === 'AlwaysAllow' ? 'AlwaysAllow' : 'Webhook',
    healthzPort: file.healthzPort ?? 10248,
    healthzAddress: file.healthzBindAddress ?? '127.0.0.1',
    port: file.port ?? 10250,
    address: file.address ?? '0.0.0.0',
    maxPods: Number(flags.get('max-pods') ?? file.maxPods ?? 110),
    resolvConf: file.resolvConf ?? flags.get('resolv-conf') ?? '/etc/resolv.conf',
    statusUpdateMs: durationMs(file.nodeStatusUpdateFrequency) || 10_000,
    statusReportMs: durationMs(file.nodeStatusReportFrequency) || 300_000,
    fileCheckMs: durationMs(file.fileCheckFrequency) || 20_000,
    leaseSeconds: file.nodeLeaseDurationSeconds ?? 40,
    serializesPulls: file.serializeImagePulls ?? true,
  };
}

/** Go's durations as YAML has them: `10s`, `1m30s`, `0s`. */
export function durationMs(text: string | undefined): number {
  if (text === undefined) return 0;
  const units: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };
  return [...text.matchAll(/([\d.]+)(ms|h|m|s)/g)].reduce((sum, match) => sum + Number(match[1]) * (units[match[2]!] ?? 0), 0);
}
