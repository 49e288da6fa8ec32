// Models `kubectl run`: one pod, and attaching to it.

import { errorOf } from '../../../kube/client/rest-client.ts';
import { ApiError } from '../../../kube/machinery/api-error.ts';
import type { Command } from '../command.ts';
import type { Context } from '../context.ts';
import { CliError, ExitError } from '../errors.ts';
import { pathOf, query } from '../factory/rest-mapper.ts';
import { linesOf } from '../factory/stream.ts';
import { isObject, type JsonObject } from '../printers/json.ts';
import { infoFor, localMapping } from '../resource/infos.ts';
import { containerNames, statusesOf } from '../resource/pods-of.ts';
import { annotated, at, CHANGE_CAUSE, dryRunOf, recordedCommand, ResultPrinter, shouldRecord, type DryRun } from './common.ts';
import { withLastApplied } from './create.ts';
import { newMetadata } from './create-generators.ts';
import { deleteObject } from './delete.ts';
import { attachTo, nameOf } from './exec.ts';
import { parseOverrides, parsePairs } from './overrides.ts';
import { waitForDeletion } from './wait-deleted.ts';

export const run: Command = { name: 'run', run: runPod };

/** References of images, as docker's library matches them. */
export const IMAGE =
  /^(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*(?::[0-9]+)?\/)?[a-z0-9]+(?:(?:[._]|__|-*)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-*)[a-z0-9]+)*)*(?::[\w][\w.-]{0,127})?(?:@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?$/;

async function runPod(context: Context): Promise<void> {
  const { flags, args } = context;
  const dryRun = await dryRunOf(context);
  const [name] = args;
  if (name === undefined || flags.argsBeforeDash === 0) throw context.usage('NAME is required for run');
  const image = flags.string('image');
  if (image === '') throw new CliError('--image is required');
  if (!IMAGE.test(image)) throw new CliError(`Invalid image name "${image}": invalid reference format`);
  const pull = flags.string('image-pull-policy');
  if (!['', 'Always', 'IfNotPresent', 'Never'].includes(pull)) throw context.usage(`invalid image pull policy: ${pull}`);
  const restart = flags.string('restart') || 'Always';
  const isInteractive = flags.bool('stdin');
  const isAttached = flags.isChanged('attach') ? flags.bool('attach') : isInteractive || flags.bool('tty');
  if (flags.bool('tty') && !isInteractive) throw context.usage('-i/--stdin is required for containers with -t/--tty=true');
  if (flags.bool('expose') && flags.string('port') === '') throw context.usage('--port must be set when exposing a service');
  if (!['Always', 'OnFailure', 'Never'].includes(restart)) throw context.usage(`invalid restart policy: ${restart}`);
  if (flags.bool('rm') && !isAttached) throw context.usage('--rm should only be used for attached containers');
  if (isAttached && dryRun !== 'none')
    throw context.usage("--dry-run=[server|client] can't be used with attached containers options (--attach, --stdin, or --tty)");
  const namespace = context.namespace();
  await context.flushWarnings();
  const printer = new ResultPrinter(context, dryRun);
  const quiet = flags.bool('quiet');
  const mayPrint = !(isAttached || quiet) || printer.isStructured;
  const pod = podObject(context, name, restart, {
    stdin: isInteractive,
    tty: flags.bool('tty'),
    leaveOpen: flags.bool('leave-stdin-open'),
  });
  const created = await createOne(context, pod, namespace.name, dryRun);
  const services: JsonObject[] = [];
  if (flags.bool('expose')) {
    const service = await createOne(context, serviceObject(context, name, pod), namespace.name, dryRun);
    services.push(service);
    await printer.print(service, 'created', { typed: true });
    if (printer.isStructured && flags.string('output') === 'yaml') await context.out('---\n');
  }
  if (isAttached) {
    try {
      await attachToCreated(context, created, restart, { quiet, tty: flags.bool('tty') });
    } finally {
      if (flags.bool('rm')) await remove(context, [created, ...services]);
    }
    return;
  }
  if (mayPrint) await printer.print(created, 'created', { typed: true });
}

function podObject(
  context: Context,
  name: string,
  restart: string,
  io: { readonly stdin: boolean; readonly tty: boolean; readonly leaveOpen: boolean },
): JsonObject {
  const { flags, args } = context;
  const words = args.slice(1);
  const labels = flags.string('labels') === '' ? { run: name } : parsePairs(flags.string('labels'));
  const annotations = pairsOf(flags.list('annotations'), 'annotation');
  const port = flags.string('port');
  const hostPort = flags.int('hostport');
  if (hostPort > 0 && port === '') throw new CliError('--hostport requires --port to be specified');
  const env = flags.list('env').map((pair) => {
    const equals = pair.indexOf('=');
    if (equals <= 0) throw new CliError(`invalid env: ${pair}`);
    return { name: pair.slice(0, equals), value: pair.slice(equals + 1) };
  });
  const requests = quantities(flags.string('requests'));
  const limits = quantities(flags.string('limits'));
  const pull = flags.string('image-pull-policy');
  const account = flags.string('serviceaccount');
  let pod: JsonObject = {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: newMetadata(name, { labels, ...(annotations === undefined ? {} : { annotations }) }),
    spec: {
      containers: [
        {
          name,
          image: flags.string('image'),
          ...(flags.bool('command') && words.length > 0 ? { command: words } : {}),
          ...(!flags.bool('command') && words.length > 0 ? { args: words } : {}),
          ...(port === '' ? {} : { ports: [{ ...(hostPort > 0 ? { hostPort } : {}), containerPort: portNumber(port) }] }),
          ...(env.length === 0 ? {} : { env }),
          resources: { ...(limits === undefined ? {} : { limits }), ...(requests === undefined ? {} : { requests }) },
          ...(pull === '' ? {} : { imagePullPolicy: pull }),
          ...(flags.bool('privileged') ? { securityContext: { privileged: true } } : {}),
          ...(io.stdin ? { stdin: true, ...(io.leaveOpen ? {} : { stdinOnce: true }) } : {}),
          ...(io.tty ? { tty: true } : {}),
        },
      ],
      restartPolicy: restart,
      dnsPolicy: 'ClusterFirst',
      ...(account === '' ? {} : { serviceAccountName: account }),
    },
    status: {},
  };
  const overrides = flags.string('overrides');
  if (overrides !== '') pod = parseOverrides(overrides, pod);
  if (shouldRecord(context)) pod = annotated(pod, CHANGE_CAUSE, recordedCommand(context));
  return flags.bool('save-config') ? withLastApplied(pod) : pod;
}

function portNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new CliError(`strconv.Atoi: parsing "${text}": invalid syntax`);
  return Number(text);
}

