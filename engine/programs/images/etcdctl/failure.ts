// How etcdctl ends when it fails: a message and an exit status of its own for each kind of failure.

export const EXIT_ERROR = 1;
export const EXIT_BAD_FEATURE = 4;
export const EXIT_INTERRUPTED = 5;
export const EXIT_BAD_ARGS = 128;

/** Printed behind `Error: `. */
export class Failure extends Error {
  override readonly name = 'EtcdctlFailure';
  readonly status: number;

  constructor(message: string, status: number = EXIT_ERROR) {
    super(message);
    this.status = status;
  }
}

export const badArgs = (message: string): Failure => new Failure(message, EXIT_BAD_ARGS);
