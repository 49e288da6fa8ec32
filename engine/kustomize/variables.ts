// Models `vars`: $(NAME) in commands, arguments, variables and the like stands for a field of another object.

import { goSyntax, isObject } from '../kube/machinery/go-values.ts';
import { KustomizeError } from './error.ts';
import { gvkText, isSelected, stringAt } from './gvk.ts';
import type { Variable } from './kustomization.ts';
import { keysOf, mutateField, type FieldSpec } from './mutate.ts';
import { matching, type Resource } from './resource.ts';

/** The variables of a target with those of its bases, sorted by name. */
export function mergeVariables(known: readonly Variable[], added: readonly Variable[]): readonly Variable[] {
  const out = [...known];
  for (const variable of added) {
    if (out.some(({ name }) => name === variable.name)) throw new KustomizeError(`var ${variable.name ?? ''} already encountered`);
    out.push(variable);
  }
  return out.sort((a, b) => ((a.name ?? '') < (b.name ?? '') ? -1 : 1));
}

export function replaceVariables(
  resources: readonly Resource[],
  variables: readonly Variable[],
  specs: readonly FieldSpec[],
  log: (text: string) => void,
): void {
  const values = new Map(variables.map((variable) => [variable.name ?? '', valueOf(resources, variable)]));
  if (values.size === 0) return;
  const used = new Set<string>();
  const expand = (text: string): string =>
    text.replace(/\$(\$|\([^)]*\))/g, (whole, inner: string) => {
      if (inner === '$') return '$';
      const name = inner.slice(1, -1);
      const value = values.get(name);
      if (value === undefined) return whole;
      used.add(name);
      return value;
    });
  for (const { id, object } of resources) {
    for (const spec of specs) {
      if (isSelected(id.gvk, spec)) mutateField(object, keysOf(spec.path), { create: false, log }, (value) => expanded(value, expand));
    }
  }
  const unused = [...values.keys()].filter((name) => !used.has(name));
  if (unused.length > 0) log(`well-defined vars that were never replaced: ${unused.join(',')}`);
}

function expanded(value: unknown, expand: (text: string) => string): unknown {
  const one = (item: unknown): string => {
    if (typeof item !== 'string') throw new KustomizeError(`${goSyntax(item)} is expected to be string`);
    return expand(item);
  };
  if (value === null || value === undefined) return value;
  if (Array.isArray(value)) return value.map(one);
  if (isObject(value)) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, one(item)]));
  return one(value);
}

function valueOf(resources: readonly Resource[], variable: Variable): string {
  const { objref = {}, fieldref } = variable;
  const apiVersion = objref.apiVersion ?? '';
  const [first = '', second] = apiVersion.split('/');
  const gvk = {
    group: apiVersion === '' || second === undefined ? (objref.group ?? '') : first,
    version: apiVersion === '' ? (objref.version ?? '') : (second ?? first),
    kind: objref.kind ?? '',
  };
  const path = (fieldref?.fieldPath ?? '') === '' ? 'metadata.name' : (fieldref?.fieldPath ?? '');
  // The kind is printed in the place of all that names the object.
  const shown = `{${variable.name ?? ''} ${gvkText(gvk)} {${path}}}`;
  const found = matching(resources, { gvk, name: objref.name ?? '', prefix: '', suffix: '', namespace: '' });
  const [resource] = found;
  if (resource === undefined) throw new KustomizeError(`var '${shown}' cannot be mapped to a field in the set of known resources`);
  if (found.length > 1) throw new KustomizeError(`found ${found.length} resId matches for var ${shown} (unable to disambiguate)`);
  const value = stringAt(resource.object, ...fieldsOf(path));
  if (value === undefined) throw new KustomizeError(`field specified in var '${shown}' not found in corresponding resource`);
  return value;
}

/** `metadata.annotations["a.b"]` as keys. */
function fieldsOf(path: string): readonly string[] {
  return [...path.matchAll(/\[([^\]]*)\]|([^.[\]]+)/g)].map(([, inBrackets, plain]) =>
    (inBrackets ?? plain ?? '').replace(/^["']|["']$/g, ''),
  );
}
