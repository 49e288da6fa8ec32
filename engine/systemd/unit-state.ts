// The run-time state of a unit, as `systemctl show` tells it and as it is kept across a saved lab.

export type ActiveState = 'inactive' | 'activating' | 'active' | 'deactivating' | 'failed' | 'reloading';

export interface ExitInfo {
  readonly pid: number;
  readonly command: string;
  readonly startMs: number;
  readonly exitMs: number;
  readonly code: 'exited' | 'killed';
  /** Exit status or signal number. */
  readonly status: number;
  readonly signal?: string;
}

export interface UnitState {
  active: ActiveState;
  sub: string;
  /** Wall clock of the last change of `active`. */
  sinceMs: number;
  activeEnterMs: number;
  inactiveEnterMs: number;
  mainPid: number;
  /** What the main process was started as, and when; they outlive it. */
  mainCommand: string;
  mainStartMs: number;
  /** Why it failed: success, exit-code, signal, timeout, start-limit. */
  result: string;
  mainExit: ExitInfo | undefined;
  /** Starts within the limit's interval. */
  starts: number[];
  restarts: number;
  statusText: string;
  /** Descriptor of the manager's end of the unit's output, -1 when none. */
  outputFd: number;
  /** The end its processes write to; the manager holds it open for those to come. */
  outputWriteFd: number;
}

/** The database the manager keeps states in: unit name to JSON. */
export const UNITS_PATH = '/run/systemd/units';

export function newUnitState(): UnitState {
  return {
    active: 'inactive',
    sub: 'dead',
    sinceMs: 0,
    activeEnterMs: 0,
    inactiveEnterMs: 0,
    mainPid: 0,
    mainCommand: '',
    mainStartMs: 0,
    result: 'success',
    mainExit: undefined,
    starts: [],
    restarts: 0,
    statusText: '',
    outputFd: -1,
    outputWriteFd: -1,
  };
}
