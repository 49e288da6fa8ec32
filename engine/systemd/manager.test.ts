import { describe, expect, it } from 'vitest';
import type { Program } from '../kernel/process.ts';
import { Journal } from '../store/journal.ts';
import { MemoryStore } from '../store/memory-store.ts';
import { init } from '../programs/systemd/init.ts';
import { systemctl } from '../programs/systemd/systemctl.ts';
import { journalctl } from '../programs/systemd/journalctl.ts';
import type { ImageEntry } from '../fs/image-tree.ts';
import { utf8 } from '../sim/bytes.ts';
import { readAll, TestKernel } from '../../tests/support/test-kernel.ts';

/** A daemon that says hello and waits; exits with the status given as first argument after the delay given as second. */
const daemon: Program = {
  name: 'daemon',
  async main(process) {
    if (!process.resumed) await process.stdout.write(utf8(`hello from ${process.argv[1] ?? 'daemon'}\n`));
    const [, , status, delay] = process.argv;
    if (status !== undefined) {
      await process.sys.sleep(Number(delay ?? 0));
      return Number(status);
    }
    return process.sys.block<number>(() => undefined);
  },
};

const file = (contents: string): ImageEntry => ({ kind: 'file', contents });
const UNITS = '/usr/lib/systemd/system';
const ENTRIES: Readonly<Record<string, ImageEntry>> = {
  '/sbin/init': { kind: 'program', program: 'systemd' },
  '/etc/passwd': file('root:x:0:0:root:/root:/bin/bash\n'),
  [`${UNITS}/multi-user.target`]: file('[Unit]\nDescription=Multi-User System\n'),
  '/etc/systemd/system/default.target': { kind: 'symlink', target: `${UNITS}/multi-user.target` },
  '/etc/systemd/system/multi-user.target.wants/front.service': { kind: 'symlink', target: `${UNITS}/front.service` },
  [`${UNITS}/front.service`]: file(
    '[Unit]\nDescription=The front\nRequires=back.service\nAfter=back.service\n[Service]\nExecStart=/usr/bin/daemon front\n[Install]\nWantedBy=multi-user.target\n',
  ),
  [`${UNITS}/back.service`]: file('[Unit]\nDescription=The back\n[Service]\nExecStart=/usr/bin/daemon back\n'),
  [`${UNITS}/flaky.service`]: file(
    '[Unit]\nDescription=Fails\n[Service]\nExecStart=/usr/bin/daemon flaky 3 1000\nRestart=on-failure\nRestartSec=10\nStartLimitInterval=0\n',
  ),
  [`${UNITS}/once.service`]: file('[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/usr/bin/daemon once 0\n'),
  [`${UNITS}/broken.service`]: file('[Service]\nType=oneshot\nExecStart=/usr/bin/daemon broken 1\n'),
};

interface Machine {
  readonly kernel: TestKernel;
  run(program: string, ...args: readonly string[]): Promise<{ readonly status: number; readonly output: string }>;
}

function machine(options: { readonly journal?: Journal; readonly from?: TestKernel } = {}): Machine {
  const kernel = new TestKernel({
    programs: [init, systemctl, journalctl, daemon],
    entries: ENTRIES,
    ...(options.journal === undefined ? {} : { journal: options.journal }),
    ...(options.from === undefined ? {} : { journal: options.from.journal, clock: options.from.clock, isResumed: true }),
  });
  return {
    kernel,
    run: (program, ...args) =>
      kernel.run(async (process) => {
        const [read, write] = process.sys.pipe();
        const pid = process.sys.spawn(`/usr/bin/${program}`, [program, ...args], {
          fds: new Map([
            [1, write],
            [2, write],
          ]),
        });
        process.sys.close(write);
        const output = await readAll(process, read);
        const ended = await process.sys.wait(pid);
        return { status: ended?.kind === 'exited' ? ended.status : -1, output };
      }),
  };
}

const pids = (on: Machine, command: string): readonly number[] =>
  on.kernel.kernel
    .processes()
    .filter((info) => info.argv[1] === command && info.state !== 'Z')
    .map((info) => info.pid);

