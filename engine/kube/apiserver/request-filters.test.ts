import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../sim/clock.ts';
import type { HttpRequest, HttpResponder, HttpResponseHead } from '../../net/http.ts';
import { FlowReader } from './flow-match.ts';
import { MetricRegistry } from './metrics.ts';
import { RequestFilters } from './request-filters.ts';
import { requestInfoOf } from './request-info.ts';

const metrics = new MetricRegistry();
const lines: string[] = [];
const filters = new RequestFilters({
  clock: new VirtualClock({ startMs: 0, settle: () => Promise.resolve() }),
  metrics,
  flows: new FlowReader({ store: () => ({ revision: 0, list: () => [], get: () => undefined }) as never }),
  maxReading: 1,
  maxWriting: 1,
  isServed: ({ resource }) => resource === 'pods',
  access: (line) => lines.push(line),
});

function begin(
  method: string,
  target: string,
): { readonly exchange: ReturnType<RequestFilters['begin']>; readonly heads: HttpResponseHead[] } {
  const heads: HttpResponseHead[] = [];
  const respond = { send: (head: HttpResponseHead) => (heads.push(head), Promise.resolve()) } as unknown as HttpResponder;
  const request = { method, target, headers: new Map([['user-agent', 'x']]), remoteAddress: '10.0.0.1:5' } as unknown as HttpRequest;
  return { exchange: filters.begin(request, requestInfoOf(request), respond), heads };
}

const jane = { name: 'jane', groups: [] };

describe('what surrounds requests', () => {
  it('turns away what is too much, but never an administrator or a watch', async () => {
    const first = begin('GET', '/api/v1/pods');
    expect(await filters.admit(first.exchange, jane)).toBe(true);
    const second = begin('GET', '/api/v1/pods');
    expect(await filters.admit(second.exchange, jane)).toBe(false);
    expect(second.heads[0]).toMatchObject({ status: 429, headers: { 'retry-after': '1' } });
    expect(await filters.admit(begin('GET', '/api/v1/pods?watch=1').exchange, jane)).toBe(true);
    expect(await filters.admit(begin('POST', '/api/v1/namespaces/x/pods').exchange, jane)).toBe(true);
    expect(await filters.admit(begin('GET', '/api/v1/pods').exchange, { name: 'root', groups: ['system:masters'] })).toBe(true);
  });

  it('makes no labels of what is not there', async () => {
    for (const [method, target] of [
      ['GET', '/apis/x/v1/things/a'],
      ['BREW', '/api/v1/namespaces/n/pods/a?dryRun=maybe'],
    ] as const) {
      const { exchange } = begin(method, target);
      await exchange.send({ status: 404, headers: { 'content-type': 'text/plain' } });
      filters.end(exchange);
    }
    const text = metrics.text();
    expect(text).toContain(
      'code="404",component="apiserver",contentType="text/plain",dry_run="",group="",resource="",scope="",subresource="",verb="GET",version=""} 1',
    );
    expect(text).toContain('dry_run="invalid",group="",resource="pods",scope="resource",subresource="",verb="other",version="v1"} 1');
    expect(lines[0]).toBe('"HTTP" verb="GET" URI="/apis/x/v1/things/a" latency="0s" userAgent="x" srcIP="10.0.0.1:5" resp=404');
  });
});
