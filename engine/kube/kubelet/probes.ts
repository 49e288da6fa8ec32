// Models the prober: liveness, readiness and start-up probes of running containers.

import { text } from '../../sim/bytes.ts';
import { SysError } from '../../sim/errno.ts';
import { ProcessExit } from '../../sim/stream.ts';
import { HttpClient } from '../../net/http-client.ts';
import { connectTls, TlsError } from '../../net/tls.ts';
import type { Process } from '../../kernel/process.ts';
import type { Container, Pod, Probe } from '../machinery/types.ts';
import { RuntimeError, type ContainerRuntime } from './container-runtime.ts';

export type ProbeKind = 'liveness' | 'readiness' | 'startup';
const KINDS: readonly ProbeKind[] = ['startup', 'liveness', 'readiness'];
const TITLES: Readonly<Record<ProbeKind, string>> = { liveness: 'Liveness', readiness: 'Readiness', startup: 'Startup' };
const MAX_BODY = 10_240;

export interface ProbeTarget {
  readonly pod: Pod;
  readonly container: Container;
  readonly containerId: string;
  readonly startedMs: number;
  readonly address: string;
  /** A saved lab goes on: what the API said of this container still holds. */
  readonly resumed: { readonly isReady: boolean; readonly isStarted: boolean } | undefined;
}

export interface ProberOptions {
  readonly process: Process;
  readonly runtime: ContainerRuntime;
  readonly onResult: (podUid: string) => void;
  readonly event: (pod: Pod, container: Container, type: 'Normal' | 'Warning', reason: string, message: string) => void;
  readonly onFault: (error: unknown) => void;
}

interface Worker {
  readonly stop: AbortController;
  readonly podUid: string;
  readonly kind: ProbeKind;
  result: 'unknown' | 'success' | 'failure';
}

export class Prober {
  readonly #o: ProberOptions;
  /** By container id and kind. */
  readonly #workers = new Map<string, Worker>();

  constructor(options: ProberOptions) {
    this.#o = options;
  }

