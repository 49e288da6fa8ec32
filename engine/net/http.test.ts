import { describe, expect, it } from 'vitest';
import { text, utf8 } from '../sim/bytes.ts';
import { VirtualClock } from '../sim/clock.ts';
import { connectionPair } from '../sim/connection-pair.ts';
import type { Connection } from '../sim/stream.ts';
import { HttpClient } from './http-client.ts';
import { readAllBytes } from './http-message.ts';
import { serveConnection } from './http-server.ts';
import type { HttpHandler, HttpRequest, HttpResponder } from './http.ts';

const clock = new VirtualClock({ startMs: Date.UTC(2026, 0, 1), settle: () => new Promise((resolve) => setImmediate(resolve)) });

function clientOf(handler: HttpHandler, opened: Connection[] = []): HttpClient {
  return new HttpClient({
    host: 'm-k8s:6443',
    connect: () => {
      const [client, server] = connectionPair();
      opened.push(client);
      void serveConnection(server, handler, { clock, onFault: () => undefined });
      return Promise.resolve(client);
    },
  });
}

describe('http', () => {
  it('carries a body both ways and keeps the connection', async () => {
    const opened: Connection[] = [];
    const client = clientOf(async (request, respond) => {
      const body = await readAllBytes(request.body);
      await respond.send({ status: 200, headers: { 'Content-Type': 'text/plain' } }, `${request.method} ${request.target} ${text(body)}`);
    }, opened);
    for (const word of ['one', 'two', 'three']) {
      const answer = await client.request({ method: 'POST', target: '/x?y=1', body: word });
      expect(answer.status).toBe(200);
      expect(answer.headers.get('date')).toBe('Thu, 01 Jan 2026 00:00:00 GMT');
      expect(text(await readAllBytes(answer.body))).toBe(`POST /x?y=1 ${word}`);
    }
    expect(opened).toHaveLength(1);
  });

  it('streams chunks as they come and tells the server when the client leaves', async () => {
    let left = false;
    const client = clientOf(async (_, respond) => {
      const out = await respond.stream({ status: 200 });
      await out.write('first\n');
      await new Promise<void>((resolve) => respond.signal.addEventListener('abort', () => resolve()));
      left = true;
    });
    const stop = new AbortController();
    const answer = await client.request({ method: 'GET', target: '/watch', signal: stop.signal });
    expect(text((await answer.body.read())!)).toBe('first\n');
    stop.abort(new Error('enough'));
    await expect(answer.body.read()).rejects.toThrow('enough');
    await clock.settle();
    expect(left).toBe(true);
  });

  it('a finished stream leaves the connection usable', async () => {
    const opened: Connection[] = [];
    const client = clientOf(async (_, respond) => {
      const out = await respond.stream({ status: 200 });
      await out.write('a');
      await out.end();
    }, opened);
    for (let i = 0; i < 3; i++) expect(text(await readAllBytes((await client.request({ method: 'GET', target: '/' })).body))).toBe('a');
    expect(opened).toHaveLength(1);
  });

  it('hands over the connection on an upgrade', async () => {
    const client = clientOf(async (_, respond) => {
      const raw = await respond.upgrade({ status: 101, headers: { Upgrade: 'echo', Connection: 'Upgrade' } });
      for (;;) {
        const chunk = await raw.read();
        if (chunk === undefined) break;
        await raw.write(chunk);
      }
    });
    const answer = await client.request({ method: 'GET', target: '/', headers: { Upgrade: 'echo', Connection: 'Upgrade' } });
    expect(answer.status).toBe(101);
    await answer.upgraded!.write(utf8('hello'));
    expect(text((await answer.upgraded!.read())!)).toBe('hello');
  });

  it('answers 500 when a handler throws', async () => {
    const client = clientOf(() => Promise.reject(new Error('bug')));
    expect((await client.request({ method: 'GET', target: '/' })).status).toBe(500);
  });

  it.each([
    { name: 'a malformed request line', sent: 'GARBAGE\r\n\r\n', want: 'HTTP/1.1 400 Bad Request' },
    { name: 'HEAD without a body', sent: 'HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', want: 'Content-Length: 5' },
  ])('$name', async ({ sent, want }) => {
    const [client, server] = connectionPair();
    void serveConnection(server, (_, respond) => respond.send({ status: 200 }, 'hello'), { clock });
    await client.write(utf8(sent));
    const got = text(await readAllBytes(client));
    expect(got).toContain(want);
    expect(got).not.toContain('hello');
  });
});

describe('a head that Go would not take', () => {
  it.each([
    ['no request line', 'FOO\r\n\r\n', 'HTTP/1.1 400 Bad Request\r\n'],
    ['another protocol', 'GET / HTTP/3.0\r\nHost: a\r\n\r\n', 'HTTP/1.1 400 Bad Request: unsupported protocol version\r\n'],
    ['no host', 'GET / HTTP/1.1\r\n\r\n', 'HTTP/1.1 400 Bad Request: missing required Host header\r\n'],
    ['a header without a colon', 'GET / HTTP/1.1\r\nHost: a\r\nfoo bar\r\n\r\n', 'HTTP/1.1 400 Bad Request\r\n'],
    ['a length that is no number', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n', 'HTTP/1.1 400 Bad Request\r\n'],
    ['an encoding it does not know', 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: br\r\n\r\n', 'HTTP/1.1 501 Not Implemented\r\n'],
    [
      'too much of it',
      `GET / HTTP/1.1\r\nHost: a\r\nX: ${'y'.repeat(1_100_000)}\r\n\r\n`,
      'HTTP/1.1 431 Request Header Fields Too Large\r\n',
    ],
    ['an expectation', 'GET / HTTP/1.1\r\nHost: a\r\nExpect: foo\r\n\r\n', 'HTTP/1.1 417 Expectation Failed\r\n'],
  ])('is refused: %s', async (_, head, want) => {
    const [client, server] = connectionPair();
    const serving = serveConnection(server, (request, respond) => respond.send({ status: 200 }, request.target), { clock });
    const writing = client.write(utf8(head));
    let said = '';
    for (let chunk = await client.read(); chunk !== undefined; chunk = await client.read()) said += text(chunk);
    client.close();
    await serving;
    await writing;
    expect(said).toContain(want);
  });

  it('leave to go on is given when the body is wanted', async () => {
    const [client, server] = connectionPair();
    const handler = async (request: HttpRequest, respond: HttpResponder): Promise<void> =>
      respond.send({ status: 200 }, request.target === '/read' ? await readAllBytes(request.body) : 'no');
    const serving = serveConnection(server, handler, { clock });
    const head = (path: string): Uint8Array =>
      utf8(`POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n`);
    await client.write(head('/read'));
    expect(text((await client.read())!)).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    await client.write(utf8('hi'));
    expect(text((await client.read())!)).toContain('hi');
    await client.write(head('/not'));
    expect(text((await client.read())!)).toContain('Connection: close');
    await serving;
  });

  it('a body that breaks its framing ends the connection', async () => {
    const [client, server] = connectionPair();
    const handler = async (request: HttpRequest, respond: HttpResponder): Promise<void> => {
      try {
        await readAllBytes(request.body);
      } catch {
        await respond.send({ status: 400 }, 'broken');
      }
    };
    const serving = serveConnection(server, handler, { clock });
    await client.write(utf8('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc'));
    expect(text((await client.read())!)).toContain('400 Bad Request');
    expect(await client.read()).toBeUndefined();
    await serving;
  });
});
