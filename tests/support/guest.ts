// A machine without init for tests of programs: a real kernel, a small disk with every program on it, virtual time.

import { allPrograms } from '../../engine/programs/index.ts';
import { type ImageEntry, type ImageTree } from '../../engine/fs/image-tree.ts';
import { LinuxKernel } from '../../engine/kernel/linux-kernel.ts';
import type { Process, Program } from '../../engine/kernel/process.ts';
import { ProgramRegistry } from '../../engine/programs/registry.ts';
import { createNetStack } from '../../engine/net/stack.ts';
import { concat, text, utf8 } from '../../engine/sim/bytes.ts';
import { VirtualClock } from '../../engine/sim/clock.ts';
import { SeededRng } from '../../engine/sim/rng.ts';
import { Journal } from '../../engine/store/journal.ts';
import { MemoryStore } from '../../engine/store/memory-store.ts';

export interface RunResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

type Request = RunRequest | { readonly open: (sys: Process['sys']) => void };

interface RunRequest {
  readonly argv: readonly string[];
  readonly env: ReadonlyMap<string, string>;
  readonly cwd: string;
  readonly stdin: Uint8Array;
  readonly done: (result: RunResult) => void;
}

const START_MS = Date.UTC(2026, 0, 5, 0, 0, 0);

export class Guest {
  readonly clock: VirtualClock;
  readonly kernel: LinuxKernel;
  readonly #requests: Request[] = [];
  #wake: (() => void) | undefined;

  constructor(options: { readonly files?: Readonly<Record<string, string>>; readonly init?: (process: Process) => Promise<number> } = {}) {
    this.clock = new VirtualClock({ startMs: START_MS, settle: () => new Promise((resolve) => setImmediate(resolve)) });
    const init: Program = { name: 'test-init', paths: ['/sbin/init'], main: options.init ?? ((process) => this.#init(process)) };
    const all = allPrograms();
    const programs = new ProgramRegistry(
      all.names().map((name) => all.get(name)!),
      [init],
    );
    const rng = new SeededRng(7);
    this.kernel = new LinuxKernel({
      machine: 'test',
      release: '3.10.0-1127.19.1.el7.x86_64',
      cpus: 2,
      memoryBytes: 3 * 2 ** 30,
      diskBytes: 40 * 2 ** 30,
      clock: this.clock,
      rng,
      journal: new Journal(new MemoryStore()),
      programs,
      images: () => undefined,
      image: image(programs, options.files ?? {}),
      baseUsedBytes: 2 ** 30,
      imageTimeMs: START_MS - 86_400_000,
      createNetStack,
      attachHardware: () => undefined,
      onPower: () => undefined,
      isResumed: false,
    });
    this.kernel.startInit('/sbin/init', ['init']);
  }

  /** Runs a program to its end; virtual time moves as far as it needs. */
  async run(
    argv: readonly string[],
    options: { readonly stdin?: string | Uint8Array; readonly env?: Readonly<Record<string, string>>; readonly cwd?: string } = {},
  ): Promise<RunResult> {
    let result: RunResult | undefined;
    const stdin = options.stdin ?? '';
    this.#requests.push({
      argv,
      env: new Map(
        Object.entries({ PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin', HOME: '/root', LANG: 'C', TERM: 'xterm', ...options.env }),
      ),
      cwd: options.cwd ?? '/root',
      stdin: typeof stdin === 'string' ? utf8(stdin) : stdin,
      done: (value) => {
        result = value;
      },
    });
    this.#wake?.();
    await this.until(() => result !== undefined);
    return result!;
  }

  /** A program on a terminal of its own (a login shell if left out). */
  async terminal(
    argv: readonly string[] = ['-bash'],
    options: {
      readonly path?: string;
      readonly columns?: number;
      readonly rows?: number;
      readonly env?: Readonly<Record<string, string>>;
    } = {},
  ): Promise<GuestTerminal> {
    let opened: GuestTerminal | undefined;
    this.#requests.push({
      open: (sys) => {
        const master = sys.open('/dev/ptmx', { read: true, write: true });
        const file = sys.file(master);
        const terminal = file.tty!;
        terminal.resize({ columns: options.columns ?? 80, rows: options.rows ?? 24 });
        const env = new Map(
          Object.entries({
            PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin',
            HOME: '/root',
            LANG: 'en_US.UTF-8',
            TERM: 'xterm-256color',
            ...options.env,
          }),
        );
        const pid = sys.fork(
          async (child) => {
            child.sys.setSession();
            const slave = child.sys.open(`/dev/${terminal.name}`, { read: true, write: true });
            for (const fd of [0, 1, 2]) if (fd !== slave) child.sys.dup2(slave, fd);
            child.sys.controllingTty()!.foregroundGroup = child.pid;
            return child.sys.exec(options.path ?? '/usr/bin/bash', argv, env);
          },
          { fds: new Map(), cwd: '/root', env },
        );
        opened = new GuestTerminal(this, (bytes) => file.write(bytes));
        void (async () => {
          for (;;) {
            const chunk = await file.read().catch(() => undefined);
            if (chunk === undefined) break;
            opened!.output += text(chunk);
          }
          opened!.isClosed = true;
        })();
        void sys.wait(pid);
      },
    });
    this.#wake?.();
    await this.until(() => opened !== undefined);
    await opened!.settle();
    return opened!;
  }

