// Models bootstrap tokens: secrets of kube-system that let a node ask for its certificate.

import type { Process } from '../../kernel/process.ts';
import type { KubeClient } from '../../kube/client/contracts.ts';
import { isNotFound } from '../../kube/machinery/api-error.ts';
import { SECRET } from '../../kube/machinery/resources.ts';
import type { Secret } from '../../kube/machinery/types.ts';
import { fromBase64, text, toBase64, toHex, utf8 } from '../../sim/bytes.ts';
import { sha256 } from '@noble/hashes/sha2.js';
import { parseCertificate } from '../../net/x509.ts';
import { clientOf, ensure, KubeadmError, sayOn } from './console.ts';
import { parseFlags, UsageError } from './flags.ts';
import { PKI } from './cluster-configuration.ts';
import type { NewObject } from './addons.ts';

const TOKEN = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;
const DAY_MS = 24 * 3600 * 1000;

export function newToken(process: Process): string {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789';
  const draw = (length: number): string => Array.from({ length }, () => alphabet[process.sys.rng.int(36)]!).join('');
  return `${draw(6)}.${draw(16)}`;
}

/** Throws KubeadmError on a malformed token. `ttlMs` 0 never ends. */
export function tokenSecret(
  token: string,
  options: { readonly ttlMs: number; readonly nowMs: number; readonly description: string },
): NewObject {
  const match = TOKEN.exec(token);
  if (match === null)
    throw new KubeadmError(`the bootstrap token "${token}" was not of the form "\\\\A([a-z0-9]{6})\\\\.([a-z0-9]{16})\\\\z"`);
  const data: Record<string, string> = {
    'auth-extra-groups': 'system:bootstrappers:kubeadm:default-node-token',
    description: options.description,
    'token-id': match[1]!,
    'token-secret': match[2]!,
    'usage-bootstrap-authentication': 'true',
    'usage-bootstrap-signing': 'true',
  };
  if (options.ttlMs > 0) data['expiration'] = new Date(options.nowMs + options.ttlMs).toISOString().replace(/\.\d+Z$/, 'Z');
  if (options.description === '') delete data['description'];
  const encoded = Object.fromEntries(Object.entries(data).map(([name, value]) => [name, toBase64(utf8(value))]));
  return {
    resource: SECRET,
    object: {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: `bootstrap-token-${match[1]!}`, namespace: 'kube-system' },
      type: 'bootstrap.kubernetes.io/token',
      data: encoded,
    },
  };
}

/** `sha256:` and the digest of the authority's public key, for --discovery-token-ca-cert-hash. */
export function caCertHash(caPem: string): string {
  const der = fromBase64(parseCertificate(caPem).publicKeyPem.replace(/-----[^-]+-----|\s/g, ''));
  return `sha256:${toHex(sha256(der))}`;
}

/** `kubeadm token create|list|delete|generate`. */
export async function token(process: Process, args: readonly string[]): Promise<number> {
  const [verb, ...rest] = args;
  const say = sayOn(process);
  const { values, words } = parseFlags(rest, [
    { name: 'kubeconfig', kind: 'string' },
    { name: 'ttl', kind: 'string' },
    { name: 'description', kind: 'string' },
    { name: 'print-join-command', kind: 'bool' },
  ]);
  if (verb === 'generate') {
    await say(newToken(process));
    return 0;
  }
  const kubeconfig = values.get('kubeconfig') ?? '/etc/kubernetes/admin.conf';
  if (verb !== 'create' && verb !== 'list' && verb !== 'delete')
    throw new UsageError(`unknown command "${verb ?? ''}" for "kubeadm token"`);
  if (!process.sys.exists(kubeconfig))
    throw new KubeadmError(`failed to load admin kubeconfig: open ${kubeconfig}: no such file or directory`);
  const client = clientOf(process, kubeconfig);
  try {
    if (verb === 'list') return await list(process, client);
    if (verb === 'delete') return await remove(process, client, words);
    const made = words[0] ?? newToken(process);
    await ensure(
      client,
      tokenSecret(made, {
        ttlMs: durationMs(values.get('ttl') ?? '24h0m0s'),
        nowMs: process.sys.now(),
        description: values.get('description') ?? '',
      }),
    );
    if (values.get('print-join-command') === 'true') {
      const server = /server: https:\/\/(\S+)/.exec(process.sys.readTextFile(kubeconfig))?.[1] ?? '';
      await say(
        `kubeadm join ${server} --token ${made}     --discovery-token-ca-cert-hash ${caCertHash(process.sys.readTextFile(`${PKI}/ca.crt`))} `,
      );
    } else await say(made);
    return 0;
  } finally {
    client.close();
  }
}

async function list(process: Process, client: KubeClient): Promise<number> {
  const { items } = await client.list<Secret>(SECRET, { namespace: 'kube-system', fieldSelector: 'type=bootstrap.kubernetes.io/token' });
  const field = (secret: Secret, name: string): string => text(fromBase64(secret.data?.[name] ?? ''));
  const rows = items.map((secret) => {
    const expiration = field(secret, 'expiration');
    const ttl = expiration === '' ? '<forever>' : remaining(Date.parse(expiration) - process.sys.now());
    const usages = [
      ...(field(secret, 'usage-bootstrap-authentication') === 'true' ? ['authentication'] : []),
      ...(field(secret, 'usage-bootstrap-signing') === 'true' ? ['signing'] : []),
    ].join(',');
    const description = field(secret, 'description');
    return [
      `${field(secret, 'token-id')}.${field(secret, 'token-secret')}`,
      ttl,
      expiration === '' ? '<never>' : expiration,
      usages,
      description === '' ? '<none>' : description,
      field(secret, 'auth-extra-groups') === '' ? '<none>' : field(secret, 'auth-extra-groups'),
    ];
  });
  if (rows.length === 0) return 0;
  const table = [['TOKEN', 'TTL', 'EXPIRES', 'USAGES', 'DESCRIPTION', 'EXTRA GROUPS'], ...rows];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  for (const row of table)
    await sayOn(process)(row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column]! + 3))).join(''));
  return 0;
}

async function remove(process: Process, client: KubeClient, words: readonly string[]): Promise<number> {
  if (words.length === 0) throw new KubeadmError('missing subcommand; "token delete" is missing token of form "[a-z0-9]{6}"');
  for (const word of words) {
    const id = word.split('.')[0]!;
    try {
      await client.delete(SECRET, `bootstrap-token-${id}`, 'kube-system');
    } catch (error) {
      if (!isNotFound(error)) throw error;
      throw new KubeadmError(`failed to delete bootstrap token "${id}": secrets "bootstrap-token-${id}" not found`);
    }
    await sayOn(process)(`bootstrap token "${id}" deleted`);
  }
  return 0;
}

/** `24h0m0s`, `30m`, `0`. Throws UsageError. */
export function durationMs(duration: string): number {
  if (duration === '0') return 0;
  const match = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(duration);
  if (match === null || duration === '')
    throw new UsageError(`invalid argument "${duration}" for "--ttl" flag: time: invalid duration "${duration}"`);
  return (Number(match[1] ?? 0) * 3600 + Number(match[2] ?? 0) * 60 + Number(match[3] ?? 0)) * 1000;
}

function remaining(ms: number): string {
  if (ms <= 0) return '<invalid>';
  const hours = Math.floor(ms / 3600_000);
  if (ms >= 3 * DAY_MS) return `${Math.floor(ms / DAY_MS)}d`;
  return hours >= 1 ? `${hours}h` : `${Math.floor(ms / 60_000)}m`;
}
