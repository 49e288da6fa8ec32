// Models kustomize's transformers of names, namespaces, labels and annotations.

import { goSyntax, isObject, type JsonObject } from '../kube/machinery/go-values.ts';
import { KustomizeError } from './error.ts';
import { isClusterKind, isSelected } from './gvk.ts';
import { keysOf, mutateField, type FieldSpec } from './mutate.ts';
import type { NameReference } from './references.ts';
import { idText, isSameObject, nameOf, reachable, type ResId, type Resource } from './resource.ts';

type Log = (text: string) => void;

function eachField(resource: Resource, specs: readonly FieldSpec[], log: Log, change: (value: unknown) => unknown): void {
  for (const spec of specs) {
    if (!isSelected(resource.id.gvk, spec)) continue;
    mutateField(resource.object, keysOf(spec.path), { create: spec.create ?? false, log }, change);
  }
}

export function setNamespace(resources: readonly Resource[], namespace: string, specs: readonly FieldSpec[], log: Log): void {
  if (namespace === '') return;
  for (const resource of resources) {
    if (isClusterKind(resource.id.gvk)) continue;
    eachField(resource, specs, log, () => namespace);
    resource.id = { ...resource.id, namespace };
  }
  moveSubjects(resources, namespace);
}

/** Service accounts that bindings name move with them; `default` is in every namespace. */
function moveSubjects(resources: readonly Resource[], namespace: string): void {
  const accounts = resources.filter(({ id: { gvk } }) => gvk.group === '' && gvk.version === 'v1' && gvk.kind === 'ServiceAccount');
  const names = new Set(['default', ...accounts.map(({ id }) => id.name)]);
  for (const { id, object } of resources) {
    if (id.gvk.kind !== 'ClusterRoleBinding' && id.gvk.kind !== 'RoleBinding') continue;
    const subjects = object['subjects'];
    if (!Array.isArray(subjects)) continue;
    for (const subject of subjects as unknown[]) {
      if (isObject(subject) && subject['kind'] === 'ServiceAccount' && names.has(String(subject['name']))) subject['namespace'] = namespace;
    }
  }
}

export function addAffixes(
  resources: readonly Resource[],
  affixes: { readonly prefix: string; readonly suffix: string },
  specs: readonly FieldSpec[],
  log: Log,
): void {
  const { prefix, suffix } = affixes;
  if (prefix === '' && suffix === '') return;
  for (const resource of resources) {
    if (resource.id.gvk.kind === 'CustomResourceDefinition') continue;
    eachField(resource, specs, log, (value) => {
      if (typeof value !== 'string') throw new KustomizeError(`${goSyntax(value)} is expected to be string`);
      return `${prefix}${value}${suffix}`;
    });
    resource.id = withAffixes(resource.id, prefix, suffix);
  }
}

function withAffixes(id: ResId, prefix: string, suffix: string): ResId {
  const join = (a: string, b: string): string => (a === '' || b === '' ? a + b : `${a}:${b}`);
  return { ...id, prefix: join(prefix, id.prefix), suffix: join(id.suffix, suffix) };
}

/** Labels or annotations. */
export function addToMaps(
  resources: readonly Resource[],
  added: Readonly<Record<string, string>> | undefined,
  specs: readonly FieldSpec[],
  log: Log,
): void {
  if (added === undefined) return;
  for (const resource of resources) {
    eachField(resource, specs, log, (value) => {
      if (!isObject(value)) throw new KustomizeError(`${goSyntax(value)} is expected to be map[string]interface {}`);
      return { ...value, ...added };
    });
  }
}

/** Names in other objects follow the names that have changed. */
export function followNames(resources: readonly Resource[], references: readonly NameReference[], log: Log): void {
  for (const resource of resources) {
    for (const reference of references) {
      const specs = reference.fields;
      if (!specs.some((spec) => isSelected(resource.id.gvk, spec))) continue;
      const targets = reachable(resources, resource.id).filter(({ id }) => isSelected(id.gvk, selectorOf(reference)));
      eachField(resource, specs, log, (value) => renamed(value, targets));
    }
  }
}

function selectorOf({ group, version, kind }: NameReference): { group: string; version: string; kind: string } {
  return { group: group ?? '', version: version ?? '', kind };
}

function renamed(value: unknown, targets: readonly Resource[]): unknown {
  if (typeof value === 'string') return newName(value, targets, '\n  ') ?? value;
  if (!Array.isArray(value)) throw new KustomizeError(`${goSyntax(value)} is expected to be either a string or a []interface{}`);
  const names = (value as unknown[]).map((item) => {
    if (typeof item !== 'string') throw new KustomizeError(`${goSyntax(item)} is expected to be string`);
    return item;
  });
  // One object is followed per list.
  const found = names.find((name) => targets.some(({ id }) => id.name === name));
  if (found === undefined) return value;
  const name = newName(found, targets, '\n ') ?? found;
  return names.map((each) => (each === found ? name : each));
}

function newName(name: string, targets: readonly Resource[], gap: string): string | undefined {
  const target = targets.find(({ id }) => id.name === name);
  if (target === undefined) return undefined;
  const same = targets.filter(({ id }) => isSameObject(id, target.id));
  if (same.length > 1) {
    throw new KustomizeError(`Multiple matches for name ${idText(target.id)}:${gap}[${same.map(({ id }) => idText(id)).join(' ')}]`);
  }
  return nameOf(target.object as JsonObject);
}
