// Models the availability controller's checks of an APIService: its service, its endpoints, and whether its discovery answers.

import type { Clock } from '../../../sim/clock.ts';
import { SysError } from '../../../sim/errno.ts';
import { readAllBytes } from '../../../net/http-message.ts';
import type { Endpoints, Service } from '../../machinery/types.ts';
import { clientOf, resolveService, transportProblem, UnreachableError, type ServiceCallOptions } from '../service-call.ts';
import { LOCALLY_AVAILABLE, type ApiService, type AvailableCondition } from './api-services.ts';

/** How long discovery may take to answer. */
const TIMEOUT_MS = 5000;
const DEFAULT_PORT = 443;

type Verdict = Pick<AvailableCondition, 'status' | 'reason' | 'message'>;

export async function checkAvailability(
  { spec }: ApiService,
  options: ServiceCallOptions,
  clock: Clock,
  signal: AbortSignal,
): Promise<{ readonly condition: Verdict; readonly isFailure: boolean }> {
  const { service: reference } = spec;
  if (reference === undefined || reference === null) return { condition: LOCALLY_AVAILABLE, isFailure: false };
  const { namespace = '', name = '', port = DEFAULT_PORT } = reference;
  const refused = (reason: string, message: string): { readonly condition: Verdict; readonly isFailure: boolean } => ({
    condition: { status: 'False', reason, message },
    isFailure: false,
  });
  const service = options.reader.store('', 'services').get(namespace, name)?.object as unknown as Service | undefined;
  const shown = `service/${name} in ${JSON.stringify(namespace)}`;
  if (service === undefined) return refused('ServiceNotFound', `${shown} is not present`);
  if ((service.spec?.type ?? 'ClusterIP') === 'ClusterIP') {
    const found = (service.spec?.ports ?? []).find((each) => each.port === port);
    if (found === undefined) return refused('ServicePortError', `${shown} is not listening on port ${port}`);
    const endpoints = options.reader.store('', 'endpoints').get(namespace, name)?.object as unknown as Endpoints | undefined;
    if (endpoints === undefined) return refused('EndpointsNotFound', `cannot find endpoints for ${shown}`);
    const portName = found.name ?? '';
    const hasAddress = (endpoints.subsets ?? []).some(
      (subset) => (subset.addresses ?? []).length > 0 && (subset.ports ?? []).some((each) => (each.name ?? '') === portName),
    );
    if (!hasAddress)
      return refused('MissingEndpoints', `endpoints for ${shown} have no addresses with port name ${JSON.stringify(portName)}`);
  }
  const problem = await discoveryProblem(spec, options, clock, signal);
  if (problem === undefined) return { condition: { status: 'True', reason: 'Passed', message: 'all checks passed' }, isFailure: false };
  return { condition: { status: 'False', reason: 'FailedDiscoveryCheck', message: problem }, isFailure: true };
}

async function discoveryProblem(
  { group = '', version = '', service }: ApiService['spec'],
  options: ServiceCallOptions,
  clock: Clock,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { namespace = '', name = '', port = DEFAULT_PORT } = service!;
  let at;
  try {
    at = resolveService(options.reader, { namespace, name, port });
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error;
    return error.message;
  }
  const host = `${at.address}:${at.port}`;
  const target = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const url = `https://${host}${target}`;
  const failing = (why: string): string => `failing or missing response from ${url}: ${why}`;
  const late = new AbortController();
  const timer = clock.setTimer(TIMEOUT_MS, () => late.abort(new SysError('ETIMEDOUT')));
  const either = AbortSignal.any([signal, late.signal]);
  // Whoever owns the network may lie about this; so nothing is checked.
  const client = clientOf(options, at, { serverName: at.address, insecure: true, identity: 'proxy' }, either);
  try {
    const response = await client.request({
      method: 'GET',
      target,
      headers: { 'x-remote-user': 'system:kube-aggregator', 'x-remote-group': 'system:masters' },
      signal: either,
    });
    await readAllBytes(response.body);
    return response.status >= 200 && response.status < 300 ? undefined : failing(`bad status from ${url}: ${response.status}`);
  } catch (error) {
    signal.throwIfAborted();
    if (late.signal.aborted)
      return failing(
        `Get "${url}": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)`,
      );
    return failing(`Get "${url}": ${transportProblem(error, host)}`);
  } finally {
    timer.dispose();
    client.close();
  }
}
