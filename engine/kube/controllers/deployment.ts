// Models the Deployment controller: one replica set per template, rolled over within maxSurge and maxUnavailable.

import { isDeepEqual } from '../machinery/deep.ts';
import { podTemplateHash } from '../machinery/pod-template-hash.ts';
import { DEPLOYMENT, POD, REPLICA_SET, keyOf, splitKey } from '../machinery/resources.ts';
import { labelSelectorOf } from '../machinery/selectors.ts';
import type { Deployment, Pod, ReplicaSet } from '../machinery/types.ts';
import { isAlreadyExists, isNotFound } from '../machinery/api-error.ts';
import type { DeepPartialObject, EventRecorder, Lister, WorkQueue } from '../client/contracts.ts';
import { messageOf, onEach, runWorkers, type ControllerContext } from './controller.ts';
import {
  DESIRED_REPLICAS,
  HASH_LABEL,
  MAX_REPLICAS,
  REVISION,
  byCreation,
  fenceposts,
  isActive,
  isRolling,
  maxUnavailable,
  newReplicaSetOf,
  newSetAnnotations,
  newSetSize,
  proportion,
  replicasAnnotations,
  replicasOf,
  revisionOf,
  total,
} from './deployment-revisions.ts';
import {
  calculateStatus,
  conditionOf,
  hasProgressDeadline,
  isComplete,
  newCondition,
  recheckDelayMs,
  rolloutStatus,
  trimmed,
  withCondition,
  type DeploymentStatus,
} from './deployment-status.ts';
import { claim, controllerOf, ownerReference } from './objects.ts';

export function startDeployment(context: ControllerContext): void {
  new DeploymentController(context).start();
}

/** The replica sets of one deployment as one sync works on them; writes replace the copies. */
interface Rollout {
  deployment: Deployment;
  newSet: ReplicaSet | undefined;
  old: ReplicaSet[];
}

