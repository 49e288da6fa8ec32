// Models docker exec: more processes in a running container, with their streams over the API's connection.

import { toHex } from '../../../sim/bytes.ts';
import type { Syscalls, TerminalSize } from '../../../kernel/process.ts';
import type { ContainerStore } from './container-store.ts';
import { processEnv, type Containers, type EmitEvent } from './containers.ts';
import { ProcessIo } from './process-io.ts';
import { rootOf, userOf } from './root-setup.ts';
import { DockerError } from './types.ts';

export interface ExecRequest {
  readonly AttachStdin?: boolean;
  readonly AttachStdout?: boolean;
  readonly AttachStderr?: boolean;
  readonly Tty?: boolean;
  readonly Cmd: readonly string[];
  readonly Env?: readonly string[] | null;
  readonly User?: string;
  readonly WorkingDir?: string;
  readonly Privileged?: boolean;
}

export interface ExecJson {
  readonly ID: string;
  readonly Running: boolean;
  readonly ExitCode: number | null;
  readonly Pid: number;
  readonly ContainerID: string;
  readonly ProcessConfig: {
    readonly tty: boolean;
    readonly entrypoint: string;
    readonly arguments: readonly string[];
    readonly privileged: boolean;
  };
  readonly OpenStdin: boolean;
  readonly OpenStderr: boolean;
  readonly OpenStdout: boolean;
}

interface Exec {
  readonly id: string;
  readonly containerId: string;
  readonly request: ExecRequest;
  pid: number;
  isRunning: boolean;
  exitCode: number | null;
}

/** A started exec. */
export interface StartedExec {
  readonly io: ProcessIo;
  readonly ended: Promise<number>;
}

/** How long an ended exec can be asked for its exit code. */
const KEPT_MS = 5 * 60_000;

export class Execs {
  readonly #sys: Syscalls;
  readonly #store: ContainerStore;
  readonly #containers: Containers;
  readonly #emit: EmitEvent;
  readonly #execs = new Map<string, Exec>();

  constructor(sys: Syscalls, store: ContainerStore, containers: Containers, emit: EmitEvent) {
    this.#sys = sys;
    this.#store = store;
    this.#containers = containers;
    this.#emit = emit;
  }

  create(key: string, request: ExecRequest): string {
    const { record } = this.#store.get(key);
    if (!record.State.Running) throw new DockerError(409, `Container ${record.ID} is not running`);
    if (request.Cmd.length === 0) throw new DockerError(400, 'No exec command specified');
    const id = toHex(this.#sys.rng.bytes(32));
    this.#execs.set(id, { id, containerId: record.ID, request, pid: 0, isRunning: false, exitCode: null });
    this.#emit('container', `exec_create: ${request.Cmd.join(' ')}`, record.ID, {
      execID: id,
      image: record.Config.Image,
      name: record.Name.slice(1),
    });
    return id;
  }

  async start(id: string): Promise<StartedExec> {
    const exec = this.#get(id);
    if (exec.isRunning || exec.exitCode !== null) throw new DockerError(409, `Error: Exec command ${id} is already running`);
    const { record } = this.#store.get(exec.containerId);
    if (!record.State.Running) throw new DockerError(409, `Container ${record.ID} is not running`);
    const { request } = exec;
    const sys = this.#sys;
    const root = rootOf(record.ID);
    const user = userOf(sys, root, request.User === undefined || request.User === '' ? record.Config.User : request.User);
    const io = new ProcessIo(sys, {
      containerId: record.ID,
      processId: id,
      isTty: request.Tty === true,
      hasStdin: request.AttachStdin === true,
    });
    io.open();
    const env = processEnv({ ...record, Config: { ...record.Config, Tty: request.Tty === true } }, user.home);
    const reply = await this.#containers.shimOf(record.ID)({
      op: 'exec',
      id,
      process: {
        argv: request.Cmd,
        env: [...env, ...(request.Env ?? [])],
        cwd: request.WorkingDir === undefined || request.WorkingDir === '' ? record.Config.WorkingDir : request.WorkingDir,
        user: { uid: user.uid, gid: user.gid, groups: user.groups },
        isTty: request.Tty === true,
        stdin: request.AttachStdin === true ? io.stdinPath : undefined,
        stdout: io.stdoutPath,
        stderr: io.stderrPath,
      },
    });
    if (!reply.ok) {
      await io.finish();
      exec.exitCode = /permission denied/.test(reply.error) ? 126 : /executable file not found|no such file/.test(reply.error) ? 126 : 125;
      throw new DockerError(400, reply.error);
    }
    exec.pid = reply.pid ?? 0;
    exec.isRunning = true;
    this.#emit('container', `exec_start: ${request.Cmd.join(' ')}`, record.ID, {
      execID: id,
      image: record.Config.Image,
      name: record.Name.slice(1),
    });
    return { io, ended: this.#end(exec, io) };
  }

  async #end(exec: Exec, io: ProcessIo): Promise<number> {
    let code = 137;
    try {
      const reply = await this.#containers.shimOf(exec.containerId)({ op: 'wait', id: exec.id });
      if (reply.ok) code = reply.exitCode ?? 137;
    } catch (error) {
      // The shim goes with its container.
      if (!(error instanceof Error) || error.name !== 'SysError') throw error;
    }
    await io.finish();
    exec.isRunning = false;
    exec.exitCode = code;
    this.#sys.clock.setTimer(KEPT_MS, () => this.#execs.delete(exec.id));
    this.#emit('container', 'exec_die', exec.containerId, { execID: exec.id, exitCode: String(code) });
    return code;
  }

  async resize(id: string, size: TerminalSize): Promise<void> {
    const exec = this.#get(id);
    await this.#containers.shimOf(exec.containerId)({ op: 'resize', id, size });
  }

  isTty(id: string): boolean {
    return this.#get(id).request.Tty === true;
  }

  inspect(id: string): ExecJson {
    const exec = this.#get(id);
    const { request } = exec;
    return {
      ID: id,
      Running: exec.isRunning,
      ExitCode: exec.exitCode,
      Pid: exec.pid,
      ContainerID: exec.containerId,
      ProcessConfig: {
        tty: request.Tty === true,
        entrypoint: request.Cmd[0] ?? '',
        arguments: request.Cmd.slice(1),
        privileged: request.Privileged === true,
      },
      OpenStdin: request.AttachStdin === true,
      OpenStderr: request.AttachStderr === true,
      OpenStdout: request.AttachStdout === true,
    };
  }

  #get(id: string): Exec {
    const exec = this.#execs.get(id);
    if (exec === undefined) throw new DockerError(404, `No such exec instance: ${id}`);
    return exec;
  }
}
