// ComponentStatus.

import type { KubeObject } from '../../machinery/types.ts';
import { defineResource, NAME_COLUMN, type ResourceDefinition } from '../definition.ts';

export const COMPONENT_STATUS: ResourceDefinition = defineResource<
  KubeObject & { conditions?: { type: string; status: string; message?: string; error?: string }[] }
>({
  group: '',
  version: 'v1',
  kind: 'ComponentStatus',
  plural: 'componentstatuses',
  shortNames: ['cs'],
  isNamespaced: false,
  verbs: ['get', 'list'],
  discoveryOnly: true,
  table: {
    columns: [
      NAME_COLUMN,
      { name: 'Status', type: 'string', description: 'Status of the component conditions' },
      { name: 'Message', type: 'string', description: 'Message of the component conditions' },
      { name: 'Error', type: 'string', description: 'Error of the component conditions' },
    ],
    cells(component) {
      const condition = component.conditions?.find((each) => each.type === 'Healthy');
      return [
        component.metadata.name,
        condition === undefined ? 'Unknown' : condition.status === 'True' ? 'Healthy' : 'Unhealthy',
        condition?.message ?? '',
        condition?.error ?? '',
      ];
    },
  },
});
