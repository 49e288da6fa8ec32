// A whole shell: start-up files, sources, lines, interactive use.

import type { Process } from '../../kernel/process.ts';
import { isSysError, SysError } from '../../sim/errno.ts';
import { toText } from '../bytes.ts';
import { parseWord } from '../syntax/words.ts';
import { Interpreter, type ShellOptions } from './interpreter.ts';
import { beginInteractive, interactiveLoop, runLine } from './interactive.ts';
import { run, type Task } from './task.ts';

/** Descriptors of the process that a command gets as 0, 1 and 2. Left out: the shell's own. */
export interface CommandDescriptors {
  readonly stdin?: number;
  readonly stdout?: number;
  readonly stderr?: number;
}

/**
 * One bash. The same object runs source after source and keeps its variables, functions, working directory and jobs.
 * Call one method at a time.
 */
export class Shell {
  readonly interpreter: Interpreter;
  readonly #options: ShellOptions;

  constructor(process: Process, options: ShellOptions) {
    this.#options = options;
    this.interpreter = new Interpreter(process, options);
    if (options.isInteractive) for (const option of ['expand_aliases', 'histexpand', 'history']) this.interpreter.options.add(option);
    if (options.isLogin) this.interpreter.options.add('login_shell');
    if (options.isPosix) this.interpreter.options.add('expand_aliases');
  }

  /** Runs a source as a script would be and returns its exit status; the EXIT trap is left for `finish`. */
  runString(source: string, frame: { readonly name?: string; readonly lineOffset?: number } = {}): Promise<number> {
    return run(this.#runString(source, frame));
  }

  *#runString(source: string, frame: { readonly name?: string; readonly lineOffset?: number }): Task<number> {
    const shell = this.interpreter;
    yield* shell.guarded(shell.runText(source, { lineOffset: 0, ...frame }));
    return shell.status;
  }

  /** Runs a command line as if it had been typed at the prompt, with other descriptors; returns its exit status. */
  async runCommand(source: string, descriptors: CommandDescriptors = {}): Promise<number> {
    const { sys } = this.interpreter;
    const saved: { readonly fd: number; readonly copy: number }[] = [];
    const wanted = [descriptors.stdin, descriptors.stdout, descriptors.stderr];
    for (const [fd, from] of wanted.entries()) {
      if (from === undefined || from === fd) continue;
      const copy = sys.descriptors().includes(fd) ? sys.dup(fd, 100) : -1;
      if (copy >= 0) this.interpreter.privateDescriptors.add(copy);
      saved.push({ fd, copy });
    }
    // All sources are copied before any target is overwritten.
    const sources = wanted.map((from, fd) => (from === undefined || from === fd ? undefined : sys.dup(from, 100)));
    try {
      for (const [fd, from] of sources.entries()) {
        if (from === undefined) continue;
        sys.dup2(from, fd);
        sys.close(from);
      }
      await run(runLine(this.interpreter, source.endsWith('\n') ? source : source + '\n'));
      return this.interpreter.status;
    } finally {
      for (const { fd, copy } of saved) {
        if (copy < 0) sys.close(fd);
        else {
          sys.dup2(copy, fd);
          sys.close(copy);
          this.interpreter.privateDescriptors.delete(copy);
        }
      }
    }
  }

  /** True after `exit`. */
  get hasExited(): boolean {
    return this.interpreter.flow?.kind === 'exit';
  }

