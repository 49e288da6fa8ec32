// Models `kubectl logs`.

import { errorOf } from '../../../kube/client/rest-client.ts';
import { concat, utf8 } from '../../../sim/bytes.ts';
import { isSysError } from '../../../sim/errno.ts';
import type { Command } from '../command.ts';
import type { Context } from '../context.ts';
import { CliError, throwAll } from '../errors.ts';
import { query } from '../factory/rest-mapper.ts';
import type { JsonObject } from '../printers/json.ts';
import { objectsOf } from '../resource/infos.ts';
import { containerNames, listPods, podsOf } from '../resource/pods-of.ts';
import { nameOf, namespaceOf } from './exec.ts';

export const logs: Command = { name: 'logs', run };

const USAGE = "expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a required argument for the logs command";
/** Lines per container when pods are chosen by label. */
const SELECTOR_TAIL = 10;

interface Stream {
  readonly pod: JsonObject;
  /** Empty leaves the choice to the server. */
  readonly container: string;
  readonly label: string;
}

async function run(context: Context): Promise<void> {
  const { flags, args } = context;
  const selector = flags.string('selector');
  if ((args.length === 0 && selector === '') || args.length > 2) throw context.usage(USAGE);
  if (args.length === 1 && selector !== '') throw context.usage('only a selector (-l) or a POD name is allowed');
  if (args.length === 2 && flags.string('container') !== '') throw context.usage('only one of -c or an inline [CONTAINER] arg is allowed');
  const container = args[1] ?? flags.string('container');
  if (flags.bool('all-containers') && container !== '')
    throw new CliError('--all-containers=true should not be specified with container name ' + container);
  if (flags.int('tail') < -1) throw new CliError('--tail must be greater than or equal to -1');
  const streams = (await selectPods(context, args[0], selector)).flatMap((pod) => streamsOf(context, pod, container));
  await context.flushWarnings();
  if (flags.isChanged('since') && flags.isChanged('since-time'))
    throw new CliError('at most one of `sinceTime` or `sinceSeconds` may be specified');
  const limit = flags.int('max-log-requests');
  if (!flags.bool('follow') || streams.length <= 1) {
    for (const stream of streams) await tolerate(context, copy(context, stream));
    return;
  }
  if (streams.length > limit) {
    throw new CliError(
      `you are attempting to follow ${streams.length} log streams, but maximum allowed concurrency is ${limit}, use --max-log-requests to increase the limit`,
    );
  }
  await Promise.all(streams.map((stream) => tolerate(context, copy(context, stream))));
}

async function tolerate(context: Context, work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!context.flags.bool('ignore-errors') || !(error instanceof Error) || error.name === 'ProcessExit') throw error;
    await context.err(`error: ${error.message}\n`);
  }
}

async function selectPods(context: Context, name: string | undefined, selector: string): Promise<readonly JsonObject[]> {
  if (name === undefined) return listPods(context, context.namespace().name, selector);
  const arg = name.includes('/') ? name : `pods/${name}`;
  const { infos, errors } = await objectsOf(context, {
    args: [arg],
    filenames: [],
    recursive: false,
    selector: '',
    all: false,
    latest: true,
  });
  throwAll(errors);
  const pods = await podsOf(context, infos[0]?.object ?? {}, 'logs');
  const [first] = pods;
  if (first === undefined) throw new CliError('timed out waiting for the condition');
  if (pods.length > 1) await context.err(`Found ${pods.length} pods, using pod/${nameOf(first)}\n`);
  return [first];
}

function streamsOf(context: Context, pod: JsonObject, container: string): readonly Stream[] {
  const main = containerNames(pod);
  const init = containerNames(pod, 'initContainers');
  const ephemeral = containerNames(pod, 'ephemeralContainers');
  const label = (name: string): string => `[pod/${nameOf(pod)}/${name}] `;
  if (context.flags.bool('all-containers'))
    return [...init, ...main, ...ephemeral].map((name) => ({ pod, container: name, label: label(name) }));
  if (container === '') {
    if (main.length > 1) {
      const others = init.length > 0 ? ` or one of the init containers: [${init.join(' ')}]` : '';
      throw new CliError(`a container name must be specified for pod ${nameOf(pod)}, choose one of: [${main.join(' ')}]${others}`);
    }
    return [{ pod, container: '', label: label(main[0] ?? '') }];
  }
  if (![...main, ...init, ...ephemeral].includes(container))
    throw new CliError(`container ${container} is not valid for pod ${nameOf(pod)}`);
  return [{ pod, container, label: label(container) }];
}

async function copy(context: Context, stream: Stream): Promise<void> {
  const { flags } = context;
  const tail = flags.isChanged('tail') || flags.string('selector') === '' ? flags.int('tail') : SELECTOR_TAIL;
  const target =
    `/api/v1/namespaces/${namespaceOf(stream.pod)}/pods/${nameOf(stream.pod)}/log` +
    query({
      container: stream.container,
      follow: flags.bool('follow') ? 'true' : undefined,
      insecureSkipTLSVerifyBackend: flags.bool('insecure-skip-tls-verify-backend') ? 'true' : undefined,
      limitBytes: flags.int('limit-bytes') > 0 ? String(flags.int('limit-bytes')) : undefined,
      previous: flags.bool('previous') ? 'true' : undefined,
      sinceSeconds: flags.duration('since') > 0 ? String(Math.round(flags.duration('since') / 1000)) : undefined,
      sinceTime: sinceTime(context),
      tailLines: tail >= 0 ? String(tail) : undefined,
      timestamps: flags.bool('timestamps') ? 'true' : undefined,
    });
  const response = await context.rest.send({ method: 'GET', target });
  if (response.status >= 400) throw await errorOf(response);
  const write = flags.bool('prefix')
    ? prefixed(context, stream.label)
    : (bytes: Uint8Array): Promise<void> => context.process.stdout.write(bytes);
  for (;;) {
    let chunk: Uint8Array | undefined;
    try {
      chunk = await response.body.read();
    } catch (error) {
      if (isSysError(error, 'ECONNRESET', 'EPIPE')) throw new CliError('unexpected EOF');
      throw error;
    }
    if (chunk === undefined) return;
    await write(chunk);
  }
}

function sinceTime(context: Context): string | undefined {
  const given = context.flags.string('since-time');
  if (given === '') return undefined;
  if (Number.isNaN(Date.parse(given)) || !/^\d{4}-\d\d-\d\dT/.test(given))
    throw new CliError(`parsing time "${given}" as "2006-01-02T15:04:05Z07:00": cannot parse "${given}" as "2006"`);
  return given;
}

/** Writes whole lines, each behind the name of its container. */
function prefixed(context: Context, label: string): (bytes: Uint8Array) => Promise<void> {
  let isLineStart = true;
  return async (bytes) => {
    const parts: Uint8Array[] = [];
    let from = 0;
    while (from < bytes.length) {
      const end = bytes.indexOf(10, from);
      const to = end < 0 ? bytes.length : end + 1;
      if (isLineStart) parts.push(utf8(label));
      parts.push(bytes.subarray(from, to));
      isLineStart = end >= 0;
      from = to;
    }
    await context.process.stdout.write(concat(parts));
  };
}
