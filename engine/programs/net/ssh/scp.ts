// Models scp(1) of OpenSSH 7.4: the rcp protocol between two scp processes over ssh.

import type { Process, Program } from '../../../kernel/process.ts';
import { concat, text, utf8 } from '../../../sim/bytes.ts';
import { isSysError } from '../../../sim/errno.ts';
import { say } from './terminal.ts';

const USAGE = `usage: scp [-12346BCpqrv] [-c cipher] [-F ssh_config] [-i identity_file]
           [-l limit] [-o ssh_option] [-P port] [-S program]
           [[user@]host1:]file1 ... [[user@]host2:]file2
`;

interface Options {
  recursive: boolean;
  preserve: boolean;
  quiet: boolean;
  /** What is handed on to ssh. */
  readonly ssh: string[];
  mode: 'local' | 'source' | 'sink';
  targetMustBeFolder: boolean;
  readonly paths: string[];
}

interface Stream {
  read(maxBytes?: number): Promise<Uint8Array | undefined>;
  write(bytes: Uint8Array): Promise<void>;
}

export const scp: Program = {
  name: 'scp',
  async main(process) {
    const options = parse(process.argv.slice(1));
    if (typeof options === 'string') {
      await say(process, options);
      return 1;
    }
    const self: Stream = { read: (max) => process.stdin.read(max), write: (bytes) => process.stdout.write(bytes) };
    if (options.mode === 'sink') return new Receiver(process, self, options).receive(options.paths[0] ?? '.');
    if (options.mode === 'source') return new Sender(process, self, options).send(options.paths);
    if (options.paths.length < 2) {
      await say(process, USAGE);
      return 1;
    }
    return copy(process, options);
  },
};

async function copy(process: Process, options: Options): Promise<number> {
  const sources = options.paths.slice(0, -1);
  const target = options.paths.at(-1)!;
  const to = remoteOf(target);
  if (to !== undefined) {
    const locals = sources.filter((source) => remoteOf(source) === undefined);
    if (locals.length < sources.length) {
      await say(process, 'not emulated: copying between two remote hosts\n');
      return 1;
    }
    const flags = `${options.recursive ? '-r ' : ''}${options.preserve ? '-p ' : ''}${sources.length > 1 ? '-d ' : ''}`;
    return overSsh(process, options, to.host, `scp ${flags}-t ${to.path}`, (stream) => new Sender(process, stream, options).send(sources));
  }
  let status = 0;
  for (const source of sources) {
    const from = remoteOf(source);
    if (from === undefined) {
      status = await spawnAndWait(process, '/usr/bin/cp', [
        'cp',
        ...(options.recursive ? ['-r'] : []),
        ...(options.preserve ? ['-p'] : []),
        '--',
        source,
        target,
      ]);
      continue;
    }
    const flags = `${options.recursive ? '-r ' : ''}${options.preserve ? '-p ' : ''}`;
    status = await overSsh(process, options, from.host, `scp ${flags}-f ${from.path}`, (stream) =>
      new Receiver(process, stream, options).receive(target),
    );
  }
  return status;
}

async function overSsh(
  process: Process,
  options: Options,
  host: string,
  command: string,
  work: (stream: Stream) => Promise<number>,
): Promise<number> {
  const { sys } = process;
  const [inputRead, inputWrite] = sys.pipe();
  const [outputRead, outputWrite] = sys.pipe();
  const pid = sys.spawn('/usr/bin/ssh', ['/usr/bin/ssh', '-x', ...options.ssh, '--', host, command], {
    env: process.env,
    fds: new Map([
      [0, inputRead],
      [1, outputWrite],
      [2, 2],
    ]),
  });
  sys.close(inputRead);
  sys.close(outputWrite);
  sys.onSignal('SIGPIPE', 'ignore');
  let status = 1;
  try {
    status = await work({ read: (max) => sys.file(outputRead).read(max), write: (bytes) => sys.file(inputWrite).write(bytes) });
  } catch (error) {
    if (!isSysError(error, 'EPIPE') && !(error instanceof LostConnection)) throw error;
  }
  sys.close(inputWrite);
  sys.close(outputRead);
  const ended = await sys.wait(pid);
  const remote = ended?.kind === 'exited' ? ended.status : 1;
  if (remote === 255) await say(process, 'lost connection\n');
  return remote !== 0 ? 1 : status;
}

