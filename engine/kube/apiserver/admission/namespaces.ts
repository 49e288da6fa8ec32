// Models the plugins around namespaces: NamespaceLifecycle, and NamespaceExists and NamespaceAutoProvision that a flag turns on.

import { notFound } from '../../machinery/status.ts';
import type { ApiObject } from '../../registry/definition.ts';
import { refusal, type AdmissionPlugin, type AdmissionRequest, type ClusterReader } from '../admission.ts';

const IMMORTAL = ['default', 'kube-system', 'kube-public'];
const NAMESPACES = { group: '', resource: 'namespaces' };

function isNamespaceItself({ definition }: AdmissionRequest): boolean {
  return definition.group === '' && definition.plural === 'namespaces';
}

/** No objects in namespaces that are not there or on their way out; the first namespaces stay. */
export function namespaceLifecycle(reader: ClusterReader): AdmissionPlugin {
  return {
    name: 'NamespaceLifecycle',
    admit(request) {
      const { operation, definition } = request;
      if (isNamespaceItself(request)) {
        if (operation === 'DELETE' && IMMORTAL.includes(request.name)) throw refusal(request, 'this namespace may not be deleted');
        return;
      }
      if ((operation !== 'CREATE' && operation !== 'UPDATE') || request.namespace === '') return;
      // Asking what one may do must not tell whether a namespace is there.
      if (definition.group === 'authorization.k8s.io') return;
      const namespace = reader.store('', 'namespaces').get(undefined, request.namespace);
      if (namespace === undefined) throw notFound(NAMESPACES, request.namespace);
      if (operation === 'CREATE' && namespace.object.metadata.deletionTimestamp !== undefined) throw terminating(request);
    },
  };
}

function terminating(request: AdmissionRequest): Error {
  const error = refusal(request, `unable to create new content in namespace ${request.namespace} because it is being terminated`);
  const details = {
    ...error.status.details,
    causes: [
      { reason: 'NamespaceTerminating', message: `namespace ${request.namespace} is being terminated`, field: 'metadata.namespace' },
    ],
  };
  return Object.assign(error, { status: { ...error.status, details } });
}

/** Every write into a namespace needs it to be there. */
export function namespaceExists(reader: ClusterReader): AdmissionPlugin {
  return {
    name: 'NamespaceExists',
    validate(request) {
      if (request.namespace === '' || isNamespaceItself(request) || request.operation === 'CONNECT') return;
      if (reader.store('', 'namespaces').get(undefined, request.namespace) === undefined) throw notFound(NAMESPACES, request.namespace);
    },
  };
}

/** A namespace that is missing is made for the first object in it. */
export function namespaceAutoProvision(reader: ClusterReader, create: (namespace: ApiObject) => Promise<void>): AdmissionPlugin {
  return {
    name: 'NamespaceAutoProvision',
    async admit(request) {
      if (request.operation !== 'CREATE' || request.namespace === '' || isNamespaceItself(request) || request.isDryRun === true) return;
      if (reader.store('', 'namespaces').get(undefined, request.namespace) !== undefined) return;
      await create({ kind: 'Namespace', apiVersion: 'v1', metadata: { name: request.namespace } } as unknown as ApiObject);
    },
  };
}
