/** A program of the lab that failed by a fault of NoBox: said plainly, outside of every emulated terminal. */
export function reportCrash(crash: { readonly machine: string; readonly command: string; readonly error: unknown }): void {
  const { machine, command, error } = crash;
  process.stderr.write(
    `nobox: fault in ${command} on ${machine}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
}
