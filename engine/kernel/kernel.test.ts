import { describe, expect, it } from 'vitest';
import { readAll, TestKernel } from '../../tests/support/test-kernel.ts';
import { isSysError } from '../sim/errno.ts';
import { text, utf8 } from '../sim/bytes.ts';
import type { Process, Program } from './process.ts';

const echo: Program = {
  name: 'echo',
  async main({ argv, stdout }) {
    await stdout.write(utf8(`${argv.slice(1).join(' ')}\n`));
    return 0;
  },
};
const sleeper: Program = {
  name: 'sleep',
  async main({ argv, sys }) {
    await sys.sleep(Number(argv[1]) * 1000);
    return 0;
  },
};
const yes: Program = {
  name: 'yes',
  async main({ stdout }) {
    for (;;) await stdout.write(utf8('y\n'.repeat(100)));
  },
};

async function errnoOf(action: () => unknown): Promise<string> {
  try {
    await action();
    return 'none';
  } catch (error) {
    if (isSysError(error)) return error.errno;
    throw error;
  }
}

describe('processes', () => {
  it('spawns a program and gives its output through a pipe', async () => {
    const test = new TestKernel({ programs: [echo] });
    const got = await test.run(async (process) => {
      const { sys } = process;
      const [r, w] = sys.pipe();
      const pid = sys.spawn('/usr/bin/echo', ['echo', 'hello'], { fds: new Map([[1, w]]) });
      sys.close(w);
      const output = await readAll(process, r);
      return { output, result: await sys.wait(pid) };
    });
    expect(got.output).toBe('hello\n');
    expect(got.result).toMatchObject({ kind: 'exited', status: 0 });
  });

  it('ends a writer by SIGPIPE when its reader is gone', async () => {
    const test = new TestKernel({ programs: [yes] });
    const result = await test.run(async ({ sys }) => {
      const [r, w] = sys.pipe();
      const pid = sys.spawn('/usr/bin/yes', ['yes'], { fds: new Map([[1, w]]) });
      sys.close(w);
      await sys.file(r).read(10);
      sys.close(r);
      return sys.wait(pid);
    });
    expect(result).toMatchObject({ kind: 'signaled', signal: 'SIGPIPE' });
  });

  it('lets time pass for a program that never waits, so that it can be killed', async () => {
    const test = new TestKernel({ programs: [yes] });
    const result = await test.run(async ({ sys }) => {
      const out = sys.open('/dev/null', { write: true });
      const pid = sys.spawn('/usr/bin/yes', ['yes'], { fds: new Map([[1, out]]) });
      await sys.sleep(50);
      sys.kill(pid, 'SIGKILL');
      return sys.wait(pid);
    });
    expect(result).toMatchObject({ kind: 'signaled', signal: 'SIGKILL' });
  });

  it('stops and continues a process', async () => {
    const test = new TestKernel({ programs: [sleeper] });
    const events = await test.run(async ({ sys }) => {
      const pid = sys.spawn('/usr/bin/sleep', ['sleep', '1'], { processGroup: 0 });
      const seen: string[] = [];
      sys.kill(pid, 'SIGSTOP');
      seen.push((await sys.wait(pid, { untraced: true }))!.kind);
      await sys.sleep(5000);
      seen.push(String(await sys.wait(pid, { noHang: true })));
      sys.kill(pid, 'SIGCONT');
      seen.push((await sys.wait(pid, { untraced: true }))!.kind);
      seen.push((await sys.wait(pid))!.kind);
      return seen;
    });
    expect(events).toEqual(['stopped', 'undefined', 'continued', 'exited']);
  });

  it('gives orphans to init and reaps them', async () => {
    const test = new TestKernel({ programs: [sleeper] });
    await test.run(async ({ sys }) => {
      const middle = sys.fork(async (child) => {
        child.sys.spawn('/usr/bin/sleep', ['sleep', '2']);
        return 0;
      });
      await sys.wait(middle);
      expect(sys.processes().find((one) => one.command === 'sleep')?.parent).toBe(1);
    });
    await test.clock.advance(5000);
    expect(test.kernel.processes().filter((one) => one.command === 'sleep')).toEqual([]);
  });

  it('runs scripts by their interpreter and tells files apart that cannot run', async () => {
    const test = new TestKernel({
      programs: [echo],
      entries: {
        '/script': { kind: 'file', contents: '#!/usr/bin/echo -e\n', mode: 0o755 },
        '/plain': { kind: 'file', contents: 'x', mode: 0o755 },
        '/closed': { kind: 'file', contents: '#!/usr/bin/echo\n', mode: 0o644 },
      },
    });
    await test.run(async (process: Process) => {
      const { sys } = process;
      const [r, w] = sys.pipe();
      const pid = sys.spawn('/script', ['script', 'a'], { fds: new Map([[1, w]]) });
      sys.close(w);
      expect(await readAll(process, r)).toBe('-e /script a\n');
      await sys.wait(pid);
      expect(await errnoOf(() => sys.spawn('/plain', ['plain']))).toBe('ENOEXEC');
      expect(await errnoOf(() => sys.spawn('/closed', ['closed']))).toBe('EACCES');
      expect(await errnoOf(() => sys.spawn('/none', ['none']))).toBe('ENOENT');
      expect(await errnoOf(() => sys.wait(-1))).toBe('ECHILD');
    });
  });

  it('runs a handler at once and goes on with the interrupted call', async () => {
    const test = new TestKernel();
    const order = await test.run(async ({ sys }) => {
      const seen: string[] = [];
      const child = sys.fork(async (one) => {
        one.sys.onSignal('SIGTERM', () => seen.push('handled'));
        await one.sys.sleep(1000);
        seen.push('slept');
        return 3;
      });
      await sys.sleep(10);
      sys.kill(child, 'SIGTERM');
      seen.push('sent');
      const result = await sys.wait(child);
      return [...seen, result];
    });
    expect(order).toMatchObject(['handled', 'sent', 'slept', { kind: 'exited', status: 3 }]);
  });

  it('keeps the first process of a pid namespace from signals it does not handle', async () => {
    const test = new TestKernel({ programs: [sleeper] });
    await test.run(async ({ sys }) => {
      const pid = sys.spawn('/usr/bin/sleep', ['sleep', '100'], { namespaces: { pid: 'new' } });
      const inside = sys.fork(
        async (child) => {
          expect(child.pid).toBe(2);
          expect(child.sys.processes().map((one) => one.pid)).toEqual([1, 2]);
          child.sys.kill(1, 'SIGKILL');
          child.sys.kill(1, 'SIGTERM');
          return 0;
        },
        { namespaces: { pid } },
      );
      expect(await sys.wait(inside)).toMatchObject({ kind: 'exited', status: 0 });
      sys.kill(pid, 'SIGTERM');
      expect(await sys.wait(pid, { noHang: true })).toBeUndefined();
      sys.kill(pid, 'SIGKILL');
      expect(await sys.wait(pid)).toMatchObject({ kind: 'signaled', signal: 'SIGKILL' });
    });
  });
});