  /** The running containers of a pod: starts probing the new ones and forgets the others. */
  follow(podUid: string, targets: readonly ProbeTarget[]): void {
    const wanted = new Set<string>();
    for (const target of targets) {
      for (const kind of KINDS) {
        const probe = probeOf(target.container, kind);
        if (probe === undefined) continue;
        const key = `${target.containerId}/${kind}`;
        wanted.add(key);
        if (this.#workers.has(key)) continue;
        const worker: Worker = { stop: new AbortController(), podUid, kind, result: initialResult(kind, target) };
        this.#workers.set(key, worker);
        void this.#run(worker, target, probe).catch((error: unknown) => {
          if (!worker.stop.signal.aborted && !(error instanceof ProcessExit)) this.#o.onFault(error);
        });
      }
    }
    for (const [key, worker] of this.#workers) {
      if (worker.podUid !== podUid || wanted.has(key)) continue;
      worker.stop.abort(new Error('no longer probed'));
      this.#workers.delete(key);
    }
  }

  isStarted(container: Container, containerId: string): boolean {
    if (container.startupProbe === undefined) return true;
    return this.#workers.get(`${containerId}/startup`)?.result === 'success';
  }

  isReady(container: Container, containerId: string): boolean {
    if (container.readinessProbe === undefined) return true;
    return this.#workers.get(`${containerId}/readiness`)?.result === 'success';
  }

  hasFailed(containerId: string, kind: 'liveness' | 'startup'): boolean {
    return this.#workers.get(`${containerId}/${kind}`)?.result === 'failure';
  }

  async #run(worker: Worker, target: ProbeTarget, probe: Probe): Promise<void> {
    const { sys } = this.#o.process;
    const { signal } = worker.stop;
    const periodMs = (probe.periodSeconds ?? 10) * 1000;
    let last: 'success' | 'failure' | undefined;
    let run = 0;
    const initialMs = target.startedMs + (probe.initialDelaySeconds ?? 0) * 1000 - sys.now();
    if (initialMs > 0) await sys.sleep(initialMs, signal);
    for (; !signal.aborted; await sys.sleep(periodMs, signal)) {
      const isStarted = this.isStarted(target.container, target.containerId);
      if (worker.kind === 'startup' ? isStarted : !isStarted) continue;
      const outcome = await this.#probe(target, probe);
      if (signal.aborted) return;
      run = outcome.result === last ? run + 1 : 1;
      last = outcome.result;
      if (outcome.result === 'failure') {
        this.#o.event(
          target.pod,
          target.container,
          'Warning',
          'Unhealthy',
          `${TITLES[worker.kind]} probe ${outcome.isError ? 'errored' : 'failed'}: ${outcome.output}`,
        );
      }
      const threshold = outcome.result === 'failure' ? (probe.failureThreshold ?? 3) : (probe.successThreshold ?? 1);
      if (run < threshold || worker.result === outcome.result) continue;
      worker.result = outcome.result;
      this.#o.onResult(worker.podUid);
      // The container will be restarted; what it answers until then does not matter.
      if (worker.kind !== 'readiness' && outcome.result === 'failure') return;
    }
  }

  async #probe(
    target: ProbeTarget,
    probe: Probe,
  ): Promise<{ readonly result: 'success' | 'failure'; readonly output: string; readonly isError?: boolean }> {
    const timeoutMs = (probe.timeoutSeconds ?? 1) * 1000;
    try {
      if (probe.exec !== undefined) return await this.#exec(target, probe.exec.command ?? [], timeoutMs);
      if (probe.httpGet !== undefined) return await this.#http(target, probe.httpGet, timeoutMs);
      if (probe.tcpSocket !== undefined) return await this.#tcp(target, probe.tcpSocket, timeoutMs);
      return { result: 'failure', output: 'missing probe handler' };
    } catch (error) {
      if (error instanceof RuntimeError)
        return { result: 'failure', output: `rpc error: code = Unknown desc = ${error.message}`, isError: true };
      throw error;
    }
  }

  async #exec(
    target: ProbeTarget,
    command: readonly string[],
    timeoutMs: number,
  ): Promise<{ readonly result: 'success' | 'failure'; readonly output: string }> {
    const { exitCode, output } = await this.#o.runtime.execSync(target.containerId, command, timeoutMs);
    return { result: exitCode === 0 ? 'success' : 'failure', output };
  }

  async #http(
    target: ProbeTarget,
    action: NonNullable<Probe['httpGet']>,
    timeoutMs: number,
  ): Promise<{ readonly result: 'success' | 'failure'; readonly output: string }> {
    const { sys } = this.#o.process;
    const host = action.host === undefined || action.host === '' ? target.address : action.host;
    const port = portOf(target.container, action.port);
    const scheme = (action.scheme ?? 'HTTP').toLowerCase();
    const path = action.path ?? '/';
    const url = `${scheme}://${host}:${port}${path.startsWith('/') ? path : `/${path}`}`;
    const timeout = new AbortController();
    const timer = sys.clock.setTimer(timeoutMs, () => timeout.abort(new Error('timeout')));
    const client = new HttpClient({
      host: `${host}:${port}`,
      maxIdle: 0,
      connect: async (signal) => {
        const connection = await sys.net.connect({ address: host, port, ...(signal === undefined ? {} : { signal }) });
        return scheme === 'https'
          ? connectTls(connection, { serverName: host, insecure: true, nowMs: sys.now(), rng: sys.rng })
          : connection;
      },
    });
    try {
      const headers = Object.fromEntries((action.httpHeaders ?? []).map((header) => [header.name, header.value]));
      const response = await client.request({
        method: 'GET',
        target: url.slice(url.indexOf('/', 8)),
        headers: { 'user-agent': 'kube-probe/1.20', ...headers },
        signal: timeout.signal,
      });
      const chunk = await response.body.read(MAX_BODY);
      const body = chunk === undefined ? '' : text(chunk);
      if (response.status >= 200 && response.status < 400) return { result: 'success', output: body };
      return { result: 'failure', output: `HTTP probe failed with statuscode: ${response.status}` };
    } catch (error) {
      if (timeout.signal.aborted)
        return { result: 'failure', output: `Get "${url}": context deadline exceeded (Client.Timeout exceeded while awaiting headers)` };
      if (error instanceof SysError)
        return { result: 'failure', output: `Get "${url}": dial tcp ${host}:${port}: connect: ${error.strerror.toLowerCase()}` };
      if (error instanceof TlsError) return { result: 'failure', output: `Get "${url}": ${error.message}` };
      throw error;
    } finally {
      timer.dispose();
      client.close();
    }
  }

  async #tcp(
    target: ProbeTarget,
    action: NonNullable<Probe['tcpSocket']>,
    timeoutMs: number,
  ): Promise<{ readonly result: 'success' | 'failure'; readonly output: string }> {
    const { sys } = this.#o.process;
    const host = action.host === undefined || action.host === '' ? target.address : action.host;
    const port = portOf(target.container, action.port);
    const timeout = new AbortController();
    const timer = sys.clock.setTimer(timeoutMs, () => timeout.abort(new Error('timeout')));
    try {
      const connection = await sys.net.connect({ address: host, port, signal: timeout.signal });
      connection.close();
      return { result: 'success', output: '' };
    } catch (error) {
      if (timeout.signal.aborted) return { result: 'failure', output: `dial tcp ${host}:${port}: i/o timeout` };
      if (error instanceof SysError)
        return { result: 'failure', output: `dial tcp ${host}:${port}: connect: ${error.strerror.toLowerCase()}` };
      throw error;
    } finally {
      timer.dispose();
    }
  }
}

function initialResult(kind: ProbeKind, target: ProbeTarget): Worker['result'] {
  if (kind === 'liveness') return 'success';
  if (kind === 'startup') return target.resumed?.isStarted === true ? 'success' : 'unknown';
  return target.resumed?.isReady === true ? 'success' : 'failure';
}

function probeOf(container: Container, kind: ProbeKind): Probe | undefined {
  if (kind === 'liveness') return container.livenessProbe;
  return kind === 'readiness' ? container.readinessProbe : container.startupProbe;
}

/** A number, or the name of one of the container's ports. */
export function portOf(container: Container, port: number | string): number {
  if (typeof port === 'number') return port;
  if (/^\d+$/.test(port)) return Number(port);
  return container.ports?.find((candidate) => candidate.name === port)?.containerPort ?? 0;
}