  /** Lets promises and timers run until the condition holds. */
  async until(condition: () => boolean, limitMs = 3_600_000): Promise<void> {
    const end = this.clock.now() + limitMs;
    for (let idle = 0; idle < 5000;) {
      await this.clock.settle();
      if (condition()) return;
      if (await this.clock.step(end)) idle = 0;
      else idle++;
    }
    throw new Error('nothing more happens');
  }

  dispose(): void {
    this.kernel.dispose();
  }

  async #init(process: Process): Promise<number> {
    const { sys } = process;
    sys.setHostname('m-k8s');
    for (;;) {
      const request = this.#requests.shift();
      if (request === undefined) {
        await sys.block<void>((resolve) => {
          this.#wake = () => {
            resolve();
          };
          return undefined;
        });
        continue;
      }
      if ('open' in request) {
        request.open(sys);
        continue;
      }
      const [inRead, inWrite] = sys.pipe();
      const [outRead, outWrite] = sys.pipe();
      const [errRead, errWrite] = sys.pipe();
      const path = request.argv[0]!.includes('/') ? request.argv[0]! : `/usr/bin/${request.argv[0]!}`;
      const pid = sys.spawn(path, request.argv, {
        env: request.env,
        cwd: request.cwd,
        newSession: true,
        fds: new Map([
          [0, inRead],
          [1, outWrite],
          [2, errWrite],
        ]),
      });
      for (const fd of [inRead, outWrite, errWrite]) sys.close(fd);
      const feed = (async () => {
        sys.onSignal('SIGPIPE', 'ignore');
        try {
          if (request.stdin.length > 0) await sys.file(inWrite).write(request.stdin);
        } catch (error) {
          if (!(error instanceof Error && error.message.startsWith('Broken pipe'))) throw error;
        }
        sys.close(inWrite);
      })();
      const drain = async (fd: number): Promise<string> => {
        const chunks: Uint8Array[] = [];
        for (;;) {
          const chunk = await sys.file(fd).read();
          if (chunk === undefined) break;
          chunks.push(chunk);
        }
        sys.close(fd);
        return text(concat(chunks));
      };
      const [stdout, stderr, result] = await Promise.all([drain(outRead), drain(errRead), sys.wait(pid), feed]);
      const status =
        result?.kind === 'exited' ? result.status : result?.kind === 'signaled' ? 128 + (SIGNAL_NUMBERS[result.signal] ?? 0) : 0;
      request.done({ status, stdout, stderr });
    }
  }
}

/** The user's side of a terminal. */
export class GuestTerminal {
  output = '';
  isClosed = false;
  readonly #guest: Guest;
  readonly #write: (bytes: Uint8Array) => Promise<void>;

  constructor(guest: Guest, write: (bytes: Uint8Array) => Promise<void>) {
    this.#guest = guest;
    this.#write = write;
  }

  /** Types and returns what the screen got because of it. */
  async type(keys: string, waitMs = 0): Promise<string> {
    const before = this.output.length;
    await this.#write(utf8(keys));
    await this.settle(waitMs);
    return this.output.slice(before);
  }

  /** Lets everything run that needs no time, then moves time. */
  async settle(waitMs = 0): Promise<void> {
    for (let i = 0; i < 30; i++) await this.#guest.clock.settle();
    if (waitMs > 0) {
      await this.#guest.clock.advance(waitMs);
      for (let i = 0; i < 30; i++) await this.#guest.clock.settle();
    }
  }
}

const SIGNAL_NUMBERS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
};

function image(programs: ProgramRegistry, files: Readonly<Record<string, string>>): ImageTree {
  const entries = new Map<string, ImageEntry>();
  entries.set('/bin', { kind: 'symlink', target: 'usr/bin' });
  entries.set('/sbin', { kind: 'symlink', target: 'usr/sbin' });
  for (const path of ['/root', '/home/vagrant', '/var/tmp', '/proc', '/sys', '/dev', '/run', '/boot', '/etc'])
    entries.set(path, { kind: 'directory' });
  entries.set('/tmp', { kind: 'directory', mode: 0o1777 });
  entries.set('/etc/passwd', {
    kind: 'file',
    contents: 'root:x:0:0:root:/root:/bin/bash\nvagrant:x:1000:1000:vagrant:/home/vagrant:/bin/bash\n',
  });
  entries.set('/etc/group', { kind: 'file', contents: 'root:x:0:\nvagrant:x:1000:\n' });
  entries.set('/etc/localtime', { kind: 'symlink', target: '../usr/share/zoneinfo/Asia/Seoul' });
  for (const name of programs.names()) {
    for (const path of programs.get(name)!.paths ?? [`/usr/bin/${name}`]) {
      const real = path.replace(/^\/(s?bin)\//, '/usr/$1/');
      entries.set(real, { kind: 'program', program: name, mode: 0o755 });
    }
  }
  for (const [path, contents] of Object.entries(files)) entries.set(path, { kind: 'file', contents });
  return { name: 'test', entries };
}
