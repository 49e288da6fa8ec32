// Models `kubectl port-forward`: local listeners whose connections go through the API server to a pod.

import { readAll } from '../../../kube/client/rest-client.ts';
import type { SpdySession, SpdyStream } from '../../../net/spdy/session.ts';
import { background } from '../../../sim/background.ts';
import { text as utf8Text } from '../../../sim/bytes.ts';
import { isSysError } from '../../../sim/errno.ts';
import type { ByteSink, ByteSource, Connection, Listener } from '../../../sim/stream.ts';
import type { Command } from '../command.ts';
import type { Context } from '../context.ts';
import { CliError, throwAll } from '../errors.ts';
import { upgrade } from '../factory/upgrade.ts';
import { klogLine } from '../klog.ts';
import { objects, text } from '../describe/values.ts';
import type { JsonObject } from '../printers/json.ts';
import { objectsOf } from '../resource/infos.ts';
import { podsOf } from '../resource/pods-of.ts';
import { at } from './common.ts';
import { nameOf, namespaceOf } from './exec.ts';

export const portForward: Command = { name: 'port-forward', run };

interface Forward {
  readonly local: number;
  readonly remote: number;
}

async function run(context: Context): Promise<void> {
  const { args, flags } = context;
  const [target, ...specs] = args;
  if (target === undefined || specs.length === 0) throw context.usage('TYPE/NAME and list of ports are required for port-forward');
  const { infos, errors } = await objectsOf(context, {
    args: [target.includes('/') ? target : `pods/${target}`],
    filenames: [],
    recursive: false,
    selector: '',
    all: false,
    latest: true,
  });
  throwAll(errors);
  const object = infos[0]?.object ?? {};
  const [pod] = await podsOf(context, object, 'attach');
  if (pod === undefined) throw new CliError('timed out waiting for the condition');
  const forwards = specs.map((spec) => parse(spec, object, pod));
  const phase = text(at(pod, 'status', 'phase'));
  if (phase !== 'Running') throw new CliError(`unable to forward port because pod is not running. Current status=${phase}`);
  const addresses = flags.list('address').flatMap((address) => (address === 'localhost' ? ['127.0.0.1'] : [address]));
  const path = `/api/v1/namespaces/${namespaceOf(pod)}/pods/${nameOf(pod)}/portforward`;
  const session = await upgrade(context, path, ['portforward.k8s.io']);
  const loops: Promise<void>[] = [];
  let requests = 0;
  for (const forward of forwards) {
    for (const address of addresses) {
      const listener = listen(context, address, forward.local);
      await context.out(`Forwarding from ${address}:${listener.port} -> ${forward.remote}\n`);
      if (address === '127.0.0.1') await context.out(`Forwarding from [::1]:${listener.port} -> ${forward.remote}\n`);
      loops.push(serve(context, listener, session, forward, () => requests++));
    }
  }
  try {
    await Promise.all(loops);
  } catch (error) {
    if (!session.ended.aborted) throw error;
    await context.err(`${klog(context, 'portforward.go:340', 'lost connection to pod')}\n`);
  } finally {
    await session.close();
  }
}

/** `80`, `8080:80`, `:80`, with names of ports for numbers; a service's port leads to its pods' port. */
function parse(spec: string, object: JsonObject, pod: JsonObject): Forward {
  const parts = spec.split(':');
  if (parts.length > 2) throw new CliError(`invalid port format '${spec}'`);
  const remoteText = parts[parts.length - 1] ?? '';
  const localText = parts.length === 1 ? remoteText : (parts[0] ?? '');
  const remote = remotePort(remoteText, object, pod);
  const local = parts.length === 1 && !/^\d+$/.test(localText) ? remote : localText === '' ? 0 : Number(localText);
  if (!Number.isInteger(local) || local < 0 || local > 65535)
    throw new CliError(`error parsing local port '${localText}': strconv.ParseUint: parsing "${localText}": invalid syntax`);
  return { local, remote };
}

