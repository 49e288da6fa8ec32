// Models containerd-shim with runc: the parent of a container's processes, which outlives the daemons.

import { isSysError, SysError } from '../../sim/errno.ts';
import type { Process, SignalName, SpawnOptions, Syscalls, Tty } from '../../kernel/process.ts';
import { lookPath } from './root-lookup.ts';
import { answer, SHIM_STATE, shimSocket, type BundleSpec, type ProcessSpec, type ShimReply, type ShimRequest } from './shim-protocol.ts';
import { exitCodeOf } from './signals.ts';

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const INIT = 'init';

interface Running {
  readonly pid: number;
  readonly exited: Promise<number>;
  readonly tty: Tty | undefined;
}

interface Streams {
  readonly stdin: number;
  readonly stdout: number;
  readonly stderr: number;
  readonly tty: Tty | undefined;
  /** Carries bytes between the FIFOs and the terminal's master; resolves when the terminal is closed. */
  readonly copied: Promise<void>;
}

/** Serves one container until its init has ended and the daemon has said `delete`. */
export class ContainerShim {
  readonly #sys: Syscalls;
  readonly #id: string;
  readonly #bundle: string;
  readonly #running = new Map<string, Running>();
  #isOomKilled = false;

  constructor(sys: Syscalls, id: string) {
    this.#sys = sys;
    this.#id = id;
    this.#bundle = `${SHIM_STATE}/${id}`;
  }

  async serve(resumed: boolean): Promise<number> {
    const sys = this.#sys;
    if (resumed) this.#adopt();
    const socket = shimSocket(this.#id);
    if (sys.exists(socket)) sys.unlink(socket);
    const listener = sys.listenUnix(socket, 0o600);
    const done = new AbortController();
    try {
      for (;;) {
        const connection = await listener.accept(done.signal);
        void answer(connection, async (line) => {
          const request = JSON.parse(line) as ShimRequest;
          const reply = await this.#handle(request);
          if (request.op === 'delete' && reply.ok) done.abort();
          return reply;
        });
      }
    } catch (error) {
      if (done.signal.aborted) return 0;
      throw error;
    } finally {
      listener.close();
    }
  }

  async #handle(request: ShimRequest): Promise<ShimReply> {
    switch (request.op) {
      case 'start':
        return this.#start(INIT, this.#spec().process, true);
      case 'exec':
        return this.#start(request.id, request.process, false);
      case 'wait': {
        const running = this.#running.get(request.id);
        if (running === undefined) return { ok: false, error: `process ${request.id} not found: not found` };
        const exitCode = await running.exited;
        return { ok: true, exitCode, isOomKilled: request.id === INIT && this.#isOomKilled };
      }
      case 'kill':
        return this.#kill(request.id, request.signal);
      case 'resize':
        this.#running.get(request.id)?.tty?.resize(request.size);
        return { ok: true };
      case 'delete':
        return { ok: true };
    }
  }

  #spec(): BundleSpec {
    return JSON.parse(this.#sys.readTextFile(`${this.#bundle}/config.json`)) as BundleSpec;
  }

  /** A resumed lab: the container's init goes on under its old pid. */
  #adopt(): void {
    const path = `${this.#bundle}/init.pid`;
    if (!this.#sys.exists(path)) return;
    const pid = Number(this.#sys.readTextFile(path));
    this.#running.set(INIT, { pid, exited: this.#reap(INIT, pid, Promise.resolve()), tty: undefined });
  }

  #start(id: string, process: ProcessSpec, isInit: boolean): ShimReply {
    const sys = this.#sys;
    const spec = this.#spec();
    const failure = (what: string): ShimReply => ({
      ok: false,
      error: `OCI runtime ${isInit ? 'create' : 'exec'} failed: ${isInit ? '' : 'exec failed: '}container_linux.go:370: starting container process caused: ${what}: unknown`,
    });
    const name = process.argv[0] ?? '';
    const env = new Map(process.env.map((entry) => splitOnce(entry)));
    const found = lookPath(sys, spec.root, name, env.get('PATH') ?? DEFAULT_PATH);
    if ('error' in found) return failure(`exec: "${name}": ${found.error}`);
    const init = this.#running.get(INIT);
    const pidNamespace = isInit ? spec.pidNamespace : (init?.pid ?? 'host');
    const fds = process.isTty ? this.#openTerminal(process) : this.#openStreams(process);
    try {
      const options: SpawnOptions = {
        env,
        cwd: process.cwd === '' ? '/' : process.cwd,
        fds: new Map([
          [0, fds.stdin],
          [1, fds.stdout],
          [2, fds.stderr],
        ]),
        newSession: true,
        ...(fds.tty === undefined ? {} : { controllingTty: fds.tty }),
        credentials: process.user,
        namespaces: {
          net: spec.netNamespace,
          root: spec.root,
          hostname: spec.hostname,
          ...(pidNamespace === 'host' ? {} : { pid: pidNamespace }),
        },
        cgroup: spec.cgroup,
        durable: isInit,
      };
      const pid = sys.spawn(found.path, process.argv, options);
      if (isInit) sys.writeFile(`${this.#bundle}/init.pid`, String(pid));
      this.#running.set(id, { pid, exited: this.#reap(id, pid, fds.copied), tty: fds.tty });
      return { ok: true, pid };
    } catch (error) {
      if (isSysError(error)) return failure(`exec: "${name}": ${error.strerror.toLowerCase()}`);
      throw error;
    } finally {
      for (const fd of new Set([fds.stdin, fds.stdout, fds.stderr])) sys.close(fd);
    }
  }

  #openStreams(process: ProcessSpec): Streams {
    const sys = this.#sys;
    const stdin = sys.open(process.stdin ?? '/dev/null', { read: true });
    const stdout = sys.open(process.stdout, { write: true });
    const stderr = sys.open(process.stderr, { write: true });
    return { stdin, stdout, stderr, tty: undefined, copied: Promise.resolve() };
  }

