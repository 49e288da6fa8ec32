// Models remotecommand's server: the streams of exec and attach over SPDY or WebSocket, and how the command's end is told.

import { background } from '../../../sim/background.ts';
import { text, utf8 } from '../../../sim/bytes.ts';
import type { Clock } from '../../../sim/clock.ts';
import type { Disposable } from '../../../sim/disposable.ts';
import { isSysError } from '../../../sim/errno.ts';
import type { ByteSource } from '../../../sim/stream.ts';
import type { HttpRequest, HttpResponder } from '../../../net/http.ts';
import type { SpdySession, SpdyStream } from '../../../net/spdy/session.ts';
import { isWebSocketRequest } from '../../../net/websocket.ts';
import type { TerminalSize } from '../../../kernel/process.ts';
import type { ExecStreams } from '../container-runtime.ts';
import { acceptChannels } from './channel-socket.ts';
import { upgradeToSpdy } from './upgrade.ts';

const PROTOCOLS = ['v4.channel.k8s.io', 'v3.channel.k8s.io', 'v2.channel.k8s.io', 'channel.k8s.io'];
const WEB_SOCKET_PROTOCOLS = ['', 'channel.k8s.io', 'base64.channel.k8s.io', 'v4.channel.k8s.io', 'v4.base64.channel.k8s.io'];
/** How long a client may take to open its streams. */
const STREAM_CREATION_MS = 30_000;

const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const ERROR = 3;
const RESIZE = 4;

