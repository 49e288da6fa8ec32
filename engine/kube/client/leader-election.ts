// Models client-go's leader election on a Lease.

import type { Clock } from '../../sim/clock.ts';
import { isSysError } from '../../sim/errno.ts';
import type { Rng } from '../../sim/rng.ts';
import { ApiError, isNotFound } from '../machinery/api-error.ts';
import { LEASE } from '../machinery/resources.ts';
import { rfc3339Micro } from '../machinery/time.ts';
import type { KubeObject, Lease } from '../machinery/types.ts';
import type { EventRecorder, KubeClient } from './contracts.ts';

/** kube-controller-manager's and kube-scheduler's defaults. */
const LEASE_MS = 15_000;
const RENEW_DEADLINE_MS = 10_000;
const RETRY_MS = 2_000;
const JITTER = 1.2;

export interface LeaderElectionOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly namespace: string;
  readonly name: string;
  /** `m-k8s_0f5c...`: host name and a UUID. */
  readonly identity: string;
  readonly recorder?: EventRecorder;
  readonly log?: (line: string) => void;
}

export class LeaderElector {
  readonly #options: LeaderElectionOptions;
  #observed = '';
  #observedAtMs = 0;

  constructor(options: LeaderElectionOptions) {
    this.#options = options;
  }

  /** Resolves when this process leads. */
  async acquire(signal: AbortSignal): Promise<void> {
    const { clock, rng, namespace, name, log } = this.#options;
    log?.(`attempting to acquire leader lease  ${namespace}/${name}...`);
    for (;;) {
      const lease = await this.#tryAcquireOrRenew();
      if (lease !== undefined) {
        log?.(`successfully acquired lease ${namespace}/${name}`);
        this.#options.recorder?.event(leaseAsObject(lease), 'Normal', 'LeaderElection', `${this.#options.identity} became leader`);
        return;
      }
      await clock.sleep(RETRY_MS * (1 + rng.float() * JITTER), signal);
    }
  }

  /** Renews until it cannot any more; resolves when the lead is lost. */
  async renew(signal: AbortSignal): Promise<void> {
    const { clock, namespace, name, log } = this.#options;
    let renewedMs = clock.now();
    for (;;) {
      await clock.sleep(RETRY_MS, signal);
      const leftMs = renewedMs + RENEW_DEADLINE_MS - clock.now();
      if ((await this.#within(leftMs, signal)) !== undefined) renewedMs = clock.now();
      else if (clock.now() - renewedMs >= RENEW_DEADLINE_MS) {
        log?.(`failed to renew lease ${namespace}/${name}: timed out waiting for the condition`);
        return;
      }
    }
  }

  /** One attempt; a server that does not answer in time counts as one that says no. */
  async #within(timeoutMs: number, signal: AbortSignal): Promise<Lease | undefined> {
    const { clock } = this.#options;
    const answered = new AbortController();
    const late = clock.sleep(Math.max(0, timeoutMs), AbortSignal.any([signal, answered.signal])).then(
      () => undefined,
      () => undefined,
    );
    try {
      return await Promise.race([this.#tryAcquireOrRenew(), late]);
    } finally {
      answered.abort(new Error('answered'));
    }
  }

  async #tryAcquireOrRenew(): Promise<Lease | undefined> {
    const { client, clock, namespace, name, identity, log } = this.#options;
    const now = clock.now();
    try {
      let lease: Lease;
      try {
        lease = await client.get<Lease>(LEASE, name, namespace);
      } catch (error) {
        if (!isNotFound(error)) throw error;
        return await client.create<Lease>(LEASE, {
          apiVersion: 'coordination.k8s.io/v1',
          kind: 'Lease',
          metadata: { name, namespace },
          spec: {
            holderIdentity: identity,
            leaseDurationSeconds: LEASE_MS / 1000,
            acquireTime: rfc3339Micro(now),
            renewTime: rfc3339Micro(now),
            leaseTransitions: 0,
          },
        });
      }
      const spec = lease.spec ?? {};
      const record = JSON.stringify(spec);
      if (record !== this.#observed) {
        this.#observed = record;
        this.#observedAtMs = now;
      }
      const isOurs = spec.holderIdentity === identity;
      // The holder's time is never compared with ours, only how long its record has stood still.
      if (!isOurs && (spec.holderIdentity ?? '') !== '' && this.#observedAtMs + LEASE_MS > now) return undefined;
      return await client.update<Lease>(LEASE, {
        ...lease,
        spec: {
          holderIdentity: identity,
          leaseDurationSeconds: LEASE_MS / 1000,
          acquireTime: isOurs ? (spec.acquireTime ?? rfc3339Micro(now)) : rfc3339Micro(now),
          renewTime: rfc3339Micro(now),
          leaseTransitions: (spec.leaseTransitions ?? 0) + (isOurs ? 0 : 1),
        },
      });
    } catch (error) {
      if (!(error instanceof ApiError) && !isSysError(error)) throw error;
      log?.(`error retrieving resource lock ${namespace}/${name}: ${error.message}`);
      return undefined;
    }
  }
}

function leaseAsObject(lease: Lease): KubeObject {
  return { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: lease.metadata };
}
