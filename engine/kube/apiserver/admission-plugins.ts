// Models the built-in admission plugins that kubeadm's clusters run with.

import { isRecord } from '../machinery/deep.ts';
import { forbidden, notFound } from '../machinery/status.ts';
import type { Pod, ServiceAccount } from '../machinery/types.ts';
import type { Json } from '../registry/definition.ts';
import { records } from '../registry/object-access.ts';
import type { AdmissionPlugin, AdmissionRequest, ClusterReader } from './admission.ts';
import { nodeOf } from './node-authorizer.ts';

const PODS = { group: '', resource: 'pods' };
const isPod = (request: AdmissionRequest): boolean => request.definition.plural === 'pods' && request.definition.group === '';
const namesOf = (request: AdmissionRequest): { readonly group: string; readonly resource: string } => ({
  group: request.definition.group,
  resource: request.definition.plural,
});

/** No objects in namespaces that are not there or on their way out; the first namespaces stay. */
export function namespaceLifecycle(reader: ClusterReader): AdmissionPlugin {
  const IMMORTAL = ['default', 'kube-system', 'kube-public'];
  return {
    name: 'NamespaceLifecycle',
    admit(request) {
      if (request.operation !== 'CREATE' || !request.definition.isNamespaced || request.subresource !== '') return;
      const namespace = reader.store('', 'namespaces').get(undefined, request.namespace);
      if (namespace === undefined) throw notFound({ group: '', resource: 'namespaces' }, request.namespace);
      if (namespace.object.metadata.deletionTimestamp !== undefined) {
        const refusal = forbidden(
          namesOf(request),
          request.name,
          `unable to create new content in namespace ${request.namespace} because it is being terminated`,
        );
        const details = {
          ...refusal.status.details,
          causes: [
            { reason: 'NamespaceTerminating', message: `namespace ${request.namespace} is being terminated`, field: 'metadata.namespace' },
          ],
        };
        throw Object.assign(refusal, { status: { ...refusal.status, details } });
      }
    },
    validate(request) {
      if (request.operation !== 'DELETE' || request.definition.plural !== 'namespaces' || request.definition.group !== '') return;
      if (IMMORTAL.includes(request.name)) throw forbidden(namesOf(request), request.name, 'this namespace may not be deleted');
    },
  };
}

const TOKEN_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Pods run as a service account and get its token mounted. */
export function serviceAccount(reader: ClusterReader, randomSuffix: () => string): AdmissionPlugin {
  return {
    name: 'ServiceAccount',
    admit(request) {
      if (!isPod(request) || request.operation !== 'CREATE' || request.subresource !== '') return;
      const pod = request.object as unknown as Pod;
      const spec = pod.spec as unknown as Json;
      if (pod.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined) {
        if ((spec['serviceAccountName'] ?? '') !== '')
          throw forbidden(PODS, request.name, 'a mirror pod may not reference service accounts');
        for (const volume of records(spec['volumes']))
          if (isRecord(volume['secret'])) throw forbidden(PODS, request.name, 'a mirror pod may not reference secrets');
        return;
      }
      if ((spec['serviceAccountName'] ?? '') === '') spec['serviceAccountName'] = 'default';
      spec['serviceAccount'] = spec['serviceAccountName'];
      const name = String(spec['serviceAccountName']);
      const stored = reader.store('', 'serviceaccounts').get(request.namespace, name);
      if (stored === undefined)
        throw forbidden(
          PODS,
          request.name,
          `error looking up service account ${request.namespace}/${name}: serviceaccount "${name}" not found`,
        );
      const account = stored.object as unknown as ServiceAccount;
      const wantsToken = (spec['automountServiceAccountToken'] as boolean | undefined) ?? account.automountServiceAccountToken ?? true;
      if (wantsToken) mountToken(reader, request, account, spec, randomSuffix);
      if (records(spec['imagePullSecrets']).length === 0 && (account.imagePullSecrets ?? []).length > 0)
        spec['imagePullSecrets'] = account.imagePullSecrets;
    },
  };
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
  const volumes = records(spec['volumes']);
  let volume = volumes.find((each) => secret !== undefined && isRecord(each['secret']) && each['secret']['secretName'] === secret);
  const containers = [...records(spec['initContainers']), ...records(spec['containers'])];
  const needing = containers.filter((container) => !records(container['volumeMounts']).some((mount) => mount['mountPath'] === TOKEN_PATH));
  if (needing.length === 0) return;
  // v1.20 projects a token of its own, the cluster's authority and the namespace into one volume, unless a secret holds them.
  if (secret === undefined) {
    const refusal = forbidden(
      PODS,
      request.name,
      `no API token found for service account "${name}", retry after the token is automatically created and added to the service account`,
    );
    throw Object.assign(refusal, {
      status: {
        ...refusal.status,
        reason: 'ServerTimeout',
        code: 500,
        message: `No API token found for service account "${name}", retry after the token is automatically created and added to the service account`,
        details: { name: 'create pod', kind: 'serviceaccounts', retryAfterSeconds: 1 },
      },
    });
  }
  if (volume === undefined) {
    const label = volumes.some((each) => each['name'] === secret) ? `${name}-token-${randomSuffix()}` : secret;
    volume = { name: label, secret: { secretName: secret, defaultMode: 0o644 } };
    spec['volumes'] = [...volumes, volume];
  }
  for (const container of needing) {
    container['volumeMounts'] = [...records(container['volumeMounts']), { name: volume['name'], readOnly: true, mountPath: TOKEN_PATH }];
  }
}

