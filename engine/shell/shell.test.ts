// The shell at a terminal, and fed by a host.

import { afterEach, describe, expect, it } from 'vitest';
import { Guest } from '../../tests/support/guest.ts';
import { Shell } from './index.ts';

const PROFILE = { '/root/.bash_profile': 'PS1="[\\u@\\h \\W]\\\\$ "\nalias ll="ls -l"\n' };
let guest: Guest | undefined;
afterEach(() => guest?.dispose());

describe('an interactive shell', () => {
  it('edits a line with wide characters, completes, and knows what it does not know', async () => {
    guest = new Guest({ files: PROFILE });
    const t = await guest.terminal();
    expect(t.output).toBe('[root@m-k8s ~]# ');
    expect(await t.type('echo 안녕\x7f\x7f한글\r')).toContain('\r\n한글\r\n[root@m-k8s ~]# ');
    expect(await t.type('cat /etc/pas\t\r')).toContain('cat /etc/passwd \r\nroot:x:0:0');
    expect(await t.type('kbuectl get\r')).toContain('-bash: kbuectl: command not found\r\n');
    expect(await t.type('echo )\r')).toContain("-bash: syntax error near unexpected token `)'\r\n");
  });

  it('leaves a loop that never waits by Ctrl-C, and goes on', async () => {
    guest = new Guest({ files: PROFILE });
    const t = await guest.terminal();
    await t.type('while true; do :; done\r', 50);
    expect(await t.type('\x03', 50)).toBe('^C\r\n[root@m-k8s ~]# ');
    await t.type('sleep 100\r', 1000);
    expect(await t.type('\x03', 10)).toBe('^C\r\n[root@m-k8s ~]# ');
    expect(await t.type('echo $?\r')).toContain('\r\n130\r\n');
  });

  it('stops, lists and continues jobs', async () => {
    guest = new Guest({ files: PROFILE });
    const t = await guest.terminal();
    await t.type('sleep 100\r', 10);
    expect(await t.type('\x1a', 10)).toContain('[1]+  Stopped                 sleep 100\r\n');
    expect(await t.type('bg\r')).toContain('[1]+ sleep 100 &\r\n');
    expect(await t.type('jobs\r')).toContain('[1]+  Running                 sleep 100 &\r\n');
    expect(await t.type('kill %1\r\r', 10)).toContain('[1]+  Terminated              sleep 100\r\n');
  });

  it('edits a file in vi', async () => {
    guest = new Guest({ files: PROFILE });
    const t = await guest.terminal();
    expect(await t.type('vi a.yaml\r')).toContain('"a.yaml" [New File]');
    await t.type('ispec:\r  name: 안녕\x1b');
    expect(await t.type(':q\r')).toContain('E37: No write since last change (add ! to override)');
    await t.type('yyp:%s/안녕/세계/\r');
    await t.type('u');
    expect(await t.type(':wq\r')).toContain('[root@m-k8s ~]# ');
    expect(await t.type('cat a.yaml\r')).toContain('spec:\r\n  name: 안녕\r\n  name: 안녕\r\n');
  });
});

describe('a shell that a host feeds', () => {
  it('keeps variables, functions and the working directory between command lines', async () => {
    const seen: string[] = [];
    guest = new Guest({
      init: async (process) => {
        const shell = new Shell(process, { name: '-bash', isInteractive: true, isLogin: true });
        await shell.startUp();
        const run = async (line: string): Promise<void> => {
          const [readEnd, writeEnd] = process.sys.pipe();
          const status = await shell.runCommand(line, {
            stdin: process.sys.open('/dev/null', { read: true }),
            stdout: writeEnd,
            stderr: writeEnd,
          });
          process.sys.close(writeEnd);
          let out = '';
          for (;;) {
            const chunk = await process.sys.file(readEnd).read();
            if (chunk === undefined) break;
            out += new TextDecoder().decode(chunk);
          }
          seen.push(`${status} ${out}`);
        };
        await run('cd /tmp; x=5; f() { echo "f $x"; }');
        await run('pwd; f | cat');
        await run('nope');
        await run('exit 3');
        seen.push(String(shell.hasExited));
        return process.sys.block<number>(() => undefined);
      },
    });
    await guest.until(() => seen.length === 5);
    expect(seen).toEqual(['0 ', '0 /tmp\nf 5\n', '127 -bash: nope: command not found\n', '3 logout\n', 'true']);
  });
});
