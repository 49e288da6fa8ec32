// Models remotecommand: the streams of exec and attach, the terminal in raw mode, its size, and how the command ended.

import type { Tty } from '../../../kernel/process.ts';
import { errorOf, readAll } from '../../../kube/client/rest-client.ts';
import { ApiError } from '../../../kube/machinery/api-error.ts';
import type { Status } from '../../../kube/machinery/types.ts';
import { concat, text, utf8 } from '../../../sim/bytes.ts';
import type { Context } from '../context.ts';
import { CliError, ExitError } from '../errors.ts';
import { upgradeHeaders, WebSocketClient } from './web-socket.ts';

const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const FAILURE = 3;
const RESIZE = 4;
/** Since v5 a stream is closed by this byte and its number. */
const CLOSE_STREAM = 255;
const PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];

export interface StreamRequest {
  /** Path and query of exec or attach. */
  readonly target: string;
  readonly hasStdin: boolean;
  readonly tty: Tty | undefined;
}

/** Runs until the far side ends. Throws ExitError for a status that is not 0, ApiError when the server refuses. */
export async function runStreams(context: Context, request: StreamRequest): Promise<void> {
  const { process, rest } = context;
  const response = await rest.send({ method: 'GET', target: request.target, headers: upgradeHeaders(process.sys.rng, PROTOCOLS) });
  if (response.upgraded === undefined) throw await refusal(response);
  const socket = new WebSocketClient(response.upgraded, process.sys.rng);
  const closesStreams = response.headers.get('sec-websocket-protocol') === PROTOCOLS[0];
  const stop = new AbortController();
  const restore = request.tty === undefined ? undefined : enterRaw(request.tty, socket);
  try {
    if (request.hasStdin) void pumpStdin(context, socket, closesStreams, stop.signal);
    await pumpOutput(context, socket);
  } finally {
    restore?.();
    stop.abort(new CliError('the streams are closed'));
    await socket.close();
  }
}

/** Runs a command whose output is wanted; its stderr is passed on. Throws as runStreams does. */
export async function captureStreams(context: Context, target: string, stdin: Uint8Array | undefined): Promise<Uint8Array> {
  const { process, rest } = context;
  const response = await rest.send({ method: 'GET', target, headers: upgradeHeaders(process.sys.rng, PROTOCOLS) });
  if (response.upgraded === undefined) throw await refusal(response);
  const socket = new WebSocketClient(response.upgraded, process.sys.rng);
  const chunks: Uint8Array[] = [];
  try {
    if (stdin !== undefined) {
      for (let at = 0; at < stdin.length; at += 0x8000)
        await socket.send(concat([Uint8Array.from([STDIN]), stdin.subarray(at, at + 0x8000)]));
      await socket.send(Uint8Array.from(response.headers.get('sec-websocket-protocol') === PROTOCOLS[0] ? [CLOSE_STREAM, STDIN] : [STDIN]));
    }
    for (;;) {
      const message = await socket.receive();
      if (message === undefined) break;
      const payload = message.subarray(1);
      if (message[0] === STDOUT) chunks.push(payload);
      else if (message[0] === STDERR && payload.length > 0) await process.stderr.write(payload);
      else if (message[0] === FAILURE && payload.length > 0) {
        endOf(JSON.parse(text(payload)) as Status);
        break;
      }
    }
    return chunks.length === 0 ? new Uint8Array() : concat(chunks);
  } finally {
    await socket.close();
  }
}

async function refusal(response: Parameters<typeof errorOf>[0]): Promise<Error> {
  const body = text(await readAll(response.body));
  if (body.startsWith('{')) {
    const status = JSON.parse(body) as Status;
    if (status.kind === 'Status') return new ApiError(status);
  }
  return new CliError(`unable to upgrade connection: ${body.trim()}`);
}

function enterRaw(tty: Tty, socket: WebSocketClient): () => void {
  const before = tty.termios;
  tty.termios = {
    canonical: false,
    echo: false,
    signals: false,
    inputCrToNl: false,
    outputNlToCrNl: before.outputNlToCrNl,
    flowControl: false,
  };
  const tell = (size: { readonly columns: number; readonly rows: number }): void => {
    void socket.send(concat([Uint8Array.from([RESIZE]), utf8(JSON.stringify({ Width: size.columns, Height: size.rows }))]));
  };
  tell(tty.size);
  const subscription = tty.onResize(tell);
  return () => {
    subscription.dispose();
    tty.termios = before;
  };
}

async function pumpStdin(context: Context, socket: WebSocketClient, closesStreams: boolean, signal: AbortSignal): Promise<void> {
  try {
    for (;;) {
      const chunk = await context.process.stdin.read(undefined, signal);
      if (chunk === undefined) break;
      await socket.send(concat([Uint8Array.from([STDIN]), chunk]));
    }
    // Version 4 has no word for the end of a stream: an empty message stands for it.
    await socket.send(Uint8Array.from(closesStreams ? [CLOSE_STREAM, STDIN] : [STDIN]));
  } catch (error) {
    // The output side tells how the command ended; input that nobody wants any more is no failure.
    if (!signal.aborted && !(error instanceof Error && error.name === 'ProcessExit')) throw error;
  }
}

async function pumpOutput(context: Context, socket: WebSocketClient): Promise<void> {
  for (;;) {
    const message = await socket.receive();
    if (message === undefined) return;
    const [channel] = message;
    const payload = message.subarray(1);
    if (channel === STDOUT && payload.length > 0) await context.process.stdout.write(payload);
    else if (channel === STDERR && payload.length > 0) await context.process.stderr.write(payload);
    else if (channel === FAILURE && payload.length > 0) {
      endOf(JSON.parse(text(payload)) as Status);
      return;
    }
  }
}

/** Throws what the status says of the command's end. */
function endOf(status: Status): void {
  if (status.status === 'Success') return;
  if (status.reason === 'NonZeroExitCode') {
    const code = status.details?.causes?.find((cause) => cause.reason === 'ExitCode')?.message;
    throw new ExitError(Number(code ?? 1), `command terminated with exit code ${code ?? '1'}`);
  }
  throw new CliError(status.message ?? 'unknown error');
}