describe('files', () => {
  it('checks permissions in the walk', async () => {
    const test = new TestKernel({
      entries: { '/secret': { kind: 'directory', mode: 0o700 }, '/secret/a': { kind: 'file', contents: 'x' } },
    });
    await test.run(
      async ({ sys }) => {
        expect(await errnoOf(() => sys.readFile('/secret/a'))).toBe('EACCES');
        expect(await errnoOf(() => sys.writeFile('/etc/new', ''))).toBe('EACCES');
        expect(await errnoOf(() => sys.chmod('/etc/hosts', 0o777))).toBe('EPERM');
        sys.writeFile('/tmp/mine', 'ok');
        expect(sys.stat('/tmp/mine').uid).toBe(1000);
      },
      { uid: 1000 },
    );
    await test.run(async ({ sys }) => expect(await errnoOf(() => sys.unlink('/tmp/mine'))).toBe('EPERM'), { uid: 1001 });
  });

  it('follows symlinks and gives up on loops', async () => {
    const test = new TestKernel();
    await test.run(async ({ sys }) => {
      sys.symlink('/etc', '/tmp/etc');
      sys.symlink('b', '/tmp/a');
      sys.symlink('a', '/tmp/b');
      expect(sys.readTextFile('/tmp/etc/hosts')).toContain('localhost');
      expect(sys.realpath('/tmp/etc/../etc/hosts')).toBe('/etc/hosts');
      expect(await errnoOf(() => sys.readFile('/tmp/a'))).toBe('ELOOP');
      expect(await errnoOf(() => sys.readFile('/etc/hosts/x'))).toBe('ENOTDIR');
      expect(await errnoOf(() => sys.open('/etc', { write: true }))).toBe('EISDIR');
    });
  });

  it('shows the process in /proc', async () => {
    const test = new TestKernel();
    await test.run(async ({ sys, pid }) => {
      expect(sys.readlink('/proc/self')).toBe(String(pid));
      expect(sys.readTextFile('/proc/self/status')).toContain(`Pid:\t${pid}\n`);
      expect(sys.readTextFile('/proc/sys/net/ipv4/ip_forward')).toBe('0\n');
      sys.writeFile('/proc/sys/net/ipv4/ip_forward', '1\n');
      expect(sys.kernel.sysctl.get('net.ipv4.conf.all.forwarding')).toBe('1');
      expect(sys.exists('/proc/sys/net/bridge')).toBe(false);
      sys.kernel.modules.load('br_netfilter');
      expect(sys.readTextFile('/proc/sys/net/bridge/bridge-nf-call-iptables')).toBe('1\n');
      expect(sys.readTextFile('/proc/mounts')).toMatch(/^\/dev\/mapper\/centos_k8s-root \/ xfs/);
    });
  });

  it('fills a small disk up to ENOSPC and has room again after removing', async () => {
    const test = new TestKernel({ diskBytes: 1024 * 1024 });
    await test.run(async ({ sys }) => {
      const fd = sys.open('/big', { write: true, create: true });
      expect(
        await errnoOf(async () => {
          for (;;) await sys.file(fd).write(new Uint8Array(64 * 1024).fill(1));
        }),
      ).toBe('ENOSPC');
      sys.close(fd);
      sys.unlink('/big');
      sys.writeFile('/small', 'x');
    });
  });

  it('mounts an overlay over an image with whiteouts and copy-up', async () => {
    const image = {
      name: 'sha256:abc',
      entries: new Map([
        ['/etc/conf', { kind: 'file', contents: 'lower' } as const],
        ['/etc/gone', { kind: 'file', contents: 'x' } as const],
      ]),
    };
    const test = new TestKernel({ images: [image] });
    await test.run(async ({ sys }) => {
      for (const name of ['upper', 'work', 'merged']) sys.mkdir(`/var/${name}`);
      sys.mount({
        source: 'overlay',
        target: '/var/merged',
        type: 'overlay',
        options: 'lowerdir=image:sha256:abc,upperdir=/var/upper,workdir=/var/work',
      });
      sys.writeFile('/var/merged/etc/conf', '+', { append: true });
      sys.unlink('/var/merged/etc/gone');
      expect(sys.readTextFile('/var/merged/etc/conf')).toBe('lower+');
      expect(sys.readTextFile('/var/upper/etc/conf')).toBe('lower+');
      expect(sys.readdir('/var/merged/etc')).toEqual(['conf']);
      expect(sys.stat('/var/upper/etc/gone').kind).toBe('character');
      const fd = sys.open('/var/merged/etc/conf', {});
      expect(await errnoOf(() => sys.umount('/var/merged'))).toBe('EBUSY');
      sys.close(fd);
      sys.umount('/var/merged');
      expect(sys.readdir('/var/merged')).toEqual([]);
    });
  });
});

