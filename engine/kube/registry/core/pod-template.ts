// PodTemplate.

import type { FieldError } from '../../machinery/field-errors.ts';
import type { KubeObject } from '../../machinery/types.ts';
import { record } from '../checks.ts';
import { labelsCell, templateCells, textColumn } from '../columns.ts';
import { defineResource, type ResourceDefinition, NAME_COLUMN } from '../definition.ts';
import { defaultPodTemplate } from './pod-defaults.ts';
import { dropDisabledTemplateFields } from './pod-fields.ts';
import { validatePodTemplate } from './pod-spec-validation.ts';

type Template = KubeObject & { template?: Parameters<typeof templateCells>[0] & { metadata?: { labels?: Record<string, string> } } };

export const POD_TEMPLATE: ResourceDefinition = defineResource<Template>({
  group: '',
  version: 'v1',
  isNamespaced: true,
  kind: 'PodTemplate',
  plural: 'podtemplates',
  strategy: {
    setDefaults: (object) => defaultPodTemplate(object.template),
    prepareForCreate: (object) => dropDisabledTemplateFields(record(object.template), undefined),
    validate(object) {
      const errors: FieldError[] = [];
      validatePodTemplate(errors, record(object.template), 'template');
      return errors;
    },
    prepareForUpdate: (next, current) => dropDisabledTemplateFields(record(next.template), record(current.template)),
    validateUpdate(next, _current, meta) {
      const errors = [...meta.update];
      validatePodTemplate(errors, record(next.template), 'template');
      return errors;
    },
  },
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
