// What docker makes of how a process ended.

import { signalNumber } from '../../kernel/signals.ts';
import type { WaitResult } from '../../kernel/process.ts';

/** As a shell has it: the status, or 128 and the signal. */
export function exitCodeOf(result: WaitResult): number {
  if (result.kind === 'exited') return result.status;
  if (result.kind === 'signaled') return 128 + signalNumber(result.signal);
  return 0;
}