const TOLERATION_SECONDS = 300;

/** Pods stay five minutes on nodes that are not ready or not reached. */
export const DEFAULT_TOLERATION_SECONDS: AdmissionPlugin = {
  name: 'DefaultTolerationSeconds',
  admit(request) {
    if (!isPod(request) || request.subresource !== '' || request.operation !== 'CREATE') return;
    const spec = (request.object as unknown as { spec: Json }).spec;
    const tolerations = records(spec['tolerations']);
    const added: Json[] = [];
    for (const key of ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']) {
      const isThere = tolerations.some(
        (each) => ((each['key'] ?? '') === '' || each['key'] === key) && ((each['effect'] ?? '') === '' || each['effect'] === 'NoExecute'),
      );
      if (!isThere) added.push({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: TOLERATION_SECONDS });
    }
    if (added.length > 0) spec['tolerations'] = [...tolerations, ...added];
  },
};

/** A node starts out not ready. */
export const TAINT_NODES_BY_CONDITION: AdmissionPlugin = {
  name: 'TaintNodesByCondition',
  admit(request) {
    if (request.definition.plural !== 'nodes' || request.operation !== 'CREATE') return;
    const holder = request.object as unknown as { spec?: Json };
    holder.spec ??= {};
    const taints = records(holder.spec['taints']);
    if (taints.some((taint) => taint['key'] === 'node.kubernetes.io/not-ready' && taint['effect'] === 'NoSchedule')) return;
    holder.spec['taints'] = [...taints, { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }];
  },
};

/** priorityClassName becomes a number. */
export function priority(reader: ClusterReader): AdmissionPlugin {
  return {
    name: 'Priority',
    admit(request) {
      if (!isPod(request) || request.operation !== 'CREATE' || request.subresource !== '') return;
      const spec = (request.object as unknown as { spec: Json }).spec;
      const classes = reader.store('scheduling.k8s.io', 'priorityclasses');
      const name = String(spec['priorityClassName'] ?? '');
      let value = 0;
      let policy = 'PreemptLowerPriority';
      if (name === '') {
        const byDefault = classes.list().find(({ object }) => object['globalDefault'] === true)?.object;
        if (byDefault !== undefined) {
          spec['priorityClassName'] = byDefault.metadata.name;
          value = Number(byDefault['value']);
          policy = String(byDefault['preemptionPolicy'] ?? policy);
        }
      } else {
        const found = classes.get(undefined, name)?.object;
        if (found === undefined) throw forbidden(PODS, request.name, `no PriorityClass with name ${name} was found`);
        value = Number(found['value']);
        policy = String(found['preemptionPolicy'] ?? policy);
      }
      const given = spec['priority'];
      if (typeof given === 'number' && given !== value) {
        throw forbidden(
          PODS,
          request.name,
          `the integer value of priority (${given}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`,
        );
      }
      spec['priority'] = value;
      spec['preemptionPolicy'] ??= policy;
    },
    validate(request) {
      if (request.definition.plural !== 'priorityclasses' || request.operation !== 'CREATE') return;
      if (request.name.startsWith('system-') && !['system-node-critical', 'system-cluster-critical'].includes(request.name)) {
        throw forbidden(namesOf(request), request.name, "priority class names with 'system-' prefix are reserved for system use only");
      }
    },
  };
}

