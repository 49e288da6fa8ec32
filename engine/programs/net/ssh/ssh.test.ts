import { describe, expect, it } from 'vitest';
import type { Process } from '../../../kernel/process.ts';
import { hashPassword } from '../../../machine/password.ts';
import { text, utf8 } from '../../../sim/bytes.ts';
import { readAll, TestKernel } from '../../../../tests/support/test-kernel.ts';
import { sshd } from '../../daemons/sshd.ts';
import { bash } from '../../shell/bash.ts';
import { programs as coreutils } from '../../coreutils/index.ts';
import { programs } from '../index.ts';

function machine(): TestKernel {
  return new TestKernel({
    programs: [bash, sshd, ...coreutils, ...programs],
    entries: {
      '/bin/bash': { kind: 'program', program: 'bash' },
      '/usr/sbin/sshd': { kind: 'program', program: 'sshd' },
      '/var/run': { kind: 'symlink', target: '/run' },
      '/etc/hosts': { kind: 'file', contents: '127.0.0.1 localhost\n127.0.0.2 w1-k8s\n' },
      '/etc/passwd': { kind: 'file', contents: 'root:x:0:0:root:/root:/bin/bash\n' },
      '/etc/shadow': { kind: 'file', contents: `root:${hashPassword('vagrant', 'abc')}:18000:0:99999:7:::\n`, mode: 0o600 },
      '/root/a.txt': { kind: 'file', contents: 'contents of a\n' },
    },
  });
}

async function sh(process: Process, line: string): Promise<string> {
  const { sys } = process;
  const [read, write] = sys.pipe();
  const pid = sys.spawn('/bin/bash', ['bash', '-c', line], {
    env: new Map([
      ['PATH', '/usr/sbin:/usr/bin'],
      ['HOME', '/root'],
    ]),
    fds: new Map([
      [1, write],
      [2, write],
    ]),
  });
  sys.close(write);
  const all = await readAll(process, read);
  const ended = await sys.wait(pid);
  return ended?.kind === 'exited' && ended.status !== 0 ? `${all}[${ended.status}]` : all;
}

async function withSshd(work: (process: Process) => Promise<void>): Promise<void> {
  await machine().run(async (process) => {
    process.sys.net.setLink('lo', { isUp: true });
    process.sys.spawn('/usr/sbin/sshd', ['/usr/sbin/sshd', '-D']);
    await process.sys.sleep(10);
    await work(process);
  });
}