describe('the manager', () => {
  it('boots the default target, what it wants and what that requires', async () => {
    const m = machine();
    await m.kernel.clock.advance(1000);
    expect((await m.run('systemctl', 'is-active', 'front', 'back', 'flaky')).output).toBe('active\nactive\ninactive\n');
    expect(pids(m, 'front')).toHaveLength(1);
  });

  it('stops what requires a stopped unit, and says nothing', async () => {
    const m = machine();
    await m.kernel.clock.advance(1000);
    expect(await m.run('systemctl', 'stop', 'back')).toEqual({ status: 0, output: '' });
    expect((await m.run('systemctl', 'is-active', 'front', 'back')).output).toBe('inactive\ninactive\n');
    expect(pids(m, 'front')).toEqual([]);
  });

  it('restarts a failing service after its delay, over and over', async () => {
    const m = machine();
    expect((await m.run('systemctl', 'start', 'flaky')).status).toBe(0);
    await m.kernel.clock.advance(2000);
    expect((await m.run('systemctl', 'status', 'flaky')).output).toContain('activating (auto-restart) (Result: exit-code)');
    await m.kernel.clock.advance(40_000);
    expect((await m.run('systemctl', 'show', '-p', 'NRestarts', 'flaky')).output).toBe('NRestarts=3\n');
  });

  it('keeps a oneshot active and reports a failed one', async () => {
    const m = machine();
    expect((await m.run('systemctl', 'start', 'once')).status).toBe(0);
    expect((await m.run('systemctl', 'is-active', 'once')).output).toBe('active\n');
    const failed = await m.run('systemctl', 'start', 'broken');
    expect(failed.status).toBe(1);
    expect(failed.output).toBe(
      'Job for broken.service failed because the control process exited with error code. See "systemctl status broken.service" and "journalctl -xe" for details.\n',
    );
    expect((await m.run('systemctl', 'is-failed', 'broken')).output).toBe('failed\n');
  });

  it.each([
    [['start', 'nosuch'], 5, 'Failed to start nosuch.service: Unit not found.\n'],
    [['stop', 'nosuch'], 5, 'Failed to stop nosuch.service: Unit nosuch.service not loaded.\n'],
    [['status', 'nosuch'], 4, 'Unit nosuch.service could not be found.\n'],
    [['frobnicate'], 1, "Unknown operation 'frobnicate'.\n"],
    [['enable', 'nosuch'], 1, 'Failed to execute operation: No such file or directory\n'],
    [['is-enabled', 'nosuch'], 1, 'Failed to get unit file state for nosuch.service: No such file or directory\n'],
    [['--frob', 'status'], 1, "systemctl: unrecognized option '--frob'\n"],
  ] as const)('systemctl %j answers as systemd 219 does', async (args, status, output) => {
    expect(await machine().run('systemctl', ...args)).toEqual({ status, output });
  });

  it('enables, disables and masks by links', async () => {
    const m = machine();
    expect((await m.run('systemctl', 'disable', 'front')).output).toBe(
      'Removed symlink /etc/systemd/system/multi-user.target.wants/front.service.\n',
    );
    expect((await m.run('systemctl', 'enable', 'front')).output).toBe(
      `Created symlink from /etc/systemd/system/multi-user.target.wants/front.service to ${UNITS}/front.service.\n`,
    );
    expect((await m.run('systemctl', 'mask', 'flaky')).output).toBe(
      'Created symlink from /etc/systemd/system/flaky.service to /dev/null.\n',
    );
    expect(await m.run('systemctl', 'start', 'flaky')).toEqual({ status: 1, output: 'Failed to start flaky.service: Unit is masked.\n' });
  });

  it('gathers output in the journal', async () => {
    const m = machine();
    await m.kernel.clock.advance(1000);
    const { output } = await m.run('journalctl', '-u', 'front', '--no-pager', '-o', 'cat');
    expect(output).toContain('hello from front');
    expect(output).toContain('Started The front.');
  });

  it('goes on after a saved machine was opened again: same pids, no second start, output still gathered', async () => {
    const before = machine({ journal: new Journal(new MemoryStore()) });
    await before.kernel.clock.advance(1000);
    const [pid] = pids(before, 'front');
    before.kernel.journal.flush();
    before.kernel.kernel.dispose();
    const after = machine({ from: before.kernel });
    await after.kernel.clock.advance(1000);
    expect(pids(after, 'front')).toEqual([pid]);
    expect((await after.run('systemctl', 'is-active', 'front')).output).toBe('active\n');
    const { output } = await after.run('journalctl', '-u', 'front', '--no-pager', '-o', 'cat');
    expect(output.match(/hello from front/g)).toHaveLength(1);
    expect(await after.run('systemctl', 'stop', 'front')).toEqual({ status: 0, output: '' });
    expect(pids(after, 'front')).toEqual([]);
  });

  it('stops everything before the power goes', async () => {
    const m = machine();
    await m.kernel.clock.advance(1000);
    await m.run('systemctl', 'poweroff');
    await m.kernel.clock.advance(1000);
    expect(m.kernel.powers).toEqual(['off']);
    expect(pids(m, 'front')).toEqual([]);
  });
});
