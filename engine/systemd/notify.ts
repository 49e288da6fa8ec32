// The manager's side of sd_notify(3), see kernel/sd-notify.ts.

import { ProcessExit, type Process } from '../kernel/process.ts';
import { text } from '../sim/bytes.ts';

const PATH = '/run/systemd/notify';

export class ReadyNotifications {
  readonly #process: Process;
  readonly #ready = new Set<number>();
  readonly #waiting = new Set<() => void>();

  constructor(process: Process) {
    this.#process = process;
    if (process.sys.exists(PATH)) process.sys.unlink(PATH);
    const listener = process.sys.listenUnix(PATH, 0o777);
    const serve = async (): Promise<void> => {
      for (;;) {
        const connection = await listener.accept();
        const chunk = await connection.read();
        connection.close();
        const [pid, message] = text(chunk ?? new Uint8Array())
          .trim()
          .split('\t');
        if (message?.includes('READY=1') !== true) continue;
        this.#ready.add(Number(pid));
        for (const wake of [...this.#waiting]) wake();
      }
    };
    serve().catch((error: unknown) => {
      if (!(error instanceof ProcessExit)) throw error;
    });
  }

  /** True when the process said so; false when it ended or the time was up. */
  wait(pid: () => number, timeoutMs: number): Promise<boolean> {
    const { sys } = this.#process;
    const waitedFor = pid();
    return sys.block<boolean>((resolve) => {
      const check = (): void => {
        if (this.#ready.delete(waitedFor)) done(true);
        else if (pid() !== waitedFor) done(false);
      };
      const timer = timeoutMs === Infinity ? undefined : sys.clock.setTimer(timeoutMs, () => done(false));
      const exits = sys.kernel.onExit(({ pid: ended }) => {
        if (ended === waitedFor) done(false);
      });
      const dispose = (): void => {
        timer?.dispose();
        exits.dispose();
        this.#waiting.delete(check);
      };
      const done = (isReady: boolean): void => {
        dispose();
        resolve(isReady);
      };
      this.#waiting.add(check);
      check();
      return { dispose };
    });
  }
}
