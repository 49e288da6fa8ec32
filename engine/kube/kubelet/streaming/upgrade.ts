// Models the upgrade to SPDY/3.1 with its choice of a protocol (httpstream), as the kubelet's streaming server answers it.

import type { Clock } from '../../../sim/clock.ts';
import type { HttpRequest, HttpResponder } from '../../../net/http.ts';
import { SpdySession } from '../../../net/spdy/session.ts';

const SPDY = 'SPDY/3.1';
const PLAIN = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' } as const;
/** streamingConnectionIdleTimeout. */
const IDLE_MS = 4 * 3600_000;

export interface UpgradedSession {
  readonly session: SpdySession;
  /** Empty for a client of Kubernetes 1.0, which did not name one. */
  readonly protocol: string;
}

/** Undefined when it was refused, which has been answered then. */
export async function upgradeToSpdy(
  request: HttpRequest,
  respond: HttpResponder,
  options: { readonly protocols: readonly string[]; readonly clock: Clock },
): Promise<UpgradedSession | undefined> {
  const { protocols } = options;
  const offered = (request.headers.get('x-stream-protocol-version') ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const protocol = offered.length === 0 ? '' : offered.find((name) => protocols.includes(name));
  if (protocol === undefined) {
    const message = `unable to upgrade: unable to negotiate protocol: client supports [${offered.join(' ')}], server accepts [${protocols.join(' ')}]`;
    await respond.send({ status: 403, headers: { ...PLAIN, 'X-Accepted-Stream-Protocol-Versions': protocols.join(', ') } }, `${message}\n`);
    return undefined;
  }
  const connection = (request.headers.get('connection') ?? '').toLowerCase();
  const upgrade = (request.headers.get('upgrade') ?? '').toLowerCase();
  if (!connection.includes('upgrade') || !upgrade.includes(SPDY.toLowerCase())) {
    await respond.send(
      { status: 400, headers: PLAIN },
      `unable to upgrade: missing upgrade headers in request: ${goHeader(request.headers)}\n`,
    );
    return undefined;
  }
  const raw = await respond.upgrade({
    status: 101,
    reason: 'Switching Protocols',
    headers: { Connection: 'Upgrade', Upgrade: SPDY, ...(protocol === '' ? {} : { 'X-Stream-Protocol-Version': protocol }) },
  });
  return { session: new SpdySession(raw, 'server', { clock: options.clock, timeoutMs: IDLE_MS }), protocol };
}

/** `http.Header{"Accept":[]string{"a"}}`, as %#v prints it. */
function goHeader(headers: ReadonlyMap<string, string>): string {
  const entries = [...headers]
    .filter(([name]) => name !== 'host')
    .map(([name, value]) => [canonical(name), value] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `http.Header{${entries.map(([name, value]) => `${JSON.stringify(name)}:[]string{${JSON.stringify(value)}}`).join(', ')}}`;
}

function canonical(name: string): string {
  return name.replaceAll(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());
}
