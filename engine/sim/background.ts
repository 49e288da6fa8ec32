import { ProcessExit } from './stream.ts';

/** Lets work go on beside its caller. It ends quietly with the process it belongs to; any other failure stops the lab. */
export function background(work: Promise<unknown>): void {
  void work.then(undefined, (error: unknown) => {
    if (!(error instanceof ProcessExit)) throw error;
  });
}
