// The shell's state and the running of sources: what bash calls its execution environment.

import type { Statement } from 'unbash';
import type { Process, SignalName, Syscalls } from '../../kernel/process.ts';
import { isSysError, SysError } from '../../sim/errno.ts';
import { toBytes, toText } from '../bytes.ts';
import { collateFor, type Collate } from '../collate.ts';
import { ArithmeticError } from '../expand/arithmetic.ts';
import { Expander, ExpansionError, type ExpansionHost } from '../expand/words.ts';
import { expandAliases, lineAt, readScript } from '../syntax/script.ts';
import { execute } from './execute.ts';
import { DEFAULT_OPTIONS, OPTION_LETTERS } from './options.ts';
import { JobTable, SIGNALS } from './jobs.ts';
import { RedirectionError } from './redirect.ts';
import { run, wait, type Task } from './task.ts';
import { ReadonlyError, Variables } from './variables.ts';
import type { ShellFunction } from './function.ts';
import type { CompletionSpec } from '../line-editor/completion-spec.ts';

/** What makes a list of commands end early. */
export type Flow =
  | { readonly kind: 'break' | 'continue'; readonly levels: number }
  | { readonly kind: 'return' }
  | { readonly kind: 'exit' }
  /** Ctrl-C: an interactive shell drops the whole line. */
  | { readonly kind: 'interrupt'; readonly isKey?: boolean };

export interface ShellOptions {
  /** `$0`, and the name in front of messages. */
  readonly name: string;
  readonly positional?: readonly string[];
  readonly isInteractive?: boolean;
  readonly isLogin?: boolean;
  /** Invoked as sh. */
  readonly isPosix?: boolean;
  /** Called by an interactive shell before it runs a line the user has entered. */
  readonly beforeCommand?: (line: string) => void | Promise<void>;
}

interface SourceFrame {
  readonly text: string;
  /** Added to the line within the text. */
  readonly lineOffset: number;
  readonly name: string;
}

export interface CallFrame {
  readonly function: string;
  readonly source: string;
  readonly line: number;
}

/** Steps between two looks at the world outside a loop. */
const TICK_STEPS = 512;

export class Interpreter implements ExpansionHost {
  readonly process: Process;
  readonly sys: Syscalls;
  readonly variables: Variables;
  readonly expander: Expander;
  readonly functions: Map<string, ShellFunction>;
  readonly aliases: Map<string, string>;
  readonly options: Set<string>;
  readonly traps: Map<string, string>;
  readonly commandHash: Map<string, { path: string; hits: number }>;
  readonly completions: Map<string, CompletionSpec>;
  readonly jobs: JobTable;
  /** Descriptors that belong to the shell and are not handed to children. */
  readonly privateDescriptors = new Set<number>();
  readonly history: string[] = [];
  name: string;
  args: readonly string[];
  status = 0;
  flow: Flow | undefined;
  /** Messages carry no line number. */
  isInteractive: boolean;
  isLogin: boolean;
  isPosix: boolean;
  /** Jobs get process groups of their own. */
  hasJobControl = false;
  directoryStack: string[] = [];
  lastBackground: number | undefined;
  lastArgument = '';
  calls: CallFrame[] = [];
  sourceDepth = 0;
  loopDepth = 0;
  subshellLevel = 0;
  /** Above zero where `set -e` does not count. */
  unchecked = 0;
  position = 0;
  frame: SourceFrame = { text: '', lineOffset: 0, name: '' };
  shellPid: number;
  /** The command that runs replaces this process: a forked stage has nothing else to do. */
  mayReplace = false;
  isInterrupted = false;
  hasWarnedOfJobs = false;
  commandNumber = 1;
  /** Options of the completion that runs now; `compopt` changes them. */
  currentCompletionOptions: Set<string> | undefined;
  /** Number of the first line of `history`. */
  historyBase = 1;
  /** Lines that came from the file and are not written again. */
  historyLoaded = 0;
  /** What `ulimit` has set in this shell. */
  readonly limits = new Map<string, string>();
  getoptsState = { index: 1, offset: 1 };
  #abort: AbortController | undefined;
  #collate: Collate | undefined;
  #pendingTraps: string[] = [];
  #steps = 0;
  #startMs: number;
  #secondsBase = 0;
  #inTrap = false;

