// Models how RBAC compares rules: taken apart into single verbs and resources, each covered by a rule or not.

export interface PolicyRule {
  readonly verbs: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
}

/** Of `wanted`, in single verbs and resources, what `held` does not cover. */
export function missingRules(held: readonly PolicyRule[], wanted: readonly PolicyRule[]): readonly PolicyRule[] {
  return wanted.flatMap(brokenDown).filter((each) => !held.some((rule) => covers(rule, each)));
}

function brokenDown(rule: PolicyRule): readonly PolicyRule[] {
  const out: PolicyRule[] = [];
  for (const group of rule.apiGroups ?? []) {
    for (const resource of rule.resources ?? []) {
      for (const verb of rule.verbs) {
        const one = { verbs: [verb], apiGroups: [group], resources: [resource] };
        if ((rule.resourceNames ?? []).length === 0) out.push(one);
        else for (const name of rule.resourceNames!) out.push({ ...one, resourceNames: [name] });
      }
    }
  }
  for (const url of rule.nonResourceURLs ?? []) for (const verb of rule.verbs) out.push({ verbs: [verb], nonResourceURLs: [url] });
  return out;
}

function covers(owner: PolicyRule, one: PolicyRule): boolean {
  const all = (have: readonly string[] | undefined, want: readonly string[] | undefined): boolean =>
    have?.includes('*') === true || (want ?? []).every((each) => have?.includes(each) === true);
  if (!all(owner.verbs, one.verbs) || !all(owner.apiGroups, one.apiGroups)) return false;
  const resources = owner.resources ?? [];
  const coversResource = (resource: string): boolean => {
    const slash = resource.indexOf('/');
    return resources.includes('*') || resources.includes(resource) || (slash >= 0 && resources.includes(`*/${resource.slice(slash + 1)}`));
  };
  if (!(one.resources ?? []).every(coversResource)) return false;
  const coversUrl = (url: string): boolean =>
    (owner.nonResourceURLs ?? []).some((own) => own === url || (own.endsWith('*') && url.startsWith(own.replace(/\*+$/, ''))));
  if (!(one.nonResourceURLs ?? []).every(coversUrl)) return false;
  const names = owner.resourceNames ?? [];
  if ((one.resourceNames ?? []).length === 0) return names.length === 0;
  return names.length === 0 || one.resourceNames!.every((name) => names.includes(name));
}
