// Models crictl 1.19: containers, pods and images as the kubelet's runtime sees them.

import { text, utf8 } from '../../sim/bytes.ts';
import { SysError } from '../../sim/errno.ts';
import { HttpClient } from '../../net/http-client.ts';
import type { Process, Program } from '../../kernel/process.ts';
import type { ContainerStatus, SandboxStatus } from '../../kube/kubelet/container-runtime.ts';
import { CRI_SOCKET } from '../../kube/runtime/cri-socket.ts';
import { humanDuration, humanSize } from '../../kube/runtime/docker/human.ts';
import { readAll } from '../../kube/runtime/docker/registry-client.ts';
import { queryOf } from '../../kube/runtime/query.ts';
import { CliError, parseFlags } from './console.ts';

export const crictl: Program = { name: 'crictl', main };

const VERSION = '1.19.0';

interface Session {
  readonly process: Process;
  ask<T>(target: string, body?: unknown): Promise<T>;
  stream(target: string): Promise<void>;
  out(text: string): Promise<void>;
}

type Command = (session: Session, args: readonly string[]) => Promise<void>;

const COMMANDS: Readonly<Record<string, Command>> = {
  ps: listContainers,
  pods: listPods,
  images: listImages,
  image: listImages,
  logs,
  inspect,
  exec,
  pull: async (session, args) => {
    const [name] = args;
    if (name === undefined) throw new CliError('Image name cannot be empty');
    await session.ask(`/pull${queryOf({ id: name })}`);
    await session.out(`Image is up to date for ${name}\n`);
  },
  stop: (session, args) => each(session, args, (id) => `/stop${queryOf({ id, timeout: 0 })}`),
  rm: (session, args) => each(session, args, (id) => `/remove${queryOf({ id })}`),
  version: async (session) => {
    const version = await session.ask<{ readonly name: string; readonly version: string; readonly apiVersion: string }>('/version');
    await session.out(
      `Version:  0.1.0\nRuntimeName:  ${version.name}\nRuntimeVersion:  ${version.version}\nRuntimeApiVersion:  ${version.apiVersion}\n`,
    );
  },
};