  constructor(process: Process, options: ShellOptions, parent?: Interpreter) {
    this.process = process;
    this.sys = process.sys;
    this.name = options.name;
    this.args = options.positional ?? [];
    this.isInteractive = options.isInteractive ?? false;
    this.isLogin = options.isLogin ?? false;
    this.isPosix = options.isPosix ?? false;
    this.jobs = new JobTable(process.sys);
    this.#startMs = parent === undefined ? process.sys.now() : parent.#startMs;
    this.#secondsBase = parent === undefined ? 0 : parent.#secondsBase;
    this.shellPid = parent?.shellPid ?? process.pid;
    if (parent === undefined) {
      this.variables = new Variables();
      this.functions = new Map();
      this.aliases = new Map();
      this.options = new Set(DEFAULT_OPTIONS);
      this.traps = new Map();
      this.commandHash = new Map();
      this.completions = new Map();
      this.#importEnvironment();
    } else {
      this.variables = parent.variables.clone();
      this.functions = new Map(parent.functions);
      this.aliases = new Map(parent.aliases);
      this.options = new Set(parent.options);
      this.traps = new Map([...parent.traps].filter(([, action]) => action === ''));
      this.commandHash = new Map(parent.commandHash);
      this.completions = new Map(parent.completions);
      this.history.push(...parent.history);
      this.args = parent.args;
      this.status = parent.status;
      this.directoryStack = [...parent.directoryStack];
      this.lastBackground = parent.lastBackground;
      this.lastArgument = parent.lastArgument;
      this.calls = [...parent.calls];
      this.sourceDepth = parent.sourceDepth;
      this.subshellLevel = parent.subshellLevel + 1;
      this.position = parent.position;
      this.frame = parent.frame;
      this.unchecked = parent.unchecked;
      for (const fd of parent.privateDescriptors) this.privateDescriptors.add(fd);
      for (const name of this.traps.keys()) {
        const signal = SIGNALS.find((s) => s === 'SIG' + name);
        if (signal !== undefined) this.sys.onSignal(signal, 'ignore');
      }
    }
    this.#defineDynamicVariables();
    this.expander = new Expander(this);
    this.variables.evaluate = (expression) => String(this.expander.evaluate(expression));
    this.variables.onChange = (name) => {
      if (name === 'LANG' || name.startsWith('LC_')) this.#collate = undefined;
      else if (name === 'PATH') this.commandHash.clear();
    };
  }

  get collate(): Collate {
    return (this.#collate ??= collateFor(this.variables));
  }

  #importEnvironment(): void {
    const v = this.variables;
    for (const [name, value] of this.process.env) {
      if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) continue;
      v.set(name, value);
      v.export(name);
    }
    const level = Number(v.get('SHLVL') ?? 0);
    v.set('SHLVL', String((Number.isInteger(level) ? level : 0) + 1));
    v.export('SHLVL');
    if (!v.isSet('PATH')) v.set('PATH', '/usr/local/bin:/bin:/usr/bin');
    const cwd = this.sys.cwd();
    const inherited = v.get('PWD');
    v.set('PWD', inherited !== undefined && inherited.startsWith('/') && this.#isSameDirectory(inherited, cwd) ? inherited : cwd);
    v.export('PWD');
    if (v.find('OLDPWD') === undefined) v.export('OLDPWD');
    v.set('IFS', ' \t\n');
    v.set('PS4', '+ ');
    v.set('OPTIND', '1');
    v.set('OPTERR', '1');
    v.set('HOSTNAME', this.sys.hostname());
    v.set('HOSTTYPE', 'x86_64');
    v.set('MACHTYPE', 'x86_64-redhat-linux-gnu');
    v.set('OSTYPE', 'linux-gnu');
    v.set('BASH', '/bin/bash');
    v.set('BASH_VERSION', '4.2.46(2)-release');
    v.setList('BASH_VERSINFO', ['4', '2', '46', '2', 'release', 'x86_64-redhat-linux-gnu']);
    if (!v.isSet('TERM')) v.set('TERM', 'dumb');
    const { uid } = this.sys.credentials();
    for (const [name, value] of [
      ['UID', String(uid)],
      ['EUID', String(uid)],
    ] as const) {
      if (v.find(name) === undefined) v.set(name, value);
      const variable = v.obtain(name);
      variable.isReadonly = true;
      variable.isInteger = true;
    }
  }

