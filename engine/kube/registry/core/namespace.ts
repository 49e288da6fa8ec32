// Namespace.

import { FieldError } from '../../machinery/field-errors.ts';
import { dns1123Label, qualifiedName } from '../../machinery/names.ts';
import { ageOf } from '../../machinery/time.ts';
import type { Namespace } from '../../machinery/types.ts';
import { AGE_COLUMN, defineResource, NAME_COLUMN, type ResourceDefinition } from '../definition.ts';
import { isStandardFinalizer } from '../meta-validation.ts';

export const NAMESPACE: ResourceDefinition = defineResource<Namespace>({
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  shortNames: ['ns'],
  isNamespaced: false,
  hasStatus: true,
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  returnsDeleted: true,
  otherSubresources: [{ name: 'finalize', kind: 'Namespace', verbs: ['update'] }],
  fields: { 'status.phase': (namespace) => namespace.status?.phase ?? '', name: (namespace) => namespace.metadata.name },
  strategy: {
    nameProblems: dns1123Label,
    /** SetDefaults_NamespaceStatus: the phase belongs to who creates a namespace. */
    setDefaults(namespace) {
      namespace.status ??= {};
      namespace.status.phase ??= 'Active';
    },
    prepareForCreate(namespace) {
      const finalizers = namespace.spec?.finalizers ?? [];
      namespace.spec = { finalizers: finalizers.includes('kubernetes') ? finalizers : [...finalizers, 'kubernetes'] };
      namespace.status = { phase: 'Active' };
    },
    validate: validateNamespace,
    prepareForUpdate(next, current) {
      if (current.spec !== undefined) next.spec = current.spec;
    },
    validateUpdate: (next, _current, meta) => [...meta.object, ...validateNamespace(next), ...meta.update],
    validateStatusUpdate(next, _current, meta) {
      const errors = [...meta.update];
      const wanted = next.metadata.deletionTimestamp === undefined ? 'Active' : 'Terminating';
      const phase = next.status?.phase ?? '';
      if (phase !== wanted) {
        const state = wanted === 'Active' ? 'is empty' : 'is not empty';
        errors.push(FieldError.invalid('status.Phase', phase, `may only be '${wanted}' if \`deletionTimestamp\` ${state}`));
      }
      return errors;
    },
  },
  table: {
    columns: [NAME_COLUMN, { name: 'Status', type: 'string', description: 'The status of the namespace' }, AGE_COLUMN],
    cells: (namespace, nowMs) => [
      namespace.metadata.name,
      namespace.status?.phase ?? '',
      ageOf(namespace.metadata.creationTimestamp, nowMs),
    ],
  },
});

function validateNamespace(namespace: Namespace): FieldError[] {
  return (namespace.spec?.finalizers ?? []).flatMap((finalizer) => namespaceFinalizerErrors(finalizer, 'spec.finalizers'));
}

/** Finalizers of a namespace's spec are named as others are. */
export function namespaceFinalizerErrors(finalizer: string, path: string): FieldError[] {
  const errors = qualifiedName(finalizer).map((problem) => FieldError.invalid(path, finalizer, problem));
  if (!finalizer.includes('/') && !isStandardFinalizer(finalizer))
    errors.push(FieldError.invalid(path, finalizer, 'name is neither a standard finalizer name nor is it fully qualified'));
  return errors;
}
