// Models the controllers around service accounts: the account `default` in every namespace, a token secret for every
// account, and the cluster's certificate authority as a ConfigMap in every namespace.

import { toBase64, utf8 } from '../../sim/bytes.ts';
import { isAlreadyExists, isConflict, isNotFound } from '../machinery/api-error.ts';
import { signToken } from '../machinery/jwt.ts';
import { CONFIG_MAP, NAMESPACE, SECRET, SERVICE_ACCOUNT, keyOf, splitKey } from '../machinery/resources.ts';
import type { ConfigMap, Namespace, Secret, ServiceAccount } from '../machinery/types.ts';
import { onEach, runWorkers, type ControllerContext } from './controller.ts';
import { randomSuffix } from './names.ts';

const TOKEN_TYPE = 'kubernetes.io/service-account-token';
const ACCOUNT_NAME = 'kubernetes.io/service-account.name';
const ACCOUNT_UID = 'kubernetes.io/service-account.uid';
export const ISSUER = 'kubernetes/serviceaccount';

export function startServiceAccount(context: ControllerContext): void {
  const namespaces = context.informers.for<Namespace>(NAMESPACE);
  const accounts = context.informers.for<ServiceAccount>(SERVICE_ACCOUNT);
  const queue = context.queue('serviceaccount');
  onEach(namespaces, (namespace, _old, removed) => {
    if (!removed) queue.add(namespace.metadata.name);
  });
  onEach(accounts, (account, _old, removed) => {
    if (removed) queue.add(account.metadata.namespace ?? '');
  });
  runWorkers(context, queue, { workers: 1, after: [namespaces, accounts], what: 'service account' }, async (name) => {
    const namespace = namespaces.lister.get(name);
    if (namespace?.status?.phase !== 'Active' || accounts.lister.get(`${name}/default`) !== undefined) return;
    await unlessThere(
      context.client.create<ServiceAccount>(SERVICE_ACCOUNT, {
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { name: 'default', namespace: name },
      }),
    );
  });
}

export function startRootCa(context: ControllerContext, rootCa: string): void {
  const namespaces = context.informers.for<Namespace>(NAMESPACE);
  const configMaps = context.informers.for<ConfigMap>(CONFIG_MAP);
  const queue = context.queue('root-ca-cert-publisher');
  const name = 'kube-root-ca.crt';
  onEach(namespaces, (namespace, _old, removed) => {
    if (!removed) queue.add(namespace.metadata.name);
  });
  onEach(configMaps, (configMap) => {
    if (configMap.metadata.name === name) queue.add(configMap.metadata.namespace ?? '');
  });
  runWorkers(context, queue, { workers: 1, after: [namespaces, configMaps], what: 'root CA' }, async (namespace) => {
    if (namespaces.lister.get(namespace)?.status?.phase !== 'Active') return;
    const current = configMaps.lister.get(`${namespace}/${name}`);
    const data = { 'ca.crt': rootCa };
    if (current === undefined) {
      await unlessThere(
        context.client.create<ConfigMap>(CONFIG_MAP, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data }),
      );
    } else if (current.data?.['ca.crt'] !== rootCa) {
      await context.client.update<ConfigMap>(CONFIG_MAP, { ...current, data });
    }
  });
}

export interface TokenKeys {
  readonly privateKeyPem: string;
  readonly rootCa: string;
}

