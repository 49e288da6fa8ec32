// Models an entry of the process table.

import { Emitter } from '../sim/event.ts';
import type { Identity } from '../fs/vfs.ts';
import type { Location } from '../fs/location.ts';
import type { Description } from './description.ts';
import type { ProcessCalls } from './process-calls.ts';
import type { SignalName } from './process.ts';
import type { Terminal } from './tty.ts';

export interface Slot {
  readonly description: Description;
  closeOnExec: boolean;
}

export interface PidNamespace {
  readonly id: number;
  /** Undefined for the machine's own. */
  readonly init: Task | undefined;
  readonly tasks: Map<number, Task>;
  lastPid: number;
}

export interface Session {
  readonly id: number;
  readonly leader: Task;
  tty: Terminal | undefined;
}

export interface UtsNamespace {
  hostname: string;
}

export type Disposition = 'ignore' | (() => void);

export type EndOfTask = { readonly kind: 'exited'; readonly status: number } | { readonly kind: 'signaled'; readonly signal: SignalName };

export class Task {
  /** In the machine's own pid namespace. */
  readonly pid: number;
  /** In `pidNamespace`. */
  namespacePid: number;
  pidNamespace: PidNamespace;
  parent: Task | undefined;
  readonly children = new Set<Task>();
  group: number;
  session: Session;
  argv: readonly string[];
  command: string;
  title: string | undefined;
  executable: string;
  environment: Map<string, string>;
  identity: Identity;
  realUid: number;
  umask: number;
  cwd: Location;
  root: Location;
  uts: UtsNamespace;
  netNamespace: string;
  cgroup: string;
  readonly slots = new Map<number, Slot>();
  readonly dispositions = new Map<SignalName, Disposition>();
  readonly pendingSignals: SignalName[] = [];
  /** The system calls of the running program; exec brings new ones. */
  calls: ProcessCalls | undefined;
  isStopped = false;
  end: EndOfTask | undefined;
  /** A stop or continuation its parent has not been told of. */
  unreported: { readonly kind: 'stopped' | 'continued'; readonly signal: SignalName } | undefined;
  /** Something happened to a child. */
  readonly onChild = new Emitter<void>();
  readonly startMs: number;
  cpuUs = 0;
  /** CPU time that is charged but has not passed yet. */
  debtUs = 0;
  residentBytes = 0;
  isDurable = false;
  isResumed = false;
  isKernelThread = false;
  readonly hasExecuted: { value: boolean } = { value: false };

  constructor(pid: number, from: Omit<TaskSeed, 'startMs'> & { readonly startMs: number }) {
    this.pid = pid;
    this.namespacePid = pid;
    this.pidNamespace = from.pidNamespace;
    this.parent = from.parent;
    this.group = from.group;
    this.session = from.session ?? { id: pid, leader: this, tty: undefined };
    this.argv = from.argv;
    this.command = from.command;
    this.executable = from.executable;
    this.environment = from.environment;
    this.identity = from.identity;
    this.realUid = from.identity.uid;
    this.umask = from.umask;
    this.cwd = from.cwd;
    this.root = from.root;
    this.uts = from.uts;
    this.netNamespace = from.netNamespace;
    this.cgroup = from.cgroup;
    this.startMs = from.startMs;
  }

  get isZombie(): boolean {
    return this.end !== undefined;
  }

  /** Its number as processes of `namespace` see it; undefined when it is not in there. */
  pidIn(namespace: PidNamespace): number | undefined {
    if (namespace.init === undefined) return this.pid;
    return this.pidNamespace === namespace ? this.namespacePid : undefined;
  }

  get isNamespaceInit(): boolean {
    return this.namespacePid === 1;
  }
}

export interface TaskSeed {
  readonly pidNamespace: PidNamespace;
  readonly parent: Task | undefined;
  readonly group: number;
  readonly session: Session | undefined;
  readonly argv: readonly string[];
  readonly command: string;
  readonly executable: string;
  readonly environment: Map<string, string>;
  readonly identity: Identity;
  readonly umask: number;
  readonly cwd: Location;
  readonly root: Location;
  readonly uts: UtsNamespace;
  readonly netNamespace: string;
  readonly cgroup: string;
  readonly startMs: number;
}
