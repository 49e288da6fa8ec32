import { describe, expect, it } from 'vitest';
import { text, utf8 } from '../../sim/bytes.ts';
import type { Process } from '../../kernel/process.ts';
import { hashPassword } from '../../machine/password.ts';
import { SshClient } from '../../net/ssh.ts';
import { TestKernel } from '../../../tests/support/test-kernel.ts';
import { bash } from '../shell/bash.ts';
import { sshd } from './sshd.ts';
import { readSshdConfig } from './sshd-config.ts';

function machine(): TestKernel {
  return new TestKernel({
    programs: [bash, sshd],
    entries: {
      '/bin/bash': { kind: 'program', program: 'bash' },
      '/usr/sbin/sshd': { kind: 'program', program: 'sshd' },
      '/etc/passwd': { kind: 'file', contents: 'root:x:0:0:root:/root:/bin/bash\nvagrant:x:1000:1000::/home/vagrant:/bin/bash\n' },
      '/etc/shadow': { kind: 'file', contents: `root:${hashPassword('vagrant', 'abc')}:18000:0:99999:7:::\n`, mode: 0o600 },
      '/var/run': { kind: 'symlink', target: '/run' },
    },
  });
}

async function connect(process: Process): Promise<SshClient> {
  const client = new SshClient(await process.sys.net.connect({ address: '127.0.0.1', port: 22 }));
  await client.handshake();
  return client;
}

async function untilText(source: { read(): Promise<Uint8Array | undefined> }, marker: string): Promise<string> {
  let all = '';
  while (!all.includes(marker)) {
    const bytes = await source.read();
    if (bytes === undefined) throw new Error(`ended with ${JSON.stringify(all)}`);
    all += text(bytes);
  }
  return all;
}

describe('sshd', () => {
  it('runs commands, tells their status, and refuses wrong passwords', async () => {
    await machine().run(async (process) => {
      process.sys.net.setLink('lo', { isUp: true });
      process.sys.spawn('/usr/sbin/sshd', ['/usr/sbin/sshd', '-D']);
      await process.sys.sleep(10);
      const client = await connect(process);
      expect(await client.authenticate({ user: 'root', password: 'wrong' })).toBe(false);
      expect(client.methods).toContain('password');
      expect(await client.authenticate({ user: 'root', password: 'vagrant' })).toBe(true);
      const done = await client.exec('echo out; echo err >&2; cat; exit 3'.replace('cat; ', 'read x; echo "<$x>"; '));
      await done.stdin.write(utf8('typed\n'));
      await done.stdin.end();
      expect(await done.exit).toEqual({ status: 3 });
      expect(text((await done.stdout.read())!)).toBe('out\n');
      expect(text((await done.stderr.read())!)).toBe('err\n');
      expect(text((await done.stdout.read())!)).toBe('<typed>\n');
      client.close();
    });
  });

  it('gives a login shell on a terminal that outlives the listener', async () => {
    await machine().run(async (process) => {
      const { sys } = process;
      sys.net.setLink('lo', { isUp: true });
      const pid = sys.spawn('/usr/sbin/sshd', ['/usr/sbin/sshd', '-D']);
      await sys.sleep(10);
      const client = await connect(process);
      expect(await client.authenticate({ user: 'root', password: 'vagrant' })).toBe(true);
      const shell = await client.openShell({ term: 'xterm', columns: 100, rows: 30 });
      await shell.stdin.write(utf8('echo "$TERM $SSH_TTY $0" $((6*7))\r'));
      expect(await untilText(shell.stdout, ' 42')).toContain('xterm /dev/pts/0 -bash 42');
      sys.kill(pid, 'SIGTERM');
      await sys.wait(pid);
      expect(sys.net.sockets().some((one) => one.state === 'LISTEN')).toBe(false);
      await shell.stdin.write(utf8('exit 5\r'));
      expect(await shell.exit).toEqual({ status: 5 });
      expect(sys.readTextFile('/var/log/wtmp')).toMatch(/^root\tpts\/0\t127\.0\.0\.1\t/);
    });
  });

  it('ends the session when the client is gone', async () => {
    await machine().run(async (process) => {
      const { sys } = process;
      sys.net.setLink('lo', { isUp: true });
      sys.spawn('/usr/sbin/sshd', ['/usr/sbin/sshd', '-D']);
      await sys.sleep(10);
      const client = await connect(process);
      await client.authenticate({ user: 'root', password: 'vagrant' });
      const shell = await client.openShell({ term: 'xterm', columns: 80, rows: 24 });
      await untilText(shell.stdout, '#');
      expect(sys.processes().some((one) => one.argv[0] === '-bash')).toBe(true);
      client.close();
      await sys.sleep(100);
      expect(sys.processes().filter((one) => one.argv[0] === '-bash' && one.state !== 'Z')).toEqual([]);
    });
  });

  it('reads its configuration as the real one does', () => {
    expect(readSshdConfig('Port 2222\nPermitRootLogin no\nPermitRootLogin yes\n#Foo\n')).toMatchObject({
      ports: [2222],
      permitRootLogin: 'no',
    });
    expect(readSshdConfig('Foo bar\n')).toBe(
      '/etc/ssh/sshd_config: line 1: Bad configuration option: Foo\n/etc/ssh/sshd_config: terminating, 1 bad configuration options\n',
    );
  });
});