async function spawnAndWait(process: Process, path: string, argv: readonly string[]): Promise<number> {
  const ended = await process.sys.wait(process.sys.spawn(path, argv, { env: process.env }));
  return ended?.kind === 'exited' ? ended.status : 1;
}

class LostConnection extends Error {}

/** Lines and bytes off a stream. */
class Reader {
  #buffer: Uint8Array = new Uint8Array(0);
  readonly #stream: Stream;

  constructor(stream: Stream) {
    this.#stream = stream;
  }

  /** Undefined at the end. */
  async byte(): Promise<number | undefined> {
    if (this.#buffer.length === 0 && !(await this.#fill())) return undefined;
    const byte = this.#buffer[0];
    this.#buffer = this.#buffer.subarray(1);
    return byte;
  }

  async line(): Promise<string> {
    const bytes: number[] = [];
    for (;;) {
      const byte = await this.byte();
      if (byte === undefined || byte === 10) return text(Uint8Array.from(bytes));
      bytes.push(byte);
    }
  }

  async bytes(count: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    for (let left = count; left > 0;) {
      if (this.#buffer.length === 0 && !(await this.#fill())) throw new LostConnection();
      const part = this.#buffer.subarray(0, left);
      this.#buffer = this.#buffer.subarray(part.length);
      left -= part.length;
      parts.push(part);
    }
    return parts.length === 0 ? new Uint8Array(0) : concat(parts);
  }

  async #fill(): Promise<boolean> {
    const bytes = await this.#stream.read();
    if (bytes === undefined) return false;
    this.#buffer = bytes;
    return true;
  }
}

/** The side that has the files. */
class Sender {
  readonly #process: Process;
  readonly #stream: Stream;
  readonly #options: Options;
  readonly #reader: Reader;
  #status = 0;

  constructor(process: Process, stream: Stream, options: Options) {
    this.#process = process;
    this.#stream = stream;
    this.#options = options;
    this.#reader = new Reader(stream);
  }

  async send(paths: readonly string[]): Promise<number> {
    await this.#answer();
    for (const path of paths) await this.#one(path.replace(/(.)\/+$/, '$1'));
    return this.#status;
  }