function pairsOf(pairs: readonly string[], what: string): JsonObject | undefined {
  if (pairs.length === 0) return undefined;
  const out: JsonObject = {};
  for (const pair of pairs) {
    const equals = pair.indexOf('=');
    if (equals <= 0) throw new CliError(`invalid ${what} format: ${pair}`);
    out[pair.slice(0, equals)] = pair.slice(equals + 1);
  }
  return out;
}

/** `cpu=100m,memory=64Mi`; undefined for none. */
export function quantities(text: string): JsonObject | undefined {
  if (text === '') return undefined;
  const out: JsonObject = {};
  for (const pair of text.split(',')) {
    const [key = '', value, ...rest] = pair.split('=');
    if (value === undefined || rest.length > 0) throw new CliError(`Invalid argument syntax ${pair}, expected <resource>=<value>`);
    if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+|[KMGTPE]i|[numkMGTPE])?$/.test(value))
      throw new CliError("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
    out[key] = value;
  }
  return out;
}

function serviceObject(context: Context, name: string, pod: JsonObject): JsonObject {
  const port = portNumber(context.flags.string('port'));
  return {
    kind: 'Service',
    apiVersion: 'v1',
    metadata: newMetadata(name),
    spec: { ports: [{ protocol: 'TCP', port, targetPort: port }], selector: at(pod, 'metadata', 'labels') },
    status: { loadBalancer: {} },
  };
}

async function createOne(context: Context, object: JsonObject, namespace: string, dryRun: DryRun): Promise<JsonObject> {
  if (dryRun === 'client') return object;
  const mapping = localMapping('v1', String(object['kind']));
  const own = at(object, 'metadata', 'namespace');
  return context.rest.json<JsonObject>(
    'POST',
    pathOf(mapping, { namespace: typeof own === 'string' ? own : namespace }) +
      query({ fieldManager: context.flags.string('field-manager'), dryRun: dryRun === 'server' ? 'All' : undefined }),
    { body: object },
  );
}

