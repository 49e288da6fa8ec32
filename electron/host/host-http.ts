// What a browser or curl gets: on the learner's computer, or on a machine.

import { HttpClient } from '#engine/net/http-client.ts';
import { readAllBytes } from '#engine/net/http-message.ts';
import { connectTls } from '#engine/net/tls.ts';
import { isSysError } from '#engine/sim/errno.ts';
import type { Lab } from '#engine/lab/lab.ts';

/** A browser gives up after this much lab time. */
const TIMEOUT_MS = 130_000;

/** Throws with a plain message when there is no answer. Addresses only: the learner's computer has no names for the lab. */
export async function requestHttp(
  lab: Lab,
  request: { readonly from: string; readonly url: string; readonly method?: string | undefined },
): Promise<object> {
  const url = new URL(request.url);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new Error(`not a web address: ${request.url}`);
  const stack = request.from === 'host' ? lab.networks.host : lab.machine(request.from).net;
  if (stack === undefined) throw new Error(`${request.from} is off`);
  if (!/^[\d.]+$/.test(url.hostname)) throw new Error(`could not resolve host: ${url.hostname}`);
  const isTls = url.protocol === 'https:';
  const port = url.port === '' ? (isTls ? 443 : 80) : Number(url.port);
  const stop = new AbortController();
  const timer = lab.clock.setTimer(TIMEOUT_MS, () => stop.abort(new Error('connection timed out')));
  const client = new HttpClient({
    host: url.host,
    connect: async () => {
      const connection = await stack.connect({ address: url.hostname, port, signal: stop.signal });
      return isTls ? connectTls(connection, { serverName: url.hostname, insecure: true, nowMs: lab.clock.now() }) : connection;
    },
  });
  try {
    const answer = await client.request({
      method: request.method ?? 'GET',
      target: url.pathname + url.search,
      headers: { 'User-Agent': 'Mozilla/5.0' },
      signal: stop.signal,
    });
    const body = Buffer.from(await readAllBytes(answer.body)).toString('utf8');
    return { status: answer.status, headers: Object.fromEntries(answer.headers), body };
  } catch (error) {
    if (isSysError(error)) throw new Error(`${url.hostname}:${port}: ${error.strerror}`);
    throw error;
  } finally {
    timer.dispose();
    client.close();
  }
}
