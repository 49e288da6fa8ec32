import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { text } from '../../sim/bytes.ts';
import { VirtualClock } from '../../sim/clock.ts';
import { readAll } from '../client/rest-client.ts';
import { openTestApi, type TestApi } from './test-api.ts';

const makeClock = (): VirtualClock => new VirtualClock({ startMs: Date.UTC(2026, 0, 1), settle: () => setImmediate() });
const MAPS = '/api/v1/namespaces/default/configmaps';
const PODS = '/api/v1/namespaces/default/pods';

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown> & { metadata: Record<string, unknown>; message: string; details: unknown };
}

async function send(api: TestApi, method: string, target: string, body?: unknown, type = 'application/json'): Promise<Answer> {
  const response = await api.client.raw(method, target, {
    headers: { 'content-type': type },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return { status: response.status, body: JSON.parse(text(await readAll(response.body))) as Answer['body'] };
}

const map = (name: string, more: object = {}): object => ({ metadata: { name, ...more }, data: { a: 'b' } });

describe('reads', () => {
  it('answers options that cannot be with what upstream says', async () => {
    await using api = await openTestApi({ clock: makeClock() });
    const cases: readonly (readonly [query: string, status: number, message: string])[] = [
      ['limit=x', 400, 'strconv.ParseInt: parsing "x": invalid syntax'],
      ['resourceVersion=abc', 500, 'resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax'],
      [
        'resourceVersion=abc&limit=5',
        400,
        'invalid resource version: resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax',
      ],
      [
        'resourceVersionMatch=Exact',
        422,
        'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
      ],
      [
        'resourceVersionMatch=Exact&resourceVersion=0',
        422,
        'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
      ],
      [
        'resourceVersionMatch=foo&resourceVersion=1',
        422,
        'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Unsupported value: "foo": supported values: "Exact", "NotOlderThan", ""',
      ],
      ['continue=!!', 400, 'invalid continue token: continue key is not valid: illegal base64 data at input byte 0'],
      ['labelSelector=a%20in', 400, "unable to parse requirement: found '' expected: '('"],
      ['labelSelector=%28', 400, "found '(', expected: !, identifier, or 'end of string'"],
      ['fieldSelector=a', 400, "invalid selector: 'a'; can't understand 'a'"],
      ['fieldSelector=spec.foo%3Dx', 400, '"spec.foo" is not a known field selector: only "metadata.name", "metadata.namespace"'],
    ];
    for (const [query, status, message] of cases) {
      const answer = await send(api, 'GET', `${MAPS}?${query}`);
      expect([query, answer.status, answer.body.message]).toEqual([query, status, message]);
    }
  });

  it('waits for a version that is to come, and gives up after three seconds', async () => {
    const clock = makeClock();
    await using api = await openTestApi({ clock });
    const pending = send(api, 'GET', `${MAPS}?resourceVersion=99999`);
    await clock.advance(3100);
    const { status, body } = await pending;
    expect(status).toBe(504);
    expect(body.message).toMatch(/^Timeout: Too large resource version: 99999, current: \d+$/);
    expect(body.details).toEqual({
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
      retryAfterSeconds: 1,
    });
  });

  it('gives a token that goes on when the pages of a list are compacted away', async () => {
    const clock = makeClock();
    await using api = await openTestApi({ clock });
    for (const name of ['a', 'b', 'c']) await send(api, 'POST', MAPS, map(name));
    const first = await send(api, 'GET', `${MAPS}?limit=1`);
    const token = first.body.metadata['continue'] as string;
    expect(JSON.parse(atob(token))).toMatchObject({ v: 'meta.k8s.io/v1', start: 'a\0' });
    expect(first.body.metadata['remainingItemCount']).toBe(2);
    expect((await send(api, 'GET', `${MAPS}?limit=1&continue=${token}&resourceVersion=5`)).body.message).toBe(
      'specifying resource version is not allowed when using continue',
    );
    await send(api, 'DELETE', `${MAPS}/b`);
    const second = await send(api, 'GET', `${MAPS}?limit=1&continue=${token}`);
    expect((second.body['items'] as { metadata: { name: string } }[])[0]!.metadata.name).toBe('b');
    await clock.advance(16 * 60_000);
    const late = await send(api, 'GET', `${MAPS}?limit=1&continue=${token}`);
    expect(late.status).toBe(410);
    expect(late.body.message).toMatch(/^The provided continue parameter is too old to display a consistent list result\./);
    const rest = await send(api, 'GET', `${MAPS}?limit=5&continue=${late.body.metadata['continue'] as string}`);
    expect((rest.body['items'] as { metadata: { name: string } }[]).map((item) => item.metadata.name)).toEqual(['c']);
  });
});

describe('deletes', () => {
  it('leaves no trace of a dry run', async () => {
    await using api = await openTestApi({ clock: makeClock() });
    await send(api, 'POST', MAPS, map('kept'));
    const before = await send(api, 'GET', `${MAPS}/kept`);
    expect((await send(api, 'DELETE', `${MAPS}/kept?dryRun=All`)).body).toMatchObject({ status: 'Success' });
    expect((await send(api, 'DELETE', `${MAPS}?dryRun=All`)).status).toBe(200);
    expect((await send(api, 'POST', `${MAPS}?dryRun=All`, map('new'))).status).toBe(201);
    expect((await send(api, 'PUT', `${MAPS}/kept?dryRun=All`, map('kept', { labels: { x: 'y' } }))).status).toBe(200);
    expect(await send(api, 'GET', `${MAPS}/kept`)).toEqual(before);
    expect((await send(api, 'GET', `${MAPS}/new`)).status).toBe(404);
    expect((await send(api, 'POST', `${MAPS}?dryRun=All`, map('kept'))).body.message).toBe('configmaps "kept" already exists');
  });

  it('keeps an object until its last finalizer is taken away', async () => {
    await using api = await openTestApi({ clock: makeClock() });
    await send(api, 'POST', MAPS, map('held', { finalizers: ['example.com/x'] }));
    const waiting = await send(api, 'DELETE', `${MAPS}/held`, { propagationPolicy: 'Foreground' });
    expect(waiting.body.metadata).toMatchObject({ deletionGracePeriodSeconds: 0, finalizers: ['example.com/x', 'foregroundDeletion'] });
    const again = await send(api, 'POST', MAPS, map('held'));
    expect(again.body.message).toBe('object is being deleted: configmaps "held" already exists');
    const added = await send(
      api,
      'PATCH',
      `${MAPS}/held`,
      { metadata: { finalizers: ['example.com/x', 'example.com/y'] } },
      'application/merge-patch+json',
    );
    expect(added.body.message).toBe(
      'ConfigMap "held" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"example.com/y"}',
    );
    await send(api, 'PATCH', `${MAPS}/held`, { metadata: { finalizers: null } }, 'application/merge-patch+json');
    expect((await send(api, 'GET', `${MAPS}/held`)).status).toBe(404);
  });

  it('says which object a precondition missed', async () => {
    await using api = await openTestApi({ clock: makeClock() });
    const made = await send(api, 'POST', MAPS, map('one'));
    const uid = made.body.metadata['uid'] as string;
    expect((await send(api, 'DELETE', `${MAPS}/one`, { preconditions: { uid: 'x' } })).body.message).toBe(
      `Operation cannot be fulfilled on ConfigMap "one": the UID in the precondition (x) does not match the UID in record (${uid}). The object might have been deleted and then recreated`,
    );
    const put = await send(api, 'PUT', `${MAPS}/one`, map('one', { uid: 'x' }));
    expect(put.body.message).toBe(
      `Operation cannot be fulfilled on configmaps "one": StorageError: invalid object, Code: 4, Key: /registry/configmaps/default/one, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: x, UID in object meta: ${uid}`,
    );
  });

  it('terminates a namespace, whose finalizer its controller takes away', async () => {
    await using api = await openTestApi({ clock: makeClock() });
    await send(api, 'POST', '/api/v1/namespaces', { metadata: { name: 'gone' } });
    const { body } = await send(api, 'DELETE', '/api/v1/namespaces/gone');
    expect(body['status']).toEqual({ phase: 'Terminating' });
    expect(body.metadata['deletionGracePeriodSeconds']).toBeUndefined();
    expect((await send(api, 'POST', '/api/v1/namespaces/gone/configmaps', map('late'))).body.message).toBe(
      'configmaps "late" is forbidden: unable to create new content in namespace gone because it is being terminated',
    );
    const { body: now } = await send(api, 'GET', '/api/v1/namespaces/gone');
    await send(api, 'PUT', '/api/v1/namespaces/gone/finalize', { ...now, spec: { finalizers: [] } });
    expect((await send(api, 'GET', '/api/v1/namespaces/gone')).status).toBe(404);
  });
});

describe('evictions', () => {
  it('are refused when a budget would be broken, and spend it otherwise', async () => {
    await using api = await openTestApi({ clock: makeClock() });
    const labels = { app: 'web' };
    await send(api, 'POST', PODS, { metadata: { name: 'web', labels }, spec: { containers: [{ name: 'c', image: 'nginx' }] } });
    await send(
      api,
      'PATCH',
      `${PODS}/web/status`,
      { status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } },
      'application/merge-patch+json',
    );
    const budgets = '/apis/policy/v1beta1/namespaces/default/poddisruptionbudgets';
    await send(api, 'POST', budgets, { metadata: { name: 'pdb' }, spec: { minAvailable: 1, selector: { matchLabels: labels } } });
    const evict = (): Promise<Answer> =>
      send(api, 'POST', `${PODS}/web/eviction`, { kind: 'Eviction', apiVersion: 'policy/v1beta1', metadata: { name: 'web' } });
    expect((await evict()).body.details).toEqual({
      causes: [{ reason: 'DisruptionBudget', message: 'The disruption budget pdb is still being processed by the server.' }],
      retryAfterSeconds: 10,
    });
    const set = (disruptionsAllowed: number): Promise<Answer> =>
      send(
        api,
        'PATCH',
        `${budgets}/pdb/status`,
        { status: { observedGeneration: 1, disruptionsAllowed, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 } },
        'application/merge-patch+json',
      );
    await set(0);
    const refused = await evict();
    expect([refused.status, refused.body.message]).toEqual([429, "Cannot evict pod as it would violate the pod's disruption budget."]);
    expect(refused.body.details).toEqual({
      causes: [{ reason: 'DisruptionBudget', message: 'The disruption budget pdb needs 1 healthy pods and has 1 currently' }],
    });
    await set(1);
    expect((await send(api, 'POST', `${PODS}/web/eviction?dryRun=All`, { metadata: { name: 'web' } })).status).toBe(201);
    expect((await send(api, 'GET', `${PODS}/web`)).status).toBe(200);
    expect((await evict()).status).toBe(201);
    expect((await send(api, 'GET', `${PODS}/web`)).status).toBe(404);
    const { body } = await send(api, 'GET', `${budgets}/pdb`);
    expect(body['status']).toMatchObject({ disruptionsAllowed: 0 });
  });
});

describe('watches', () => {
  interface Event {
    readonly type: string;
    readonly object: { readonly metadata: Record<string, unknown>; readonly message?: string };
  }
  const watch = async (api: TestApi, query: string): Promise<readonly Event[]> => {
    const response = await api.client.raw('GET', `${MAPS}?watch=1&${query}`, {});
    const lines = text(await readAll(response.body)).split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Event);
  };

  it('show what leaves a selection as it was, with the version of the change', async () => {
    const clock = makeClock();
    await using api = await openTestApi({ clock });
    await send(api, 'POST', MAPS, map('one', { labels: { team: 'a' } }));
    const events = watch(api, 'labelSelector=team%3Da&timeoutSeconds=5');
    await clock.settle();
    const moved = await send(api, 'PATCH', `${MAPS}/one`, { metadata: { labels: { team: 'b' } } }, 'application/merge-patch+json');
    await send(api, 'PATCH', `${MAPS}/one`, { metadata: { labels: { team: 'a' } } }, 'application/merge-patch+json');
    await clock.advance(6000);
    const told = await events;
    expect(told.map(({ type }) => type)).toEqual(['ADDED', 'DELETED', 'ADDED']);
    expect(told[1]!.object.metadata).toMatchObject({ labels: { team: 'a' }, resourceVersion: moved.body.metadata['resourceVersion'] });
  });

  it('mark the place every minute and shortly before the end, and tell of a past that is gone', async () => {
    const clock = makeClock();
    await using api = await openTestApi({ clock });
    const start = (await send(api, 'GET', MAPS)).body.metadata['resourceVersion'] as string;
    const events = watch(api, `resourceVersion=${start}&allowWatchBookmarks=true&timeoutSeconds=100`);
    await clock.settle();
    const { body } = await send(api, 'POST', MAPS, map('one'));
    await clock.advance(101_000);
    const told = await events;
    expect(told.map(({ type }) => type)).toEqual(['ADDED', 'BOOKMARK', 'BOOKMARK']);
    expect(told[1]!.object).toEqual({
      kind: 'ConfigMap',
      apiVersion: 'v1',
      metadata: { resourceVersion: body.metadata['resourceVersion'], creationTimestamp: null },
    });
    // What is older than a minute and a quarter is dropped when there is more than a little of it.
    for (let n = 0; n < 250; n++) await send(api, 'PUT', `${MAPS}/one`, map('one', { labels: { n: String(n) } }));
    await clock.advance(80_000);
    await send(api, 'POST', MAPS, map('two'));
    const gone = await watch(api, `resourceVersion=${start}&timeoutSeconds=1`);
    expect(gone[0]).toMatchObject({ type: 'ERROR', object: { code: 410, reason: 'Expired' } });
    expect(gone[0]!.object.message).toMatch(new RegExp(`^too old resource version: ${start} \\(\\d+\\)$`));
  });
});
