// The hops of one connection: every rule that decided, every route, every link, up to the socket or the drop.

import type { Disposable } from '#engine/sim/disposable.ts';
import type { Hop } from '#engine/net/net-stack.ts';
import { isSysError } from '#engine/sim/errno.ts';
import type { Lab } from '#engine/lab/lab.ts';

/** Long enough for the first packet and its first repetition. */
const TIMEOUT_MS = 2500;

export async function traceConnection(lab: Lab, machine: string, to: string): Promise<readonly object[]> {
  const match = /^([\d.]+):(\d+)$/.exec(to);
  if (match === null) throw new Error(`"${to}" is no ADDRESS:PORT`);
  const from = machine === 'host' ? lab.networks.host : lab.machine(machine).net;
  if (from === undefined) throw new Error(`${machine} is off`);
  const hops: (Hop & { readonly machine: string })[] = [];
  const listening: Disposable[] = [];
  let packet: number | undefined;
  const listen = (name: string, stack: typeof from): void => {
    listening.push(
      stack.onHop((id, hop) => {
        packet ??= id;
        if (id === packet) hops.push({ ...hop, machine: name });
      }),
    );
  };
  listen('host', lab.networks.host);
  for (const each of lab.machines) {
    const namespaces = each.kernel?.netNamespaces;
    for (const name of namespaces?.names() ?? []) listen(each.name, namespaces!.get(name));
  }
  const stop = new AbortController();
  const timer = lab.clock.setTimer(TIMEOUT_MS, () => stop.abort(new Error('no answer')));
  let outcome: string;
  try {
    (await from.connect({ address: match[1]!, port: Number(match[2]), signal: stop.signal })).close({ reset: true });
    outcome = 'connected';
  } catch (error) {
    outcome = isSysError(error) ? error.strerror : error instanceof Error ? error.message : String(error);
  } finally {
    timer.dispose();
    for (const each of listening) each.dispose();
  }
  return [...hops, { step: 'outcome', outcome }];
}
