// Models the plugins that fill in a cluster's defaults and marks: TaintNodesByCondition, DefaultStorageClass,
// StorageObjectInUseProtection, PersistentVolumeClaimResize and DefaultIngressClass.

import { Quantity } from '../../machinery/quantity.ts';
import { isRecord } from '../../machinery/deep.ts';
import type { ApiObject, Json } from '../../registry/definition.ts';
import { records } from '../../registry/object-access.ts';
import { isFor, refusal, type AdmissionPlugin, type AdmissionRequest, type ClusterReader } from '../admission.ts';

const NOT_READY = 'node.kubernetes.io/not-ready';

/** A node starts out not ready. */
export const TAINT_NODES_BY_CONDITION: AdmissionPlugin = {
  name: 'TaintNodesByCondition',
  admit(request) {
    if (!isFor(request, '', 'nodes') || request.operation !== 'CREATE') return;
    const holder = request.object as unknown as { spec?: Json };
    holder.spec ??= {};
    const taints = records(holder.spec['taints']);
    if (taints.some((taint) => taint['key'] === NOT_READY && taint['effect'] === 'NoSchedule')) return;
    holder.spec['taints'] = [...taints, { key: NOT_READY, effect: 'NoSchedule' }];
  },
};

/** The one object of a kind that is marked as the default. Throws when several are. */
function theDefault(
  request: AdmissionRequest,
  objects: readonly ApiObject[],
  kind: string,
  annotations: readonly string[],
): string | undefined {
  const marked = objects.filter(({ metadata }) => annotations.some((annotation) => metadata.annotations?.[annotation] === 'true'));
  if (marked.length > 1) throw refusal(request, `Internal error occurred: ${marked.length} default ${kind} were found`);
  return marked[0]?.metadata.name;
}

const CLASS_ANNOTATION = 'volume.beta.kubernetes.io/storage-class';

/** Claims that name no class get the default one. */
export function defaultStorageClass(reader: ClusterReader): AdmissionPlugin {
  return {
    name: 'DefaultStorageClass',
    admit(request) {
      if (!isFor(request, '', 'persistentvolumeclaims') || request.operation !== 'CREATE') return;
      const holder = request.object as unknown as { spec?: Json };
      holder.spec ??= {};
      if (holder.spec['storageClassName'] !== undefined || request.object!.metadata.annotations?.[CLASS_ANNOTATION] !== undefined) return;
      const classes = reader.store('storage.k8s.io', 'storageclasses').list();
      const name = theDefault(
        request,
        classes.map(({ object }) => object),
        'StorageClasses',
        ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class'],
      );
      if (name !== undefined) holder.spec['storageClassName'] = name;
    },
  };
}

/** Objects in use are held by a finalizer. */
export const STORAGE_OBJECT_IN_USE_PROTECTION: AdmissionPlugin = {
  name: 'StorageObjectInUseProtection',
  admit(request) {
    if (request.operation !== 'CREATE') return;
    const finalizer = isFor(request, '', 'persistentvolumes')
      ? 'kubernetes.io/pv-protection'
      : isFor(request, '', 'persistentvolumeclaims')
        ? 'kubernetes.io/pvc-protection'
        : undefined;
    if (finalizer === undefined) return;
    const { metadata } = request.object!;
    if (!(metadata.finalizers ?? []).includes(finalizer)) metadata.finalizers = [...(metadata.finalizers ?? []), finalizer];
  },
};

/** Claims grow only when they are bound and their class lets them. */
export function persistentVolumeClaimResize(reader: ClusterReader): AdmissionPlugin {
  return {
    name: 'PersistentVolumeClaimResize',
    validate(request) {
      if (!isFor(request, '', 'persistentvolumeclaims') || request.operation !== 'UPDATE') return;
      const [before, after] = [storageOf(request.old), storageOf(request.object)];
      if (before === undefined || after === undefined || before.compare(after) >= 0) return;
      const old = request.old as unknown as { spec?: Json; status?: Json };
      if (old.status?.['phase'] !== 'Bound') throw refusal(request, 'Only bound persistent volume claims can be expanded');
      const name = request.object!.metadata.annotations?.[CLASS_ANNOTATION] ?? old.spec?.['storageClassName'];
      const storageClass = typeof name === 'string' ? reader.store('storage.k8s.io', 'storageclasses').get(undefined, name) : undefined;
      if (storageClass?.object['allowVolumeExpansion'] !== true)
        throw refusal(
          request,
          'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
        );
    },
  };
}

function storageOf(claim: ApiObject | undefined): Quantity | undefined {
  const resources = (claim?.['spec'] as Json | undefined)?.['resources'];
  const requests = isRecord(resources) ? resources['requests'] : undefined;
  const amount = isRecord(requests) ? requests['storage'] : undefined;
  return amount === undefined ? undefined : Quantity.parse(String(amount));
}

/** Ingresses that name no class get the default one. */
export function defaultIngressClass(reader: ClusterReader): AdmissionPlugin {
  return {
    name: 'DefaultIngressClass',
    admit(request) {
      if (!isFor(request, 'networking.k8s.io', 'ingresses') && !isFor(request, 'extensions', 'ingresses')) return;
      if (request.operation !== 'CREATE') return;
      const holder = request.object as unknown as { spec?: Json };
      if (holder.spec?.['ingressClassName'] !== undefined) return;
      if (request.object!.metadata.annotations?.['kubernetes.io/ingress.class'] !== undefined) return;
      const classes = reader.store('networking.k8s.io', 'ingressclasses').list();
      const name = theDefault(
        request,
        classes.map(({ object }) => object),
        'IngressClasses',
        ['ingressclass.kubernetes.io/is-default-class'],
      );
      if (name !== undefined) holder.spec = { ...holder.spec, ingressClassName: name };
    },
  };
}
