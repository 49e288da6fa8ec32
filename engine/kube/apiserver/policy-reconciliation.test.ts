import { describe, expect, it } from 'vitest';
import type { ApiObject } from '../registry/definition.ts';
import { bootstrapPolicy } from './bootstrap-policy.ts';
import { reconciled } from './policy-reconciliation.ts';

const find = (resource: string, name: string): ApiObject =>
  bootstrapPolicy().find((each) => each.resource === resource && (each.object['metadata'] as { name: string }).name === name)!
    .object as ApiObject;

describe('the first roles and bindings when a server starts', () => {
  const role = find('clusterroles', 'system:node-problem-detector');
  const rules = role['rules'] as readonly unknown[];

  it('leaves what is whole as it is', () => {
    for (const { object } of bootstrapPolicy()) expect(reconciled(object as ApiObject, object as ApiObject)).toBeUndefined();
  });
  it('puts back what was taken and keeps what was added', () => {
    const extra = { verbs: ['get'], apiGroups: [''], resources: ['pods'] };
    const changed = { ...role, rules: [extra, ...rules.slice(1)] };
    expect((reconciled(changed, role) as ApiObject)['rules']).toEqual([extra, ...rules.slice(1), rules[0]]);
    const binding = find('clusterrolebindings', 'cluster-admin');
    const own = [{ kind: 'User', name: 'jane' }];
    expect((reconciled({ ...binding, subjects: own }, binding) as ApiObject)['subjects']).toEqual([
      ...own,
      ...(binding['subjects'] as unknown[]),
    ]);
  });
  it('leaves alone what is marked so, and replaces a binding to another role', () => {
    const annotations = { 'rbac.authorization.kubernetes.io/autoupdate': 'false' };
    expect(reconciled({ ...role, rules: [], metadata: { ...role.metadata, annotations } }, role)).toBeUndefined();
    const binding = find('clusterrolebindings', 'system:kube-dns');
    expect(reconciled({ ...binding, roleRef: { apiGroup: 'x', kind: 'ClusterRole', name: 'other' } }, binding)).toBe('replace');
  });
});