describe('what is saved', () => {
  it('brings files, mounts, modules and durable processes back, and pipes between them', async () => {
    const seen: string[] = [];
    const daemon: Program = {
      name: 'daemon',
      async main({ sys, pid, resumed, stdout }) {
        seen.push(`${pid} ${resumed}`);
        if (resumed) await stdout.write(utf8('again\n'));
        await sys.sleep(1e9);
        return 0;
      },
    };
    const reader: Program = {
      name: 'reader',
      async main({ sys, resumed }) {
        if (!resumed) {
          const [r, w] = sys.pipe();
          sys.dup2(r, 7);
          sys.spawn('/usr/bin/daemon', ['daemon'], { fds: new Map([[1, w]]), durable: true });
          sys.close(r);
          sys.close(w);
        }
        for (;;) seen.push(text((await sys.file(7).read())!));
      },
    };
    const first = new TestKernel({ programs: [daemon, reader] });
    await first.run(async ({ sys }) => {
      sys.spawn('/usr/bin/reader', ['reader'], { durable: true });
      sys.writeFile('/etc/hosts', 'changed');
      sys.mkdir('/etc/dir');
      sys.rename('/etc/dir', '/etc/moved');
      sys.writeFile('/run/state', 'live');
      sys.link('/etc/hosts', '/etc/hosts2');
      sys.kernel.modules.load('br_netfilter');
      sys.kernel.database('/var/db').put('k', 'v');
      sys.writeFile('/var/log/long', 'line\n'.repeat(10_000));
      await sys.sleep(10);
    });
    await first.clock.settle();
    const processes = first.kernel.processes().filter((one) => one.command === 'daemon');
    first.journal.flush();
    first.kernel.dispose();
    const second = new TestKernel({ programs: [daemon, reader], journal: first.journal, clock: first.clock, isResumed: true });
    await second.clock.settle();
    expect(second.kernel.processes().filter((one) => one.command === 'daemon')).toMatchObject(
      processes.map(({ pid, startMs, parent }) => ({ pid, startMs, parent })),
    );
    expect(seen).toEqual([`${processes[0]!.pid} false`, `${processes[0]!.pid} true`, 'again\n']);
    await second.run(async ({ sys }) => {
      expect(sys.readTextFile('/etc/hosts2')).toBe('changed');
      expect(sys.stat('/etc/hosts').nlink).toBe(2);
      expect(sys.exists('/etc/moved')).toBe(true);
      expect(sys.exists('/etc/dir')).toBe(false);
      expect(sys.readTextFile('/run/state')).toBe('live');
      expect(sys.readTextFile('/var/log/long')).toBe('line\n'.repeat(10_000));
      expect(sys.kernel.modules.isLoaded('br_netfilter')).toBe(true);
      expect(sys.kernel.database('/var/db').get('k')).toBe('v');
    });
    second.kernel.dispose({ isPowerCut: true });
    second.journal.flush();
    const third = new TestKernel({ programs: [daemon, reader], journal: first.journal, clock: first.clock });
    await third.run(async ({ sys }) => {
      expect(sys.exists('/run/state')).toBe(false);
      expect(sys.readTextFile('/etc/hosts2')).toBe('changed');
      expect(sys.kernel.modules.isLoaded('br_netfilter')).toBe(false);
    });
  });
});