  #isSameDirectory(a: string, b: string): boolean {
    try {
      const x = this.sys.stat(a);
      const y = this.sys.stat(b);
      return x.dev === y.dev && x.ino === y.ino;
    } catch (error) {
      if (isSysError(error)) return false;
      throw error;
    }
  }

  #defineDynamicVariables(): void {
    const { dynamic } = this.variables;
    dynamic.set('RANDOM', { get: () => String(this.sys.rng.int(32768)), set: () => undefined });
    dynamic.set('SECONDS', {
      get: () => String(this.#secondsBase + Math.floor((this.sys.now() - this.#startMs) / 1000)),
      set: (value) => {
        this.#startMs = this.sys.now();
        this.#secondsBase = Number.parseInt(value, 10) || 0;
      },
    });
    dynamic.set('LINENO', { get: () => String(this.line) });
    dynamic.set('BASHPID', { get: () => String(this.process.pid) });
    dynamic.set('BASH_SUBSHELL', { get: () => String(this.subshellLevel) });
    dynamic.set('PPID', {
      get: () => String(this.sys.processes().find((p) => p.pid === this.shellPid)?.parent ?? 0),
    });
    dynamic.set('FUNCNAME', {
      get: () => (this.calls.some((c) => c.function !== 'source') ? this.calls.map((c) => c.function) : undefined),
    });
    dynamic.set('BASH_SOURCE', {
      get: () => (this.calls.length > 0 || this.frame.name !== '' ? [...this.calls.map((c) => c.source), this.frame.name] : undefined),
    });
    dynamic.set('BASH_LINENO', { get: () => this.calls.map((c) => String(c.line)) });
    dynamic.set('GROUPS', { get: () => [...new Set([this.sys.credentials().gid, ...this.sys.credentials().groups])].map(String) });
    dynamic.set('DIRSTACK', { get: () => [this.variables.get('PWD') ?? this.sys.cwd(), ...this.directoryStack] });
    dynamic.set('HISTCMD', { get: () => String(this.history.length + 1) });
    dynamic.set('_', { get: () => this.lastArgument });
    dynamic.set('SHELLOPTS', {
      get: () =>
        [...this.options]
          .filter((o) => OPTION_LETTERS.has(o))
          .sort()
          .join(':'),
    });
  }

  get line(): number {
    return this.frame.lineOffset + lineAt(this.frame.text, this.position);
  }

  // What expansions ask for

  positional(): readonly string[] {
    return this.args;
  }

  special(name: string): string | undefined {
    switch (name) {
      case '?':
        return String(this.status);
      case '$':
        return String(this.shellPid);
      case '!':
        return this.lastBackground === undefined ? undefined : String(this.lastBackground);
      case '0':
        return this.name;
      case '-': {
        let letters = '';
        for (const [option, letter] of OPTION_LETTERS) if (letter !== '' && this.options.has(option)) letters += letter;
        if (this.isInteractive && this.subshellLevel === 0) letters += 'i';
        return [...letters].sort((a, b) => (a.toLowerCase() === a ? 0 : 1) - (b.toLowerCase() === b ? 0 : 1)).join('');
      }
      default:
        return undefined;
    }
  }

  option(name: string): boolean {
    return this.options.has(name);
  }

  home(user: string): string | undefined {
    if (user === '') return this.variables.get('HOME') ?? this.#passwordEntry(String(this.sys.credentials().uid), 2)?.[5];
    if (user === '+') return this.variables.get('PWD');
    if (user === '-') return this.variables.get('OLDPWD');
    return this.#passwordEntry(user, 0)?.[5];
  }

  userName(): string {
    return this.#passwordEntry(String(this.sys.credentials().uid), 2)?.[0] ?? 'I have no name!';
  }

  #passwordEntry(wanted: string, field: number): string[] | undefined {
    try {
      for (const line of this.sys.readTextFile('/etc/passwd').split('\n')) {
        const fields = line.split(':');
        if (fields[field] === wanted) return fields;
      }
    } catch (error) {
      if (!isSysError(error)) throw error;
    }
    return undefined;
  }

  *substitute(source: string): Task<string> {
    const quick = /^\s*<\s*([^\s;|&<>()`$'"\\*?[~{]+)\s*$/.exec(source);
    if (quick !== null) {
      try {
        return toText(this.sys.readFile(quick[1]!)).replaceAll('\0', '').replace(/\n+$/, '');
      } catch (error) {
        if (!(error instanceof SysError)) throw error;
        yield* this.error(`${quick[1]}: ${error.strerror}`);
        this.status = 1;
        return '';
      }
    }
    const [readEnd, writeEnd] = this.sys.pipe();
    const fds = this.childDescriptors();
    fds.set(1, writeEnd);
    fds.delete(readEnd);
    if (writeEnd !== 1) fds.delete(writeEnd);
    fds.set(1, writeEnd);
    const pid = this.forkShell((child) => child.runBody(source), fds);
    this.sys.close(writeEnd);
    const file = this.sys.file(readEnd);
    const chunks: Uint8Array[] = [];
    try {
      for (;;) {
        const chunk = yield* wait(file.read());
        if (chunk === undefined) break;
        chunks.push(chunk);
      }
    } finally {
      this.sys.close(readEnd);
    }
    const result = yield* wait(this.sys.wait(pid));
    if (result !== undefined) {
      this.status = result.kind === 'exited' ? result.status & 255 : result.kind === 'signaled' ? 128 + SIGNALS.indexOf(result.signal) : 0;
      if (result.kind === 'signaled' && result.signal === 'SIGINT') this.interrupt();
    }
    let length = 0;
    for (const chunk of chunks) length += chunk.length;
    const bytes = new Uint8Array(length);
    let at = 0;
    for (const chunk of chunks) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    let textOut = toText(bytes);
    if (textOut.includes('\0')) textOut = textOut.replaceAll('\0', '');
    let end = textOut.length;
    while (end > 0 && textOut[end - 1] === '\n') end--;
    return textOut.slice(0, end);
  }

  *processSubstitution(direction: '<' | '>', source: string): Task<string> {
    const [readEnd, writeEnd] = this.sys.pipe();
    const fds = this.childDescriptors();
    fds.delete(readEnd);
    fds.delete(writeEnd);
    fds.set(direction === '<' ? 1 : 0, direction === '<' ? writeEnd : readEnd);
    const pid = this.forkShell((child) => child.runBody(source), fds);
    this.lastBackground = pid;
    this.substitutionPids.push(pid);
    this.sys.close(direction === '<' ? writeEnd : readEnd);
    const own = direction === '<' ? readEnd : writeEnd;
    // High numbers, as bash gives them, so that the command's own redirections do not meet them.
    const high = this.sys.dup(own, 62);
    this.sys.close(own);
    this.openSubstitutions.push(high);
    return `/dev/fd/${high}`;
  }

  /** Descriptors of process substitutions, to be closed when the command that uses them is done. */
  readonly openSubstitutions: number[] = [];
  readonly substitutionPids: number[] = [];

  closeSubstitutions(from: number): void {
    for (const fd of this.openSubstitutions.splice(from)) {
      if (this.sys.descriptors().includes(fd)) this.sys.close(fd);
    }
  }

  /** Descriptors a child gets: all but the shell's own. */
  childDescriptors(): Map<number, number> {
    const out = new Map<number, number>();
    for (const fd of this.sys.descriptors()) if (!this.privateDescriptors.has(fd)) out.set(fd, fd);
    return out;
  }

  /** Runs `body` in a subshell. */
  forkShell(
    body: (child: Interpreter) => Task<number>,
    fds: ReadonlyMap<number, number>,
    options: { readonly processGroup?: number; readonly foreground?: boolean; readonly isBackground?: boolean } = {},
  ): number {
    const main = async (process: Process): Promise<number> => {
      const child = new Interpreter(process, { name: this.name, isInteractive: this.isInteractive, isPosix: this.isPosix }, this);
      child.privateDescriptors.clear();
      for (const signal of ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU', 'SIGHUP', 'SIGWINCH', 'SIGCHLD'] as const) {
        if (!child.traps.has(signal.slice(3))) process.sys.onSignal(signal, 'default');
      }
      if (options.isBackground && !this.hasJobControl) {
        process.sys.onSignal('SIGINT', 'ignore');
        process.sys.onSignal('SIGQUIT', 'ignore');
      }
      const status = await run(child.guarded(body(child)));
      await run(child.runExitTrap());
      return child.flow?.kind === 'exit' ? child.status : status;
    };
    return this.sys.fork(main, {
      fds,
      env: this.variables.environment(),
      ...(options.processGroup === undefined ? {} : { processGroup: options.processGroup }),
      ...(options.foreground ? { foreground: true } : {}),
    });
  }

  // Output

  *write(fd: number, text: string): Task<void> {
    if (text === '') return;
    yield* wait(this.sys.file(fd).write(toBytes(text)));
  }

  /** Standard output of a builtin; a failure is reported as bash does and returned as status. */
  *out(text: string, builtin: string): Task<number> {
    if (text === '') return 0;
    if (!this.sys.descriptors().includes(1)) {
      yield* this.builtinError(builtin, 'write error: Bad file descriptor');
      return 1;
    }
    try {
      yield* wait(this.sys.file(1).write(toBytes(text)));
      return 0;
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      yield* this.builtinError(builtin, `write error: ${error.strerror}`);
      return 1;
    }
  }

  *errorText(text: string): Task<void> {
    if (!this.sys.descriptors().includes(2)) return;
    try {
      yield* wait(this.sys.file(2).write(toBytes(text)));
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
    }
  }

  /** A message with the shell's name, and the line outside interactive shells. */
  *error(message: string): Task<void> {
    const { line } = this;
    yield* this.errorText(`${this.name}: ${!this.isInteractive && line > 0 ? `line ${line}: ` : ''}${message}\n`);
  }

  *builtinError(builtin: string, message: string): Task<void> {
    yield* this.errorText(`${this.name}: ${this.isInteractive ? '' : `line ${this.line}: `}${builtin}: ${message}\n`);
  }

  // Running

  /** Keeps expansion errors and the like from getting out of a body. */
  *guarded(body: Task<number>): Task<number> {
    try {
      return yield* body;
    } catch (error) {
      return yield* this.reportFailure(error);
    }
  }

  /** Turns an error of a command into its message and status; unknown errors go on. */
  *reportFailure(error: unknown): Task<number> {
    if (error instanceof ExpansionError) {
      yield* this.error(error.message);
      if (error.isFatal && !this.isInteractive) {
        // bash -c ends with 127 where a script ends with 1.
        this.status = this.commandName !== '' || /: (?!unbound variable|bad substitution)[^:]*$/.test(error.message) ? 127 : 1;
        this.flow = { kind: 'exit' };
        return this.status;
      }
      if (this.isInteractive) this.flow ??= { kind: 'interrupt' };
      return (this.status = 1);
    }
    if (error instanceof ArithmeticError) {
      yield* this.error(`${error.source ?? this.arithmeticSource}: ${error.message} (error token is "${error.token}")`);
      // An expansion that fails drops the whole line; (( )) and [[ ]] only fail.
      if (error.source !== undefined && this.commandName !== '' && !this.isInteractive) this.flow ??= { kind: 'exit' };
      return (this.status = 1);
    }
    if (error instanceof ReadonlyError || error instanceof RedirectionError) {
      yield* this.error(error.message);
      return (this.status = 1);
    }
    throw error;
  }

  /** The expression a message about arithmetic begins with. */
  arithmeticSource = '';

  /** Runs a source in this shell; the frame is pushed. */
  *runText(source: string, frame: { readonly name?: string; readonly lineOffset?: number } = {}): Task<number> {
    const outer = { frame: this.frame, position: this.position };
    this.frame = { text: source, lineOffset: frame.lineOffset ?? this.line - 1, name: frame.name ?? this.frame.name };
    this.position = 0;
    try {
      return yield* this.runBody(source);
    } finally {
      this.frame = outer.frame;
      this.position = outer.position;
    }
  }

  /** Runs line after line; aliases count from the next line on. */
  *runBody(source: string): Task<number> {
    const script = readScript(source);
    let status = 0;
    const mayReplace = this.mayReplace;
    this.mayReplace = false;
    if (script.units.length === 0 && script.failure === undefined) return 0;
    const outerText = this.frame;
    for (const [i, unit] of script.units.entries()) {
      let statements: readonly Statement[] = unit.statements;
      let textNow = source;
      if (this.aliases.size > 0 && this.option('expand_aliases')) {
        const before = source.slice(unit.pos, unit.end);
        const after = expandAliases(before, this.aliases);
        if (after !== before) {
          const again = readScript(after);
          if (again.failure !== undefined) {
            yield* this.syntaxError(after, again.failure);
            return (this.status = this.isInteractive ? 1 : 2);
          }
          statements = again.units.flatMap((u) => u.statements);
          textNow = after;
        }
      }
      this.frame = {
        text: textNow,
        lineOffset: outerText.lineOffset + (textNow === source ? 0 : lineAt(source, unit.pos) - 1),
        name: outerText.name,
      };
      const last = i === script.units.length - 1 && script.failure === undefined;
      for (const [k, statement] of statements.entries()) {
        this.mayReplace = mayReplace && last && k === statements.length - 1;
        status = yield* execute(this, statement);
        if (this.flow !== undefined) return status;
      }
    }
    this.frame = outerText;
    if (script.failure !== undefined) {
      yield* this.syntaxError(source, script.failure);
      return (this.status = this.isInteractive && this.subshellLevel === 0 ? 1 : 2);
    }
    for (const open of script.openHereDocs) {
      const line = this.frame.lineOffset + lineAt(source, source.length);
      const start = this.frame.lineOffset + lineAt(source, open.at);
      yield* this.errorText(
        `${this.name}: ${this.isInteractive ? '' : `line ${line}: `}warning: here-document at line ${start} delimited by end-of-file (wanted \`${open.delimiter}')\n`,
      );
    }
    return status;
  }

  *syntaxError(source: string, failure: { readonly message: string; readonly at: number; readonly isIncomplete: boolean }): Task<void> {
    const where = `${this.name}: ${this.commandName}`;
    const atLine = lineAt(source, failure.at);
    const line = this.frame.lineOffset + atLine;
    if (this.isInteractive) {
      yield* this.errorText(`${this.name}: ${failure.message}\n`);
      if (failure.message.startsWith('unexpected EOF')) yield* this.errorText(`${this.name}: syntax error: unexpected end of file\n`);
      return;
    }
    if (failure.isIncomplete) {
      const endLine = this.frame.lineOffset + lineAt(source, source.length) + (source.endsWith('\n') ? 0 : 1);
      yield* this.errorText(`${where}line ${failure.message.startsWith('unexpected EOF') ? line : endLine}: ${failure.message}\n`);
      if (failure.message.startsWith('unexpected EOF'))
        yield* this.errorText(`${where}line ${endLine}: syntax error: unexpected end of file\n`);
      return;
    }
    yield* this.errorText(`${where}line ${line}: ${failure.message}\n`);
    yield* this.errorText(`${where}line ${line}: \`${source.split('\n')[atLine - 1] ?? ''}'\n`);
  }

  /** `-c: ` in messages about the syntax of `bash -c`. */
  commandName = '';

  // Signals, traps, ticks

  /** Called by loops and commands: lets the world move and traps run. */
  *tick(): Task<void> {
    if (++this.#steps >= TICK_STEPS) {
      this.#steps = 0;
      yield* wait(this.sys.spendCpu(TICK_STEPS));
    }
    if (this.isInterrupted) this.#takeInterrupt();
    if (this.#pendingTraps.length > 0) yield* this.runPendingTraps();
  }

  #takeInterrupt(): void {
    this.isInterrupted = false;
    this.status = 130;
    this.flow = { kind: 'interrupt', isKey: true };
  }

  /** SIGINT for an interactive shell. */
  interrupt(): void {
    if (!this.isInteractive || this.subshellLevel > 0) return;
    if (this.traps.has('INT')) return;
    this.isInterrupted = true;
    this.#abort?.abort(new InterruptedError());
  }

  /** A wait that Ctrl-C and trapped signals end. */
  *interruptible<T>(start: (signal: AbortSignal) => Promise<T>): Task<T | undefined> {
    const controller = new AbortController();
    const outer = this.#abort;
    this.#abort = controller;
    try {
      return yield* wait(start(controller.signal));
    } catch (error) {
      if (error instanceof InterruptedError) return undefined;
      throw error;
    } finally {
      this.#abort = outer;
    }
  }

  queueTrap(name: string): void {
    this.#pendingTraps.push(name);
    this.#abort?.abort(new InterruptedError());
  }

  get hasPendingTraps(): boolean {
    return this.#pendingTraps.length > 0;
  }

  *runPendingTraps(): Task<void> {
    while (this.#pendingTraps.length > 0) {
      const name = this.#pendingTraps.shift()!;
      const action = this.traps.get(name);
      if (action !== undefined && action !== '') yield* this.runTrap(action);
    }
  }

  *runTrap(action: string): Task<void> {
    const { status, flow } = this;
    this.flow = undefined;
    yield* this.guarded(this.runText(action));
    if (this.flow === undefined) {
      this.status = status;
      this.flow = flow;
    }
  }

  *runExitTrap(): Task<void> {
    const action = this.traps.get('EXIT');
    if (action === undefined || action === '') return;
    this.traps.delete('EXIT');
    const { status } = this;
    this.flow = undefined;
    yield* this.guarded(this.runText(action));
    if ((this.flow as Flow | undefined)?.kind !== 'exit') this.status = status;
  }

  /** ERR and `set -e`, after a command that failed where that counts. */
  *failed(status: number): Task<void> {
    if (this.unchecked > 0 || status === 0 || this.flow !== undefined) return;
    const action = this.traps.get('ERR');
    if (action !== undefined && action !== '' && !this.#inTrap && (this.calls.length === 0 || this.option('errtrace'))) {
      this.#inTrap = true;
      try {
        yield* this.runTrap(action);
      } finally {
        this.#inTrap = false;
      }
    }
    if (this.option('errexit')) {
      this.status = status;
      this.flow = { kind: 'exit' };
    }
  }

  setTrap(name: string, action: string | undefined): void {
    if (action === undefined) this.traps.delete(name);
    else this.traps.set(name, action);
    const signal = SIGNALS.find((s) => s === 'SIG' + name) as SignalName | undefined;
    if (signal === undefined || signal === 'SIGKILL' || signal === 'SIGSTOP') return;
    if (action === undefined) this.resetSignal(signal);
    else if (action === '') this.sys.onSignal(signal, 'ignore');
    else this.sys.onSignal(signal, () => this.queueTrap(name));
  }

  /** The disposition a signal has when it is not trapped. */
  resetSignal(signal: SignalName): void {
    if (this.isInteractive && this.subshellLevel === 0) {
      if (signal === 'SIGINT') return this.sys.onSignal(signal, () => this.interrupt());
      if (signal === 'SIGQUIT' || signal === 'SIGTERM') return this.sys.onSignal(signal, () => undefined);
      if (signal === 'SIGTSTP' || signal === 'SIGTTIN') return this.sys.onSignal(signal, () => undefined);
      if (signal === 'SIGTTOU') return this.sys.onSignal(signal, 'ignore');
    }
    this.sys.onSignal(signal, 'default');
  }

  takeSignals(): void {
    for (const signal of ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU'] as const) this.resetSignal(signal);
  }
}

/** A wait was ended by Ctrl-C or a trapped signal. */
export class InterruptedError extends Error {}
