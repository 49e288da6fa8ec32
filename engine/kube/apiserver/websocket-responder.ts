// Models answers over WebSocket: a watch sends an event a message, a log its bytes (binary or base64).

import { background } from '../../sim/background.ts';
import { text, toBase64, utf8 } from '../../sim/bytes.ts';
import { isSysError, SysError } from '../../sim/errno.ts';
import type { HttpRequest, HttpResponder } from '../../net/http.ts';
import { acceptWebSocket, type WebSocket } from '../../net/websocket.ts';

const BYTE_PROTOCOLS = ['', 'binary.k8s.io', 'base64.binary.k8s.io'];
/** The longest message of a log. */
const MAX_MESSAGE_BYTES = 2048;

/** A responder whose stream is a WebSocket; refusals are sent as they would be without. */
export function overWebSocket(request: HttpRequest, respond: HttpResponder, kind: 'events' | 'bytes'): HttpResponder {
  const gone = new AbortController();
  respond.signal.addEventListener('abort', () => gone.abort(respond.signal.reason), { once: true });
  return {
    signal: gone.signal,
    send: async (head, body) => {
      if (head.status !== 200 || kind !== 'bytes') return respond.send(head, body);
      const out = await open(request, respond, kind, gone);
      if (body !== undefined && body.length > 0) await out.write(body);
      await out.end();
    },
    stream: () => open(request, respond, kind, gone),
    upgrade: (head) => respond.upgrade(head),
  };
}

interface Out {
  write(bytes: Uint8Array | string): Promise<void>;
  end(): Promise<void>;
}

async function open(request: HttpRequest, respond: HttpResponder, kind: 'events' | 'bytes', gone: AbortController): Promise<Out> {
  // A watch speaks whatever single protocol it is asked for: its messages are the same.
  const named = (request.headers.get('sec-websocket-protocol') ?? '').trim();
  const accepted = await acceptWebSocket(request, respond, kind === 'events' ? [named] : BYTE_PROTOCOLS);
  if (accepted === undefined) {
    gone.abort(new SysError('EPIPE'));
    return { write: () => Promise.reject(new SysError('EPIPE')), end: () => Promise.resolve() };
  }
  const { socket, protocol } = accepted;
  background(ignoreMessages(socket, gone));
  if (kind === 'events') return eventsOf(socket);
  const isBase64 = protocol === 'base64.binary.k8s.io';
  const send = (bytes: Uint8Array): Promise<void> =>
    isBase64 ? socket.write(utf8(toBase64(bytes)), 'text') : socket.write(bytes, 'binary');
  // Tells the client that the way is open.
  await send(new Uint8Array());
  return {
    write: async (given) => {
      const bytes = typeof given === 'string' ? utf8(given) : given;
      for (let at = 0; at < bytes.length; at += MAX_MESSAGE_BYTES) await send(bytes.subarray(at, at + MAX_MESSAGE_BYTES));
    },
    end: () => socket.close(),
  };
}

/** Lines become messages, one each. */
function eventsOf(socket: WebSocket): Out {
  let rest = '';
  return {
    write: async (given) => {
      const lines = (rest + (typeof given === 'string' ? given : text(given))).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) await socket.write(utf8(`${line}\n`), 'text');
    },
    end: () => socket.close(),
  };
}

/** What the client says is of no interest, that it leaves is. */
async function ignoreMessages(socket: WebSocket, gone: AbortController): Promise<void> {
  try {
    while ((await socket.read()) !== undefined);
  } catch (error) {
    if (!isSysError(error) && !(error instanceof Error && error.name === 'TlsError')) throw error;
  }
  gone.abort(new SysError('EPIPE'));
}
