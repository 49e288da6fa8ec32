// Models character devices: the memory devices, consoles, pseudo terminals and the kernel log.

import type { Disposable } from '../sim/disposable.ts';
import { SysError } from '../sim/errno.ts';
import { utf8, text } from '../sim/bytes.ts';
import type { Rng } from '../sim/rng.ts';
import { ZEROS } from '../fs/contents.ts';
import { LayerFs } from '../fs/layer-fs.ts';
import type { Location } from '../fs/location.ts';
import { Description, statOf, WOULD_BLOCK, RETRY, type ReadResult, type SavedDescription } from './description.ts';
import type { KernelMessage } from './kernel.ts';
import type { FileKind, Stat, TerminalSize, Tty } from './process.ts';
import type { Task } from './task.ts';
import { Terminal, type JobControl } from './tty.ts';

export function makeDevice(major: number, minor: number): number {
  return major * 256 + minor;
}

const PTS_MAJOR = 136;
const DEFAULT_SIZE: TerminalSize = { columns: 80, rows: 24 };
/** Group tty. */
const TTY_GID = 5;

type Source = 'null' | 'zero' | 'full' | 'random';

const MEMORY: ReadonlyMap<number, Source> = new Map([
  [makeDevice(1, 3), 'null'],
  [makeDevice(1, 5), 'zero'],
  [makeDevice(1, 7), 'full'],
  [makeDevice(1, 8), 'random'],
  [makeDevice(1, 9), 'random'],
]);

const KMSG = makeDevice(1, 11);
const TTY = makeDevice(5, 0);
const CONSOLE = makeDevice(5, 1);
const PTMX = makeDevice(5, 2);

/** Names under /dev with their device numbers and modes. */
const NODES: readonly (readonly [name: string, kind: 'character' | 'block', rdev: number, mode: number, gid: number])[] = [
  ['null', 'character', makeDevice(1, 3), 0o666, 0],
  ['zero', 'character', makeDevice(1, 5), 0o666, 0],
  ['full', 'character', makeDevice(1, 7), 0o666, 0],
  ['random', 'character', makeDevice(1, 8), 0o666, 0],
  ['urandom', 'character', makeDevice(1, 9), 0o666, 0],
  ['kmsg', 'character', KMSG, 0o644, 0],
  ['tty', 'character', TTY, 0o666, TTY_GID],
  ['console', 'character', CONSOLE, 0o600, 0],
  ['ptmx', 'character', PTMX, 0o666, TTY_GID],
  ['tty0', 'character', makeDevice(4, 0), 0o620, TTY_GID],
  ['tty1', 'character', makeDevice(4, 1), 0o620, TTY_GID],
  ['sda', 'block', makeDevice(8, 0), 0o660, 6],
  ['sda1', 'block', makeDevice(8, 1), 0o660, 6],
  ['sda2', 'block', makeDevice(8, 2), 0o660, 6],
  ['dm-0', 'block', makeDevice(253, 0), 0o660, 6],
  ['dm-1', 'block', makeDevice(253, 1), 0o660, 6],
];

export interface Pty {
  readonly id: number;
  readonly terminal: Terminal;
  slaves: number;
  hadSlave: boolean;
  isMasterOpen: boolean;
}

export class Devices {
  readonly #terminals = new Map<number, Terminal>();
  readonly #ptys = new Map<number, Pty>();
  readonly pts: LayerFs;
  readonly #jobs: JobControl;
  readonly #rng: Rng;
  readonly #kmsg: { readonly messages: readonly KernelMessage[]; log(text: string, level?: number): void };

  constructor(options: {
    readonly jobs: JobControl;
    readonly rng: Rng;
    readonly now: () => number;
    readonly kmsg: { readonly messages: readonly KernelMessage[]; log(text: string, level?: number): void };
  }) {
    this.#jobs = options.jobs;
    this.#rng = options.rng;
    this.#kmsg = options.kmsg;
    this.pts = new LayerFs({ type: 'devpts', dev: 11, now: options.now, capacityBytes: 0x7fff_ffff });
    this.pts.root.create('ptmx', { kind: 'character', mode: 0, uid: 0, gid: 0, rdev: PTMX });
    this.#terminals.set(makeDevice(4, 1), new Terminal('tty1', { size: DEFAULT_SIZE, jobs: options.jobs }));
  }

  get console(): Terminal {
    return this.#terminals.get(makeDevice(4, 1))!;
  }

