// docker run, create, start, exec, attach: commands that start processes and carry their streams.

import { SysError } from '../../sim/errno.ts';
import type { TerminalSize, Tty } from '../../kernel/process.ts';
import type { ExecStreams } from '../../kube/kubelet/container-runtime.ts';
import { DockerError, type CreateRequest, type HostConfigJson, type PortBinding } from '../../kube/runtime/docker/types.ts';
import { CliError, needArguments, parseFlags, type Console, type Flags } from './console.ts';
import { pullImage } from './images.ts';

const RUN_FLAGS = {
  switches: {
    d: 'detach',
    detach: 'detach',
    i: 'interactive',
    interactive: 'interactive',
    t: 'tty',
    tty: 'tty',
    rm: 'rm',
    P: 'publish-all',
    'publish-all': 'publish-all',
    privileged: 'privileged',
    init: 'init',
  },
  values: {
    name: 'name',
    p: 'publish',
    publish: 'publish',
    v: 'volume',
    volume: 'volume',
    e: 'env',
    env: 'env',
    'env-file': 'env-file',
    restart: 'restart',
    network: 'network',
    net: 'network',
    l: 'label',
    label: 'label',
    h: 'hostname',
    hostname: 'hostname',
    w: 'workdir',
    workdir: 'workdir',
    u: 'user',
    user: 'user',
    m: 'memory',
    memory: 'memory',
    cpus: 'cpus',
    entrypoint: 'entrypoint',
    'add-host': 'add-host',
    dns: 'dns',
    pid: 'pid',
    'stop-signal': 'stop-signal',
    'stop-timeout': 'stop-timeout',
    expose: 'expose',
    a: 'attach',
    attach: 'attach',
  },
  stopsAtArgument: true,
} as const;