/** A kubelet writes its own node and the pods bound to it, nothing else. */
export function nodeRestriction(reader: ClusterReader): AdmissionPlugin {
  return {
    name: 'NodeRestriction',
    validate(request) {
      const node = nodeOf(request.user);
      if (node === undefined) return;
      const { definition, operation, subresource, name } = request;
      if (definition.group === '' && definition.plural === 'nodes') {
        if (operation === 'DELETE') throw forbidden(namesOf(request), name, `node "${node}" is not allowed to delete node "${name}"`);
        if (name !== node) throw forbidden(namesOf(request), name, `node "${node}" is not allowed to modify node "${name}"`);
        return;
      }
      if (definition.group === '' && definition.plural === 'pods') {
        const pod = (request.object ?? request.old) as unknown as Pod | undefined;
        if (operation === 'CREATE' && subresource === '') {
          if (pod?.metadata.annotations?.['kubernetes.io/config.mirror'] === undefined) {
            throw forbidden(
              PODS,
              name,
              `pod does not have "kubernetes.io/config.mirror" annotation, node "${node}" can only create mirror pods`,
            );
          }
          if (pod.spec?.nodeName !== node)
            throw forbidden(PODS, name, `node "${node}" can only create pods with spec.nodeName set to itself`);
        } else {
          const current = (request.old ?? reader.store('', 'pods').get(request.namespace, name)?.object) as unknown as Pod | undefined;
          if (current !== undefined && current.spec?.nodeName !== node) {
            const verb = operation === 'DELETE' ? 'delete' : subresource === 'status' ? 'update status for' : 'update';
            throw forbidden(PODS, name, `node "${node}" can only ${verb} pods with spec.nodeName set to itself`);
          }
        }
      }
    },
  };
}

/** Objects in use are held by a finalizer; claims get the default class. */
export function storageDefaults(reader: ClusterReader): AdmissionPlugin {
  return {
    name: 'StorageObjectInUseProtection',
    admit(request) {
      if (request.operation !== 'CREATE' || request.subresource !== '' || request.object === undefined || request.definition.group !== '')
        return;
      const finalizer =
        request.definition.plural === 'persistentvolumes'
          ? 'kubernetes.io/pv-protection'
          : request.definition.plural === 'persistentvolumeclaims'
            ? 'kubernetes.io/pvc-protection'
            : undefined;
      if (finalizer === undefined) return;
      const { metadata } = request.object;
      if (!(metadata.finalizers ?? []).includes(finalizer)) metadata.finalizers = [...(metadata.finalizers ?? []), finalizer];
      if (request.definition.plural !== 'persistentvolumeclaims') return;
      const spec = (request.object as unknown as { spec: Json }).spec;
      if (spec['storageClassName'] !== undefined) return;
      const byDefault = reader
        .store('storage.k8s.io', 'storageclasses')
        .list()
        .find(({ object }) => object.metadata.annotations?.['storageclass.kubernetes.io/is-default-class'] === 'true');
      if (byDefault !== undefined) spec['storageClassName'] = byDefault.object.metadata.name;
    },
  };
}

/** A certificate request tells who made it. */
export const CERTIFICATE_REQUESTER: AdmissionPlugin = {
  name: 'CertificateRequester',
  admit(request) {
    if (request.definition.plural !== 'certificatesigningrequests' || request.operation !== 'CREATE' || request.object === undefined)
      return;
    const spec = (request.object as unknown as { spec: Json }).spec;
    const { name, uid, groups, extra } = request.user;
    spec['username'] = name;
    spec['groups'] = [...groups];
    if (uid === undefined) delete spec['uid'];
    else spec['uid'] = uid;
    if (extra === undefined) delete spec['extra'];
    else spec['extra'] = extra;
    request.object['status'] = {};
  },
};