  #openTerminal(process: ProcessSpec): Streams {
    const sys = this.#sys;
    const master = sys.open('/dev/ptmx', { read: true, write: true });
    const slave = sys.open(`/dev/${sys.file(master).tty?.name ?? 'pts/0'}`, { read: true, write: true });
    const tty = sys.file(slave).tty;
    const output = sys.open(process.stdout, { write: true });
    const input = process.stdin === undefined ? undefined : sys.open(process.stdin, { read: true });
    const gone = new AbortController();
    const copyIn = async (): Promise<void> => {
      while (input !== undefined) {
        const chunk = await sys.file(input).read(undefined, gone.signal);
        if (chunk === undefined) return;
        await sys.file(master).write(chunk);
      }
    };
    const copyOut = async (): Promise<void> => {
      for (;;) {
        const chunk = await sys.file(master).read();
        if (chunk === undefined) return;
        await sys.file(output).write(chunk);
      }
    };
    const incoming = copyIn().catch(terminalClosed);
    const copied = copyOut()
      .catch(terminalClosed)
      .then(async () => {
        gone.abort(new SysError('EIO'));
        await incoming;
        for (const fd of [master, output, ...(input === undefined ? [] : [input])]) sys.close(fd);
      });
    return { stdin: slave, stdout: slave, stderr: slave, tty, copied };
  }

  async #reap(id: string, pid: number, copied: Promise<void>): Promise<number> {
    const result = await this.#sys.wait(pid);
    await copied;
    const code = result === undefined ? 255 : exitCodeOf(result);
    if (id === INIT) this.#sys.writeFile(`${this.#bundle}/exit`, `${code}\n`);
    return code;
  }

  #kill(id: string, signal: SignalName): ShimReply {
    const running = this.#running.get(id);
    if (running === undefined) return { ok: false, error: `process ${id} not found: not found` };
    try {
      this.#sys.kill(running.pid, signal);
      return { ok: true };
    } catch (error) {
      if (isSysError(error, 'ESRCH')) return { ok: false, error: 'os: process already finished: not found' };
      throw error;
    }
  }
}

/** The terminal's other end is closed: the session is over. */
function terminalClosed(error: unknown): void {
  if (!isSysError(error)) throw error;
}

function splitOnce(entry: string): readonly [string, string] {
  const at = entry.indexOf('=');
  return at < 0 ? [entry, ''] : [entry.slice(0, at), entry.slice(at + 1)];
}

/** `containerd-shim -namespace moby -workdir .../ID ...`: the id is the last part of the working directory. */
export async function runShim(process: Process): Promise<number> {
  const at = process.argv.indexOf('-workdir');
  const id = at < 0 ? undefined : process.argv[at + 1]?.split('/').pop();
  if (id === undefined || id === '') {
    await process.stderr.write(new TextEncoder().encode('containerd-shim: shim namespace cannot be empty\n'));
    return 1;
  }
  return new ContainerShim(process.sys, id).serve(process.resumed);
}
