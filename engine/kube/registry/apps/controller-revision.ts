// ControllerRevision.

import { ageOf } from '../../machinery/time.ts';
import type { KubeObject } from '../../machinery/types.ts';
import { AGE_COLUMN, defineResource, NAME_COLUMN, type ResourceDefinition } from '../definition.ts';

type Revision = KubeObject & { revision?: number };

export const CONTROLLER_REVISION: ResourceDefinition = defineResource<Revision>({
  group: 'apps',
  version: 'v1',
  kind: 'ControllerRevision',
  plural: 'controllerrevisions',
  isNamespaced: true,
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
