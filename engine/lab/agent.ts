// A login shell of root's that takes one command line after another from outside, as a hypervisor's guest agent does.
// It needs no network, so scripts and tests can look into a machine whatever they have broken.

import { SysError } from '../sim/errno.ts';
import { utf8 } from '../sim/bytes.ts';
import type { Machine } from '../machine/machine.ts';
import { ProcessExit, type Process } from '../kernel/process.ts';
import { Shell } from '../shell/index.ts';

export interface CommandOptions {
  readonly onStdout: (bytes: Uint8Array) => void;
  readonly onStderr: (bytes: Uint8Array) => void;
  /** Text to read; end of file after it. */
  readonly stdin?: string;
}

interface Job {
  readonly command: string;
  readonly options: CommandOptions;
  readonly done: (status: number) => void;
  readonly failed: (error: Error) => void;
}

/** The shell ended under a running command: its machine went down, or someone killed the shell. */
export class SessionLostError extends Error {
  override readonly name = 'SessionLostError';
}

/** One machine's agent. A machine that is switched off takes its shell with it; the next command gets a new one. */
export class AgentShell {
  readonly #machine: Machine;
  readonly #jobs: Job[] = [];
  #wake: (() => void) | undefined;
  #pid: number | undefined;
  #current: Job | undefined;
  #interrupt: (() => void) | undefined;
  #cwd: (() => string) | undefined;

  constructor(machine: Machine) {
    this.#machine = machine;
    machine.onPower((power) => {
      if (power === 'off') this.#abandon();
    });
  }

  /** Runs a command line; resolves with its exit status. Rejects with SysError EIO when the machine is off, SessionLostError when the shell goes. */
  run(command: string, options: CommandOptions): Promise<number> {
    return new Promise((done, failed) => {
      if (this.#machine.power !== 'on') {
        failed(new SysError('EIO', `${this.#machine.name} is ${this.#machine.power}`));
        return;
      }
      this.#jobs.push({ command, options, done, failed });
      if (this.#pid === undefined) this.#start();
      this.#wake?.();
    });
  }

  /** ^C: interrupts the command that runs now. */
  interrupt(): void {
    this.#interrupt?.();
  }

  /** What a learner sees before the cursor: the PS1 of CentOS's /etc/bashrc. */
  get prompt(): string {
    const cwd = this.#cwd?.() ?? '/root';
    const shown = cwd === '/root' ? '~' : cwd === '/' ? '/' : cwd.slice(cwd.lastIndexOf('/') + 1);
    return `[root@${this.#machine.name} ${shown}]# `;
  }

  #start(): void {
    this.#pid = this.#machine.spawnAgent((process) => this.#serve(process), { title: '-bash' });
  }

  async #serve(process: Process): Promise<number> {
    const shell = new Shell(process, { name: '-bash', isInteractive: true, isLogin: true });
    process.sys.onSignal('SIGINT', () => shell.interpreter.interrupt());
    // The shell's jobs share its group: what ^C at a terminal reaches.
    this.#interrupt = () => process.sys.kill(0, 'SIGINT');
    this.#cwd = () => process.sys.cwd();
    await shell.startUp();
    try {
      for (;;) {
        const job = this.#jobs.shift();
        if (job === undefined) {
          await process.sys.block<void>((resolve) => {
            this.#wake = () => resolve();
            return { dispose: () => (this.#wake = undefined) };
          });
          continue;
        }
        this.#current = job;
        const status = await runJob(process, shell, job);
        this.#current = undefined;
        job.done(status);
        if (shell.hasExited) return status;
      }
    } finally {
      this.#pid = undefined;
      this.#wake = undefined;
      this.#interrupt = undefined;
      this.#cwd = undefined;
      const lost = this.#current;
      this.#current = undefined;
      lost?.failed(new SessionLostError(`${this.#machine.name}: connection closed`));
      if (this.#jobs.length > 0 && this.#machine.power === 'on') this.#start();
    }
  }

  #abandon(): void {
    for (const job of this.#jobs.splice(0)) job.failed(new SysError('EIO', `${this.#machine.name} was switched off`));
  }
}

async function runJob(process: Process, shell: Shell, job: Job): Promise<number> {
  const { sys } = process;
  const stdin = inputOf(process, job.options.stdin);
  const out = outputTo(process, job.options.onStdout);
  const err = job.options.onStdout === job.options.onStderr ? out : outputTo(process, job.options.onStderr);
  try {
    return await shell.runCommand(job.command, { stdin, stdout: out.fd, stderr: err.fd });
  } finally {
    sys.close(stdin);
    await out.finish();
    if (err !== out) await err.finish();
  }
}

function inputOf(process: Process, text: string | undefined): number {
  const { sys } = process;
  if (text === undefined) return sys.open('/dev/null', { read: true });
  const [read, write] = sys.pipe();
  const bytes = utf8(text);
  sys.fork(
    async (child) => {
      await child.sys.file(1).write(bytes);
      return 0;
    },
    {
      fds: new Map([
        [0, read],
        [1, write],
        [2, write],
      ]),
    },
  );
  sys.close(write);
  return read;
}

/** A pipe whose bytes reach `take` as they come; what background jobs write later goes nowhere. */
function outputTo(process: Process, take: (bytes: Uint8Array) => void): { readonly fd: number; finish(): Promise<void> } {
  const { sys } = process;
  const [read, write] = sys.pipe();
  const source = sys.file(read);
  const state = { isOver: false, isAtEnd: false };
  const copy = async (): Promise<void> => {
    for (let chunk = await source.read(); chunk !== undefined; chunk = await source.read()) {
      if (!state.isOver) take(chunk);
    }
    state.isAtEnd = true;
    sys.close(read);
  };
  copy().catch((error: unknown) => {
    state.isAtEnd = true;
    if (!(error instanceof ProcessExit)) throw error;
  });
  return {
    fd: write,
    async finish() {
      sys.close(write);
      // Whoever still holds the other end is a background job; what the command itself wrote is in the pipe by now.
      while (!state.isAtEnd && source.isReadable) await sys.sleep(1);
      state.isOver = true;
    },
  };
}
