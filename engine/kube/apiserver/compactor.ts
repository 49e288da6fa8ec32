// Models how the API server keeps etcd small: every five minutes it has etcd forget what was replaced before the last five.
// A key of its own counts the rounds, so that of several servers one at a time does it.

import type { Clock } from '../../sim/clock.ts';
import { isSysError } from '../../sim/errno.ts';
import type { EtcdClient } from '../../etcd/client.ts';
import { EtcdError } from '../../etcd/mvcc.ts';
import type { RangeAnswer } from '../../etcd/protocol.ts';

const KEY = 'compact_rev_key';
/** --etcd-compaction-interval when it is not given. */
const INTERVAL_MS = 5 * 60_000;

interface Round {
  /** How often the key has been written, as far as this server knows. */
  readonly time: number;
  /** The revision then. */
  readonly revision: number;
}

/** Runs until `signal` aborts. */
export async function compactRegularly(options: {
  readonly clock: Clock;
  readonly etcd: EtcdClient;
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
}): Promise<void> {
  const { clock, etcd, signal, log } = options;
  let round: Round = { time: 0, revision: 0 };
  while (!signal.aborted) {
    try {
      await clock.sleep(INTERVAL_MS, signal);
      round = await compact(etcd, round);
    } catch (error) {
      if (signal.aborted) return;
      if (!isSysError(error) && !(error instanceof EtcdError)) throw error;
      log(`etcd: endpoint ([https://127.0.0.1:2379]) compact failed: ${error.message}`);
    }
  }
}

async function compact(etcd: EtcdClient, { time, revision }: Round): Promise<Round> {
  const result = await etcd.txn(
    [{ key: KEY, target: 'version', is: '=', than: time }],
    [{ op: 'put', key: KEY, value: String(revision) }],
    [{ op: 'range', key: KEY }],
  );
  // Somebody else did it, or this server has just started: from here on it takes part.
  if (!result.succeeded) return { time: (result.results[0] as RangeAnswer).kvs[0]?.version ?? 0, revision: result.revision };
  if (revision > 0) await etcd.compact(revision);
  return { time: time + 1, revision: result.revision };
}
