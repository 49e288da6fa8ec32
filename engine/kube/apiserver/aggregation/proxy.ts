// Models the aggregator's proxy: requests for groups that others serve go to them, with the user's name in headers that they believe
// because of the front proxy's certificate.

import type { HttpRequest, HttpResponder } from '../../../net/http.ts';
import { isConnectionLost, readAllBytes } from '../../../net/http-message.ts';
import { fromBase64 } from '../../../sim/bytes.ts';
import type { User } from '../user.ts';
import { clientOf, resolveService, transportProblem, UnreachableError, type ServiceCallOptions } from '../service-call.ts';
import { isAvailable, type ApiService } from './api-services.ts';

/** Headers that belong to one connection, and those that say who asks. */
const NOT_PASSED = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'te',
  'trailer',
  'upgrade',
  'proxy-authorization',
  'proxy-authenticate',
  'host',
  'content-length',
  'authorization',
]);

export async function proxyTo(
  service: ApiService,
  {
    user,
    request,
    respond,
    options,
  }: { readonly user: User; readonly request: HttpRequest; readonly respond: HttpResponder; readonly options: ServiceCallOptions },
): Promise<void> {
  const refuse = (message: string): Promise<void> =>
    respond.send(
      { status: 503, headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' } },
      `${message}\n`,
    );
  if (!isAvailable(service)) return refuse('service unavailable');
  const { namespace = '', name = '', port = 443 } = service.spec.service!;
  let at;
  try {
    at = resolveService(options.reader, { namespace, name, port });
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error;
    return refuse('service unavailable');
  }
  const { caBundle = '', insecureSkipTLSVerify = false } = service.spec;
  const tls = {
    serverName: `${name}.${namespace}.svc`,
    identity: 'proxy',
    ...(insecureSkipTLSVerify ? { insecure: true } : {}),
    ...(caBundle === '' ? {} : { ca: new TextDecoder().decode(fromBase64(caBundle)) }),
  } as const;
  const body = await readAllBytes(request.body);
  const client = clientOf(options, at, tls, respond.signal);
  try {
    let response;
    try {
      response = await client.request({
        method: request.method,
        target: request.target,
        headers: headersFor(request, user),
        signal: respond.signal,
        ...(body.length === 0 ? {} : { body }),
      });
    } catch (error) {
      if (respond.signal.aborted) return;
      return await refuse(transportProblem(error, `${at.address}:${at.port}`));
    }
    const headers: Record<string, string> = {};
    for (const [header, value] of response.headers) if (!NOT_PASSED.has(header)) headers[header] = value;
    const out = await respond.stream({ status: response.status, headers });
    try {
      for (;;) {
        const chunk = await response.body.read(undefined, respond.signal);
        if (chunk === undefined) break;
        await out.write(chunk);
      }
    } catch (error) {
      if (respond.signal.aborted) return;
      if (!isConnectionLost(error)) throw error;
    }
    await out.end();
  } finally {
    client.close();
  }
}

function headersFor(request: HttpRequest, user: User): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of request.headers) {
    // A client cannot say for itself who it is.
    if (!NOT_PASSED.has(name) && !name.startsWith('x-remote-') && !name.startsWith('impersonate-')) headers[name] = value;
  }
  headers['x-remote-user'] = user.name;
  if (user.groups.length > 0) headers['x-remote-group'] = user.groups.join(', ');
  for (const [key, values] of Object.entries(user.extra ?? {}))
    headers[`x-remote-extra-${encodeURIComponent(key).toLowerCase()}`] = values.join(', ');
  headers['x-forwarded-for'] = request.remoteAddress;
  return headers;
}