export function startTokens(context: ControllerContext, keys: TokenKeys): void {
  const accounts = context.informers.for<ServiceAccount>(SERVICE_ACCOUNT);
  const secrets = context.informers.for<Secret>(SECRET);
  const accountQueue = context.queue('serviceaccount_tokens_service');
  const secretQueue = context.queue('serviceaccount_tokens_secret');
  onEach(accounts, (account) => accountQueue.add(keyOf(account)));
  onEach(secrets, (secret, _old, removed) => {
    if (secret.type !== TOKEN_TYPE) return;
    if (removed) accountQueue.add(`${secret.metadata.namespace}/${secret.metadata.annotations?.[ACCOUNT_NAME] ?? ''}`);
    else secretQueue.add(keyOf(secret));
  });
  const tokensOf = (account: string, namespace: string): readonly Secret[] =>
    secrets.lister
      .list(namespace)
      .filter((secret) => secret.type === TOKEN_TYPE && secret.metadata.annotations?.[ACCOUNT_NAME] === account);

  runWorkers(context, accountQueue, { workers: 5, after: [accounts, secrets], what: 'service account tokens' }, async (key) => {
    const { namespace = '', name } = splitKey(key);
    const cached = accounts.lister.get(key);
    if (cached === undefined) {
      for (const secret of tokensOf(name, namespace)) await unlessGone(context.client.delete(SECRET, secret.metadata.name, namespace));
      return;
    }
    // A secret that was deleted must not stay in the list, and one that is there is enough.
    const present = new Set(tokensOf(name, namespace).map((secret) => secret.metadata.name));
    if ((cached.secrets ?? []).some((reference) => present.has(reference.name ?? ''))) return;
    const account = await context.client.get<ServiceAccount>(SERVICE_ACCOUNT, name, namespace);
    if (account.metadata.resourceVersion !== cached.metadata.resourceVersion) return;
    const kept = (account.secrets ?? []).filter((reference) => !isTokenName(name, reference.name ?? ''));
    const secret = await createToken(context, account, keys);
    try {
      await context.client.update<ServiceAccount>(SERVICE_ACCOUNT, { ...account, secrets: [...kept, { name: secret.metadata.name }] });
    } catch (error) {
      await unlessGone(context.client.delete(SECRET, secret.metadata.name, namespace));
      if (!isConflict(error) && !isNotFound(error)) throw error;
      accountQueue.addRateLimited(key);
    }
  });

  runWorkers(context, secretQueue, { workers: 5, after: [accounts, secrets], what: 'token secret' }, async (key) => {
    const secret = secrets.lister.get(key);
    if (secret === undefined) return;
    const namespace = secret.metadata.namespace ?? '';
    const account = accounts.lister.get(`${namespace}/${secret.metadata.annotations?.[ACCOUNT_NAME] ?? ''}`);
    const uid = secret.metadata.annotations?.[ACCOUNT_UID];
    if (account === undefined || (uid !== undefined && uid !== account.metadata.uid)) {
      await unlessGone(context.client.delete(SECRET, secret.metadata.name, namespace, { preconditions: { uid: secret.metadata.uid } }));
      return;
    }
    const data = secret.data ?? {};
    const ca = toBase64(utf8(keys.rootCa));
    if (data['token'] !== undefined && data['namespace'] !== undefined && data['ca.crt'] === ca && uid !== undefined) return;
    await context.client.update<Secret>(SECRET, {
      ...secret,
      metadata: { ...secret.metadata, annotations: { ...secret.metadata.annotations, [ACCOUNT_UID]: account.metadata.uid } },
      data: { ...tokenData(account, secret.metadata.name, keys), ...(data['token'] === undefined ? {} : { token: data['token'] }) },
    });
  });
}

function isTokenName(account: string, secret: string): boolean {
  return secret.startsWith(`${account}-token-`);
}

async function createToken(context: ControllerContext, account: ServiceAccount, keys: TokenKeys): Promise<Secret> {
  const namespace = account.metadata.namespace ?? '';
  for (;;) {
    const name = `${account.metadata.name}-token-${randomSuffix(context.rng)}`;
    try {
      return await context.client.create<Secret>(SECRET, {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name, namespace, annotations: { [ACCOUNT_NAME]: account.metadata.name, [ACCOUNT_UID]: account.metadata.uid } },
        type: TOKEN_TYPE,
        data: tokenData(account, name, keys),
      });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
  }
}

function tokenData(account: ServiceAccount, secretName: string, keys: TokenKeys): Record<string, string> {
  return {
    'ca.crt': toBase64(utf8(keys.rootCa)),
    namespace: toBase64(utf8(account.metadata.namespace ?? '')),
    token: toBase64(utf8(legacyToken(account, secretName, keys.privateKeyPem))),
  };
}

/** A JSON web token with the claims of legacy secrets; it does not expire. */
export function legacyToken(account: ServiceAccount, secretName: string, privateKeyPem: string): string {
  const namespace = account.metadata.namespace ?? '';
  const { name, uid } = account.metadata;
  const claims = {
    iss: ISSUER,
    'kubernetes.io/serviceaccount/namespace': namespace,
    'kubernetes.io/serviceaccount/secret.name': secretName,
    'kubernetes.io/serviceaccount/service-account.name': name,
    'kubernetes.io/serviceaccount/service-account.uid': uid,
    sub: `system:serviceaccount:${namespace}:${name}`,
  };
  return signToken(claims, privateKeyPem);
}

async function unlessThere(created: Promise<unknown>): Promise<void> {
  try {
    await created;
  } catch (error) {
    // A namespace that is going away takes no new objects, and needs none.
    if (!isAlreadyExists(error) && !isNotFound(error) && !isTerminating(error)) throw error;
  }
}

function isTerminating(error: unknown): boolean {
  return error instanceof Error && error.message.includes('because it is being terminated');
}

async function unlessGone(deleted: Promise<void>): Promise<void> {
  try {
    await deleted;
  } catch (error) {
    if (!isNotFound(error) && !isConflict(error)) throw error;
  }
}