  /** Reads commands from the terminal (or any standard input) until `exit` or end of file. Runs no start-up files. */
  async runInteractive(): Promise<number> {
    await run(beginInteractive(this.interpreter));
    return run(interactiveLoop(this.interpreter, this.#options.beforeCommand));
  }

  /** /etc/profile and ~/.bash_profile of a login shell, ~/.bashrc of another interactive one, BASH_ENV of a script's. */
  startUp(options: { readonly noProfile?: boolean; readonly noRc?: boolean; readonly rcFile?: string } = {}): Promise<void> {
    return run(this.#startUp(options));
  }

  *#startUp(options: { readonly noProfile?: boolean; readonly noRc?: boolean; readonly rcFile?: string }): Task<void> {
    const shell = this.interpreter;
    const home = shell.variables.get('HOME') ?? shell.home('') ?? '/';
    if (shell.isInteractive) {
      // Prompts exist before the start-up files, which ask for PS1 to know whether someone is there.
      if (!shell.variables.isSet('PS1')) shell.variables.set('PS1', '\\s-\\v\\$ ');
      if (!shell.variables.isSet('PS2')) shell.variables.set('PS2', '> ');
    }
    if (shell.isLogin) {
      if (options.noProfile) return;
      yield* this.#sourceIfThere('/etc/profile');
      for (const name of shell.isPosix ? ['.profile'] : ['.bash_profile', '.bash_login', '.profile']) {
        if (this.hasExited) return;
        if (yield* this.#sourceIfThere(`${home}/${name}`)) break;
      }
      return;
    }
    if (shell.isInteractive) {
      if (shell.isPosix) {
        const env = shell.variables.get('ENV');
        if (env !== undefined) yield* this.#sourceIfThere(yield* shell.expander.text(parseWord(env, 'double')));
      } else if (!options.noRc) {
        // Debian builds bash with a file for everyone; where nobody installs it, as on CentOS, nothing differs.
        yield* this.#sourceIfThere('/etc/bash.bashrc');
        yield* this.#sourceIfThere(options.rcFile ?? `${home}/.bashrc`);
      }
      return;
    }
    const file = shell.isPosix ? undefined : shell.variables.get('BASH_ENV');
    if (file !== undefined && file !== '') yield* this.#sourceIfThere(yield* shell.expander.text(parseWord(file, 'double')));
  }

  *#sourceIfThere(path: string): Task<boolean> {
    const shell = this.interpreter;
    let text: string;
    try {
      text = toText(shell.sys.readFile(path));
    } catch (error) {
      if (isSysError(error)) return false;
      throw error;
    }
    shell.sourceDepth++;
    shell.calls.unshift({ function: 'source', source: path, line: 0 });
    try {
      yield* shell.guarded(shell.runText(text, { name: path, lineOffset: 0 }));
    } finally {
      shell.calls.shift();
      shell.sourceDepth--;
    }
    if (shell.flow?.kind === 'return' || shell.flow?.kind === 'interrupt') shell.flow = undefined;
    return true;
  }

  /** The EXIT trap, ~/.bash_logout and SIGHUP for stopped jobs; returns the status the process ends with. */
  finish(): Promise<number> {
    return run(this.#finish());
  }

  *#finish(): Task<number> {
    const shell = this.interpreter;
    if (shell.isLogin && shell.isInteractive) {
      const { status } = shell;
      shell.flow = undefined;
      yield* this.#sourceIfThere(`${shell.variables.get('HOME') ?? ''}/.bash_logout`);
      shell.status = status;
    }
    yield* shell.runExitTrap();
    if (shell.isInteractive) {
      for (const job of shell.jobs.all) {
        if (shell.jobs.state(job) !== 'stopped') continue;
        try {
          shell.sys.kill(-job.group, 'SIGHUP');
          shell.sys.kill(-job.group, 'SIGCONT');
        } catch (error) {
          if (!(error instanceof SysError)) throw error;
        }
      }
    }
    return shell.status;
  }

  /** Script text from standard input, line by line, so that commands of the script can read the rest. */
  async runStandardInput(): Promise<number> {
    const shell = this.interpreter;
    const file = shell.sys.file(0);
    const chunks: number[] = [];
    const drain = async (): Promise<boolean> => {
      const chunk = await file.read();
      if (chunk === undefined) return false;
      for (const byte of chunk) chunks.push(byte);
      return true;
    };
    while (await drain());
    await run(this.#runString(toText(Uint8Array.from(chunks)), { name: '' }));
    return shell.status;
  }
}
