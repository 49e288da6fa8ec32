// What roles of both scopes share.

import { pathSegment } from '../../machinery/names.ts';
import { defineResource, type ResourceDefinition } from '../definition.ts';
import { validateClusterRole, validateRole } from './role-validation.ts';

const GROUP = 'rbac.authorization.k8s.io';

/** Role and ClusterRole. */
export const defineRole = (kind: string, plural: string, isNamespaced: boolean): ResourceDefinition =>
  defineResource({
    group: GROUP,
    version: 'v1',
    kind,
    plural,
    isNamespaced,
    alsoServedAs: [{ group: GROUP, version: 'v1beta1' }],
    strategy: {
      nameProblems: pathSegment,
      validate: isNamespaced ? validateRole : validateClusterRole,
      validateUpdate: (next, _current, meta) => [
        ...meta.object,
        ...(isNamespaced ? validateRole : validateClusterRole)(next),
        ...meta.update,
      ],
    },
  });