export async function run(console: Console, args: readonly string[]): Promise<number> {
  const flags = parseFlags('run', args, RUN_FLAGS);
  needArguments(flags, 'run', { least: 1, usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]', about: 'Run a command in a new container' });
  const { docker } = console;
  const isDetached = flags.has('detach');
  const id = await createContainer(console, flags, 'run');
  try {
    if (isDetached) {
      // The container exists from here on, whether it starts or not.
      await console.out(`${id}\n`);
      await docker.start(id);
      return 0;
    }
    return await startAttached(console, id, { tty: flags.has('tty'), stdin: flags.has('interactive'), autoRemove: flags.has('rm') });
  } catch (error) {
    if (!(error instanceof DockerError)) throw error;
    await console.err(`docker: Error response from daemon: ${error.message}.\n`);
    const status = /executable file not found|no such file or directory/.test(error.message)
      ? 127
      : /permission denied/.test(error.message)
        ? 126
        : 125;
    if (flags.has('rm')) await docker.remove(id, { force: true, volumes: true });
    return status;
  }
}

export async function create(console: Console, args: readonly string[]): Promise<number> {
  const flags = parseFlags('create', args, RUN_FLAGS);
  needArguments(flags, 'create', { least: 1, usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]', about: 'Create a new container' });
  await console.out(`${await createContainer(console, flags, 'create')}\n`);
  return 0;
}

async function createContainer(console: Console, flags: Flags, command: string): Promise<string> {
  const { docker } = console;
  const request = requestOf(console, flags);
  const name = flags.get('name');
  try {
    return (await docker.create(request, name)).Id;
  } catch (error) {
    if (!(error instanceof DockerError)) throw error;
    if (error.status !== 404 || !error.message.startsWith('No such image')) throw daemonError(command, error);
    const image = request.Image;
    await console.err(`Unable to find image '${/:[^/]+$/.test(image) || image.includes('@') ? image : `${image}:latest`}' locally\n`);
    try {
      await pullImage(console, image, console.err, true);
      return (await docker.create(request, name)).Id;
    } catch (failure) {
      if (failure instanceof DockerError) throw daemonError(command, failure);
      throw failure;
    }
  }
}

function daemonError(command: string, error: DockerError): CliError {
  return new CliError(`docker: Error response from daemon: ${error.message}.\nSee 'docker ${command} --help'.`, 125);
}

function requestOf(console: Console, flags: Flags): CreateRequest {
  const [image = '', ...cmd] = flags.args;
  const { sys } = console.process;
  const isInteractive = flags.has('interactive');
  const isAttached = !flags.has('detach');
  if (flags.has('rm') && flags.get('restart') !== undefined && flags.get('restart') !== 'no')
    throw new CliError("docker: Conflicting options: --restart and --rm.\nSee 'docker run --help'.", 125);
  const env = [
    ...flags.all('env-file').flatMap((file) =>
      sys
        .readTextFile(file)
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('#')),
    ),
    ...flags
      .all('env')
      .flatMap((entry) =>
        entry.includes('=') ? [entry] : console.process.env.has(entry) ? [`${entry}=${console.process.env.get(entry)!}`] : [],
      ),
  ];
  const ports = flags.all('publish').map(parsePort);
  const bindings: Record<string, PortBinding[]> = {};
  for (const { port, binding } of ports) bindings[port] = [...(bindings[port] ?? []), binding];
  const exposed = [...ports.map(({ port }) => port), ...flags.all('expose').map((port) => (port.includes('/') ? port : `${port}/tcp`))];
  const entrypoint = flags.get('entrypoint');
  const value = <K extends string>(key: K, given: string | undefined): { [P in K]?: string } =>
    given === undefined ? {} : ({ [key]: given } as { [P in K]?: string });
  const stopTimeout = flags.get('stop-timeout');
  return {
    Image: image,
    ...(cmd.length === 0 ? {} : { Cmd: cmd }),
    ...(entrypoint === undefined ? {} : { Entrypoint: entrypoint === '' ? [] : [entrypoint] }),
    Env: env,
    Tty: flags.has('tty'),
    OpenStdin: isInteractive,
    StdinOnce: isInteractive && isAttached,
    AttachStdin: isInteractive && isAttached,
    AttachStdout: isAttached,
    AttachStderr: isAttached,
    ...value('Hostname', flags.get('hostname')),
    ...value('WorkingDir', flags.get('workdir')),
    ...value('User', flags.get('user')),
    ...value('StopSignal', flags.get('stop-signal')),
    ...(stopTimeout === undefined ? {} : { StopTimeout: Number(stopTimeout) }),
    Labels: Object.fromEntries(flags.all('label').map((label) => [label.split('=')[0]!, label.split('=').slice(1).join('=')])),
    ...(exposed.length === 0 ? {} : { ExposedPorts: Object.fromEntries(exposed.map((port) => [port, {}])) }),
    HostConfig: hostConfigOf(flags, bindings),
  };
}

function hostConfigOf(flags: Flags, bindings: Record<string, PortBinding[]>): Partial<HostConfigJson> {
  const [policy = 'no', retries] = (flags.get('restart') ?? 'no').split(':');
  if (!['no', 'always', 'on-failure', 'unless-stopped'].includes(policy))
    throw new CliError(`docker: invalid restart policy '${policy}'.\nSee 'docker run --help'.`, 125);
  const cpus = flags.get('cpus');
  return {
    Binds: [...flags.all('volume')],
    NetworkMode: flags.get('network') ?? 'default',
    PortBindings: bindings,
    RestartPolicy: { Name: policy, MaximumRetryCount: retries === undefined ? 0 : Number(retries) },
    AutoRemove: flags.has('rm'),
    Privileged: flags.has('privileged'),
    PidMode: flags.get('pid') ?? '',
    Dns: [...flags.all('dns')],
    ExtraHosts: [...flags.all('add-host')],
    Memory: memoryOf(flags.get('memory')),
    ...(cpus === undefined ? {} : { CpuPeriod: 100_000, CpuQuota: Math.round(Number(cpus) * 100_000) }),
  };
}

function memoryOf(text: string | undefined): number {
  if (text === undefined) return 0;
  const match = /^(\d+)([bkmg]?)b?$/i.exec(text);
  if (match === null)
    throw new CliError(`invalid argument "${text}" for "-m, --memory" flag: invalid size: '${text}'\nSee 'docker run --help'.`, 125);
  return Number(match[1]) * ({ '': 1, b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }[match[2]!.toLowerCase()] ?? 1);
}

/** `8080:80`, `127.0.0.1:8080:80/udp`, `80`. */
function parsePort(text: string): { readonly port: string; readonly binding: PortBinding } {
  const [mapping = '', protocol = 'tcp'] = text.split('/');
  const parts = mapping.split(':');
  const container = parts.at(-1) ?? '';
  const host = parts.length > 1 ? parts.at(-2)! : '';
  const address = parts.length > 2 ? parts.slice(0, -2).join(':') : '';
  for (const [value, what] of [
    [container, 'containerPort'],
    [host, 'hostPort'],
  ] as const) {
    if ((value !== '' || what === 'containerPort') && !(/^\d+$/.test(value) && Number(value) <= 65_535))
      throw new CliError(`docker: Invalid ${what}: ${value}.\nSee 'docker run --help'.`, 125);
  }
  return { port: `${container}/${protocol}`, binding: { HostIp: address, HostPort: host } };
}

interface AttachOptions {
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly autoRemove: boolean;
}

async function startAttached(console: Console, id: string, options: AttachOptions): Promise<number> {
  const { docker } = console;
  checkTerminal(console, options);
  const streams = streamsOf(console, options);
  const abort = new AbortController();
  let opened = (): void => undefined;
  const isOpen = new Promise<void>((resolve) => {
    opened = resolve;
  });
  const attached = docker.attach(id, streams.streams, abort.signal, () => opened());
  attached.catch(failedEarlier);
  await isOpen;
  const waiting = docker.call<{ readonly StatusCode: number }>(
    'POST',
    `/containers/${id}/wait?condition=${options.autoRemove ? 'removed' : 'next-exit'}`,
  );
  waiting.catch(failedEarlier);
  const forward = options.tty ? () => undefined : forwardSignals(console, id);
  try {
    await docker.start(id);
    await attached;
    return (await waiting).StatusCode;
  } catch (error) {
    abort.abort(new SysError('EPIPE'));
    throw error;
  } finally {
    forward();
    streams.restore();
  }
}

/** The same promise is awaited further on unless something failed before it. */
function failedEarlier(_error: unknown): void {
  // Reported by whoever awaits it.
}

function forwardSignals(console: Console, id: string): () => void {
  const { sys } = console.process;
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
  for (const name of names)
    sys.onSignal(name, () => void console.docker.call('POST', `/containers/${id}/kill?signal=${name}`).catch(failedEarlier));
  return () => {
    for (const name of names) sys.onSignal(name, 'default');
  };
}

function checkTerminal(console: Console, options: { readonly tty: boolean; readonly stdin: boolean }): void {
  if (options.tty && options.stdin && console.process.stdin.tty === undefined) throw new CliError('the input device is not a TTY');
}

function streamsOf(
  console: Console,
  options: { readonly tty: boolean; readonly stdin: boolean },
): { readonly streams: ExecStreams; readonly restore: () => void } {
  const { process } = console;
  const tty = process.stdin.tty ?? process.stdout.tty;
  const before = tty?.termios;
  const isRaw = options.tty && tty !== undefined && options.stdin;
  if (isRaw)
    tty.termios = {
      ...tty.termios,
      canonical: false,
      echo: false,
      signals: false,
      inputCrToNl: false,
      outputNlToCrNl: false,
      flowControl: false,
    };
  return {
    streams: {
      stdin: options.stdin ? process.stdin : undefined,
      stdout: process.stdout,
      stderr: process.stderr,
      tty: options.tty,
      resize: options.tty && tty !== undefined ? sizesOf(tty) : undefined,
    },
    restore: () => {
      if (isRaw && before !== undefined) tty.termios = before;
    },
  };
}

/** The terminal's size now, and whenever it changes. */
function sizesOf(tty: Tty): AsyncIterable<TerminalSize> {
  return {
    [Symbol.asyncIterator]: () => {
      const queue: TerminalSize[] = [tty.size];
      let wake = (): void => undefined;
      tty.onResize((size) => {
        queue.push(size);
        wake();
      });
      return {
        next: async () => {
          while (queue.length === 0) {
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
          }
          return { value: queue.shift()!, done: false };
        },
      };
    },
  };
}

export async function exec(console: Console, args: readonly string[]): Promise<number> {
  const flags = parseFlags('exec', args, {
    switches: {
      d: 'detach',
      detach: 'detach',
      i: 'interactive',
      interactive: 'interactive',
      t: 'tty',
      tty: 'tty',
      privileged: 'privileged',
    },
    values: { e: 'env', env: 'env', u: 'user', user: 'user', w: 'workdir', workdir: 'workdir' },
    stopsAtArgument: true,
  });
  needArguments(flags, 'exec', { least: 2, usage: '[OPTIONS] CONTAINER COMMAND [ARG...]', about: 'Run a command in a running container' });
  const [container = '', ...command] = flags.args;
  const { docker } = console;
  const options = { tty: flags.has('tty'), stdin: flags.has('interactive') };
  await docker.inspect(container);
  const user = flags.get('user');
  const workdir = flags.get('workdir');
  const request = {
    Cmd: command,
    Env: [...flags.all('env')],
    ...(user === undefined ? {} : { User: user }),
    ...(workdir === undefined ? {} : { WorkingDir: workdir }),
  };
  if (flags.has('detach')) {
    const { Id: id } = await docker.call<{ readonly Id: string }>('POST', `/containers/${container}/exec`, { body: request });
    await docker.call('POST', `/exec/${id}/start`, { body: { Detach: true } });
    return 0;
  }
  checkTerminal(console, options);
  const { streams, restore } = streamsOf(console, options);
  try {
    return await docker.exec(container, request, streams, new AbortController().signal);
  } finally {
    restore();
  }
}

export async function attach(console: Console, args: readonly string[]): Promise<number> {
  const flags = parseFlags('attach', args, { switches: { 'no-stdin': 'no-stdin' }, values: { 'detach-keys': 'detach-keys' } });
  needArguments(flags, 'attach', {
    exactly: 1,
    usage: '[OPTIONS] CONTAINER',
    about: 'Attach local standard input, output, and error streams to a running container',
  });
  const [container = ''] = flags.args;
  const { docker } = console;
  const inspected = await docker.inspect(container);
  if (!inspected.State.Running) throw new CliError('You cannot attach to a stopped container, start it first');
  const { streams, restore } = streamsOf(console, {
    tty: inspected.Config.Tty,
    stdin: inspected.Config.OpenStdin && !flags.has('no-stdin'),
  });
  try {
    await docker.attach(container, streams, new AbortController().signal);
  } finally {
    restore();
  }
  return (await docker.inspect(container)).State.ExitCode;
}

export async function start(console: Console, args: readonly string[]): Promise<number> {
  const flags = parseFlags('start', args, {
    switches: { a: 'attach', attach: 'attach', i: 'interactive', interactive: 'interactive' },
    values: {},
  });
  needArguments(flags, 'start', { least: 1, usage: '[OPTIONS] CONTAINER [CONTAINER...]', about: 'Start one or more stopped containers' });
  const { docker } = console;
  if (flags.has('attach') || flags.has('interactive')) {
    const inspected = await docker.inspect(flags.args[0]!);
    return startAttached(console, inspected.Id, {
      tty: inspected.Config.Tty,
      stdin: flags.has('interactive') && inspected.Config.OpenStdin,
      autoRemove: inspected.HostConfig.AutoRemove,
    });
  }
  const failed: string[] = [];
  for (const name of flags.args) {
    try {
      await docker.start(name);
      await console.out(`${name}\n`);
    } catch (error) {
      if (!(error instanceof DockerError)) throw error;
      await console.err(`Error response from daemon: ${error.message}\n`);
      failed.push(name);
    }
  }
  if (failed.length > 0) throw new CliError(`Error: failed to start containers: ${failed.join(', ')}`);
  return 0;
}
