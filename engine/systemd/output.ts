// A unit's standard output and error: a pipe whose lines go to the journal.

import { ProcessExit, type Process } from '../kernel/process.ts';
import { concat, text } from '../sim/bytes.ts';
import { isSysError } from '../sim/errno.ts';

const NEWLINE = 10;
/** A line longer than this is cut, as LineMax does. */
const MAX_LINE_BYTES = 48 * 1024;

export class OutputReader {
  readonly #process: Process;
  readonly #take: (line: string, priority: number) => void;
  #read = -1;
  #write = -1;

  constructor(process: Process, take: (line: string, priority: number) => void) {
    this.#process = process;
    this.#take = take;
  }

  /** Reading and writing end, -1 each without a pipe. */
  get ends(): readonly [read: number, write: number] {
    return [this.#read, this.#write];
  }

  /** The writing end, to hand to the unit's processes. */
  descriptor(): number {
    if (this.#write >= 0) return this.#write;
    const [read, write] = this.#process.sys.pipe();
    this.#read = read;
    this.#write = write;
    this.#follow(read);
    return write;
  }

  nullDescriptor(): number {
    const { sys } = this.#process;
    return sys.descriptors().includes(0) ? 0 : sys.open('/dev/null', { read: true });
  }

  /** Goes on with the pipe that a saved machine had. */
  resume([read, write]: readonly [read: number, write: number]): void {
    const open = this.#process.sys.descriptors();
    if (!open.includes(read)) return;
    this.#read = read;
    if (open.includes(write)) this.#write = write;
    this.#follow(read);
  }

  close(): void {
    if (this.#write >= 0) this.#process.sys.close(this.#write);
    this.#write = -1;
    this.#read = -1;
  }

  #follow(read: number): void {
    const follow = async (): Promise<void> => {
      const source = this.#process.sys.file(read);
      let rest: Uint8Array = new Uint8Array();
      for (;;) {
        const chunk = await source.read();
        if (chunk === undefined) break;
        rest = rest.length === 0 ? chunk : concat([rest, chunk]);
        for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
          this.#line(rest.subarray(0, end));
          rest = rest.subarray(end + 1);
        }
        if (rest.length > MAX_LINE_BYTES) {
          this.#line(rest);
          rest = new Uint8Array();
        }
      }
      if (rest.length > 0) this.#line(rest);
      this.#process.sys.close(read);
    };
    follow().catch((error: unknown) => {
      if (!(error instanceof ProcessExit) && !isSysError(error, 'EBADF')) throw error;
    });
  }

  /** `<3>text` carries its priority, sd-daemon(3). */
  #line(bytes: Uint8Array): void {
    const line = text(bytes);
    const match = /^<([0-7])>(.*)$/s.exec(line);
    this.#take(match === null ? line : match[2]!, match === null ? 6 : Number(match[1]));
  }
}