async function main(process: Process): Promise<number> {
  const { sys } = process;
  const write = (message: string): Promise<void> => process.stderr.write(utf8(message));
  const [name = '', ...args] = process.argv.slice(1);
  if (name === '--version' || name === '-v') {
    await process.stdout.write(utf8(`crictl version ${VERSION}\n`));
    return 0;
  }
  if (name === '' || name === '--help' || name === 'help') {
    await process.stdout.write(
      utf8(
        `NAME:\n   crictl - client for CRI\n\nUSAGE:\n   crictl [global options] command [command options] [arguments...]\n\nCOMMANDS:\n${Object.keys(
          COMMANDS,
        )
          .map((one) => `   ${one}\n`)
          .join('')}`,
      ),
    );
    return 0;
  }
  const command = COMMANDS[name];
  if (command === undefined) {
    await write(`No help topic for '${name}'\n`);
    return 3;
  }
  const client = new HttpClient({ host: 'cri', connect: () => sys.connectUnix(CRI_SOCKET) });
  const request = async (target: string, body?: unknown): Promise<Uint8Array> => {
    const response = await client.request({
      method: body === undefined ? 'GET' : 'POST',
      target,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const bytes = await readAll(response.body);
    if (response.status !== 200) throw new CliError(`rpc error: code = Unknown desc = ${text(bytes)}`);
    return bytes;
  };
  const session: Session = {
    process,
    ask: async <T>(target: string, body?: unknown) => JSON.parse(text(await request(target, body))) as T,
    stream: async (target) => {
      const response = await client.request({ method: 'GET', target });
      for (let chunk = await response.body.read(); chunk !== undefined; chunk = await response.body.read())
        await process.stdout.write(chunk);
    },
    out: (message) => process.stdout.write(utf8(message)),
  };
  const stamp = (): string => `time="${new Date(sys.now()).toISOString().slice(0, 19)}Z" level=fatal msg=`;
  try {
    await command(session, args);
    return 0;
  } catch (error) {
    if (error instanceof CliError) await write(`${stamp()}${JSON.stringify(error.message)}\n`);
    else if (error instanceof SysError && error.errno !== 'EPIPE') {
      const why = error.errno === 'ENOENT' ? 'no such file or directory' : error.strerror.toLowerCase();
      await write(
        `${stamp()}"connect: connect endpoint 'unix://${CRI_SOCKET}', make sure you are running as root and the endpoint has been started: dial unix ${CRI_SOCKET}: connect: ${why}"\n`,
      );
    } else throw error;
    return 1;
  } finally {
    client.close();
  }
}

/** tabwriter with columns of at least twenty characters. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(20, ...rows.map((row) => (row[column] ?? '').length + 1)));
  return rows
    .map((row) => `${row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column]!))).join('')}\n`)
    .join('');
}

const short = (id: string): string => id.slice(0, 13);

async function listContainers(session: Session, args: readonly string[]): Promise<void> {
  const flags = parseFlags('crictl ps', args, {
    switches: { a: 'all', all: 'all', q: 'quiet', quiet: 'quiet', 'no-trunc': 'no-trunc', l: 'latest' },
    values: { name: 'name', pod: 'pod', state: 'state', id: 'id', o: 'output', output: 'output' },
  });
  const nowMs = session.process.sys.now();
  const state = flags.get('state')?.toLowerCase();
  const found = (await session.ask<readonly ContainerStatus[]>('/containers'))
    .filter((container) => flags.has('all') || state !== undefined || container.state === 'running')
    .filter((container) => state === undefined || container.state === state)
    .filter((container) => new RegExp(flags.get('name') ?? '').test(container.name))
    .filter((container) => container.sandboxId.startsWith(flags.get('pod') ?? '') && container.id.startsWith(flags.get('id') ?? ''))
    .sort((a, b) => b.createdMs - a.createdMs);
  if (flags.get('output') === 'json') return session.out(`${JSON.stringify({ containers: found }, undefined, 2)}\n`);
  if (flags.has('quiet')) return session.out(found.map((container) => `${container.id}\n`).join(''));
  const title = { running: 'Running', exited: 'Exited', created: 'Created', unknown: 'Unknown' } as const;
  await session.out(
    table([
      ['CONTAINER', 'IMAGE', 'CREATED', 'STATE', 'NAME', 'ATTEMPT', 'POD ID'],
      ...found.map((container) => [
        flags.has('no-trunc') ? container.id : short(container.id),
        container.imageId.replace(/^docker-pullable:\/\/.*@sha256:|^docker:\/\/(sha256:)?/, '').slice(0, 13),
        `${humanDuration(nowMs - container.createdMs)} ago`,
        title[container.state],
        container.name,
        String(container.attempt),
        short(container.sandboxId),
      ]),
    ]),
  );
}

async function listPods(session: Session, args: readonly string[]): Promise<void> {
  const flags = parseFlags('crictl pods', args, {
    switches: { q: 'quiet', quiet: 'quiet', 'no-trunc': 'no-trunc' },
    values: { name: 'name', namespace: 'namespace', state: 'state', s: 'state' },
  });
  const nowMs = session.process.sys.now();
  const found = (await session.ask<readonly SandboxStatus[]>('/sandboxes'))
    .filter((pod) => new RegExp(flags.get('name') ?? '').test(pod.name) && new RegExp(flags.get('namespace') ?? '').test(pod.namespace))
    .filter((pod) => flags.get('state') === undefined || pod.state.replace('-', '') === flags.get('state')!.toLowerCase())
    .sort((a, b) => b.createdMs - a.createdMs);
  if (flags.has('quiet')) return session.out(found.map((pod) => `${pod.id}\n`).join(''));
  await session.out(
    table([
      ['POD ID', 'CREATED', 'STATE', 'NAME', 'NAMESPACE', 'ATTEMPT', 'RUNTIME'],
      ...found.map((pod) => [
        flags.has('no-trunc') ? pod.id : short(pod.id),
        `${humanDuration(nowMs - pod.createdMs)} ago`,
        pod.state === 'ready' ? 'Ready' : 'NotReady',
        pod.name,
        pod.namespace,
        String(pod.attempt),
        '(default)',
      ]),
    ]),
  );
}

async function listImages(session: Session, args: readonly string[]): Promise<void> {
  const flags = parseFlags('crictl images', args, { switches: { q: 'quiet', quiet: 'quiet', 'no-trunc': 'no-trunc' }, values: {} });
  const found =
    await session.ask<readonly { readonly id: string; readonly tags: readonly string[]; readonly sizeBytes: number }[]>('/images');
  if (flags.has('quiet')) return session.out(found.map((image) => `${image.id}\n`).join(''));
  const rows = found.flatMap((image) =>
    (image.tags.length === 0 ? ['<none>:<none>'] : image.tags).map((tag) => {
      const at = tag.lastIndexOf(':');
      return [tag.slice(0, at), tag.slice(at + 1), image.id.replace('sha256:', '').slice(0, 13), humanSize(image.sizeBytes)];
    }),
  );
  await session.out(table([['IMAGE', 'TAG', 'IMAGE ID', 'SIZE'], ...rows.sort((a, b) => (a[0]! < b[0]! ? -1 : 1))]));
}

/** An id by its beginning. */
async function idOf(session: Session, prefix: string | undefined): Promise<string> {
  if (prefix === undefined) throw new CliError('ID cannot be empty');
  const found = (await session.ask<readonly ContainerStatus[]>('/containers')).filter((container) => container.id.startsWith(prefix));
  if (found.length === 0) throw new CliError(`rpc error: code = Unknown desc = Error: No such container: ${prefix}`);
  return found[0]!.id;
}

async function logs(session: Session, args: readonly string[]): Promise<void> {
  const flags = parseFlags('crictl logs', args, {
    switches: { f: 'follow', follow: 'follow', t: 'timestamps', timestamps: 'timestamps', p: 'previous' },
    values: { tail: 'tail' },
  });
  const id = await idOf(session, flags.args[0]);
  await session.stream(
    `/logs${queryOf({ id, follow: flags.has('follow') ? 1 : undefined, tail: flags.get('tail'), timestamps: flags.has('timestamps') ? 1 : undefined })}`,
  );
}

async function inspect(session: Session, args: readonly string[]): Promise<void> {
  const flags = parseFlags('crictl inspect', args, { switches: { q: 'quiet' }, values: { o: 'output', output: 'output' } });
  for (const prefix of flags.args) {
    const status = await session.ask<ContainerStatus>(`/container${queryOf({ id: await idOf(session, prefix) })}`);
    const state = { running: 'CONTAINER_RUNNING', exited: 'CONTAINER_EXITED', created: 'CONTAINER_CREATED', unknown: 'CONTAINER_UNKNOWN' }[
      status.state
    ];
    const time = (ms: number): string => (ms === 0 ? '0001-01-01T00:00:00Z' : new Date(ms).toISOString());
    await session.out(
      `${JSON.stringify(
        {
          status: {
            id: status.id,
            metadata: { attempt: status.attempt, name: status.name },
            state,
            createdAt: time(status.createdMs),
            startedAt: time(status.startedMs),
            finishedAt: time(status.finishedMs),
            exitCode: status.exitCode,
            image: { annotations: {}, image: status.image },
            imageRef: status.imageId,
            reason: status.reason,
            message: status.message,
            labels: status.labels,
            annotations: status.annotations,
            logPath: status.logPath,
          },
        },
        undefined,
        2,
      )}\n`,
    );
  }
}

async function exec(session: Session, args: readonly string[]): Promise<void> {
  const flags = parseFlags('crictl exec', args, {
    switches: { i: 'interactive', t: 'tty', s: 'sync', sync: 'sync' },
    values: {},
    stopsAtArgument: true,
  });
  const [prefix, ...argv] = flags.args;
  const id = await idOf(session, prefix);
  const result = await session.ask<{ readonly exitCode: number; readonly output: string }>(`/exec${queryOf({ id })}`, argv);
  await session.out(result.output);
  if (result.exitCode !== 0) throw new CliError(`execing command in container: command terminated with exit code ${result.exitCode}`);
}

async function each(session: Session, ids: readonly string[], target: (id: string) => string): Promise<void> {
  for (const prefix of ids.filter((id) => !id.startsWith('-'))) {
    await session.ask(target(await idOf(session, prefix)));
    await session.out(`${prefix}\n`);
  }
}
