// Models how the server brings its first roles and bindings up to date when it starts.

import { isDeepEqual } from '../machinery/deep.ts';
import type { ApiObject } from '../registry/definition.ts';
import type { PolicyRule } from './rbac.ts';
import { missingRules } from '../machinery/policy-rules.ts';

const AUTO_UPDATE = 'rbac.authorization.kubernetes.io/autoupdate';

interface Subject {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
  readonly apiGroup?: string;
}

/** The object as it should be; undefined when it is well; `replace` when it points to another role, which no update can change. */
export function reconciled(current: ApiObject, expected: ApiObject): ApiObject | 'replace' | undefined {
  if (current.metadata.annotations?.[AUTO_UPDATE] === 'false') return undefined;
  if (expected['roleRef'] !== undefined && !isDeepEqual(expected['roleRef'], current['roleRef'])) return 'replace';
  const metadata = {
    ...current.metadata,
    labels: { ...expected.metadata.labels, ...current.metadata.labels },
    annotations: { ...expected.metadata.annotations, ...current.metadata.annotations },
  };
  const next: ApiObject = { ...current, metadata };
  if (expected['roleRef'] !== undefined) {
    const have = (current['subjects'] ?? []) as readonly Subject[];
    const missing = ((expected['subjects'] ?? []) as readonly Subject[]).filter((subject) => !have.some((each) => isSame(each, subject)));
    if (missing.length > 0) next['subjects'] = [...have, ...missing];
  } else if (expected['aggregationRule'] !== undefined) {
    // Its rules are gathered by a controller.
    if (!isDeepEqual(current['aggregationRule'], expected['aggregationRule'])) next['aggregationRule'] = expected['aggregationRule'];
  } else {
    const have = (current['rules'] ?? []) as readonly PolicyRule[];
    const missing = missingRules(have, (expected['rules'] ?? []) as readonly PolicyRule[]);
    if (missing.length > 0) next['rules'] = [...have, ...missing];
  }
  return isDeepEqual(next, current) ? undefined : next;
}

function isSame(a: Subject, b: Subject): boolean {
  return a.kind === b.kind && a.name === b.name && (a.namespace ?? '') === (b.namespace ?? '');
}
