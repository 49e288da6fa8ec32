// Which rejected promises without a handler are faults of ours. When a process of the lab is killed, everything it was
// waiting for ends by ProcessExit; work that it had left running without anybody waiting for it ends so too, and that is all right.

import { ProcessExit } from '#engine/sim/stream.ts';

/** Calls `onFault` for every unhandled rejection that is more than the end of a process. */
export function onUnhandledRejection(onFault: (error: unknown) => void): void {
  process.on('unhandledRejection', (error) => {
    if (!(error instanceof ProcessExit)) onFault(error);
  });
}
