// Models vi and vim: the editor on a terminal.

import type { Program } from '../../../kernel/process.ts';
import { toBytes, toText } from '../../../shell/bytes.ts';
import { KeyReader } from '../../../shell/line-editor/keys.ts';
import { SysError } from '../../../sim/errno.ts';
import { tool, type Tool } from '../../coreutils/lib/tool.ts';
import { Editor, type EditorHost, type Frame } from './editor.ts';

class TerminalHost implements EditorHost {
  readonly #t: Tool;
  readonly #keys: KeyReader;
  #shown: readonly string[] = [];

  constructor(t: Tool) {
    this.#t = t;
    this.#keys = new KeyReader(() => t.process.stdin.read(), { hasEscapeKey: true });
  }

  get rows(): number {
    return this.#t.process.stdout.tty?.size.rows ?? 24;
  }
  get columns(): number {
    return this.#t.process.stdout.tty?.size.columns ?? 80;
  }

  key(): ReturnType<EditorHost['key']> {
    return this.#keys.next();
  }

  read(path: string): ReturnType<EditorHost['read']> {
    try {
      if (this.#t.sys.stat(path).kind === 'directory') return { error: 'is a directory', isMissing: false };
      return { text: toText(this.#t.sys.readFile(path)) };
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      return { error: error.errno === 'EACCES' ? '[Permission Denied]' : `[${error.strerror}]`, isMissing: error.errno === 'ENOENT' };
    }
  }

  write(path: string, text: string): string | undefined {
    try {
      this.#t.sys.writeFile(path, toBytes(text));
      return undefined;
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      return error.strerror;
    }
  }

  exists(path: string): boolean {
    return this.#t.sys.exists(path);
  }

  isWritable(path: string): boolean {
    try {
      this.#t.sys.access(path, { write: true });
      return true;
    } catch (error) {
      if (error instanceof SysError) return false;
      throw error;
    }
  }

  async shell(command: string): Promise<void> {
    const { t, terminal } = { t: this.#t, terminal: this.#t.process.stdin.tty };
    const raw = terminal?.termios;
    if (terminal !== undefined)
      terminal.termios = { canonical: true, echo: true, signals: true, inputCrToNl: true, outputNlToCrNl: true, flowControl: true };
    await this.print(`\x1b[?1049l${command === '' ? '' : `:!${command}\n`}`);
    t.sys.onSignal('SIGINT', () => undefined);
    const pid = t.sys.spawn('/bin/bash', command === '' ? ['bash'] : ['bash', '-c', command], { env: t.env });
    const result = await t.sys.wait(pid);
    if (result?.kind === 'exited' && result.status !== 0) await this.print(`\nshell returned ${result.status}\n`);
    if (terminal !== undefined && raw !== undefined) terminal.termios = raw;
    if (command !== '') {
      await this.print('\nPress ENTER or type command to continue');
      await this.key();
    }
    this.#shown = [];
    await this.print('\x1b[?1049h\x1b[2J');
  }

  async capture(command: string, input = ''): Promise<string> {
    const { sys, env } = this.#t;
    const [inRead, inWrite] = sys.pipe();
    const [outRead, outWrite] = sys.pipe();
    const pid = sys.spawn('/bin/bash', ['bash', '-c', command], {
      env,
      fds: new Map([
        [0, inRead],
        [1, outWrite],
        [2, outWrite],
      ]),
    });
    sys.close(inRead);
    sys.close(outWrite);
    const feed = (async () => {
      try {
        if (input !== '') await sys.file(inWrite).write(toBytes(input));
      } catch (error) {
        if (!(error instanceof SysError)) throw error;
      } finally {
        sys.close(inWrite);
      }
    })();
    let out = '';
    for (;;) {
      const chunk = await sys.file(outRead).read();
      if (chunk === undefined) break;
      out += toText(chunk);
    }
    sys.close(outRead);
    await feed;
    await sys.wait(pid);
    return out;
  }

  /** Repaints the rows that changed. */
  async paint(frame: Frame): Promise<void> {
    if (this.#keys.hasPending) return;
    let out = '\x1b[?25l';
    frame.rows.forEach((text, row) => {
      if (this.#shown[row] !== text) out += `\x1b[${row + 1};1H${text}\x1b[m\x1b[K`;
    });
    this.#shown = frame.rows;
    await this.print(`${out}\x1b[${frame.cursorRow + 1};${frame.cursorColumn + 1}H\x1b[?25h`);
  }

  forget(): void {
    this.#shown = [];
  }

  async print(text: string): Promise<void> {
    await this.#t.process.stdout.write(toBytes(text));
  }
}

const vi = (name: 'vi' | 'vim' | 'view'): Program =>
  tool(
    name,
    async (t) => {
      const commands: string[] = [];
      const paths: string[] = [];
      let isReadonly = name === 'view';
      for (let at = 0; at < t.args.length; at++) {
        const arg = t.args[at]!;
        if (arg === '--version') {
          await t.write('VIM - Vi IMproved 7.4 (2013 Aug 10, compiled Dec 15 2020 16:44:08)\nIncluded patches: 1-207, 209-629\n');
          return 0;
        }
        if (arg === '--') paths.push(...t.args.slice(at + 1).splice(0, (at = t.args.length)));
        else if (arg === '-R') isReadonly = true;
        else if (arg === '-c' || arg === '--cmd') commands.push(t.args[++at] ?? '');
        else if (arg.startsWith('+')) commands.push(arg === '+' ? '$' : arg.slice(1));
        else if (/^-[no]$/.test(arg)) continue;
        else if (/^-./.test(arg)) {
          await t.errorText(
            `VIM - Vi IMproved 7.4 (2013 Aug 10, compiled Dec 15 2020 16:44:08)\nUnknown option argument: "${arg}"\nMore info with: "vim -h"\n`,
          );
          return 1;
        } else paths.push(arg);
      }
      const terminal = t.process.stdin.tty;
      if (t.process.stdout.tty === undefined) await t.errorText('Vim: Warning: Output is not to a terminal\n');
      if (terminal === undefined) await t.errorText('Vim: Warning: Input is not from a terminal\n');
      const host = new TerminalHost(t);
      const editor = new Editor(host);
      for (const path of ['/etc/vimrc', `${t.env.get('HOME') ?? ''}/.vimrc`]) {
        const read = host.read(path);
        if (!('text' in read) || path === '/etc/vimrc') continue;
        for (const line of read.text.split('\n')) {
          const match = /^\s*:?set?\s+(.*)$/.exec(line);
          if (match !== null) editor.set(match[1]!);
        }
      }
      editor.say('');
      const [first] = paths;
      editor.setArguments(paths);
      if (first !== undefined) editor.open(first);
      if (isReadonly) editor.isReadonly = true;
      const before = terminal?.termios;
      if (terminal !== undefined)
        terminal.termios = { canonical: false, echo: false, signals: false, inputCrToNl: false, outputNlToCrNl: false, flowControl: false };
      const resize = terminal?.onResize(() => {
        host.forget();
        void editor.paint();
      });
      await host.print('\x1b[?1049h\x1b[?2004h\x1b[2J');
      try {
        for (const command of commands) await editor.execute(command);
        return editor.exitStatus ?? (await editor.run());
      } finally {
        resize?.dispose();
        if (terminal !== undefined && before !== undefined) {
          await host.print(`\x1b[${host.rows};1H\x1b[K\x1b[?2004l\x1b[?1049l`);
          terminal.termios = before;
        }
      }
    },
    { paths: [`/usr/bin/${name}`] },
  );

export const VI_PROGRAMS: readonly Program[] = [vi('vi'), vi('vim'), vi('view')];
