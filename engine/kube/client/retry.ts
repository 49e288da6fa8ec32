// Optimistic writes: read, change, write, and again when somebody else was faster.

import type { Clock } from '../../sim/clock.ts';
import { isConflict } from '../machinery/api-error.ts';

/** client-go's DefaultRetry: five tries, 10 ms apart. */
const STEPS = 5;
const DELAY_MS = 10;

/** Runs `attempt` until it no longer conflicts; the last conflict is thrown. */
export async function retryOnConflict<T>(clock: Clock, attempt: () => Promise<T>): Promise<T> {
  for (let step = 1; ; step++) {
    try {
      return await attempt();
    } catch (error) {
      if (!isConflict(error) || step === STEPS) throw error;
    }
    await clock.sleep(DELAY_MS);
  }
}
