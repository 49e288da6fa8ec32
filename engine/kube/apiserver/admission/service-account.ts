// Models the ServiceAccount plugin: pods run as a service account and get its token mounted.

import type { ApiError } from '../../machinery/api-error.ts';
import { isRecord } from '../../machinery/deep.ts';
import type { Pod, ServiceAccount } from '../../machinery/types.ts';
import type { Json } from '../../registry/definition.ts';
import { records } from '../../registry/object-access.ts';
import { isFor, refusal, type AdmissionPlugin, type AdmissionRequest, type ClusterReader } from '../admission.ts';
import { namesIn } from './pod-references.ts';

const TOKEN_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';
const ENFORCE = 'kubernetes.io/enforce-mountable-secrets';
const MIRROR = 'kubernetes.io/config.mirror';

export function serviceAccount(reader: ClusterReader, randomSuffix: () => string): AdmissionPlugin {
  const accountOf = (request: AdmissionRequest, spec: Json): ServiceAccount => {
    const name = String(spec['serviceAccountName'] ?? '');
    const stored = reader.store('', 'serviceaccounts').get(request.namespace, name);
    if (stored === undefined)
      throw refusal(request, `error looking up service account ${request.namespace}/${name}: serviceaccount "${name}" not found`);
    return stored.object as unknown as ServiceAccount;
  };
  const isMirror = (request: AdmissionRequest): boolean => request.object!.metadata.annotations?.[MIRROR] !== undefined;
  const isOurs = (request: AdmissionRequest): boolean => isFor(request, '', 'pods') && request.operation === 'CREATE';
  return {
    name: 'ServiceAccount',
    admit(request) {
      if (!isOurs(request)) return;
      const spec = (request.object as unknown as Pod).spec as unknown as Json;
      if (isMirror(request)) return checkMirror(request, spec);
      if ((spec['serviceAccountName'] ?? '') === '') spec['serviceAccountName'] = 'default';
      // The older name of the same field.
      spec['serviceAccount'] = spec['serviceAccountName'];
      const account = accountOf(request, spec);
      const wantsToken = (spec['automountServiceAccountToken'] as boolean | undefined) ?? account.automountServiceAccountToken ?? true;
      if (wantsToken) mountToken(reader, request, account, spec, randomSuffix);
      if (records(spec['imagePullSecrets']).length === 0 && (account.imagePullSecrets ?? []).length > 0)
        spec['imagePullSecrets'] = account.imagePullSecrets;
      checkSecrets(request, account);
    },
    validate(request) {
      if (!isOurs(request)) return;
      const spec = (request.object as unknown as Pod).spec as unknown as Json;
      if (isMirror(request)) return checkMirror(request, spec);
      checkSecrets(request, accountOf(request, spec));
    },
  };
}

function checkMirror(request: AdmissionRequest, spec: Json): void {
  if ((spec['serviceAccountName'] ?? '') !== '') throw refusal(request, 'a mirror pod may not reference service accounts');
  if (namesIn(request.object as unknown as Pod, 'secrets').size > 0) throw refusal(request, 'a mirror pod may not reference secrets');
  for (const volume of records(spec['volumes'])) {
    for (const source of records(isRecord(volume['projected']) ? volume['projected']['sources'] : undefined)) {
      if (isRecord(source['serviceAccountToken']))
        throw refusal(request, 'a mirror pod may not use ServiceAccountToken volume projections');
    }
  }
}

/** With the annotation on its account a pod may only use secrets the account lists. */
function checkSecrets(request: AdmissionRequest, account: ServiceAccount): void {
  if (account.metadata.annotations?.[ENFORCE] !== 'true') return;
  const listed = new Set((account.secrets ?? []).map((each) => each.name));
  const pulled = new Set((account.imagePullSecrets ?? []).map((each) => each.name));
  const spec = (request.object as unknown as { spec: Json }).spec;
  const end = `because service account ${account.metadata.name} does not reference that secret`;
  for (const volume of records(spec['volumes'])) {
    const name = isRecord(volume['secret']) ? String(volume['secret']['secretName']) : undefined;
    if (name !== undefined && !listed.has(name)) throw refusal(request, `volume with secret.secretName="${name}" is not allowed ${end}`);
  }
  for (const [field, word] of [
    ['initContainers', 'init container'],
    ['containers', 'container'],
  ] as const) {
    for (const container of records(spec[field])) {
      for (const variable of records(container['env'])) {
        const reference = isRecord(variable['valueFrom']) ? variable['valueFrom']['secretKeyRef'] : undefined;
        if (isRecord(reference) && !listed.has(String(reference['name'])))
          throw refusal(
            request,
            `${word} ${String(container['name'])} with envVar ${String(variable['name'])} referencing secret.secretName="${String(reference['name'])}" is not allowed ${end}`,
          );
      }
    }
  }
  for (const [index, reference] of records(spec['imagePullSecrets']).entries()) {
    if (!pulled.has(String(reference['name'])))
      throw refusal(
        request,
        `imagePullSecrets[${index}].name="${String(reference['name'])}" is not allowed because service account ${account.metadata.name} does not reference that imagePullSecret`,
      );
  }
}

function mountToken(
  reader: ClusterReader,
  request: AdmissionRequest,
  account: ServiceAccount,
  spec: Json,
  randomSuffix: () => string,
): void {
  const name = account.metadata.name;
  const secret = (account.secrets ?? [])
    .map((each) => each.name ?? '')
    .find((each) => {
      const found = reader.store('', 'secrets').get(request.namespace, each);
      return (
        found?.object['type'] === 'kubernetes.io/service-account-token' &&
        found.object.metadata.annotations?.['kubernetes.io/service-account.uid'] === account.metadata.uid
      );
    });
  // The token's controller follows on the heels of a new account; a client asks again in a second.
  if (secret === undefined) throw noTokenYet(request, name);
  const volumes = records(spec['volumes']);
  let volume = volumes.find((each) => isRecord(each['secret']) && each['secret']['secretName'] === secret);
  const containers = [...records(spec['initContainers']), ...records(spec['containers'])];
  const needing = containers.filter((container) => !records(container['volumeMounts']).some((mount) => mount['mountPath'] === TOKEN_PATH));
  if (needing.length === 0) return;
  if (volume === undefined) {
    const label = volumes.some((each) => each['name'] === secret) ? `${name}-token-${randomSuffix()}` : secret;
    volume = { name: label, secret: { secretName: secret, defaultMode: 0o644 } };
    spec['volumes'] = [...volumes, volume];
  }
  for (const container of needing) {
    container['volumeMounts'] = [...records(container['volumeMounts']), { name: volume['name'], readOnly: true, mountPath: TOKEN_PATH }];
  }
}

function noTokenYet(request: AdmissionRequest, account: string): ApiError {
  const why = `No API token found for service account "${account}", retry after the token is automatically created and added to the service account`;
  const error = refusal(request, why);
  return Object.assign(error, {
    status: {
      ...error.status,
      reason: 'ServerTimeout',
      code: 500,
      message: why,
      details: { name: 'create pod', kind: 'serviceaccounts', retryAfterSeconds: 1 },
    },
  });
}
