// Models remotecommand: the streams of exec and attach over SPDY, the terminal in raw mode, its size, and how the command ended.

import type { Tty } from '../../../kernel/process.ts';
import { readAll } from '../../../kube/client/rest-client.ts';
import type { Status } from '../../../kube/machinery/types.ts';
import { SpdySession, type SpdyStream } from '../../../net/spdy/session.ts';
import { concat, text, utf8 } from '../../../sim/bytes.ts';
import { isSysError } from '../../../sim/errno.ts';
import type { ByteSink, ByteSource } from '../../../sim/stream.ts';
import type { Context } from '../context.ts';
import { CliError, ExitError } from '../errors.ts';
import { upgrade } from './upgrade.ts';

const PROTOCOLS = ['v4.channel.k8s.io', 'v3.channel.k8s.io', 'v2.channel.k8s.io', 'channel.k8s.io'];
const CHUNK_BYTES = 0x8000;

export interface StreamRequest {
  /** Path and query of exec or attach. */
  readonly target: string;
  readonly hasStdin: boolean;
  readonly tty: Tty | undefined;
}

/** Runs until the far side ends. Throws ExitError for a status that is not 0, ApiError when the server refuses. */
export async function runStreams(context: Context, request: StreamRequest): Promise<void> {
  const remote = await open(context, request.target, { hasStdin: request.hasStdin, isTty: request.tty !== undefined });
  const restore = request.tty === undefined ? undefined : enterRaw(request.tty, remote.resize);
  const { process } = context;
  try {
    await carry(remote, { stdin: request.hasStdin ? process.stdin : undefined, stdout: process.stdout, stderr: process.stderr });
  } finally {
    restore?.();
    await remote.session.close();
  }
}

/** Runs a command whose output is wanted; its stderr is passed on. Throws as runStreams does. */
export async function captureStreams(context: Context, target: string, stdin: Uint8Array | undefined): Promise<Uint8Array> {
  const remote = await open(context, target, { hasStdin: stdin !== undefined, isTty: false });
  const chunks: Uint8Array[] = [];
  const collect: ByteSink = {
    write: (bytes) => {
      chunks.push(bytes);
      return Promise.resolve();
    },
  };
  try {
    await carry(remote, { stdin: stdin === undefined ? undefined : sourceOf(stdin), stdout: collect, stderr: context.process.stderr });
    return chunks.length === 0 ? new Uint8Array() : concat(chunks);
  } finally {
    await remote.session.close();
  }
}

interface Remote {
  readonly session: SpdySession;
  readonly error: SpdyStream;
  readonly stdin: SpdyStream | undefined;
  readonly stdout: SpdyStream | undefined;
  readonly stderr: SpdyStream | undefined;
  readonly resize: SpdyStream | undefined;
}

async function open(context: Context, target: string, wants: { readonly hasStdin: boolean; readonly isTty: boolean }): Promise<Remote> {
  const session = await upgrade(context, target, PROTOCOLS);
  const asks = (name: string): boolean => new RegExp(`[?&]${name}=true(&|$)`).test(target);
  const stream = (type: string): Promise<SpdyStream> => session.open(new Map([['streamtype', [type]]]));
  const error = await stream('error');
  const stdin = wants.hasStdin ? await stream('stdin') : undefined;
  const stdout = asks('stdout') ? await stream('stdout') : undefined;
  const stderr = asks('stderr') && !wants.isTty ? await stream('stderr') : undefined;
  const resize = wants.isTty ? await stream('resize') : undefined;
  // Nothing is ever written to it.
  await error.finish();
  return { session, error, stdin, stdout, stderr, resize };
}

/** Until the far side has closed its streams; then throws what the error stream tells. */
async function carry(
  remote: Remote,
  local: { readonly stdin: ByteSource | undefined; readonly stdout: ByteSink; readonly stderr: ByteSink },
): Promise<void> {
  const over = new AbortController();
  const told = readAllText(remote.error);
  const input = pumpStdin(local.stdin, remote.stdin, over.signal);
  try {
    await Promise.all([pump(remote.stdout, local.stdout), pump(remote.stderr, local.stderr)]);
    const status = await told;
    if (status !== '') endOf(JSON.parse(status) as Status);
  } finally {
    over.abort(new CliError('the streams are closed'));
    await input;
  }
}

async function pump(from: SpdyStream | undefined, to: ByteSink): Promise<void> {
  if (from === undefined) return;
  for (;;) {
    const chunk = await from.read();
    if (chunk === undefined) return;
    await to.write(chunk);
  }
}

async function pumpStdin(from: ByteSource | undefined, to: SpdyStream | undefined, over: AbortSignal): Promise<void> {
  if (from === undefined || to === undefined) return;
  try {
    for (;;) {
      const chunk = await from.read(undefined, over);
      if (chunk === undefined) break;
      await to.write(chunk);
    }
    await to.finish();
  } catch (error) {
    // The output side tells how the command ended; input that nobody wants any more is no failure.
    if (!over.aborted && !isSysError(error) && !(error instanceof Error && error.name === 'ProcessExit')) throw error;
  }
}

async function readAllText(stream: SpdyStream): Promise<string> {
  const bytes = await readAll(stream);
  return text(bytes);
}

function sourceOf(bytes: Uint8Array): ByteSource {
  let at = 0;
  return {
    read: () => {
      const chunk = bytes.subarray(at, at + CHUNK_BYTES);
      at += chunk.length;
      return Promise.resolve(chunk.length === 0 ? undefined : chunk);
    },
  };
}

function enterRaw(tty: Tty, resize: SpdyStream | undefined): () => void {
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
    resize?.write(utf8(`${JSON.stringify({ Width: size.columns, Height: size.rows })}\n`)).catch((error: unknown) => {
      if (!isSysError(error)) throw error;
    });
  };
  tell(tty.size);
  const subscription = tty.onResize(tell);
  return () => {
    subscription.dispose();
    tty.termios = before;
  };
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
