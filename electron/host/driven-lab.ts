// A lab as scripts and programs drive it: in virtual time, one request after another or several at once.

export interface RunOptions {
  /** Lab time after which the command is interrupted as by ^C. */
  readonly timeoutMs?: number;
  readonly stdin?: string;
  /** Standard error goes where standard output goes, in order. */
  readonly isMerged?: boolean;
  /** No restore point is taken before it. */
  readonly isQuiet?: boolean;
}

export interface RunResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly exit: number;
  /** The time-out interrupted it. */
  readonly timed_out?: true;
}

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

export interface DrivenLab {
  now(): number;
  machineNames(): readonly string[];
  prompt(machine: string): string;
  run(machine: string, command: string, options?: RunOptions): Promise<RunResult>;
  advance(durationMs: number): Promise<void>;
  power(machine: string, action: 'on' | 'off' | 'reset' | 'acpi'): void;
  snapshots(): readonly object[];
  saveSnapshot(name: string, note?: string): object;
  restoreSnapshot(name: string): Promise<void>;
  /** What was kept without being asked: before each command line, and before each restoration. */
  restorePoints(): readonly object[];
  restorePoint(revision: number): Promise<void>;
  deleteSnapshot(name: string): void;
  /** In words: what is different at `name` from `other` (the present when left out). */
  diff(name: string, other?: string): readonly string[];
  export(file: string, name?: string): object;
  import(file: string): Promise<void>;
  openSession(machine: string, size: Size, options: { readonly console: boolean }): Promise<string>;
  type(session: string, text: string): Promise<void>;
  screen(session: string): Promise<{ readonly lines: readonly string[]; readonly cursor: readonly [number, number] }>;
  resize(session: string, size: Size): void;
  closeSession(session: string): void;
  http(request: { readonly from: string; readonly url: string; readonly method?: string | undefined }): Promise<object>;
  trace(machine: string, to: string): Promise<readonly object[]>;
  /** Commits everything pending. Called before an answer leaves. */
  flush(): void;
  close(): Promise<void>;
}
