// A kernel to test on: a small disk image, virtual time, a store in memory.

import { SeededRng } from '#engine/sim/rng.ts';
import { VirtualClock } from '#engine/sim/clock.ts';
import { text } from '#engine/sim/bytes.ts';
import type { ImageEntry, ImageTree } from '#engine/fs/image-tree.ts';
import { LinuxKernel } from '#engine/kernel/linux-kernel.ts';
import type { Process, Program } from '#engine/kernel/process.ts';
import { createNetStack } from '#engine/net/stack.ts';
import { Journal } from '#engine/store/journal.ts';
import { MemoryStore } from '#engine/store/memory-store.ts';

export interface TestKernelOptions {
  readonly programs?: readonly Program[];
  readonly entries?: Readonly<Record<string, ImageEntry>>;
  readonly journal?: Journal;
  readonly clock?: VirtualClock;
  readonly isResumed?: boolean;
  readonly diskBytes?: number;
  readonly images?: readonly ImageTree[];
}

export function newClock(): VirtualClock {
  return new VirtualClock({ startMs: Date.UTC(2026, 0, 1), settle: () => new Promise((resolve) => setImmediate(resolve)) });
}

/** Init that only reaps; what a test wants is forked from it. */
const INIT: Program = {
  name: 'test-init',
  paths: [],
  async main({ sys }) {
    for (;;) {
      try {
        await sys.wait(-1);
      } catch (error) {
        if (!(error instanceof Error) || !/No child/.test(error.message)) throw error;
        await sys.sleep(1000);
      }
    }
  },
};

export class TestKernel {
  readonly clock: VirtualClock;
  readonly journal: Journal;
  readonly kernel: LinuxKernel;
  readonly powers: string[] = [];

  constructor(options: TestKernelOptions = {}) {
    this.clock = options.clock ?? newClock();
    this.journal = options.journal ?? new Journal(new MemoryStore());
    const programs = new Map([INIT, ...(options.programs ?? [])].map((program) => [program.name, program]));
    const entries = new Map<string, ImageEntry>([
      ...['/boot', '/dev', '/proc', '/run', '/sys', '/root', '/home', '/var/log'].map((path) => [path, { kind: 'directory' }] as const),
      ['/tmp', { kind: 'directory', mode: 0o1777 }],
      ['/sbin/init', { kind: 'program', program: 'test-init' }],
      ['/etc/hosts', { kind: 'file', contents: '127.0.0.1 localhost\n' }],
      ...(options.programs ?? []).map((program) => [`/usr/bin/${program.name}`, { kind: 'program', program: program.name }] as const),
      ...Object.entries(options.entries ?? {}),
    ]);
    const image: ImageTree = { name: 'test', entries };
    this.kernel = new LinuxKernel({
      machine: 'test',
      release: '3.10.0-1160.90.1.el7.x86_64',
      cpus: 2,
      memoryBytes: 2 * 1024 ** 3,
      diskBytes: options.diskBytes ?? 37 * 1024 ** 3,
      clock: this.clock,
      rng: new SeededRng(7),
      journal: this.journal,
      programs: { get: (name) => programs.get(name) },
      images: (name) => options.images?.find((one) => one.name === name),
      image,
      baseUsedBytes: 0,
      imageTimeMs: Date.UTC(2020, 11, 1),
      createNetStack,
      attachHardware: () => undefined,
      onPower: (action) => this.powers.push(action),
      isResumed: options.isResumed ?? false,
    });
    this.kernel.table.onCrash.on(({ error }) => {
      throw error;
    });
    if (options.isResumed === true) this.kernel.table.records.resume();
    else this.kernel.startInit('/sbin/init', ['/sbin/init']);
  }

  /** Runs `main` as a child of init and returns what it returned or threw; time advances until it ends. */
  async run<T>(main: (process: Process) => Promise<T>, options: { readonly uid?: number; readonly withinMs?: number } = {}): Promise<T> {
    let outcome: { readonly value: T } | { readonly error: unknown } | undefined;
    const init = this.kernel.table.find(1)!;
    await this.clock.settle();
    this.kernel.table.fork(
      init,
      async (process) => {
        try {
          outcome = { value: await main(process) };
        } catch (error) {
          outcome = { error };
        }
        return 0;
      },
      {
        newSession: true,
        ...(options.uid === undefined ? {} : { credentials: { uid: options.uid, gid: options.uid, groups: [] } }),
      },
    );
    await this.clock.settle();
    for (let spent = 0; outcome === undefined && spent < (options.withinMs ?? 60_000); spent += 100) await this.clock.advance(100);
    if (outcome === undefined) throw new Error('did not end in time');
    if ('error' in outcome) throw outcome.error;
    return outcome.value;
  }
}

/** Everything a descriptor gives until its end. */
export async function readAll(process: Process, fd: number): Promise<string> {
  let all = '';
  for (;;) {
    const chunk = await process.sys.file(fd).read();
    if (chunk === undefined) return all;
    all += text(chunk);
  }
}