describe('ssh', () => {
  it('runs a command with a password typed by sshpass and remembers the host', async () => {
    await withSshd(async (process) => {
      const first = await sh(process, 'sshpass -p vagrant ssh -o StrictHostKeyChecking=no root@w1-k8s "echo hi; exit 4"');
      expect(first).toBe("Warning: Permanently added 'w1-k8s,127.0.0.2' (ECDSA) to the list of known hosts.\nhi\n[4]");
      expect(await sh(process, 'sshpass -p vagrant ssh root@w1-k8s hostname-is-no-program')).toContain('command not found\n[127]');
      expect(await sh(process, 'sshpass -p wrong ssh root@w1-k8s true')).toContain('[5]');
      expect(await sh(process, 'echo typed | sshpass -p vagrant ssh root@w1-k8s "read x; echo got \\$x"')).toBe('got typed\n');
    });
  });

  it.each([
    ['ssh nosuchhost', 'ssh: Could not resolve hostname nosuchhost: Name or service not known\n[255]'],
    ['ssh -p 23 localhost', 'ssh: connect to host localhost port 23: Connection refused\n[255]'],
    [
      'ssh -o StrictHostKeyChecking=yes localhost',
      'No ECDSA host key is known for localhost and you have requested strict checking.\nHost key verification failed.\n[255]',
    ],
    ['ssh -o BatchMode=yes -o StrictHostKeyChecking=no -q localhost', '[255]'],
  ])('%s', async (line, want) => {
    await withSshd(async (process) => {
      process.sys.writeFile('/etc/resolv.conf', 'nameserver 127.0.0.9\noptions timeout:1 attempts:1\n');
      expect((await sh(process, line)).replace('Temporary failure in name resolution', 'Name or service not known')).toBe(want);
    });
  });

  it('logs in with a key after ssh-copy-id', async () => {
    await withSshd(async (process) => {
      expect(await sh(process, 'ssh-keygen -q -t rsa -N "" -f /root/.ssh/id_rsa; ssh-keygen -lf /root/.ssh/id_rsa.pub')).toMatch(
        /^2048 SHA256:\S{43} root@\S+ \(RSA\)\n$/,
      );
      await sh(process, 'sshpass -p vagrant ssh -o StrictHostKeyChecking=no localhost true');
      expect(await sh(process, 'sshpass -p vagrant ssh-copy-id localhost')).toContain('Number of key(s) added: 1\n');
      expect(await sh(process, 'ssh -o BatchMode=yes localhost echo in')).toBe('in\n');
    });
  });

  it('shows fingerprints and gives a terminal to a person', async () => {
    await withSshd(async (process) => {
      const { sys } = process;
      const master = sys.open('/dev/ptmx', { read: true, write: true });
      const terminal = sys.file(master).tty!;
      const slave = sys.open(`/dev/${terminal.name}`, { read: true, write: true });
      const pid = sys.spawn('/usr/bin/ssh', ['ssh', 'root@127.0.0.1'], {
        env: new Map([
          ['HOME', '/root'],
          ['TERM', 'xterm'],
        ]),
        newSession: true,
        controllingTty: terminal,
        fds: new Map([
          [0, slave],
          [1, slave],
          [2, slave],
        ]),
      });
      sys.close(slave);
      const until = async (marker: string): Promise<string> => {
        let all = '';
        while (!all.includes(marker)) all += text((await sys.file(master).read())!);
        return all;
      };
      const typed = (line: string): Promise<void> => sys.file(master).write(utf8(line));
      expect(await until('(yes/no)? ')).toMatch(
        /^The authenticity of host '127\.0\.0\.1 \(127\.0\.0\.1\)' can't be established\.\r\nECDSA key fingerprint is SHA256:\S{43}\.\r\nECDSA key fingerprint is MD5:(?:[0-9a-f]{2}:?){16}\.\r\nAre you sure you want to continue connecting \(yes\/no\)\? $/,
      );
      await typed('yes\r');
      await until("root@127.0.0.1's password: ");
      await typed('oops\r');
      await until('Permission denied, please try again.');
      await until('password: ');
      await typed('vagrant\r');
      await until('# ');
      await typed('echo $((40+2)) $SSH_TTY\r');
      await until('42 /dev/pts/');
      await typed('exit\r');
      expect(await until('closed.')).toContain('Connection to 127.0.0.1 closed.');
      expect(await sys.wait(pid)).toMatchObject({ kind: 'exited', status: 0 });
    });
  });

  it('scp copies both ways', async () => {
    await withSshd(async (process) => {
      const opts = '-o StrictHostKeyChecking=no -q';
      expect(await sh(process, `sshpass -p vagrant scp ${opts} /root/a.txt root@localhost:/tmp/b.txt`)).toBe('');
      expect(process.sys.readTextFile('/tmp/b.txt')).toBe('contents of a\n');
      expect(await sh(process, `cd /tmp; sshpass -p vagrant scp ${opts} root@localhost:/tmp/b.txt c.txt`)).toBe('');
      expect(process.sys.readTextFile('/tmp/c.txt')).toBe('contents of a\n');
      expect(await sh(process, `sshpass -p vagrant scp ${opts} root@localhost:/tmp/nope .`)).toBe(
        'scp: /tmp/nope: No such file or directory\n[1]',
      );
      process.sys.mkdir('/tmp/d');
      process.sys.writeFile('/tmp/d/x', 'x');
      expect(await sh(process, `sshpass -p vagrant scp ${opts} -r /tmp/d root@localhost:/tmp/e`)).toBe('');
      expect(process.sys.readTextFile('/tmp/e/x')).toBe('x');
    });
  });
});