function remotePort(wanted: string, object: JsonObject, pod: JsonObject): number {
  const containerPorts = objects(at(pod, 'spec', 'containers')).flatMap((container) => objects(container['ports']));
  const named = (name: string): number | undefined => {
    const port = containerPorts.find((candidate) => candidate['name'] === name);
    return port === undefined ? undefined : Number(port['containerPort']);
  };
  if (object['kind'] === 'Service') {
    const port = objects(at(object, 'spec', 'ports')).find(
      (candidate) => text(candidate['port']) === wanted || candidate['name'] === wanted,
    );
    if (port === undefined)
      throw new CliError(
        /^\d+$/.test(wanted)
          ? `Service ${text(at(object, 'metadata', 'name'))} does not have a service port ${wanted}`
          : `Service '${text(at(object, 'metadata', 'name'))}' does not have a named port '${wanted}'`,
      );
    const targetPort = text(port['targetPort'] ?? port['port']);
    return /^\d+$/.test(targetPort) ? Number(targetPort) : (named(targetPort) ?? Number(port['port']));
  }
  if (/^\d+$/.test(wanted)) return Number(wanted);
  const port = named(wanted);
  if (port === undefined) throw new CliError(`Pod '${nameOf(pod)}' does not have a named port '${wanted}'`);
  return port;
}

function listen(context: Context, address: string, port: number): Listener {
  try {
    return context.process.sys.net.listen({ address, port, pid: context.process.pid });
  } catch (error) {
    if (!isSysError(error)) throw error;
    throw new CliError(`unable to listen on any of the requested ports: [{${port} ${port}}]`);
  }
}

async function serve(context: Context, listener: Listener, session: SpdySession, forward: Forward, next: () => number): Promise<void> {
  for (;;) {
    const connection = await listener.accept(session.ended);
    await context.out(`Handling connection for ${listener.port}\n`);
    background(carry(context, connection, session, { ...forward, requestId: next() }));
  }
}

/** One connection: a pair of streams, one for its errors and one for its data. */
async function carry(
  context: Context,
  connection: Connection,
  session: SpdySession,
  forward: Forward & { readonly requestId: number },
): Promise<void> {
  const open = (type: string, requestId: number): Promise<SpdyStream> =>
    session.open(
      new Map([
        ['streamtype', [type]],
        ['port', [String(forward.remote)]],
        ['requestid', [String(requestId)]],
      ]),
    );
  try {
    const { requestId } = forward;
    const errors = await open('error', requestId);
    await errors.finish();
    const data = await open('data', requestId);
    const told = readAll(errors);
    const over = new AbortController();
    const sending = copy(connection, data, over.signal).then(() => data.finish());
    await copy(data, connection, undefined);
    over.abort(new CliError('the connection is over'));
    await sending;
    const message = utf8Text(await told);
    if (message !== '')
      await context.err(
        `${klog(context, 'portforward.go:400', `an error occurred forwarding ${forward.local} -> ${forward.remote}: ${message}`)}\n`,
      );
  } catch (error) {
    if (!isSysError(error)) throw error;
    await context.err(
      `${klog(context, 'portforward.go:362', `error creating error stream for port ${forward.local} -> ${forward.remote}: ${error.message}`)}\n`,
    );
  } finally {
    connection.close();
  }
}

/** Without the newline at its end, which klog adds where there is none. */
function klog(context: Context, place: string, text: string): string {
  return klogLine(context.process, 'E', place, text.replace(/\n$/, ''));
}

/** Until the source ends, or either side breaks. */
async function copy(from: ByteSource, to: ByteSink, over: AbortSignal | undefined): Promise<void> {
  try {
    for (;;) {
      const chunk = await from.read(undefined, over);
      if (chunk === undefined) return;
      await to.write(chunk);
    }
  } catch (error) {
    if (over?.aborted !== true && !isSysError(error)) throw error;
  }
}
