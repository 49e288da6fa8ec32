// Models what surrounds every request of the API server: counting, the access log, common headers, limits on how many at once.

import type { Clock } from '../../sim/clock.ts';
import type { HttpRequest, HttpResponder, HttpResponseHead } from '../../net/http.ts';
import type { Connection } from '../../sim/stream.ts';
import { flowOf, type FlowReader } from './flow-match.ts';
import type { Counter, Histogram, MetricRegistry } from './metrics.ts';
import type { RequestInfo } from './request-info.ts';
import { MASTERS, type User } from './user.ts';

export interface FilterOptions {
  readonly clock: Clock;
  readonly metrics: MetricRegistry;
  readonly flows: FlowReader;
  /** `--max-requests-inflight` and `--max-mutating-requests-inflight`; 0: as many as come. */
  readonly maxReading: number;
  readonly maxWriting: number;
  /** Whether there is such a resource: what is not there must not make labels, or anybody could fill the server with them. */
  readonly isServed: (info: RequestInfo) => boolean;
  /** One line for each request, from -v=3 on. */
  readonly access?: ((line: string) => void) | undefined;
}

const NO_DRY_RUN = 'dry_run=""';
const READS = new Set(['get', 'list', 'watch']);
const LONG_SUBRESOURCES = new Set(['attach', 'exec', 'log', 'portforward', 'proxy']);
const DURATION_SECONDS = [
  0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.25, 1.5, 1.75, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9, 10,
  15, 20, 25, 30, 40, 50, 60,
];
const SIZE_BYTES = [1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];

/** Requests that last as long as their client likes: neither counted as in flight nor limited. */
export function isLongRunning(info: RequestInfo): boolean {
  return info.isResource && (info.verb === 'watch' || LONG_SUBRESOURCES.has(info.subresource));
}

export class RequestFilters {
  readonly #options: FilterOptions;
  readonly #total: Counter;
  readonly #durations: Histogram;
  readonly #sizes: Histogram;
  readonly #dropped: Counter;
  readonly #longRunning = new Map<string, number>();
  readonly #inFlight = { readOnly: 0, mutating: 0 };

