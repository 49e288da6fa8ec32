// docker's multiplexed stream: eight bytes of head (1 stdout, 2 stderr, length), then the bytes. A tty's stream is plain.

import { concat } from '../../../sim/bytes.ts';
import type { LogStream } from './json-log.ts';

const HEAD = 8;

export function frame(stream: LogStream, bytes: Uint8Array): Uint8Array {
  const head = new Uint8Array(HEAD);
  head[0] = stream === 'stdout' ? 1 : 2;
  new DataView(head.buffer).setUint32(4, bytes.length);
  return concat([head, bytes]);
}

/** Takes frames out of a byte stream that arrives in any pieces. */
export class FrameReader {
  #rest: Uint8Array = new Uint8Array();

  push(bytes: Uint8Array): readonly { readonly stream: LogStream; readonly bytes: Uint8Array }[] {
    this.#rest = concat([this.#rest, bytes]);
    const frames: { stream: LogStream; bytes: Uint8Array }[] = [];
    for (;;) {
      if (this.#rest.length < HEAD) return frames;
      const length = new DataView(this.#rest.buffer, this.#rest.byteOffset).getUint32(4);
      if (this.#rest.length < HEAD + length) return frames;
      frames.push({ stream: this.#rest[0] === 2 ? 'stderr' : 'stdout', bytes: this.#rest.slice(HEAD, HEAD + length) });
      this.#rest = this.#rest.slice(HEAD + length);
    }
  }
}
