// Models how kubectl shows rules of RBAC: taken apart, put together again by resource, and sorted (kubectl's pkg/util/rbac).

import { at } from '../commands/common.ts';
import { objects, text } from '../describe/values.ts';
import type { JsonObject } from '../printers/json.ts';

export interface ShownRule {
  /** `pods/log`, or `deployments.apps`; empty for rules about URLs. */
  readonly resource: string;
  readonly urls: readonly string[];
  readonly names: readonly string[];
  readonly verbs: readonly string[];
}

interface Rule {
  readonly groups: readonly string[];
  readonly resources: readonly string[];
  readonly urls: readonly string[];
  readonly names: readonly string[];
  readonly verbs: string[];
}

/** Rules as `describe role` and `auth can-i --list` show them. */
export function shownRules(rules: readonly JsonObject[]): readonly ShownRule[] {
  return compacted(rules.flatMap(brokenDown))
    .map((rule) => ({ rule, key: sortKey(rule) }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ rule }) => ({ resource: resourceOf(rule), urls: rule.urls, names: rule.names, verbs: rule.verbs }));
}

/** Go's form of a list of strings. */
export function goList(values: readonly string[]): string {
  return `[${values.join(' ')}]`;
}

/** One verb, one resource and one name each. */
function brokenDown(rule: JsonObject): readonly Rule[] {
  const list = (key: string): readonly string[] => (Array.isArray(at(rule, key)) ? (at(rule, key) as unknown[]).map(text) : []);
  const names = list('resourceNames');
  const parts: Rule[] = [];
  for (const group of list('apiGroups'))
    for (const resource of list('resources'))
      for (const verb of list('verbs'))
        for (const own of names.length === 0 ? [[]] : names.map((name) => [name]))
          parts.push({ groups: [group], resources: [resource], urls: [], names: own, verbs: [verb] });
  for (const url of list('nonResourceURLs'))
    for (const verb of list('verbs')) parts.push({ groups: [], resources: [], urls: [url], names: [], verbs: [verb] });
  return parts;
}

function compacted(rules: readonly Rule[]): readonly Rule[] {
  const complex: Rule[] = [];
  const simple = new Map<string, Rule>();
  for (const rule of rules) {
    if (rule.urls.length > 0) {
      complex.push(rule);
      continue;
    }
    const key = JSON.stringify([rule.groups, rule.resources, rule.names]);
    const known = simple.get(key);
    if (known === undefined) simple.set(key, { ...rule, verbs: [...rule.verbs] });
    else for (const verb of rule.verbs) if (!known.verbs.includes(verb)) known.verbs.push(verb);
  }
  return [...complex, ...simple.values()];
}

/** The generated String() of a PolicyRule. */
function sortKey({ verbs, groups, resources, names, urls }: Rule): string {
  return `Verbs:${goList(verbs)},APIGroups:${goList(groups)},Resources:${goList(resources)},ResourceNames:${goList(names)},NonResourceURLs:${goList(urls)},`;
}

function resourceOf({ resources, groups }: Rule): string {
  const [resource] = resources;
  if (resource === undefined) return '';
  const [name, ...subresource] = resource.split('/');
  const group = groups[0] === undefined || groups[0] === '' ? '' : `.${groups[0]}`;
  return [`${name}${group}`, ...(subresource.length === 0 ? [] : [subresource.join('/')])].join('/');
}

export function rulesOf(role: JsonObject): readonly JsonObject[] {
  return objects(role['rules']);
}
