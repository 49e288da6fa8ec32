// Columns and cells that several kinds share.

import { labelSelectorOf, type LabelSelectorSpec } from '../machinery/selectors.ts';
import { ageOf } from '../machinery/time.ts';
import type { KubeObject } from '../machinery/types.ts';
import type { ColumnDefinition } from './definition.ts';

/** A text column; of priority 1: with -o wide only. */
export const textColumn = (name: string, description: string, priority = 0): ColumnDefinition => ({
  name,
  type: 'string',
  description,
  ...(priority === 0 ? {} : { priority }),
});

export const countColumn = (name: string, description: string): ColumnDefinition => ({ name, type: 'integer', description });

export const ageCell = (object: KubeObject, nowMs: number): string => ageOf(object.metadata.creationTimestamp, nowMs);

/** Items that the short form of a list shows. */
export const SHOWN = 3;

export const WORKLOAD_COLUMNS: readonly ColumnDefinition[] = [
  { name: 'Containers', type: 'string', priority: 1, description: 'Names of each container in the template.' },
  { name: 'Images', type: 'string', priority: 1, description: 'Images referenced by each container in the template.' },
  { name: 'Selector', type: 'string', priority: 1, description: 'Label selector of the workload.' },
];

interface Template {
  readonly spec?: { readonly containers?: readonly { readonly name: string; readonly image?: string }[] } | undefined;
}

export function templateCells(template: Template | undefined): readonly [string, string] {
  const containers = template?.spec?.containers ?? [];
  return [containers.map((container) => container.name).join(','), containers.map((container) => container.image ?? '').join(',')];
}

/** metav1.FormatLabelSelector. */
export function selectorCell(selector: LabelSelectorSpec | undefined | null): string {
  const shown = labelSelectorOf(selector).toString();
  return shown === '' ? '<none>' : shown;
}

/** labels.FormatLabels: a map as `a=b,c=d`. */
export function labelsCell(labels: Readonly<Record<string, string>> | undefined | null): string {
  const shown = Object.entries(labels ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  return shown === '' ? '<none>' : shown;
}
