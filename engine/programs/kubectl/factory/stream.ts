// Models reading an answer that does not end: lines of a watch, bytes of a log.

import { concat, text } from '../../../sim/bytes.ts';
import { isSysError } from '../../../sim/errno.ts';
import type { ByteSource } from '../../../sim/stream.ts';

/** The lines of a body; ends with it, also when the server goes away. */
export async function* linesOf(body: ByteSource, signal?: AbortSignal): AsyncIterable<string> {
  let rest: Uint8Array[] = [];
  for (;;) {
    let chunk: Uint8Array | undefined;
    try {
      chunk = await body.read(undefined, signal);
    } catch (error) {
      // A watch whose server disappears ends as one that was closed.
      if (isSysError(error, 'ECONNRESET', 'EPIPE')) return;
      throw error;
    }
    if (chunk === undefined) return;
    let from = 0;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      yield text(concat([...rest, chunk.subarray(from, at)]));
      rest = [];
      from = at + 1;
    }
    if (from < chunk.length) rest.push(chunk.subarray(from));
  }
}
