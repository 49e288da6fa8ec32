// Models the bootstrap signer and the token cleaner: what a joining node can check the cluster by, and tokens that run out.

import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { fromBase64, text, utf8 } from '../../sim/bytes.ts';
import { isNotFound } from '../machinery/api-error.ts';
import { isDeepEqual } from '../machinery/deep.ts';
import { base64Url } from '../machinery/jwt.ts';
import { CONFIG_MAP, SECRET } from '../machinery/resources.ts';
import type { ConfigMap, Secret } from '../machinery/types.ts';
import { onEach, runWorkers, type ControllerContext } from './controller.ts';

const TOKEN_TYPE = 'bootstrap.kubernetes.io/token';
const SIGNATURE_PREFIX = 'jws-kubeconfig-';
const ONLY_KEY = 'sync';

const field = (secret: Secret, name: string): string => text(fromBase64(secret.data?.[name] ?? ''));

/** Signs the cluster-info ConfigMap with every token that may sign. */
export function startBootstrapSigner(context: ControllerContext): void {
  const secrets = context.informers.for<Secret>(SECRET, { namespace: 'kube-system' });
  const configMaps = context.informers.for<ConfigMap>(CONFIG_MAP, { namespace: 'kube-public' });
  const queue = context.queue('bootstrap_signer_queue');
  onEach(secrets, (secret) => {
    if (secret.type === TOKEN_TYPE) queue.add(ONLY_KEY);
  });
  onEach(configMaps, (configMap) => {
    if (configMap.metadata.name === 'cluster-info') queue.add(ONLY_KEY);
  });
  runWorkers(context, queue, { workers: 1, after: [secrets, configMaps], what: 'cluster-info' }, async () => {
    const info = configMaps.lister.get('kube-public/cluster-info');
    const kubeconfig = info?.data?.['kubeconfig'];
    if (info === undefined || kubeconfig === undefined) return;
    const data = Object.fromEntries(Object.entries(info.data ?? {}).filter(([key]) => !key.startsWith(SIGNATURE_PREFIX)));
    for (const secret of secrets.lister.list('kube-system')) {
      if (secret.type !== TOKEN_TYPE || field(secret, 'usage-bootstrap-signing') !== 'true' || isExpired(secret, context.clock.now()))
        continue;
      const id = field(secret, 'token-id');
      data[`${SIGNATURE_PREFIX}${id}`] = detachedSignature(kubeconfig, id, field(secret, 'token-secret'));
    }
    if (isDeepEqual(data, info.data)) return;
    await context.client.update<ConfigMap>(CONFIG_MAP, { ...info, data });
  });
}

/** A detached JSON web signature (HS256): header and signature without the content between them. */
export function detachedSignature(content: string, tokenId: string, tokenSecret: string): string {
  const header = base64Url(utf8(JSON.stringify({ alg: 'HS256', kid: tokenId })));
  const signature = hmac(sha256, utf8(tokenSecret), utf8(`${header}.${base64Url(utf8(content))}`));
  return `${header}..${base64Url(signature)}`;
}

/** Deletes bootstrap tokens when they expire. */
export function startTokenCleaner(context: ControllerContext): void {
  const secrets = context.informers.for<Secret>(SECRET, { namespace: 'kube-system' });
  const queue = context.queue('token_cleaner');
  onEach(secrets, (secret, _old, removed) => {
    if (!removed && secret.type === TOKEN_TYPE) queue.add(secret.metadata.name);
  });
  runWorkers(context, queue, { workers: 10, after: [secrets], what: 'bootstrap token' }, async (name) => {
    const secret = secrets.lister.get(`kube-system/${name}`);
    if (secret === undefined) return;
    const expiration = field(secret, 'expiration');
    if (expiration === '') return;
    const leftMs = Date.parse(expiration) - context.clock.now();
    if (leftMs > 0) {
      queue.addAfter(name, leftMs);
      return;
    }
    try {
      await context.client.delete(SECRET, name, 'kube-system', { preconditions: { uid: secret.metadata.uid } });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  });
}

function isExpired(secret: Secret, nowMs: number): boolean {
  const expiration = field(secret, 'expiration');
  return expiration !== '' && Date.parse(expiration) <= nowMs;
}