  async #one(path: string): Promise<void> {
    const { sys } = this.#process;
    let stat;
    try {
      stat = sys.stat(path);
    } catch (error) {
      if (!isSysError(error)) throw error;
      await this.#complain(`scp: ${path}: ${error.strerror}`.replace(/^scp: /, this.#options.mode === 'local' ? '' : 'scp: '));
      return;
    }
    const name = path.split('/').pop()!;
    if (stat.kind === 'directory') {
      if (!this.#options.recursive) {
        await this.#complain(`${this.#options.mode === 'local' ? '' : 'scp: '}${path}: not a regular file`);
        return;
      }
      await this.#times(stat);
      await this.#stream.write(utf8(`D0${(stat.mode & 0o777).toString(8)} 0 ${name}\n`));
      if (!(await this.#answer())) return;
      for (const entry of [...sys.readdir(path)].sort()) await this.#one(`${path}/${entry}`);
      await this.#stream.write(utf8('E\n'));
      await this.#answer();
      return;
    }
    let bytes: Uint8Array;
    try {
      bytes = sys.readFile(path);
    } catch (error) {
      if (!isSysError(error)) throw error;
      await this.#complain(`${this.#options.mode === 'local' ? '' : 'scp: '}${path}: ${error.strerror}`);
      return;
    }
    await this.#times(stat);
    await this.#stream.write(utf8(`C0${(stat.mode & 0o777).toString(8)} ${bytes.length} ${name}\n`));
    if (!(await this.#answer())) return;
    for (let at = 0; at < bytes.length; at += 32_768) await this.#stream.write(bytes.subarray(at, at + 32_768));
    await this.#stream.write(Uint8Array.of(0));
    if (await this.#answer()) await meter(this.#process, this.#options, name, bytes.length);
  }

  async #times(stat: { readonly mtimeMs: number; readonly atimeMs: number }): Promise<void> {
    if (!this.#options.preserve) return;
    await this.#stream.write(utf8(`T${Math.floor(stat.mtimeMs / 1000)} 0 ${Math.floor(stat.atimeMs / 1000)} 0\n`));
    await this.#answer();
  }

  async #complain(message: string): Promise<void> {
    this.#status = 1;
    if (this.#options.mode === 'local') await say(this.#process, `${message}\n`);
    else await this.#stream.write(utf8(`\x01${message}\n`));
  }

  async #answer(): Promise<boolean> {
    const code = await this.#reader.byte();
    if (code === undefined) throw new LostConnection();
    if (code === 0) return true;
    const message = await this.#reader.line();
    this.#status = 1;
    await say(this.#process, `${message}\n`);
    if (code === 2) throw new LostConnection();
    return false;
  }
}

/** The side that gets them. */
class Receiver {
  readonly #process: Process;
  readonly #stream: Stream;
  readonly #options: Options;
  readonly #reader: Reader;
  #status = 0;

  constructor(process: Process, stream: Stream, options: Options) {
    this.#process = process;
    this.#stream = stream;
    this.#options = options;
    this.#reader = new Reader(stream);
  }

  async receive(target: string): Promise<number> {
    const { sys } = this.#process;
    const isFolder = sys.exists(target) && sys.stat(target).kind === 'directory';
    if (this.#options.targetMustBeFolder && !isFolder) {
      await this.#refuse(`scp: ${target}: ${sys.exists(target) ? 'Not a directory' : 'No such file or directory'}`, 2);
      return 1;
    }
    await this.#accept();
    await this.#entries(target, isFolder);
    return this.#status;
  }

  async #entries(target: string, isFolder: boolean): Promise<void> {
    const { sys } = this.#process;
    let times: { readonly mtimeMs: number; readonly atimeMs: number } | undefined;
    for (;;) {
      const code = await this.#reader.byte();
      if (code === undefined) return;
      const line = await this.#reader.line();
      if (code === 1 || code === 2) {
        this.#status = 1;
        await say(this.#process, `${line}\n`);
        if (code === 2) return;
        continue;
      }
      const letter = String.fromCharCode(code);
      if (letter === 'E') {
        await this.#accept();
        return;
      }
      if (letter === 'T') {
        const [modified = '0', , accessed = '0'] = line.split(' ');
        times = { mtimeMs: Number(modified) * 1000, atimeMs: Number(accessed) * 1000 };
        await this.#accept();
        continue;
      }
      const parts = /^(\d+) (\d+) (.*)$/.exec(line);
      if (parts === null || (letter !== 'C' && letter !== 'D')) {
        await this.#refuse('scp: protocol error: unexpected <newline>', 2);
        this.#status = 1;
        return;
      }
      const mode = parseInt(parts[1]!, 8);
      const name = parts[3]!;
      const path = isFolder ? `${target}/${name}` : target;
      if (letter === 'D') {
        try {
          if (!sys.exists(path)) sys.mkdir(path, { mode: mode | 0o700 });
        } catch (error) {
          if (!isSysError(error)) throw error;
          await this.#refuse(`scp: ${path}: ${error.strerror}`, 1);
          continue;
        }
        await this.#accept();
        await this.#entries(path, true);
        sys.chmod(path, mode);
        continue;
      }
      await this.#file(path, name, mode, Number(parts[2]), times);
      times = undefined;
    }
  }

  async #file(
    path: string,
    name: string,
    mode: number,
    size: number,
    times: { readonly mtimeMs: number; readonly atimeMs: number } | undefined,
  ): Promise<void> {
    const { sys } = this.#process;
    const isNew = !sys.exists(path);
    let fd: number;
    try {
      fd = sys.open(path, { write: true, create: true, truncate: true, mode });
    } catch (error) {
      if (!isSysError(error)) throw error;
      await this.#refuse(`scp: ${path}: ${error.strerror}`, 1);
      return;
    }
    await this.#accept();
    const bytes = await this.#reader.bytes(size);
    await this.#reader.byte();
    let problem: string | undefined;
    try {
      await sys.file(fd).write(bytes);
      if (isNew && this.#options.preserve) sys.chmod(path, mode);
      if (times !== undefined) sys.utimes(path, times.atimeMs, times.mtimeMs);
    } catch (error) {
      if (!isSysError(error)) throw error;
      problem = `scp: ${path}: ${error.strerror}`;
    }
    sys.close(fd);
    if (problem === undefined) {
      await this.#accept();
      await meter(this.#process, this.#options, name, size);
    } else await this.#refuse(problem, 1);
  }

  #accept(): Promise<void> {
    return this.#stream.write(Uint8Array.of(0));
  }

  async #refuse(message: string, code: number): Promise<void> {
    this.#status = 1;
    if (this.#options.mode === 'local') await say(this.#process, `${message.replace(/^scp: /, '')}\n`);
    await this.#stream.write(utf8(`${String.fromCharCode(code)}${message}\n`));
  }
}

/** One line a file, when a person is watching. */
async function meter(process: Process, options: Options, name: string, size: number): Promise<void> {
  if (options.mode !== 'local' || options.quiet || process.stdout.tty === undefined) return;
  const width = Math.max(1, process.stdout.tty.size.columns - 35);
  // A transfer takes no lab time; a gigabit link is what it is shown as.
  const seconds = Math.max(0.001, size / 40_000_000);
  await process.stdout.write(
    utf8(
      `\r${name.slice(0, width).padEnd(width)}   0%    0     0.0KB/s   --:-- ETA\r${name.slice(0, width).padEnd(width)} 100% ${amount(size)} ${rate(size / seconds)}/s   00:00    \n`,
    ),
  );
}

function amount(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 10_000 && unit < 4) {
    value = Math.floor((value + 512) / 1024);
    unit++;
  }
  return `${String(value).padStart(4)}${' KMGT'[unit]!}${unit > 0 ? 'B' : ' '}`;
}

function rate(bytes: number): string {
  let value = Math.floor(bytes * 100);
  let unit = 0;
  while (value >= 100_000 && unit < 4) {
    value = Math.floor((value + 512) / 1024);
    unit++;
  }
  if (unit === 0) {
    unit++;
    value = Math.floor((value + 512) / 1024);
  }
  return `${String(Math.floor((value + 5) / 100)).padStart(3)}.${Math.floor((value + 5) / 10) % 10}${' KMGT'[unit]!}B`;
}

/** `[user@]host:path`; a slash before the colon makes it a local name. */
function remoteOf(text: string): { readonly host: string; readonly path: string } | undefined {
  const colon = text.indexOf(':');
  if (colon <= 0 || text.slice(0, colon).includes('/')) return undefined;
  const path = text.slice(colon + 1);
  return { host: text.slice(0, colon), path: path === '' ? '.' : path };
}

function parse(args: string[]): Options | string {
  const options: Options = {
    recursive: false,
    preserve: false,
    quiet: false,
    ssh: [],
    mode: 'local',
    targetMustBeFolder: false,
    paths: [],
  };
  while (args.length > 0) {
    const arg = args.shift()!;
    if (arg === '--') {
      options.paths.push(...args.splice(0));
      break;
    }
    if (!arg.startsWith('-') || arg === '-') {
      options.paths.push(arg);
      continue;
    }
    for (let at = 1; at < arg.length; at++) {
      const letter = arg[at]!;
      if (letter === 'r') options.recursive = true;
      else if (letter === 'p') options.preserve = true;
      else if (letter === 'q') {
        options.quiet = true;
        options.ssh.push('-q');
      } else if (letter === 't') options.mode = 'sink';
      else if (letter === 'f') options.mode = 'source';
      else if (letter === 'd') options.targetMustBeFolder = true;
      else if ('12346BCv'.includes(letter)) continue;
      else if ('cFiloPS'.includes(letter)) {
        const value = arg.slice(at + 1) || args.shift();
        if (value === undefined) return `scp: option requires an argument -- '${letter}'\n${USAGE}`;
        if (letter === 'P') options.ssh.push('-p', value);
        else if (letter === 'i' || letter === 'o' || letter === 'F') options.ssh.push(`-${letter}`, value);
        break;
      } else return `scp: invalid option -- '${letter}'\n${USAGE}`;
    }
  }
  return options;
}
