// Starts the lab's process, watches its heart, starts it again when it dies, and hands out ports to it.

import path from 'node:path';
import { app, MessageChannelMain, utilityProcess, type UtilityProcess, type WebContents } from 'electron';

const ENTRY = path.join(import.meta.dirname, '../host/host.mjs');
const HEARTBEAT_MS = 5000;
/** As long as the longest piece of work the lab may do in one go, several times over. */
const SILENCE_MS = 30_000;
const RESTART_MS = 1000;
/** A host that dies this often in a row will not live. */
const MOST_RESTARTS = 5;
const STEADY_MS = 60_000;
const STOP_WITHIN_MS = 5000;

export class HostProcess {
  #process: UtilityProcess | undefined;
  #heardMs = 0;
  #startedMs = 0;
  #restarts = 0;
  #heartbeat: NodeJS.Timeout | undefined;
  #isStopping = false;
  /** Who asked for a port while there was no process. */
  readonly #waiting = new Set<WebContents>();

  get isStopped(): boolean {
    return this.#isStopping && this.#process === undefined;
  }

  start(): void {
    const child = utilityProcess.fork(ENTRY, [path.join(app.getPath('userData'), 'lab.nobox')], {
      serviceName: 'NoBox lab',
      stdio: 'inherit',
    });
    this.#process = child;
    this.#startedMs = this.#heardMs = Date.now();
    child.on('message', () => (this.#heardMs = Date.now()));
    child.once('exit', () => this.#exited(child));
    child.once('spawn', () => {
      for (const contents of this.#waiting) this.connect(contents);
      this.#waiting.clear();
    });
    this.#heartbeat = setInterval(() => this.#beat(child), HEARTBEAT_MS);
  }

  /** Gives the page a port of its own to the lab. */
  connect(contents: WebContents): void {
    if (contents.isDestroyed()) return;
    if (this.#process?.pid === undefined) {
      this.#waiting.add(contents);
      return;
    }
    const { port1, port2 } = new MessageChannelMain();
    this.#process.postMessage('connect', [port1]);
    contents.postMessage('nobox:port', undefined, [port2]);
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    const child = this.#process;
    if (child === undefined) return;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.postMessage('stop');
    const late = setTimeout(() => child.kill(), STOP_WITHIN_MS);
    await ended;
    clearTimeout(late);
  }

  #beat(child: UtilityProcess): void {
    if (Date.now() - this.#heardMs > SILENCE_MS) child.kill();
    else child.postMessage('beat');
  }

  #exited(child: UtilityProcess): void {
    if (this.#process !== child) return;
    this.#process = undefined;
    clearInterval(this.#heartbeat);
    if (this.#isStopping) return;
    this.#restarts = Date.now() - this.#startedMs > STEADY_MS ? 1 : this.#restarts + 1;
    // The screen says "connection lost" and keeps asking for a port.
    if (this.#restarts <= MOST_RESTARTS) setTimeout(() => this.start(), RESTART_MS);
  }
}
