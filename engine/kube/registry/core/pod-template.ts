// PodTemplate.

import type { KubeObject } from '../../machinery/types.ts';
import { labelsCell, templateCells, textColumn } from '../columns.ts';
import { defineResource, type ResourceDefinition, NAME_COLUMN } from '../definition.ts';
import { defaultPodTemplate } from './pod-defaults.ts';

type Template = KubeObject & { template?: Parameters<typeof templateCells>[0] & { metadata?: { labels?: Record<string, string> } } };

export const POD_TEMPLATE: ResourceDefinition = defineResource<Template>({
  group: '',
  version: 'v1',
  isNamespaced: true,
  kind: 'PodTemplate',
  plural: 'podtemplates',
  strategy: { setDefaults: (object) => defaultPodTemplate(object.template) },
  table: {
    columns: [
      NAME_COLUMN,
      textColumn('Containers', 'Names of each container in the template.'),
      textColumn('Images', 'Images referenced by each container in the template.'),
      textColumn('Pod Labels', 'The labels for the pod template.'),
    ],
    cells: ({ metadata, template }) => [metadata.name, ...templateCells(template), labelsCell(template?.metadata?.labels)],
  },
});