  /** Fills a devtmpfs. */
  populate(dev: LayerFs): void {
    const { root } = dev;
    for (const [name, kind, rdev, mode, gid] of NODES) root.create(name, { kind, mode, uid: 0, gid, rdev });
    const link = (name: string, target: string): void => {
      root.create(name, { kind: 'symlink', mode: 0o777, uid: 0, gid: 0, target });
    };
    link('fd', '/proc/self/fd');
    link('stdin', '/proc/self/fd/0');
    link('stdout', '/proc/self/fd/1');
    link('stderr', '/proc/self/fd/2');
    link('core', '/proc/kcore');
    for (const name of ['pts', 'shm', 'mqueue', 'mapper', 'disk']) root.create(name, { kind: 'directory', mode: 0o755, uid: 0, gid: 0 });
    const mapper = root.lookup('mapper')!;
    mapper.create('centos_k8s-root', { kind: 'symlink', mode: 0o777, uid: 0, gid: 0, target: '../dm-0' });
    mapper.create('centos_k8s-swap', { kind: 'symlink', mode: 0o777, uid: 0, gid: 0, target: '../dm-1' });
  }

  open(rdev: number, location: Location, task: Task): Description {
    const source = MEMORY.get(rdev);
    if (source !== undefined) return new MemoryDevice(location, source, this.#rng);
    if (rdev === KMSG) return new KernelLogDevice(location, this.#kmsg);
    if (rdev === PTMX) return this.#openMaster(task);
    if (rdev === TTY) {
      const own = task.session.tty;
      if (own === undefined) throw new SysError('ENXIO', '/dev/tty');
      return this.#openTerminal(own, task, '/dev/tty', false);
    }
    const terminal = this.terminal(rdev);
    if (terminal === undefined) throw new SysError('ENXIO', location.path());
    // The console itself never becomes a controlling terminal: init opens it for its messages.
    const mayControl = rdev !== CONSOLE && rdev !== makeDevice(4, 0);
    return this.#openTerminal(terminal, task, mayControl ? `/dev/${terminal.name}` : '/dev/console', mayControl);
  }

  terminal(rdev: number): Terminal | undefined {
    if (rdev === CONSOLE || rdev === makeDevice(4, 0)) return this.console;
    if (Math.floor(rdev / 256) === PTS_MAJOR) return this.#ptys.get(rdev % 256)?.terminal;
    return this.#terminals.get(rdev);
  }

  pty(id: number): Pty | undefined {
    return this.#ptys.get(id);
  }

  /** A pseudo terminal of that number, as a resumed machine needs it. */
  ptyForResume(id: number, owner: { readonly uid: number }): Pty {
    return this.#ptys.get(id) ?? this.#newPty(id, owner.uid);
  }

  master(pty: Pty): Description {
    return new PtyMaster(pty, () => this.#removePty(pty));
  }

  slave(pty: Pty): Description {
    return new TerminalDescription(pty.terminal, `/dev/pts/${pty.id}`, pty);
  }

  #openMaster(task: Task): Description {
    let id = 0;
    while (this.#ptys.has(id)) id++;
    return this.master(this.#newPty(id, task.identity.uid));
  }

  #newPty(id: number, uid: number): Pty {
    const terminal = new Terminal(`pts/${id}`, { size: DEFAULT_SIZE, jobs: this.#jobs });
    const pty: Pty = { id, terminal, slaves: 0, hadSlave: false, isMasterOpen: true };
    this.#ptys.set(id, pty);
    this.pts.root.create(String(id), { kind: 'character', mode: 0o620, uid, gid: TTY_GID, rdev: makeDevice(PTS_MAJOR, id) });
    return pty;
  }

  #removePty(pty: Pty): void {
    if (!this.#ptys.delete(pty.id)) return;
    this.pts.root.unlink(String(pty.id));
    pty.terminal.hangUp();
  }

  #openTerminal(terminal: Terminal, task: Task, path: string, mayControl: boolean): Description {
    // A session leader without a terminal gets the first one it opens.
    if (mayControl && task.session.leader === task && task.session.tty === undefined && terminal.owner === undefined) {
      terminal.owner = task.session;
      task.session.tty = terminal;
      terminal.foregroundGroup = task.group;
    }
    const pty = terminal.name.startsWith('pts/') ? this.#ptys.get(Number(terminal.name.slice(4))) : undefined;
    return new TerminalDescription(terminal, path, pty);
  }
}

class MemoryDevice extends Description {
  readonly kind: FileKind = 'character';
  readonly #location: Location;
  readonly #source: Source;
  readonly #rng: Rng;

  constructor(location: Location, source: Source, rng: Rng) {
    super();
    this.#location = location;
    this.#source = source;
    this.#rng = rng;
  }
  get path(): string {
    return this.#location.path();
  }
  get isReadable(): boolean {
    return true;
  }
  tryRead(maxBytes: number): ReadResult {
    if (this.#source === 'null') return undefined;
    if (this.#source === 'random') return this.#rng.bytes(Math.min(maxBytes, 64 * 1024));
    return ZEROS.subarray(0, Math.min(maxBytes, ZEROS.length));
  }
  tryWrite(bytes: Uint8Array): number {
    if (this.#source === 'full') throw new SysError('ENOSPC');
    return bytes.length;
  }
  stat(): Stat {
    return statOf(this.#location.inode);
  }
  override seek(): number {
    return 0;
  }
  override save(): SavedDescription {
    return { type: 'path', path: this.path, read: true, write: true, append: false, offset: 0 };
  }
}

class KernelLogDevice extends Description {
  readonly kind: FileKind = 'character';
  readonly #location: Location;
  readonly #log: { readonly messages: readonly KernelMessage[]; log(text: string, level?: number): void };
  #next = 0;

  constructor(location: Location, log: { readonly messages: readonly KernelMessage[]; log(text: string, level?: number): void }) {
    super();
    this.#location = location;
    this.#log = log;
  }
  get path(): string {
    return this.#location.path();
  }
  get isReadable(): boolean {
    return this.#next < this.#log.messages.length;
  }
  tryRead(): ReadResult {
    const message = this.#log.messages[this.#next];
    if (message === undefined) return WOULD_BLOCK;
    const sequence = this.#next++;
    return utf8(`${message.level},${sequence},${Math.round(message.uptimeMs * 1000)},-;${message.text}\n`);
  }
  tryWrite(bytes: Uint8Array): number {
    for (const line of text(bytes).split('\n')) {
      if (line === '') continue;
      const level = /^<(\d+)>/.exec(line);
      this.#log.log(level === null ? line : line.slice(level[0].length), level === null ? 4 : Number(level[1]) & 7);
    }
    return bytes.length;
  }
  stat(): Stat {
    return statOf(this.#location.inode);
  }
}

export class TerminalDescription extends Description {
  readonly kind: FileKind = 'character';
  readonly path: string;
  readonly terminal: Terminal;
  readonly #pty: Pty | undefined;
  readonly #subscription: Disposable;
  readonly #bornMs = 0;

  constructor(terminal: Terminal, path: string, pty: Pty | undefined) {
    super();
    this.terminal = terminal;
    this.path = path;
    this.#pty = pty;
    if (pty !== undefined) {
      pty.slaves++;
      pty.hadSlave = true;
    }
    this.#subscription = terminal.onReady.on(() => this.onReady.emit());
  }

  override get tty(): Tty {
    return this.terminal;
  }
  get isReadable(): boolean {
    return this.terminal.isReadable;
  }
  tryRead(maxBytes: number, task: Task): ReadResult {
    return this.terminal.tryRead(maxBytes, task);
  }
  tryWrite(bytes: Uint8Array): number | typeof WOULD_BLOCK | typeof RETRY {
    return this.terminal.tryWrite(bytes);
  }
  stat(): Stat {
    return terminalStat(this.terminal.name, this.#bornMs);
  }
  override release(): void {
    this.#subscription.dispose();
    if (this.#pty !== undefined && --this.#pty.slaves === 0) this.#pty.terminal.onOutput.emit();
    super.release();
  }
  override save(): SavedDescription {
    if (this.#pty !== undefined) return { type: 'pty', id: this.#pty.id, end: 'slave' };
    return { type: 'path', path: this.path, read: true, write: true, append: false, offset: 0 };
  }
}

class PtyMaster extends Description {
  readonly kind: FileKind = 'character';
  readonly path = '/dev/ptmx';
  readonly #pty: Pty;
  readonly #close: () => void;
  readonly #subscriptions: readonly Disposable[];

  constructor(pty: Pty, close: () => void) {
    super();
    this.#pty = pty;
    this.#close = close;
    this.#subscriptions = [pty.terminal.onOutput.on(() => this.onReady.emit()), pty.terminal.onReady.on(() => this.onReady.emit())];
  }

  override get tty(): Tty {
    return this.#pty.terminal;
  }
  get isReadable(): boolean {
    return this.#pty.terminal.hasOutput || this.#isClosed;
  }
  tryRead(maxBytes: number): ReadResult {
    const output = this.#pty.terminal.takeOutput(maxBytes);
    if (output !== undefined) return output;
    return this.#isClosed ? undefined : WOULD_BLOCK;
  }
  tryWrite(bytes: Uint8Array): number {
    this.#pty.terminal.input(bytes);
    return bytes.length;
  }
  stat(): Stat {
    return terminalStat('ptmx', 0);
  }
  override release(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
    this.#close();
    super.release();
  }
  override save(): SavedDescription {
    return { type: 'pty', id: this.#pty.id, end: 'master' };
  }
  /** Every process on the other side has closed it. */
  get #isClosed(): boolean {
    return this.#pty.hadSlave && this.#pty.slaves === 0;
  }
}

function terminalStat(name: string, timeMs: number): Stat {
  const minor = Number(/\d+$/.exec(name)?.[0] ?? 2);
  const rdev = makeDevice(name.startsWith('pts/') ? PTS_MAJOR : name === 'ptmx' ? 5 : 4, minor);
  return {
    kind: 'character',
    dev: 11,
    ino: 3 + minor,
    mode: 0o620,
    nlink: 1,
    uid: 0,
    gid: TTY_GID,
    rdev,
    sizeBytes: 0,
    atimeMs: timeMs,
    mtimeMs: timeMs,
    ctimeMs: timeMs,
  };
}
