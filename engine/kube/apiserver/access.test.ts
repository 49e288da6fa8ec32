import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../sim/clock.ts';
import { SeededRng } from '../../sim/rng.ts';
import { allows, type PolicyRule } from './rbac.ts';
import { missingRules } from '../machinery/policy-rules.ts';
import { compacted } from './rbac-escalation.ts';
import { openTestApi, type TestApi } from './test-api.ts';

const TOKENS = ['admin-token,admin,1,"system:masters"', 'jane-token,jane,2,"devs,qa"', 'boss-token,boss,3', 'other-token,other,4'].join(
  '\n',
);

let api: TestApi;
beforeEach(async () => {
  const clock = new VirtualClock({ startMs: Date.parse('2026-01-01T00:00:00Z'), settle: () => setImmediate() as Promise<void> });
  api = await openTestApi({ clock, authorizationModes: ['Node', 'RBAC'], tokenFile: TOKENS });
});
afterEach(async () => {
  await api[Symbol.asyncDispose]();
});

interface Answer {
  readonly status: number;
  readonly body: { readonly message?: string; readonly reason?: string; readonly status?: unknown } & Record<string, unknown>;
}

async function ask(
  user: string | undefined,
  method: string,
  target: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const client = api.clientAs(user === undefined ? {} : { token: `${user}-token` });
  const response = await client.raw(method, target, {
    headers: { 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const chunks: Uint8Array[] = [];
  for (let chunk = await response.body.read(); chunk !== undefined; chunk = await response.body.read()) chunks.push(chunk);
  const text = new TextDecoder().decode(Buffer.concat(chunks));
  client.close();
  return { status: response.status, body: text.startsWith('{') ? (JSON.parse(text) as Answer['body']) : { message: text } };
}

const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const role = (name: string, rules: readonly PolicyRule[]): unknown => ({
  kind: 'Role',
  apiVersion: 'rbac.authorization.k8s.io/v1',
  metadata: { name },
  rules,
});
const binding = (name: string, roleRef: { kind: string; name: string }, user: string): unknown => ({
  kind: 'RoleBinding',
  apiVersion: 'rbac.authorization.k8s.io/v1',
  metadata: { name },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', ...roleRef },
  subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: user }],
});

describe('who asks', () => {
  it('knows no bad token and answers 401 as the real server', async () => {
    expect(await ask('nosuch', 'GET', '/api/v1/pods')).toEqual({
      status: 401,
      body: {
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Failure',
        message: 'Unauthorized',
        reason: 'Unauthorized',
        code: 401,
      },
    });
  });

  const refusals: readonly (readonly [user: string | undefined, method: string, target: string, message: string])[] = [
    [
      'jane',
      'GET',
      '/api/v1/namespaces/default/pods',
      'pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "default"',
    ],
    [
      'jane',
      'GET',
      '/api/v1/nodes/w1',
      'nodes "w1" is forbidden: User "jane" cannot get resource "nodes" in API group "" at the cluster scope',
    ],
    [
      'jane',
      'GET',
      '/api/v1/namespaces/default',
      'namespaces "default" is forbidden: User "jane" cannot get resource "namespaces" in API group "" in the namespace "default"',
    ],
    [
      'jane',
      'GET',
      '/apis/apps/v1/namespaces/x/deployments/d/scale',
      'deployments.apps "d" is forbidden: User "jane" cannot get resource "deployments/scale" in API group "apps" in the namespace "x"',
    ],
    [undefined, 'GET', '/metrics', 'forbidden: User "system:anonymous" cannot get path "/metrics"'],
    [undefined, 'GET', '/<script>', 'forbidden: User "system:anonymous" cannot get path "/&lt;script&gt;"'],
  ];
  for (const [user, method, target, message] of refusals) {
    it(`refuses ${method} ${target} to ${user ?? 'nobody'}`, async () => {
      const answer = await ask(user, method, target);
      expect([answer.status, answer.body.message]).toEqual([403, message]);
    });
  }
});

describe('impersonation', () => {
  it('is for those who may', async () => {
    const as = (user: string, headers: Record<string, string>): Promise<Answer> => ask(user, 'GET', '/api/v1/pods', undefined, headers);
    expect((await as('jane', { 'impersonate-user': 'boss' })).body.message).toBe(
      'users "boss" is forbidden: User "jane" cannot impersonate resource "users" in API group "" at the cluster scope',
    );
    expect((await as('admin', { 'impersonate-user': 'bob' })).body.message).toContain('User "bob" cannot list resource "pods"');
    expect((await as('admin', { 'impersonate-user': 'bob', 'impersonate-group': 'system:masters' })).status).toBe(200);
    expect((await as('admin', { 'impersonate-user': 'system:serviceaccount:kube-system:x' })).body.message).toContain(
      'User "system:serviceaccount:kube-system:x" cannot',
    );
    expect(await as('admin', { 'impersonate-group': 'dev' })).toEqual({
      status: 500,
      body: { message: 'Internal Server Error: "/api/v1/pods": requested [{Group  dev    }] without impersonating a user\n' },
    });
  });
});

describe('RBAC', () => {
  it('lets nobody grant what he does not hold', async () => {
    const all = { verbs: ['create', 'get', 'update'], apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles', 'rolebindings'] };
    await ask(
      'admin',
      'POST',
      `${RBAC}/namespaces/default/roles`,
      role('granter', [all, { verbs: ['get'], apiGroups: [''], resources: ['pods'] }]),
    );
    await ask('admin', 'POST', `${RBAC}/namespaces/default/rolebindings`, binding('granter', { kind: 'Role', name: 'granter' }, 'boss'));
    const wanted = role('r', [
      { verbs: ['get', 'list'], apiGroups: [''], resources: ['pods', 'secrets'] },
      { verbs: ['get'], apiGroups: ['apps'], resources: ['deployments'], resourceNames: ['web'] },
    ]);
    const refused = await ask('boss', 'POST', `${RBAC}/namespaces/default/roles`, wanted);
    expect([refused.status, refused.body.message]).toEqual([
      403,
      `roles.rbac.authorization.k8s.io "r" is forbidden: user "boss" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:
{APIGroups:[""], Resources:["pods"], Verbs:["list"]}
{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list"]}
{APIGroups:["apps"], Resources:["deployments"], ResourceNames:["web"], Verbs:["get"]}`,
    ]);
    expect(
      (
        await ask(
          'boss',
          'POST',
          `${RBAC}/namespaces/default/roles`,
          role('ok', [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }]),
        )
      ).status,
    ).toBe(201);
    const bind = await ask(
      'boss',
      'POST',
      `${RBAC}/namespaces/default/rolebindings`,
      binding('b', { kind: 'ClusterRole', name: 'cluster-admin' }, 'other'),
    );
    expect(bind.body.message).toContain('\n{APIGroups:["*"], Resources:["*"], Verbs:["*"]}\n{NonResourceURLs:["*"], Verbs:["*"]}');
    const missing = await ask(
      'boss',
      'POST',
      `${RBAC}/namespaces/default/rolebindings`,
      binding('b', { kind: 'Role', name: 'nosuch' }, 'other'),
    );
    expect([missing.status, missing.body.message]).toEqual([404, 'roles.rbac.authorization.k8s.io "nosuch" not found']);
  });

  it('tells of roles that are missing, and of what allowed a request', async () => {
    await ask('admin', 'POST', `${RBAC}/namespaces/default/rolebindings`, binding('b', { kind: 'Role', name: 'nosuch' }, 'jane'));
    expect((await ask('jane', 'GET', '/api/v1/namespaces/default/pods')).body.message).toBe(
      'pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "default": RBAC: role.rbac.authorization.k8s.io "nosuch" not found',
    );
    const review = (spec: unknown): unknown => ({ kind: 'SubjectAccessReview', apiVersion: 'authorization.k8s.io/v1', spec });
    const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
    const at = { verb: 'create', group: 'authorization.k8s.io', resource: 'selfsubjectaccessreviews' };
    expect(
      (await ask('admin', 'POST', path, review({ user: 'x', groups: ['system:authenticated'], resourceAttributes: at }))).body.status,
    ).toEqual({
      allowed: true,
      reason: 'RBAC: allowed by ClusterRoleBinding "system:basic-user" of ClusterRole "system:basic-user" to Group "system:authenticated"',
    });
    expect((await ask('admin', 'POST', path, review({ user: 'x' }))).body.message).toBe(
      'SubjectAccessReview.authorization.k8s.io "" is invalid: spec.resourceAttributes: Invalid value: "null": exactly one of nonResourceAttributes or resourceAttributes must be specified',
    );
  });

  it('answers questions that make no sense with a Status', async () => {
    const reviews = '/apis/authorization.k8s.io/v1';
    for (const [path, body, status] of [
      [`${reviews}/subjectaccessreviews`, { spec: { user: 'x', groups: 5, resourceAttributes: {} } }, 400],
      [`${reviews}/subjectaccessreviews`, { spec: 'x' }, 400],
      [`${reviews}/selfsubjectaccessreviews`, [], 400],
      [`${reviews}/selfsubjectaccessreviews`, { spec: {} }, 422],
      [`${reviews}/selfsubjectrulesreviews`, { spec: {} }, 400],
      [`${reviews}/namespaces/default/localsubjectaccessreviews`, { spec: { user: 'x', resourceAttributes: { namespace: 'other' } } }, 422],
      ['/apis/authentication.k8s.io/v1/tokenreviews', { spec: {} }, 400],
      ['/apis/authentication.k8s.io/v1/tokenreviews', { spec: { token: 7 } }, 400],
    ] as const) {
      const answer = await ask('admin', 'POST', path, body);
      expect([path, answer.status, answer.body['kind']]).toEqual([path, status, 'Status']);
    }
  });

  it('agrees with a slow and plain reading of the rules', () => {
    const rng = new SeededRng(11);
    const pick = <T>(list: readonly T[]): T => list[rng.int(list.length)]!;
    const some = (list: readonly string[]): string[] => list.filter(() => rng.int(3) === 0);
    const [groups, resources, verbs, names] = [
      ['', 'apps', '*'],
      ['pods', 'pods/log', '*', '*/scale', 'deployments'],
      ['get', 'list', '*'],
      ['a', 'b'],
    ];
    for (let round = 0; round < 3000; round++) {
      const rule = { verbs: some(verbs), apiGroups: some(groups), resources: some(resources), resourceNames: some(names) };
      const at = {
        isResource: true,
        verb: pick(['get', 'list', 'delete']),
        group: pick(['', 'apps', 'batch']),
        resource: pick(['pods', 'deployments', 'jobs']),
        subresource: pick(['', 'log', 'scale']),
        namespace: '',
        name: pick(['', 'a', 'c']),
        path: '',
      };
      let isAllowed = false;
      for (const verb of rule.verbs)
        for (const group of rule.apiGroups)
          for (const resource of rule.resources)
            for (const name of rule.resourceNames.length === 0 ? [undefined] : rule.resourceNames) {
              const [kind, sub] = resource === '*' ? [undefined, undefined] : (resource.split('/') as [string, string | undefined]);
              const isSame =
                resource === '*' ||
                (kind === '*' ? at.subresource !== '' && sub === at.subresource : kind === at.resource && (sub ?? '') === at.subresource);
              if (
                (verb === '*' || verb === at.verb) &&
                (group === '*' || group === at.group) &&
                isSame &&
                (name === undefined || name === at.name)
              )
                isAllowed = true;
            }
      expect([rule, at, allows(rule, at)]).toEqual([rule, at, isAllowed]);
      // Whoever holds a rule may hand it out.
      expect(missingRules([rule], [rule])).toEqual([]);
    }
    expect(
      compacted([
        { verbs: ['get'], apiGroups: [''], resources: ['a'] },
        { verbs: ['list'], apiGroups: [''], resources: ['a'] },
      ]),
    ).toEqual([{ verbs: ['get', 'list'], apiGroups: [''], resources: ['a'] }]);
  });
});
