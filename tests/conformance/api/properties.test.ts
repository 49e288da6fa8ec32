import fc from 'fast-check';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { openTestApi, type TestApi } from '../../../engine/kube/apiserver/test-api.ts';
import { readAll } from '../../../engine/kube/client/rest-client.ts';
import type { KubeObject } from '../../../engine/kube/machinery/types.ts';
import { text } from '../../../engine/sim/bytes.ts';
import { VirtualClock } from '../../../engine/sim/clock.ts';

interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}
interface List {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string; readonly remainingItemCount?: number };
  readonly items: readonly ConfigMap[];
}
interface Event {
  readonly type: string;
  readonly object: ConfigMap;
}

const BASE = '/api/v1/namespaces/default/configmaps';
const JSON_TYPE = { 'content-type': 'application/json' };
const makeClock = (): VirtualClock => new VirtualClock({ startMs: Date.UTC(2026, 0, 1), settle: () => setImmediate() });

const write = fc.oneof(
  { weight: 4, arbitrary: fc.record({ op: fc.constant('put' as const), name: fc.nat(5), team: fc.constantFrom('a', 'b') }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('delete' as const), name: fc.nat(5) }) },
);
type Write = typeof write extends fc.Arbitrary<infer T> ? T : never;

async function send(api: TestApi, method: string, target: string, body?: unknown): Promise<{ status: number; body: unknown }> {
  const response = await api.client.raw(method, target, {
    headers: JSON_TYPE,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: JSON.parse(text(await readAll(response.body))) as unknown };
}

async function list(api: TestApi, query = ''): Promise<List> {
  const { status, body } = await send(api, 'GET', `${BASE}${query}`);
  expect(status).toBe(200);
  return body as List;
}

let count = 0;

/** Creates or changes; who is too late tries again. */
async function carryOut(api: TestApi, each: Write): Promise<void> {
  const name = `cm-${each.name}`;
  if (each.op === 'delete') {
    await send(api, 'DELETE', `${BASE}/${name}`);
    return;
  }
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels: { team: each.team } }, data: { n: String(count++) } };
  const { status } = await send(api, 'POST', BASE, object);
  if (status === 409) await send(api, 'PUT', `${BASE}/${name}`, object);
}

/** Everything a watch tells until it ends by itself. */
async function watch(api: TestApi, from: string, selector: string): Promise<readonly Event[]> {
  const response = await api.client.raw('GET', `${BASE}?watch=true&resourceVersion=${from}&timeoutSeconds=5${selector}`, {});
  const lines = text(await readAll(response.body)).trim().split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Event);
}

const keyed = (items: readonly ConfigMap[]): Record<string, ConfigMap> =>
  Object.fromEntries(items.map(({ kind: _kind, apiVersion: _apiVersion, ...item }) => [item.metadata.name, item as ConfigMap]));

describe('the API server under concurrent writers', () => {
  it('tells every watch what makes the list it started from the list there is, with and without a selector', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(write, { maxLength: 6 }), { minLength: 1, maxLength: 4 }), async (writers) => {
        const clock = makeClock();
        await using api = await openTestApi({ clock });
        const watches: { start: List; selector: string; events: Promise<readonly Event[]> }[] = [];
        const begin = async (selector: string): Promise<void> => {
          const start = await list(api, selector === '' ? '' : `?${selector.slice(1)}`);
          watches.push({ start, selector, events: watch(api, start.metadata.resourceVersion, selector) });
        };
        const work = writers.map(async (steps, index) => {
          for (const each of steps) {
            if (index === 0) await begin('');
            if (index === 1) await begin('&labelSelector=team%3Da');
            await carryOut(api, each);
          }
        });
        await begin('');
        await begin('&labelSelector=team%3Da');
        await begin('&fieldSelector=metadata.name%3Dcm-1');
        await Promise.all(work);
        await clock.settle();
        const ends = await Promise.all(watches.map(({ selector }) => list(api, selector === '' ? '' : `?${selector.slice(1)}`)));
        await clock.advance(6000);
        for (const [index, { start, events }] of watches.entries()) {
          const objects = keyed(start.items);
          let version = Number(start.metadata.resourceVersion);
          for (const { type, object } of await events) {
            const { kind: _kind, apiVersion: _apiVersion, ...item } = object;
            expect(Number(object.metadata.resourceVersion)).toBeGreaterThan(version);
            version = Number(object.metadata.resourceVersion);
            expect(type).toBe(type === 'DELETED' ? 'DELETED' : object.metadata.name in objects ? 'MODIFIED' : 'ADDED');
            if (type === 'DELETED') {
              expect(objects).toHaveProperty([object.metadata.name]);
              Reflect.deleteProperty(objects, object.metadata.name);
            } else objects[object.metadata.name] = item as ConfigMap;
          }
          expect(objects).toEqual(keyed(ends[index]!.items));
        }
      }),
      { numRuns: 12 },
    );
  });

  it('lets one writer win on one version, and every success has a version of its own', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 6 }), fc.integer({ min: 1, max: 5 }), async (writers, rounds) => {
        await using api = await openTestApi({ clock: makeClock() });
        const seen = new Set<string>();
        let current = (await send(api, 'POST', BASE, { metadata: { name: 'one' }, data: {} })).body as ConfigMap;
        for (let round = 0; round < rounds; round++) {
          const answers = await Promise.all(
            Array.from({ length: writers }, (_, index) => send(api, 'PUT', `${BASE}/one`, { ...current, data: { who: `${round}-${index}` } })),
          );
          const won = answers.filter(({ status }) => status === 200);
          expect(won).toHaveLength(1);
          expect(answers.filter(({ status }) => status === 409)).toHaveLength(writers - 1);
          const next = won[0]!.body as ConfigMap;
          expect(Number(next.metadata.resourceVersion)).toBeGreaterThan(Number(current.metadata.resourceVersion));
          expect(seen.has(next.metadata.resourceVersion)).toBe(false);
          seen.add(next.metadata.resourceVersion);
          current = next;
        }
        expect((await send(api, 'GET', `${BASE}/one`)).body).toEqual(current);
      }),
      { numRuns: 8 },
    );
  });

  it('pages through the list as it was at the first page, whatever is written in between', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(write, { minLength: 4, maxLength: 12 }),
        fc.array(write, { maxLength: 12 }),
        fc.integer({ min: 1, max: 3 }),
        fc.constantFrom('', '&labelSelector=team%3Da'),
        async (before, between, limit, selector) => {
          await using api = await openTestApi({ clock: makeClock() });
          for (const each of before) await carryOut(api, each);
          const whole = await list(api, selector === '' ? '' : `?${selector.slice(1)}`);
          const items: ConfigMap[] = [];
          let token = '';
          const writes = [...between];
          for (;;) {
            const page = await list(api, `?limit=${limit}${selector}${token === '' ? '' : `&continue=${token}`}`);
            expect(page.metadata.resourceVersion).toBe(whole.metadata.resourceVersion);
            expect(page.items.length).toBeLessThanOrEqual(limit);
            items.push(...page.items);
            token = page.metadata.continue ?? '';
            if (token === '') break;
            if (selector === '') expect(items.length + (page.metadata.remainingItemCount ?? -1)).toBe(whole.items.length);
            const next = writes.shift();
            if (next !== undefined) await carryOut(api, next);
          }
          expect(items).toEqual(whole.items);
        },
      ),
      { numRuns: 10 },
    );
  });
});