class DeploymentController {
  readonly #context: ControllerContext;
  readonly #events: EventRecorder;
  readonly #queue: WorkQueue;
  readonly #deployments: Lister<Deployment>;
  readonly #sets: Lister<ReplicaSet>;
  readonly #pods: Lister<Pod>;

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#events = context.recorder('deployment-controller');
    this.#queue = context.queue('deployment');
    this.#deployments = context.informers.for<Deployment>(DEPLOYMENT).lister;
    this.#sets = context.informers.for<ReplicaSet>(REPLICA_SET).lister;
    this.#pods = context.informers.for<Pod>(POD).lister;
  }

  start(): void {
    const deployments = this.#context.informers.for<Deployment>(DEPLOYMENT);
    const sets = this.#context.informers.for<ReplicaSet>(REPLICA_SET);
    const pods = this.#context.informers.for<Pod>(POD);
    onEach(deployments, (deployment) => this.#queue.add(keyOf(deployment)));
    onEach(sets, (set, old) => {
      for (const state of [set, old]) if (state !== undefined) this.#setChanged(state);
    });
    onEach(pods, (pod, _old, removed) => {
      if (removed) this.#podGone(pod);
    });
    runWorkers(this.#context, this.#queue, { workers: 5, after: [deployments, sets, pods], what: 'deployment' }, (key) => this.#sync(key));
  }

  #setChanged(set: ReplicaSet): void {
    const owner = controllerOf(set);
    if (owner !== undefined) {
      if (owner.kind === 'Deployment') this.#queue.add(`${set.metadata.namespace}/${owner.name}`);
      return;
    }
    for (const deployment of this.#deployments.list(set.metadata.namespace)) {
      if (labelSelectorOf(deployment.spec?.selector).matches(set.metadata.labels)) this.#queue.add(keyOf(deployment));
    }
  }

  /** Recreate waits for the last old pod. */
  #podGone(pod: Pod): void {
    const owner = controllerOf(pod);
    const set = owner?.kind === 'ReplicaSet' ? this.#sets.get(`${pod.metadata.namespace}/${owner.name}`) : undefined;
    const deployment = set === undefined ? undefined : controllerOf(set);
    if (deployment?.kind !== 'Deployment') return;
    const key = `${pod.metadata.namespace}/${deployment.name}`;
    if (this.#deployments.get(key)?.spec?.strategy?.type === 'Recreate') this.#queue.add(key);
  }

  async #sync(key: string): Promise<void> {
    const cached = this.#deployments.get(key);
    if (cached === undefined) return;
    const selector = labelSelectorOf(cached.spec?.selector);
    if (selector.isEmpty) {
      this.#events.event(cached, 'Warning', 'SelectingAll', 'This deployment is selecting all pods. A non-empty selector is required.');
      return;
    }
    const sets = await claim(this.#context.client, REPLICA_SET, this.#sets.list(splitKey(key).namespace), {
      owner: cached,
      ownerResource: DEPLOYMENT,
      matches: (set) => selector.matches(set.metadata.labels),
      mayAdopt: () => true,
    });
    const rollout: Rollout = { deployment: cached, newSet: undefined, old: [...sets] };
    if (cached.metadata.deletionTimestamp !== undefined) {
      await this.#findSets(rollout, sets, { create: false });
      await this.#writeStatus(rollout, calculateStatus(rollout.deployment, allOf(rollout), rollout.newSet, this.#now()));
      return;
    }
    await this.#checkPause(rollout);
    if (rollout.deployment.spec?.paused === true) {
      await this.#scaleOnly(rollout, sets);
      return;
    }
    if (await this.#isScaling(rollout, sets)) {
      await this.#scaleOnly(rollout, sets);
      return;
    }
    if (isRolling(rollout.deployment)) await this.#roll(rollout, sets);
    else await this.#recreate(rollout, sets);
  }

  #now(): number {
    return this.#context.clock.now();
  }

  /** Pausing and resuming are kept in the Progressing condition so that the deadline does not run meanwhile. */
  async #checkPause(rollout: Rollout): Promise<void> {
    const { deployment } = rollout;
    if (!hasProgressDeadline(deployment)) return;
    const condition = conditionOf(deployment.status, 'Progressing');
    if (condition?.reason === 'ProgressDeadlineExceeded') return;
    const isMarked = condition?.reason === 'DeploymentPaused';
    const isPaused = deployment.spec?.paused === true;
    if (isPaused === isMarked) return;
    const [reason, message] = isPaused
      ? (['DeploymentPaused', 'Deployment is paused'] as const)
      : (['DeploymentResumed', 'Deployment is resumed'] as const);
    await this.#putStatus(
      rollout,
      withCondition(deployment.status ?? {}, newCondition('Progressing', 'Unknown', reason, message, this.#now())),
    );
  }

  async #isScaling(rollout: Rollout, sets: readonly ReplicaSet[]): Promise<boolean> {
    await this.#findSets(rollout, sets, { create: false });
    return allOf(rollout)
      .filter(isActive)
      .some((set) => {
        const desired = set.metadata.annotations?.[DESIRED_REPLICAS];
        return desired !== undefined && Number(desired) !== replicasOf(rollout.deployment);
      });
  }

  async #scaleOnly(rollout: Rollout, sets: readonly ReplicaSet[]): Promise<void> {
    await this.#findSets(rollout, sets, { create: false });
    await this.#scaleProportionally(rollout);
    if (rollout.deployment.spec?.paused === true) await this.#cleanUp(rollout);
    await this.#writeStatus(rollout, calculateStatus(rollout.deployment, allOf(rollout), rollout.newSet, this.#now()));
  }

  async #roll(rollout: Rollout, sets: readonly ReplicaSet[]): Promise<void> {
    await this.#findSets(rollout, sets, { create: true });
    const { deployment, newSet } = rollout;
    if (newSet !== undefined && replicasOf(newSet) !== replicasOf(deployment)) {
      const size =
        replicasOf(newSet) > replicasOf(deployment) ? replicasOf(deployment) : newSetSize(deployment, allOf(rollout), replicasOf(newSet));
      if (await this.#scaleTo(rollout, newSet, size)) return this.#syncRollout(rollout);
    }
    if (await this.#shrinkOld(rollout)) return this.#syncRollout(rollout);
    if (isComplete(deployment, deployment.status ?? {})) await this.#cleanUp(rollout);
    return this.#syncRollout(rollout);
  }

  async #recreate(rollout: Rollout, sets: readonly ReplicaSet[]): Promise<void> {
    await this.#findSets(rollout, sets, { create: false });
    let isShrinking = false;
    for (const set of rollout.old.filter(isActive)) isShrinking = (await this.#scaleTo(rollout, set, 0)) || isShrinking;
    if (isShrinking || this.#hasOldPods(rollout)) return this.#syncRollout(rollout);
    if (rollout.newSet === undefined) await this.#findSets(rollout, sets, { create: true });
    if (rollout.newSet !== undefined) await this.#scaleTo(rollout, rollout.newSet, replicasOf(rollout.deployment));
    if (isComplete(rollout.deployment, rollout.deployment.status ?? {})) await this.#cleanUp(rollout);
    return this.#syncRollout(rollout);
  }

  #hasOldPods(rollout: Rollout): boolean {
    const old = new Set(rollout.old.map((set) => set.metadata.uid));
    return this.#pods
      .list(rollout.deployment.metadata.namespace)
      .some((pod) => old.has(controllerOf(pod)?.uid ?? '') && pod.status?.phase !== 'Failed' && pod.status?.phase !== 'Succeeded');
  }

  /** Takes old sets down as far as availability allows: first pods that are unavailable anyway, then others. */
  async #shrinkOld(rollout: Rollout): Promise<boolean> {
    const { deployment, newSet } = rollout;
    const old = rollout.old.filter(isActive).sort(byCreation);
    if (total(old, replicasOf) === 0) return false;
    const minAvailable = replicasOf(deployment) - maxUnavailable(deployment);
    const newUnavailable = newSet === undefined ? 0 : replicasOf(newSet) - (newSet.status?.availableReplicas ?? 0);
    const budget = total(allOf(rollout), replicasOf) - minAvailable - newUnavailable;
    if (budget <= 0) return false;
    let removed = 0;
    for (const set of old) {
      const unhealthy = replicasOf(set) - (set.status?.availableReplicas ?? 0);
      const count = Math.min(budget - removed, unhealthy);
      if (count <= 0) continue;
      await this.#scaleTo(rollout, set, replicasOf(set) - count);
      removed += count;
    }
    const available = total(allOf(rollout), (set) => set.status?.availableReplicas ?? 0);
    let spare = available - minAvailable;
    for (const set of rollout.old.filter(isActive).sort(byCreation)) {
      const count = Math.min(replicasOf(set), spare);
      if (count <= 0) continue;
      await this.#scaleTo(rollout, set, replicasOf(set) - count);
      removed += count;
      spare -= count;
    }
    return removed > 0;
  }

  async #scaleProportionally(rollout: Rollout): Promise<void> {
    const { deployment } = rollout;
    const replicas = replicasOf(deployment);
    const active = allOf(rollout).filter(isActive);
    if (active.length <= 1) {
      const only = active[0] ?? rollout.newSet ?? [...rollout.old].sort(byCreation).at(-1);
      if (only !== undefined) await this.#scaleTo(rollout, only, replicas);
      return;
    }
    const { newSet } = rollout;
    const isSaturated =
      newSet !== undefined &&
      Number(newSet.metadata.annotations?.[DESIRED_REPLICAS]) === replicas &&
      replicasOf(newSet) === replicas &&
      (newSet.status?.availableReplicas ?? 0) === replicas;
    if (isSaturated) {
      for (const set of rollout.old.filter(isActive)) await this.#scaleTo(rollout, set, 0);
      return;
    }
    if (!isRolling(deployment)) return;
    const toAdd = (replicas > 0 ? replicas + fenceposts(deployment).surge : 0) - total(active, replicasOf);
    const newerFirst = toAdd > 0;
    active.sort((a, b) => replicasOf(b) - replicasOf(a) || (newerFirst ? byCreation(b, a) : byCreation(a, b)));
    let added = 0;
    const sizes = active.map((set) => {
      const share = proportion(deployment, set, toAdd, added);
      added += share;
      return replicasOf(set) + share;
    });
    sizes[0] = Math.max(0, sizes[0]! + toAdd - added);
    for (const [i, set] of active.entries()) await this.#resize(rollout, set, sizes[i]!);
  }

  async #scaleTo(rollout: Rollout, set: ReplicaSet, size: number): Promise<boolean> {
    return replicasOf(set) === size ? false : this.#resize(rollout, set, size);
  }

  async #resize(rollout: Rollout, set: ReplicaSet, size: number): Promise<boolean> {
    const { deployment } = rollout;
    const annotations = replicasAnnotations(deployment);
    const before = replicasOf(set);
    const isAnnotated =
      set.metadata.annotations?.[DESIRED_REPLICAS] === annotations[DESIRED_REPLICAS] &&
      set.metadata.annotations?.[MAX_REPLICAS] === annotations[MAX_REPLICAS];
    if (before === size && isAnnotated) return false;
    const updated = await this.#context.client.update<ReplicaSet>(REPLICA_SET, {
      ...set,
      metadata: { ...set.metadata, annotations: { ...set.metadata.annotations, ...annotations } },
      spec: { ...set.spec!, replicas: size },
    });
    replaceSet(rollout, updated);
    if (before === size) return false;
    const direction = before < size ? 'up' : 'down';
    this.#events.event(deployment, 'Normal', 'ScalingReplicaSet', `Scaled ${direction} replica set ${set.metadata.name} to ${size}`);
    return true;
  }

  /** Splits the sets into the new one and the old ones, keeps revisions, and with `create` makes the new one when it is missing. */
  async #findSets(rollout: Rollout, sets: readonly ReplicaSet[], options: { readonly create: boolean }): Promise<void> {
    if (rollout.newSet === undefined) {
      rollout.newSet = newReplicaSetOf(rollout.deployment, sets);
      rollout.old = sets.filter((set) => set !== rollout.newSet);
    }
    const revision = Math.max(0, ...rollout.old.map(revisionOf)) + 1;
    if (rollout.newSet !== undefined) await this.#keepNewSet(rollout, rollout.newSet, revision);
    else if (options.create) await this.#createNewSet(rollout, revision);
  }

  async #keepNewSet(rollout: Rollout, set: ReplicaSet, revision: number): Promise<void> {
    const { deployment } = rollout;
    const annotations = newSetAnnotations(deployment, set, revision, true);
    const minReadySeconds = deployment.spec?.minReadySeconds ?? 0;
    if (annotations !== undefined || (set.spec?.minReadySeconds ?? 0) !== minReadySeconds) {
      set = await this.#context.client.update<ReplicaSet>(REPLICA_SET, {
        ...set,
        metadata: { ...set.metadata, annotations: annotations ?? set.metadata.annotations ?? {} },
        spec: { ...set.spec!, minReadySeconds },
      });
      rollout.newSet = set;
    }
    let status = deployment.status ?? {};
    if (hasProgressDeadline(deployment) && conditionOf(status, 'Progressing') === undefined) {
      const message = `Found new replica set "${set.metadata.name}"`;
      status = withCondition(status, newCondition('Progressing', 'True', 'FoundNewReplicaSet', message, this.#now()));
    }
    await this.#putStatus(rollout, status, set.metadata.annotations?.[REVISION]);
  }

  async #createNewSet(rollout: Rollout, revision: number): Promise<void> {
    const { deployment } = rollout;
    const { template, selector, minReadySeconds } = deployment.spec!;
    const hash = podTemplateHash(template, deployment.status?.collisionCount);
    const labels = { ...template.metadata?.labels, [HASH_LABEL]: hash };
    const name = `${deployment.metadata.name}-${hash}`;
    const blank = {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: {
        name,
        namespace: deployment.metadata.namespace ?? '',
        labels,
        ownerReferences: [ownerReference(deployment, DEPLOYMENT)],
      },
      spec: {
        replicas: newSetSize(deployment, rollout.old, 0),
        ...(minReadySeconds === undefined ? {} : { minReadySeconds }),
        selector: { ...selector, matchLabels: { ...selector.matchLabels, [HASH_LABEL]: hash } },
        template: { ...template, metadata: { ...template.metadata, labels } },
      },
    } satisfies DeepPartialObject<ReplicaSet>;
    const annotations = newSetAnnotations(deployment, blank as unknown as ReplicaSet, revision, false) ?? {};
    let created: ReplicaSet;
    try {
      created = await this.#context.client.create<ReplicaSet>(REPLICA_SET, { ...blank, metadata: { ...blank.metadata, annotations } });
    } catch (error) {
      return this.#notCreated(rollout, name, error);
    }
    rollout.newSet = created;
    if (created.spec!.replicas! > 0) {
      this.#events.event(deployment, 'Normal', 'ScalingReplicaSet', `Scaled up replica set ${name} to ${created.spec!.replicas}`);
    }
    let status = deployment.status ?? {};
    if (hasProgressDeadline(deployment)) {
      status = withCondition(
        status,
        newCondition('Progressing', 'True', 'NewReplicaSetCreated', `Created new replica set "${name}"`, this.#now()),
      );
    }
    await this.#putStatus(rollout, status, created.metadata.annotations?.[REVISION]);
  }

  async #notCreated(rollout: Rollout, name: string, error: unknown): Promise<void> {
    const { deployment } = rollout;
    if (isAlreadyExists(error)) {
      const existing = await this.#context.client.get<ReplicaSet>(REPLICA_SET, name, deployment.metadata.namespace);
      if (controllerOf(existing)?.uid === deployment.metadata.uid && newReplicaSetOf(deployment, [existing]) !== undefined) {
        rollout.newSet = existing;
        return;
      }
      // Another template hashed to the same name: count up, so that the next hash differs.
      await this.#putStatus(rollout, { ...deployment.status, collisionCount: (deployment.status?.collisionCount ?? 0) + 1 });
      throw error;
    }
    const message = `Failed to create new replica set "${name}": ${messageOf(error)}`;
    if (hasProgressDeadline(deployment)) {
      const condition = newCondition('Progressing', 'False', 'ReplicaSetCreateError', message, this.#now());
      await this.#putStatus(rollout, withCondition(deployment.status ?? {}, condition));
    }
    this.#events.event(deployment, 'Warning', 'ReplicaSetCreateError', message);
    throw error;
  }

  /** Old sets without pods beyond the history limit go, oldest first. */
  async #cleanUp(rollout: Rollout): Promise<void> {
    const limit = rollout.deployment.spec?.revisionHistoryLimit;
    if (limit === undefined || limit === 2147483647) return;
    const alive = rollout.old.filter((set) => set.metadata.deletionTimestamp === undefined).sort(byCreation);
    for (const set of alive.slice(0, Math.max(0, alive.length - limit))) {
      const isBusy =
        (set.status?.replicas ?? 0) !== 0 ||
        replicasOf(set) !== 0 ||
        (set.metadata.generation ?? 0) > (set.status?.observedGeneration ?? 0);
      if (isBusy) continue;
      try {
        await this.#context.client.delete(REPLICA_SET, set.metadata.name, set.metadata.namespace);
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }
  }

  async #syncRollout(rollout: Rollout): Promise<void> {
    const status = rolloutStatus(rollout.deployment, allOf(rollout), rollout.newSet, this.#now());
    if (await this.#writeStatus(rollout, status)) return;
    const delayMs = recheckDelayMs(rollout.deployment, status, this.#now());
    if (delayMs !== undefined) this.#queue.addAfter(keyOf(rollout.deployment), delayMs);
  }

  async #writeStatus(rollout: Rollout, status: DeploymentStatus): Promise<boolean> {
    return this.#putStatus(rollout, status);
  }

  /** Says whether anything had to be written; the revision travels with the status, as upstream does it. */
  async #putStatus(rollout: Rollout, status: DeploymentStatus, revision?: string): Promise<boolean> {
    const { deployment } = rollout;
    const annotations = deployment.metadata.annotations ?? {};
    const isNumbered = revision === undefined || annotations[REVISION] === revision;
    const wanted = trimmed(status);
    if (isNumbered && isDeepEqual(trimmed(deployment.status ?? {}), wanted)) return false;
    rollout.deployment = await this.#context.client.updateStatus<Deployment>(DEPLOYMENT, {
      ...deployment,
      metadata: isNumbered ? deployment.metadata : { ...deployment.metadata, annotations: { ...annotations, [REVISION]: revision } },
      status: wanted,
    });
    return true;
  }
}

function allOf(rollout: Rollout): ReplicaSet[] {
  return rollout.newSet === undefined ? [...rollout.old] : [...rollout.old, rollout.newSet];
}

function replaceSet(rollout: Rollout, updated: ReplicaSet): void {
  if (rollout.newSet?.metadata.uid === updated.metadata.uid) rollout.newSet = updated;
  else rollout.old = rollout.old.map((set) => (set.metadata.uid === updated.metadata.uid ? updated : set));
}
