// What bindings of both scopes share.

import { pathSegment } from '../../machinery/names.ts';
import { ageOf } from '../../machinery/time.ts';
import type { KubeObject } from '../../machinery/types.ts';
import { AGE_COLUMN, defineResource, NAME_COLUMN, type ResourceDefinition } from '../definition.ts';
import { validateBinding, validateBindingUpdate } from './role-validation.ts';

const GROUP = 'rbac.authorization.k8s.io';

type Binding = KubeObject & {
  roleRef?: { apiGroup?: string; kind: string; name: string };
  subjects?: { kind: string; apiGroup?: string; name: string; namespace?: string }[];
};

/** RoleBinding and ClusterRoleBinding. */
export const defineBinding = (kind: string, plural: string, isNamespaced: boolean): ResourceDefinition =>
  defineResource<Binding>({
    group: GROUP,
    version: 'v1',
    kind,
    plural,
    isNamespaced,
    alsoServedAs: [{ group: GROUP, version: 'v1beta1' }],
    strategy: {
      nameProblems: pathSegment,
      setDefaults(object) {
        if (object.roleRef !== undefined && (object.roleRef.apiGroup ?? '') === '') object.roleRef.apiGroup = GROUP;
        for (const subject of object.subjects ?? []) {
          if ((subject.apiGroup ?? '') === '' && (subject.kind === 'User' || subject.kind === 'Group')) subject.apiGroup = GROUP;
        }
      },
      validate: (object) => validateBinding(object, isNamespaced),
      validateUpdate: (next, current, meta) => validateBindingUpdate(next, current, meta, isNamespaced),
    },
    table: {
      columns: [
        NAME_COLUMN,
        {
          name: 'Role',
          type: 'string',
          description: 'RoleRef can reference a Role in the current namespace or a ClusterRole in the global namespace.',
        },
        AGE_COLUMN,
        { name: 'Users', type: 'string', priority: 1, description: 'Users in the roleBinding' },
        { name: 'Groups', type: 'string', priority: 1, description: 'Groups in the roleBinding' },
        { name: 'ServiceAccounts', type: 'string', priority: 1, description: 'ServiceAccounts in the roleBinding' },
      ],
      cells({ metadata, roleRef, subjects = [] }, nowMs) {
        const of = (wanted: string): string =>
          subjects
            .filter((subject) => subject.kind === wanted)
            .map((subject) => (wanted === 'ServiceAccount' ? `${subject.namespace ?? ''}/${subject.name}` : subject.name))
            .join(', ');
        return [
          metadata.name,
          `${roleRef?.kind ?? ''}/${roleRef?.name ?? ''}`,
          ageOf(metadata.creationTimestamp, nowMs),
          of('User'),
          of('Group'),
          of('ServiceAccount'),
        ];
      },
    },
  });