describe('terminals', () => {
  it('edits lines, echoes and turns keys into signals', async () => {
    const test = new TestKernel();
    await test.run(async ({ sys }) => {
      const master = sys.open('/dev/ptmx', { read: true, write: true });
      const { name } = sys.file(master).tty!;
      const lines: string[] = [];
      const child = sys.fork(
        async (one) => {
          one.sys.setSession();
          const slave = one.sys.open(`/dev/${name}`, { read: true, write: true });
          expect(one.sys.controllingTty()?.name).toBe(name);
          one.sys.onSignal('SIGINT', () => lines.push('INT'));
          for (;;) {
            const line = await one.sys.file(slave).read();
            if (line === undefined) return 7;
            lines.push(text(line));
          }
        },
        { fds: new Map() },
      );
      await sys.sleep(1);
      await sys.file(master).write(utf8('abx\x7fc\r'));
      await sys.sleep(1);
      await sys.file(master).write(utf8('\x03'));
      await sys.file(master).write(utf8('\x04'));
      expect(await sys.wait(child)).toMatchObject({ kind: 'exited', status: 7 });
      expect(lines).toEqual(['abc\n', 'INT']);
      let echoed = '';
      while (sys.file(master).isReadable) {
        const chunk = await sys.file(master).read();
        if (chunk === undefined) break;
        echoed += text(chunk);
      }
      expect(echoed).toBe('abx\b \bc\r\n^C');
    });
  });
});
