// Models the client side of an upgrade to SPDY/3.1 (client-go's transport/spdy).

import { readAll } from '../../../kube/client/rest-client.ts';
import { ApiError } from '../../../kube/machinery/api-error.ts';
import type { Status } from '../../../kube/machinery/types.ts';
import { SpdySession } from '../../../net/spdy/session.ts';
import { text } from '../../../sim/bytes.ts';
import type { Context } from '../context.ts';
import { CliError } from '../errors.ts';

/** ApiError when the server refuses; CliError when somebody behind it does. */
export async function upgrade(context: Context, target: string, protocols: readonly string[]): Promise<SpdySession> {
  const response = await context.rest.send({
    method: 'POST',
    target,
    headers: { connection: 'Upgrade', upgrade: 'SPDY/3.1', 'x-stream-protocol-version': protocols.join(', ') },
  });
  if (response.upgraded !== undefined) return new SpdySession(response.upgraded, 'client');
  const body = text(await readAll(response.body));
  if (body.startsWith('{')) {
    const status = JSON.parse(body) as Status;
    if (status.kind === 'Status') throw new ApiError(status);
  }
  // The decoder of a Status takes YAML too, and for it `a: b` is an object of which nothing is known.
  if (/^[\w ]+: \S/.test(body))
    throw new ApiError({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message: '', code: response.status });
  throw new CliError(`unable to upgrade connection: ${body.trim()}`);
}
