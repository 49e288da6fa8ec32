// ControllerRevision.

import { isDeepEqual } from '../../machinery/deep.ts';
import { FieldError } from '../../machinery/field-errors.ts';
import { ageOf } from '../../machinery/time.ts';
import type { KubeObject } from '../../machinery/types.ts';
import { IS_IMMUTABLE, nonNegative } from '../checks.ts';
import { AGE_COLUMN, defineResource, NAME_COLUMN, type ResourceDefinition } from '../definition.ts';

type Revision = KubeObject & { revision?: number; data?: unknown };

function revisionErrors(revision: Revision): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (revision.data === undefined || revision.data === null) errors.push(FieldError.required('data', 'data is mandatory'));
  nonNegative(errors, 'revision', revision.revision);
  return errors;
}

export const CONTROLLER_REVISION: ResourceDefinition = defineResource<Revision>({
  group: 'apps',
  version: 'v1',
  kind: 'ControllerRevision',
  plural: 'controllerrevisions',
  isNamespaced: true,
  strategy: {
    validate: revisionErrors,
    validateUpdate(next, current, meta) {
      const errors = [...meta.update, ...meta.object, ...revisionErrors(next)];
      if (!isDeepEqual(next.data, current.data)) errors.push(FieldError.invalidGo('data', '&runtime.RawExtension{}', IS_IMMUTABLE));
      return errors;
    },
  },
  table: {
    columns: [
      NAME_COLUMN,
      { name: 'Controller', type: 'string', description: 'Controller of the object' },
      { name: 'Revision', type: 'string', description: 'Revision indicates the revision of the state represented by Data.' },
      AGE_COLUMN,
    ],
    cells: ({ metadata, revision }, nowMs) => {
      const owner = metadata.ownerReferences?.find((each) => each.controller === true);
      return [
        metadata.name,
        owner === undefined ? '<none>' : controllerCell(owner),
        revision ?? 0,
        ageOf(metadata.creationTimestamp, nowMs),
      ];
    },
  },
});

function controllerCell(owner: { readonly apiVersion: string; readonly kind: string; readonly name: string }): string {
  const group = owner.apiVersion.includes('/') ? `.${owner.apiVersion.split('/')[0]!}` : '';
  return `${owner.kind.toLowerCase()}${group}/${owner.name}`;
}
