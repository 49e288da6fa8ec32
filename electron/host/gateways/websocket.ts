// The door for browsers: the built screen over HTTP and the protocol over a WebSocket, on loopback unless told otherwise.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { WebSocketServer, type WebSocket } from 'ws';
import type { LabService } from '../serve.ts';

/** A frame is a key press, a paste or a resize. */
const LARGEST_FRAME_BYTES = 8 * 1024 * 1024;
/** A screen that takes no data for this much is gone or stuck; it reconnects and gets the whole state again. */
const LARGEST_BACKLOG_BYTES = 64 * 1024 * 1024;
const HEARTBEAT_MS = 15_000;
const SUBPROTOCOL = 'nobox';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
  '.map': 'application/json',
};

export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

export interface BrowserDoorOptions {
  readonly service: LabService;
  /** Folder of the built screen. */
  readonly files: string;
  readonly port: number;
  /** Address to listen on. */
  readonly host: string;
  readonly onError: (error: unknown) => void;
}

export interface BrowserDoor {
  /** With the token behind the `#`, which browsers send to nobody. */
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

export async function openBrowserDoor(options: BrowserDoorOptions): Promise<BrowserDoor> {
  const token = randomBytes(24).toString('base64url');
  // Not imported: that would load what of node:http is never used (its WebSocket client among it) before every lab's start.
  const { createServer } = process.getBuiltinModule('node:http');
  const server = createServer((request, response) => serveFile(options, request, response));
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: LARGEST_FRAME_BYTES,
    perMessageDeflate: false,
    handleProtocols: () => SUBPROTOCOL,
  });
  server.on('upgrade', (request, socket, head) => {
    const refusal = refuse(options, request, token);
    if (refusal !== undefined) {
      socket.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => attend(options, webSocket));
  });
  await listen(server, options);
  const { port } = server.address() as AddressInfo;
  const shown = options.host === '0.0.0.0' || options.host === '::' ? '127.0.0.1' : options.host;
  return {
    url: `http://${shown.includes(':') ? `[${shown}]` : shown}:${port}/#${token}`,
    port,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets.clients) socket.close(1001, 'the host is closing');
        server.close(() => resolve());
        server.closeAllConnections();
        for (const socket of sockets.clients) socket.terminate();
      }),
  };
}

function listen(server: Server, options: BrowserDoorOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, () => {
      server.off('error', reject);
      server.on('error', options.onError);
      resolve();
    });
  });
}

/** A page of another origin, or a name that was rebound to this address, must not reach the lab. */
function refuse(options: BrowserDoorOptions, request: IncomingMessage, token: string): string | undefined {
  if (new URL(request.url ?? '/', 'http://host').pathname !== '/lab') return '404 Not Found';
  if (!isOwnHost(options, request)) return '403 Forbidden';
  const origin = request.headers.origin;
  if (origin !== undefined && origin !== `http://${request.headers.host}`) return '403 Forbidden';
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((protocol) => protocol.trim());
  const given = offered.find((protocol) => protocol.startsWith('token.'))?.slice('token.'.length) ?? '';
  return isSame(given, token) ? undefined : '401 Unauthorized';
}

function isSame(given: string, wanted: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}

/** On loopback the Host header names loopback: DNS rebinding comes with another name. */
function isOwnHost(options: BrowserDoorOptions, request: IncomingMessage): boolean {
  if (!isLoopback(options.host)) return true;
  const host = request.headers.host ?? '';
  return /^(127\.\d+\.\d+\.\d+|localhost|\[::1\])(:\d+)?$/i.test(host);
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

function attend(options: BrowserDoorOptions, socket: WebSocket): void {
  const session = options.service.connect({
    send: (frame) => {
      if (socket.readyState !== socket.OPEN) return;
      if (socket.bufferedAmount > LARGEST_BACKLOG_BYTES) socket.terminate();
      else socket.send(JSON.stringify(frame));
    },
  });
  let isAlive = true;
  const heartbeat = setInterval(() => {
    if (!isAlive) socket.terminate();
    isAlive = false;
    socket.ping();
  }, HEARTBEAT_MS);
  socket.on('pong', () => (isAlive = true));
  socket.on('message', (data, isBinary) => {
    isAlive = true;
    try {
      if (isBinary) throw new Error('binary frames are not part of the protocol');
      session.receive(JSON.parse((data as Buffer).toString('utf8')));
    } catch (error) {
      // What is not of the protocol did not come from our page.
      options.onError(error);
      socket.close(1002, 'not of the protocol');
    }
  });
  socket.on('error', options.onError);
  socket.on('close', () => {
    clearInterval(heartbeat);
    session.disconnected();
  });
}

function serveFile(options: BrowserDoorOptions, request: IncomingMessage, response: ServerResponse): void {
  const common = {
    'Content-Security-Policy': CONTENT_SECURITY_POLICY,
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
  };
  const fail = (status: number, text: string): void => {
    response.writeHead(status, { ...common, 'Content-Type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
  };
  if (!isOwnHost(options, request)) return fail(403, 'forbidden');
  if (request.method !== 'GET' && request.method !== 'HEAD') return fail(405, 'method not allowed');
  const file = fileFor(options.files, request.url ?? '/');
  const stat = file === undefined ? undefined : statSync(file, { throwIfNoEntry: false });
  if (file === undefined || stat === undefined || !stat.isFile()) return fail(404, 'not found');
  const isNamedByContent = file.includes(`${path.sep}assets${path.sep}`);
  response.writeHead(200, {
    ...common,
    'Content-Type': TYPES[path.extname(file)] ?? 'application/octet-stream',
    'Content-Length': stat.size,
    'Cache-Control': isNamedByContent ? 'public, max-age=31536000, immutable' : 'no-cache',
  });
  if (request.method === 'HEAD') response.end();
  else createReadStream(file).on('error', options.onError).pipe(response);
}

/** Undefined for a path that leaves the folder or is no path at all. */
function fileFor(folder: string, url: string): string | undefined {
  let name: string;
  try {
    name = decodeURIComponent(new URL(url, 'http://host').pathname);
  } catch (error) {
    if (error instanceof URIError || error instanceof TypeError) return undefined;
    throw error;
  }
  if (name.includes('\0')) return undefined;
  const file = path.join(folder, name === '/' ? 'index.html' : name);
  return file.startsWith(folder + path.sep) ? file : undefined;
}
