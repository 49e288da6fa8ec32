// How get asks for tables and prints them.

import type { Context } from '../context.ts';
import { groupKind, type Mapping } from '../factory/rest-mapper.ts';
import { TablePrinter } from '../printers/table.ts';

export const TABLE_ACCEPT =
  'application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json';

export function tablePrinter(context: Context, mapping: Mapping, withKind: boolean): TablePrinter {
  const { flags } = context;
  return new TablePrinter({
    noHeaders: flags.bool('no-headers'),
    wide: flags.string('output') === 'wide',
    withNamespace: flags.bool('all-namespaces') && mapping.isNamespaced,
    kind: withKind ? groupKind(mapping) : undefined,
    showLabels: flags.bool('show-labels'),
    labelColumns: flags.list('label-columns'),
  });
}
