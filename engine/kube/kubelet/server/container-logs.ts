// Models the kubelet's containerLogs: which container's log is meant, and how much of it.

import { isSysError } from '../../../sim/errno.ts';
import type { ByteSink } from '../../../sim/stream.ts';
import type { HttpResponder } from '../../../net/http.ts';
import { parseTime } from '../../machinery/time.ts';
import type { Pod } from '../../machinery/types.ts';
import { RuntimeError, type ContainerRuntime } from '../container-runtime.ts';
import { HttpError } from './http-error.ts';

export interface LogRequest {
  readonly pod: Pod;
  readonly container: string;
  readonly query: ReadonlyMap<string, readonly string[]>;
  readonly nowMs: number;
  readonly runtime: ContainerRuntime;
}

export async function serveContainerLogs(request: LogRequest, respond: HttpResponder): Promise<void> {
  const { query, runtime, nowMs } = request;
  const id = containerIdOf(request);
  const one = (name: string): string | undefined => query.get(name)?.[0];
  const isTrue = (name: string): boolean => one(name) === 'true' || one(name) === '1';
  const number = (name: string): number | undefined => {
    const given = one(name);
    if (given === undefined || given === '') return undefined;
    if (!/^-?\d+$/.test(given)) throw new HttpError(400, '{"message": "Unable to decode query."}');
    return Number(given);
  };
  const tail = one('tail') === 'all' ? undefined : (number('tail') ?? number('tailLines'));
  const limit = number('limitBytes');
  const sinceSeconds = number('sinceSeconds');
  const sinceTime = one('sinceTime');
  const isInvalid =
    (tail ?? 0) < 0 || (limit ?? 1) < 1 || (sinceSeconds ?? 1) < 1 || (sinceSeconds !== undefined && sinceTime !== undefined);
  if (isInvalid) throw new HttpError(422, '{"message": "Invalid request."}');
  const body = await respond.stream({ status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' } });
  const full = new AbortController();
  let left = limit ?? Number.POSITIVE_INFINITY;
  const sink: ByteSink = {
    write: async (bytes) => {
      if (left <= 0) return;
      const part = bytes.length > left ? bytes.subarray(0, left) : bytes;
      left -= part.length;
      await body.write(part);
      if (left <= 0) full.abort(new Error('that was all that was asked for'));
    },
  };
  try {
    const isRunning = (await runtime.containerStatus(id)).state === 'running';
    const options = {
      follow: isTrue('follow') && isRunning,
      tail,
      sinceMs: sinceSeconds !== undefined ? nowMs - sinceSeconds * 1000 : sinceTime !== undefined ? parseTime(sinceTime) : 0,
      timestamps: isTrue('timestamps'),
    };
    await runtime.logs(id, options, sink, sink, AbortSignal.any([respond.signal, full.signal]));
  } catch (error) {
    if (respond.signal.aborted) return;
    // The answer has begun by now, so this is part of it.
    if (error instanceof RuntimeError) await body.write(`unable to retrieve container logs for docker://${id}`);
    else if (!full.signal.aborted && !isSysError(error)) throw error;
  }
  if (!respond.signal.aborted) await body.end();
}

/** The container of the pod's status whose log it is; HttpError says why there is none. */
function containerIdOf({ pod, container: name, query }: LogRequest): string {
  const about = `container "${name}" in pod "${pod.metadata.name}" is`;
  const refuse = (message: string): never => {
    throw new HttpError(400, message);
  };
  const statuses = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])];
  const status = statuses.find((each) => each.name === name);
  if (status === undefined) return refuse(`${about} not available`);
  const last = status.lastState?.terminated;
  const { waiting, running, terminated } = status.state ?? {};
  const idOf = (id: string | undefined): string | undefined => (id === undefined || id === '' ? undefined : id.replace(/^docker:\/\//, ''));
  if (['true', '1'].includes(query.get('previous')?.[0] ?? ''))
    return idOf(last?.containerID) ?? refuse(`previous terminated container "${name}" in pod "${pod.metadata.name}" not found`);
  if (running !== undefined) return idOf(status.containerID) ?? refuse(`${about} not available`);
  if (terminated !== undefined) return idOf(terminated.containerID) ?? idOf(last?.containerID) ?? refuse(`${about} terminated`);
  if (last !== undefined) return idOf(last.containerID) ?? refuse(`${about} terminated`);
  switch (waiting?.reason) {
    case undefined:
      return refuse(`${about} waiting to start - no logs yet`);
    case 'ErrImagePull':
      return refuse(`${about} waiting to start: image can't be pulled`);
    case 'ImagePullBackOff':
      return refuse(`${about} waiting to start: trying and failing to pull image`);
    default:
      return refuse(`${about} waiting to start: ${waiting?.reason}`);
  }
}