export interface RemoteStreamOptions {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

/** How a command ended, as the error stream tells it: a Status. */
export interface RemoteStatus {
  readonly metadata: Readonly<Record<string, never>>;
  readonly status: 'Success' | 'Failure';
  readonly message?: string;
  readonly reason?: string;
  readonly details?: { readonly causes: readonly { readonly reason?: string; readonly message: string }[] };
  readonly code?: number;
}

/** Runs the command with the client's streams; `gone` aborts when the client is no more. */
export type RemoteCommand = (streams: ExecStreams, gone: AbortSignal) => Promise<RemoteStatus>;

/** Throws what `run` throws; a client that leaves is no error. */
export async function serveRemoteCommand(
  request: HttpRequest,
  respond: HttpResponder,
  options: RemoteStreamOptions & { readonly clock: Clock },
  run: RemoteCommand,
): Promise<void> {
  if (isWebSocketRequest(request)) return serveOverWebSocket(request, respond, options, run);
  const upgraded = await upgradeToSpdy(request, respond, { protocols: PROTOCOLS, clock: options.clock });
  if (upgraded === undefined) return;
  const { session, protocol } = upgraded;
  try {
    const streams = await streamsOf(session, protocol, options);
    if (streams === undefined) return;
    const stdin = streams.get('stdin');
    // The first protocol closed stdin's other direction and the error stream before the command began.
    if (protocol === '' || protocol === 'channel.k8s.io') await quietly(stdin?.finish());
    const resize = streams.get('resize');
    const sizes = resize === undefined ? undefined : await withFirstSize(sizesOf(resize), options.clock);
    const status = await run(
      {
        stdin: options.stdin ? stdin : undefined,
        stdout: streams.get('stdout'),
        stderr: streams.get('stderr'),
        tty: options.tty,
        resize: sizes,
      },
      session.ended,
    );
    await quietly(streams.get('error')?.write(statusBytes(status, protocol.startsWith('v4.'))));
  } finally {
    await session.close();
  }
}

/** How long docker takes to start a process in a container. */
const EXEC_START_MS = 100;

/** By the time a process has started, its client has told the size of its terminal. */
async function withFirstSize(sizes: AsyncGenerator<TerminalSize>, clock: Clock): Promise<AsyncIterable<TerminalSize>> {
  const first = sizes.next();
  let timer: Disposable | undefined;
  await Promise.race([first, new Promise<void>((resolve) => (timer = clock.setTimer(EXEC_START_MS, resolve)))]);
  timer?.dispose();
  return (async function* () {
    const result = await first;
    if (result.done === true) return;
    yield result.value;
    yield* sizes;
  })();
}

/** Waits for the streams the client was told to open; undefined when it does not open them in time. */
async function streamsOf(
  session: SpdySession,
  protocol: string,
  options: RemoteStreamOptions & { readonly clock: Clock },
): Promise<ReadonlyMap<string, SpdyStream> | undefined> {
  const hasResize = protocol.startsWith('v4.') || protocol.startsWith('v3.');
  const expected = 1 + [options.stdin, options.stdout, options.stderr, options.tty && hasResize].filter(Boolean).length;
  const late = new AbortController();
  const timer = options.clock.setTimer(STREAM_CREATION_MS, () => late.abort(new Error('timed out waiting for client to create streams')));
  const known = ['error', 'stdin', 'stdout', 'stderr', ...(hasResize ? ['resize'] : [])];
  const streams = new Map<string, SpdyStream>();
  try {
    for (let received = 0; received < expected;) {
      const stream = await session.accept(late.signal);
      if (stream === undefined) return undefined;
      await stream.reply();
      const type = stream.header('streamtype') ?? '';
      if (!known.includes(type)) continue;
      streams.set(type, stream);
      received++;
    }
    return streams;
  } catch (error) {
    if (late.signal.aborted || isSysError(error)) return undefined;
    throw error;
  } finally {
    timer.dispose();
  }
}

async function serveOverWebSocket(
  request: HttpRequest,
  respond: HttpResponder,
  options: RemoteStreamOptions,
  run: RemoteCommand,
): Promise<void> {
  const socket = await acceptChannels(request, respond, {
    protocols: WEB_SOCKET_PROTOCOLS,
    read: options.stdin ? [STDIN, RESIZE] : [RESIZE],
  });
  if (socket === undefined) return;
  const gone = new AbortController();
  const over = new AbortController();
  background(
    socket
      .run(over.signal)
      .catch((error: unknown) => {
        if (!over.signal.aborted && !isSysError(error)) throw error;
      })
      .finally(() => gone.abort(new Error('the client is gone'))),
  );
  try {
    // Tells the client that the way is open, on the first channel it reads.
    await quietly(socket.sink(options.stdout ? STDOUT : options.stderr ? STDERR : ERROR).write(new Uint8Array()));
    const status = await run(
      {
        stdin: options.stdin ? socket.source(STDIN) : undefined,
        stdout: options.stdout ? socket.sink(STDOUT) : undefined,
        stderr: options.stderr ? socket.sink(STDERR) : undefined,
        tty: options.tty,
        resize: options.tty ? sizesOf(socket.source(RESIZE)) : undefined,
      },
      gone.signal,
    );
    const bytes = statusBytes(status, socket.protocol.startsWith('v4.'));
    if (bytes.length > 0) await quietly(socket.sink(ERROR).write(bytes));
  } finally {
    over.abort(new Error('the command has ended'));
    await socket.close();
  }
}

/** Since v4 a Status; before, the message of a failure and nothing for success. */
function statusBytes(status: RemoteStatus, isStatus: boolean): Uint8Array {
  if (isStatus) return utf8(JSON.stringify(status));
  return utf8(status.status === 'Success' ? '' : (status.message ?? ''));
}

/** `{"Width":80,"Height":24}` one after the other. */
async function* sizesOf(source: ByteSource): AsyncGenerator<TerminalSize> {
  let rest = '';
  for (;;) {
    const chunk = await source.read();
    if (chunk === undefined) return;
    rest += text(chunk);
    for (let end = rest.indexOf('}'); end >= 0; end = rest.indexOf('}')) {
      const size = sizeOf(rest.slice(0, end + 1));
      rest = rest.slice(end + 1);
      if (size === undefined) return;
      yield size;
    }
  }
}

function sizeOf(json: string): TerminalSize | undefined {
  try {
    const size = JSON.parse(json) as { readonly Width?: unknown; readonly Height?: unknown };
    const isSize = (value: unknown): value is number => typeof value === 'number' && value >= 0 && value < 65536;
    return isSize(size.Width) && isSize(size.Height) ? { columns: size.Width, rows: size.Height } : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** A client that is gone hears nothing any more. */
async function quietly(work: Promise<void> | undefined): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!isSysError(error)) throw error;
  }
}