  constructor(options: FilterOptions) {
    this.#options = options;
    const { metrics } = options;
    this.#total = metrics.counter(
      'apiserver_request_total',
      '[ALPHA] Requests answered, by what they asked for and how they were answered.',
    );
    this.#durations = metrics.histogram('apiserver_request_duration_seconds', '[ALPHA] How long answers took.', DURATION_SECONDS);
    this.#sizes = metrics.histogram('apiserver_response_sizes', '[ALPHA] How large answers were.', SIZE_BYTES);
    this.#dropped = metrics.counter('apiserver_dropped_requests_total', '[ALPHA] Requests turned away because too many were under way.');
    const inFlight = this.#inFlight;
    metrics.gauge('apiserver_current_inflight_requests', '[ALPHA] Requests under way.', () => [
      [{ request_kind: 'mutating' }, inFlight.mutating],
      [{ request_kind: 'readOnly' }, inFlight.readOnly],
    ]);
    const longRunning = this.#longRunning;
    const counts = function* (): Iterable<readonly [Readonly<Record<string, string>>, number]> {
      for (const [labels, value] of longRunning) yield [JSON.parse(labels) as Record<string, string>, value];
    };
    metrics.gauge('apiserver_longrunning_gauge', '[ALPHA] Watches, logs and sessions under way.', counts);
  }

  begin(request: HttpRequest, info: RequestInfo, respond: HttpResponder): Exchange {
    return new Exchange(request, info, respond);
  }

  /** Sets the headers that tell how a request is ranked, and says whether it may go on; if not, it has been answered. */
  async admit(exchange: Exchange, user: User): Promise<boolean> {
    const { info } = exchange;
    exchange.user = user;
    if (isLongRunning(info)) {
      const key = JSON.stringify({ component: 'apiserver', ...this.#labelsOf(exchange) });
      this.#longRunning.set(key, (this.#longRunning.get(key) ?? 0) + 1);
      exchange.release = () => this.#longRunning.set(key, this.#longRunning.get(key)! - 1);
      return true;
    }
    const flow = flowOf(this.#options.flows, user, info);
    if (flow !== undefined) {
      exchange.headers['x-kubernetes-pf-flowschema-uid'] = flow.schemaUid;
      exchange.headers['x-kubernetes-pf-prioritylevel-uid'] = flow.levelUid;
    }
    const kind = READS.has(info.verb) ? 'readOnly' : 'mutating';
    const most = kind === 'readOnly' ? this.#options.maxReading : this.#options.maxWriting;
    if (most > 0 && this.#inFlight[kind] >= most && !user.groups.includes(MASTERS)) {
      this.#dropped.add(`request_kind="${kind}"`);
      const headers = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff', 'retry-after': '1' };
      await exchange.send({ status: 429, headers }, 'Too many requests, please try again later.\n');
      return false;
    }
    this.#inFlight[kind]++;
    exchange.release = () => this.#inFlight[kind]--;
    return true;
  }

  #labelsOf({ info, request, status }: Exchange): MetricLabels {
    const labels = labelsOf(info, request);
    if (!info.isResource) return labels;
    if (!this.#options.isServed(info)) return { ...labels, group: '', version: '', resource: '', subresource: '', scope: '' };
    // A subresource that is none.
    return status === 404 && info.subresource !== '' ? { ...labels, subresource: '' } : labels;
  }

  end(exchange: Exchange): void {
    exchange.release();
    const { clock, access } = this.#options;
    const seconds = (clock.now() - exchange.startedMs(clock)) / 1000;
    const { info, request, status, contentType, size } = exchange;
    const { verb, group, version, resource, subresource, scope } = this.#labelsOf(exchange);
    const dryRun = !info.query.has('dryRun') ? NO_DRY_RUN : info.query.get('dryRun') === 'All' ? 'dry_run="All"' : 'dry_run="invalid"';
    const where = `group="${group}",resource="${resource}",scope="${scope}",subresource="${subresource}",verb="${verb}",version="${version}"`;
    this.#total.add(`code="${status}",component="apiserver",contentType="${contentType}",${dryRun},${where}`);
    const durations = `component="apiserver",${dryRun},${where}`;
    if (!isLongRunning(info)) this.#durations.observe(durations, seconds);
    if (READS.has(info.verb) && info.isResource && info.verb !== 'watch') this.#sizes.observe(`component="apiserver",${where}`, size);
    access?.(
      `"HTTP" verb="${request.method}" URI=${JSON.stringify(request.target)} latency="${goDuration(seconds)}" userAgent=${JSON.stringify(
        request.headers.get('user-agent') ?? '',
      )} srcIP=${JSON.stringify(request.remoteAddress)} ${exchange.isHijacked ? 'hijacked=true' : `resp=${status}`}`,
    );
  }
}

/** A request and the answer on its way out. */
export class Exchange implements HttpResponder {
  readonly request: HttpRequest;
  readonly info: RequestInfo;
  readonly #inner: HttpResponder;
  /** Added to the answer where it does not say otherwise. */
  readonly headers: Record<string, string> = {};
  user: User | undefined;
  status = 200;
  contentType = '';
  size = 0;
  isHijacked = false;
  release: () => void = () => undefined;
  #startedMs: number | undefined;

  constructor(request: HttpRequest, info: RequestInfo, inner: HttpResponder) {
    this.request = request;
    this.info = info;
    this.#inner = inner;
  }

  startedMs(clock: Clock): number {
    return (this.#startedMs ??= clock.now());
  }

  get signal(): AbortSignal {
    return this.#inner.signal;
  }

  send(head: HttpResponseHead, body: Uint8Array | string = ''): Promise<void> {
    this.size += body.length;
    return this.#inner.send(this.#head(head), body);
  }

  async stream(head: HttpResponseHead): ReturnType<HttpResponder['stream']> {
    const stream = await this.#inner.stream(this.#head(head));
    return {
      write: (bytes) => {
        this.size += bytes.length;
        return stream.write(bytes);
      },
      end: () => stream.end(),
    };
  }

  upgrade(head: HttpResponseHead): Promise<Connection> {
    this.isHijacked = true;
    return this.#inner.upgrade(this.#head(head));
  }

  #head(head: HttpResponseHead): HttpResponseHead {
    this.status = head.status;
    this.contentType = head.headers?.['content-type'] ?? '';
    return { ...head, headers: { 'cache-control': 'no-cache, private', ...this.headers, ...head.headers } };
  }
}

interface MetricLabels {
  readonly verb: string;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  readonly scope: string;
}

const VERBS: Readonly<Record<string, string>> = {
  watch: 'WATCH',
  list: 'LIST',
  get: 'GET',
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
  deletecollection: 'DELETE',
};
const CONNECTS = new Set(['attach', 'exec', 'portforward', 'proxy']);

function labelsOf(info: RequestInfo, request: HttpRequest): MetricLabels {
  const { isResource, group, version, resource, subresource } = info;
  const scope = !isResource ? '' : info.name !== '' ? 'resource' : info.namespace !== '' ? 'namespace' : 'cluster';
  if (!isResource) {
    const isHealth = /^\/(healthz|livez|readyz)$/.test(info.path);
    return { verb: methodOf(request), group: '', version: '', resource: '', subresource: isHealth ? info.path : '', scope };
  }
  const isApply = info.verb === 'patch' && (request.headers.get('content-type') ?? '').startsWith('application/apply-patch+yaml');
  const verb = CONNECTS.has(subresource) ? 'CONNECT' : isApply ? 'APPLY' : (VERBS[info.verb] ?? methodOf(request));
  return { verb, group, version, resource, subresource, scope };
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'CONNECT']);

function methodOf({ method }: HttpRequest): string {
  return METHODS.has(method) ? method : 'other';
}

/** As time.Duration prints: `1.5s`, `20ms`. */
function goDuration(seconds: number): string {
  if (seconds === 0) return '0s';
  return seconds < 1 ? `${Math.round(seconds * 1e6) / 1000}ms` : `${seconds}s`;
}
