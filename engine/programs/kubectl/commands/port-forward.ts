// Models `kubectl port-forward`: local listeners whose connections go through the API server to a pod.

import { errorOf } from '../../../kube/client/rest-client.ts';
import { concat, text as utf8Text } from '../../../sim/bytes.ts';
import { isSysError } from '../../../sim/errno.ts';
import type { Connection, Listener } from '../../../sim/stream.ts';
import type { Command } from '../command.ts';
import type { Context } from '../context.ts';
import { CliError, throwAll } from '../errors.ts';
import { upgradeHeaders, WebSocketClient } from '../factory/web-socket.ts';
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
  const loops: Promise<void>[] = [];
  for (const forward of forwards) {
    for (const address of addresses) {
      const listener = listen(context, address, forward.local);
      await context.out(`Forwarding from ${address}:${listener.port} -> ${forward.remote}\n`);
      if (address === '127.0.0.1') await context.out(`Forwarding from [::1]:${listener.port} -> ${forward.remote}\n`);
      loops.push(serve(context, listener, pod, forward));
    }
  }
  await Promise.all(loops);
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

async function serve(context: Context, listener: Listener, pod: JsonObject, forward: Forward): Promise<void> {
  for (;;) {
    const connection = await listener.accept();
    await context.out(`Handling connection for ${listener.port}\n`);
    void carry(context, connection, pod, forward);
  }
}

/** One connection over one WebSocket: data on channel 0, errors on channel 1, the port first on both. */
async function carry(context: Context, connection: Connection, pod: JsonObject, forward: Forward): Promise<void> {
  try {
    const target = `/api/v1/namespaces/${namespaceOf(pod)}/pods/${nameOf(pod)}/portforward?ports=${forward.remote}`;
    const response = await context.rest.send({
      method: 'GET',
      target,
      headers: upgradeHeaders(context.process.sys.rng, ['v4.channel.k8s.io']),
    });
    if (response.upgraded === undefined) throw await errorOf(response);
    const socket = new WebSocketClient(response.upgraded, context.process.sys.rng);
    await Promise.all([upstream(connection, socket), downstream(context, connection, socket, forward)]);
    await socket.close();
  } catch (error) {
    if (error instanceof Error && error.name === 'ProcessExit') return;
    await context.err(
      `E portforward.go:400] an error occurred forwarding ${forward.local} -> ${forward.remote}: ${error instanceof Error ? error.message : String(error)}\n`,
    );
  } finally {
    connection.close();
  }
}

async function upstream(connection: Connection, socket: WebSocketClient): Promise<void> {
  for (;;) {
    let chunk: Uint8Array | undefined;
    try {
      chunk = await connection.read();
    } catch (error) {
      if (!isSysError(error)) throw error;
    }
    if (chunk === undefined) {
      await socket.send(Uint8Array.from([0]));
      return;
    }
    await socket.send(concat([Uint8Array.from([0]), chunk]));
  }
}

async function downstream(context: Context, connection: Connection, socket: WebSocketClient, forward: Forward): Promise<void> {
  const started = new Set<number>();
  for (;;) {
    const message = await socket.receive();
    if (message === undefined) break;
    const [channel = 0] = message;
    const payload = message.subarray(1);
    if (!started.has(channel)) {
      started.add(channel);
      continue;
    }
    if (channel === 1) await context.err(`an error occurred forwarding ${forward.local} -> ${forward.remote}: ${utf8Text(payload)}\n`);
    else if (payload.length > 0) await connection.write(payload);
  }
  connection.close();
}
