// An sshd of cardboard: logs root in with `vagrant`, and knows three commands.

import type { GuestChannel, GuestLogin } from '../../electron/host/gateways/guest-ssh.ts';

export function fakeGuestLogin(): Promise<GuestLogin> {
  return Promise.resolve({
    password: (user, password) => Promise.resolve(user === 'root' && password === 'vagrant'),
    publicKey: () => Promise.resolve(false),
    open: ({ command }) => Promise.resolve(new FakeChannel(command)),
    onClose: () => undefined,
    close: () => undefined,
  });
}

class FakeChannel implements GuestChannel {
  readonly #command: string | undefined;
  #stdout: (bytes: Uint8Array) => unknown = () => undefined;
  #stderr: (bytes: Uint8Array) => unknown = () => undefined;
  #exit: (status: number | undefined, signal: string | undefined) => void = () => undefined;
  #count = 0;

  constructor(command: string | undefined) {
    this.#command = command;
    setImmediate(() => this.#start());
  }

  onStdout(listener: (bytes: Uint8Array) => unknown): void {
    this.#stdout = listener;
  }

  onStderr(listener: (bytes: Uint8Array) => unknown): void {
    this.#stderr = listener;
  }

  onExit(listener: (status: number | undefined, signal: string | undefined) => void): void {
    this.#exit = listener;
  }

  write(bytes: Uint8Array): Promise<void> {
    this.#count += bytes.length;
    return Promise.resolve();
  }

  endInput(): void {
    if (this.#command !== 'wc -c') return;
    this.#stdout(new TextEncoder().encode(`${this.#count}\n`));
    this.#exit(0, undefined);
  }

  resize(): void {
    // Nothing of cardboard folds.
  }

  signal(): void {
    this.#exit(255, 'INT');
  }

  close(): void {
    this.#exit = () => undefined;
  }

  #start(): void {
    if (this.#command === 'wc -c') return;
    if (this.#command === 'fail') this.#stderr(new TextEncoder().encode('it failed\n'));
    else this.#stdout(new TextEncoder().encode(`ran ${this.#command ?? 'a shell'}\n`));
    this.#exit(this.#command === 'fail' ? 3 : 0, undefined);
  }
}
