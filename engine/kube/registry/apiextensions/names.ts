// Models which names a CustomResourceDefinition gets: those it had, and those that nobody of its group has.

import { isDeepEqual } from '../../machinery/deep.ts';
import { type Condition, conditionOf, type CustomResourceDefinition, type Names } from './types.ts';

type Given = Omit<Condition, 'lastTransitionTime'>;

/** `taken` are the accepted names of all definitions of the group, this one's among them. */
export function namesFor(
  definition: CustomResourceDefinition,
  taken: readonly Names[],
): { readonly names: Names; readonly accepted: Given; readonly established: Given } {
  const resources = new Set(taken.flatMap((names) => [names.plural, names.singular ?? '', ...(names.shortNames ?? [])]));
  const kinds = new Set(taken.flatMap((names) => [names.kind, names.listKind ?? '']));
  const wanted = definition.spec.names;
  const had = definition.status.acceptedNames;
  const names: { -readonly [K in keyof Names]?: Names[K] } = { ...had };
  let conflict: Given | undefined;
  const refuse = (reason: string, message: string): void => {
    conflict = { type: 'NamesAccepted', status: 'False', reason, message };
  };
  const inUse = (name: string): string => `${JSON.stringify(name)} is already in use`;
  const claim = (field: 'plural' | 'singular' | 'kind' | 'listKind', reason: string, used: ReadonlySet<string>): void => {
    const name = wanted[field] ?? '';
    if (name !== (had[field] ?? '') && used.has(name)) refuse(reason, inUse(name));
    else names[field] = name;
  };
  claim('plural', 'PluralConflict', resources);
  claim('singular', 'SingularConflict', resources);
  if (!isDeepEqual(wanted.shortNames, had.shortNames)) {
    const clashes = (wanted.shortNames ?? []).filter((name) => !(had.shortNames ?? []).includes(name) && resources.has(name)).map(inUse);
    const unique = [...new Set(clashes)];
    if (unique.length > 0) refuse('ShortNamesConflict', unique.length === 1 ? unique[0]! : `[${unique.join(', ')}]`);
    else if (wanted.shortNames === undefined) delete names.shortNames;
    else names.shortNames = wanted.shortNames;
  }
  claim('kind', 'KindConflict', kinds);
  claim('listKind', 'ListKindConflict', kinds);
  if (wanted.categories === undefined) delete names.categories;
  else names.categories = wanted.categories;
  const accepted: Given = conflict ?? { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' };
  const old = conditionOf(definition, 'Established');
  let established: Given = old ?? { type: 'Established', status: 'False', reason: 'NotAccepted', message: 'not all names are accepted' };
  if (established.status !== 'True' && accepted.status === 'True')
    established = { type: 'Established', status: 'False', reason: 'Installing', message: 'the initial names have been accepted' };
  const { type, status, reason, message } = established;
  return {
    names: inOrder(names as Names),
    accepted,
    established: { type, status, ...(reason === undefined ? {} : { reason }), ...(message === undefined ? {} : { message }) },
  };
}

function inOrder({ plural, singular, shortNames, kind, listKind, categories }: Names): Names {
  return {
    plural,
    ...(singular === undefined ? {} : { singular }),
    ...(shortNames === undefined ? {} : { shortNames }),
    kind,
    ...(listKind === undefined ? {} : { listKind }),
    ...(categories === undefined ? {} : { categories }),
  };
}