async function attachToCreated(
  context: Context,
  created: JsonObject,
  restart: string,
  options: { readonly quiet: boolean; readonly tty: boolean },
): Promise<void> {
  const timeoutMs = context.flags.duration('pod-running-timeout');
  const pod = await waitForPod(context, created, (candidate) => isRunningOrDone(candidate), timeoutMs);
  const container = containerNames(pod)[0] ?? '';
  const phase = String(at(pod, 'status', 'phase'));
  if (phase === 'Succeeded' || phase === 'Failed') await printLog(context, pod, container);
  else {
    try {
      await attachTo(context, pod, { stdin: context.flags.bool('stdin'), tty: options.tty, quiet: options.quiet, container });
    } catch (error) {
      if (!(error instanceof ApiError) && !(error instanceof CliError)) throw error;
      await context.err(`Error attaching, falling back to logs: ${error.message}\n`);
      await printLog(context, pod, container);
    }
  }
  if (restart === 'Always') {
    if (!options.quiet)
      await context.err(
        `Session ended, resume using 'kubectl attach ${nameOf(pod)} -c ${container}${options.tty ? ' -i -t' : context.flags.bool('stdin') ? ' -i' : ''}' command when the pod is running\n`,
      );
    return;
  }
  if (!context.flags.bool('leave-stdin-open') || restart === 'Never') {
    const ended = await waitForPod(
      context,
      pod,
      (candidate) => ['Succeeded', 'Failed'].includes(String(at(candidate, 'status', 'phase'))),
      timeoutMs,
    );
    if (at(ended, 'status', 'phase') === 'Succeeded') return;
    const code = Number(
      statusesOf(ended)
        .map((status) => at(status, 'state', 'terminated', 'exitCode'))
        .find((exit) => Number(exit) > 0) ?? 0,
    );
    if (restart === 'Never' && code > 0)
      throw new ExitError(
        code,
        `pod ${String(at(ended, 'metadata', 'namespace'))}/${nameOf(ended)} terminated (${String(statusesOf(ended).map((status) => at(status, 'state', 'terminated', 'reason'))[0] ?? '')})`,
      );
  }
}

function isRunningOrDone(pod: JsonObject): boolean {
  const phase = String(at(pod, 'status', 'phase'));
  if (phase === 'Succeeded' || phase === 'Failed') return true;
  return (
    phase === 'Running' &&
    statusesOf(pod).length > 0 &&
    statusesOf(pod).every((status) => isObject(at(status, 'state', 'running')) || isObject(at(status, 'state', 'terminated')))
  );
}

/** Waits until a pod is as wanted; without a limit of time when `timeoutMs` is 0. */
export async function waitForPod(
  context: Context,
  pod: JsonObject,
  isDone: (pod: JsonObject) => boolean,
  timeoutMs: number,
): Promise<JsonObject> {
  const { clock } = context.process.sys;
  const path = `/api/v1/namespaces/${String(at(pod, 'metadata', 'namespace'))}/pods`;
  const fieldSelector = `metadata.name=${nameOf(pod)}`;
  const controller = new AbortController();
  const timer = clock.setTimer(timeoutMs === 0 ? Number.MAX_SAFE_INTEGER : timeoutMs, () =>
    controller.abort(new CliError('timed out waiting for the condition')),
  );
  try {
    const list = await context.rest.json<JsonObject>('GET', path + query({ fieldSelector }));
    const [present] = Array.isArray(list['items']) ? (list['items'] as JsonObject[]) : [];
    if (present !== undefined && isDone(present)) return present;
    const resourceVersion = String(at(list, 'metadata', 'resourceVersion') ?? '');
    const response = await context.rest.send({
      method: 'GET',
      target: path + query({ fieldSelector, resourceVersion, watch: 'true' }),
      signal: controller.signal,
    });
    if (response.status >= 400) throw await errorOf(response);
    for await (const line of linesOf(response.body, controller.signal)) {
      const event = JSON.parse(line) as { readonly type: string; readonly object: JsonObject };
      if (event.type === 'DELETED') throw new CliError(`pods "${nameOf(pod)}" not found`);
      if (event.type !== 'BOOKMARK' && isDone(event.object)) return event.object;
    }
    throw new CliError('watch closed before UntilWithoutRetry timeout');
  } finally {
    timer.dispose();
    controller.abort();
  }
}

export async function printLog(context: Context, pod: JsonObject, container: string): Promise<void> {
  const target = `/api/v1/namespaces/${String(at(pod, 'metadata', 'namespace'))}/pods/${nameOf(pod)}/log${query({ container })}`;
  await context.out(await context.rest.text({ method: 'GET', target }));
}

async function remove(context: Context, objects: readonly JsonObject[]): Promise<void> {
  for (const object of objects) {
    const info = infoFor(localMapping('v1', String(object['kind'])), object);
    const uid = await deleteObject(context, info, {
      graceSeconds: context.flags.int('grace-period'),
      cascade: 'Background',
      dryRun: 'none',
    });
    await context.out(`${String(object['kind']).toLowerCase()} "${info.name}" deleted\n`);
    if (context.flags.bool('wait')) await waitForDeletion(context, [{ info, uid }], context.flags.duration('timeout'));
  }
}
