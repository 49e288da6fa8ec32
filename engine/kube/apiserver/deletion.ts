// Models what a DELETE does to an object before it goes: grace periods, finalizers, propagation policies.

import { rfc3339 } from '../machinery/time.ts';
import type { ApiObject, ResourceDefinition } from '../registry/definition.ts';
import { orderMeta } from './meta.ts';

export interface DeleteRequest {
  readonly gracePeriodSeconds?: number | null | undefined;
  readonly propagationPolicy?: string | null | undefined;
  readonly orphanDependents?: boolean | null | undefined;
  readonly preconditions?: { readonly uid?: string | null; readonly resourceVersion?: string | null } | null | undefined;
  readonly dryRun?: readonly string[] | null | undefined;
}

export const ORPHAN = 'orphan';
export const FOREGROUND = 'foregroundDeletion';

export type DeletionStep =
  /** It is on its way already, and this request changes nothing; the answer is a Status, or the object if shown. */
  | { readonly kind: 'pending'; readonly isShown?: boolean }
  /** Nothing holds it. */
  | { readonly kind: 'remove' }
  /** It becomes `object` and waits, unless its time is up at once. */
  | { readonly kind: 'mark'; readonly object: ApiObject; readonly goesAtOnce: boolean };

export function deletionStep(definition: ResourceDefinition, object: ApiObject, request: DeleteRequest, nowMs: number): DeletionStep {
  if (isNamespace(object)) return namespaceStep(object, request, nowMs);
  const { metadata } = object;
  const { deletionTimestamp, deletionGracePeriodSeconds: oldGrace = 0 } = metadata;
  if (deletionTimestamp === undefined && definition.strategy.markDeleted !== undefined) {
    const marked = definition.strategy.markDeleted(object, nowMs);
    return { kind: 'mark', object: { ...marked, metadata: orderMeta({ ...marked.metadata }) }, goesAtOnce: false };
  }
  const requested = request.gracePeriodSeconds ?? undefined;
  const grace = definition.strategy.gracePeriodSeconds?.(object, requested);
  let graceful: Record<string, unknown> | undefined;
  let graceSeconds = 0;
  if (deletionTimestamp !== undefined) {
    if (grace !== undefined && oldGrace > 0) {
      // Only a shorter grace moves the end; asking again for the same or more changes nothing.
      if (requested === undefined || requested >= oldGrace) return { kind: 'pending' };
      graceSeconds = requested;
      const endsMs = Date.parse(deletionTimestamp) - oldGrace * 1000 + graceSeconds * 1000;
      graceful = { deletionTimestamp: rfc3339(endsMs), deletionGracePeriodSeconds: graceSeconds };
    }
  } else if (grace !== undefined) {
    graceSeconds = grace;
    graceful = {
      deletionTimestamp: rfc3339(nowMs + grace * 1000),
      deletionGracePeriodSeconds: grace,
      ...nextGeneration(metadata.generation),
    };
  }
  const finalizers = finalizersFor(definition, object, request);
  if (graceful !== undefined) {
    const next = { ...object, metadata: orderMeta({ ...metadata, ...graceful, finalizers }) };
    return { kind: 'mark', object: next, goesAtOnce: finalizers.length === 0 && graceSeconds === 0 };
  }
  if (finalizers.length === 0) return { kind: 'remove' };
  const isLater = deletionTimestamp === undefined || Date.parse(deletionTimestamp) > nowMs;
  const marked = {
    ...metadata,
    finalizers,
    deletionGracePeriodSeconds: 0,
    ...(isLater ? { deletionTimestamp: rfc3339(nowMs) } : {}),
    ...(deletionTimestamp === undefined ? nextGeneration(metadata.generation) : {}),
  };
  return { kind: 'mark', object: { ...object, metadata: orderMeta(marked) }, goesAtOnce: false };
}

/** Whether a write of `next` over `current` is the end of it: it was to go, and nothing holds it any more. */
export function isToBeRemoved(next: ApiObject, current: ApiObject): boolean {
  if ((next.metadata.finalizers ?? []).length > 0) return false;
  const { deletionTimestamp, deletionGracePeriodSeconds } = current.metadata;
  if (deletionTimestamp === undefined || (deletionGracePeriodSeconds ?? 0) !== 0) return false;
  return !isNamespace(next) || specFinalizers(next).length === 0;
}

/** A namespace is terminated first: its controller empties it and takes the finalizer of its spec away. */
function namespaceStep(object: ApiObject, request: DeleteRequest, nowMs: number): DeletionStep {
  const { metadata } = object;
  if (metadata.deletionTimestamp !== undefined) {
    if (specFinalizers(object).length === 0 && (metadata.finalizers ?? []).length === 0) return { kind: 'remove' };
    return { kind: 'pending', isShown: true };
  }
  const others = (metadata.finalizers ?? []).filter((each) => each !== ORPHAN);
  const finalizers =
    request.orphanDependents === true || request.propagationPolicy === 'Orphan'
      ? [...others, ORPHAN]
      : request.orphanDependents === false
        ? others
        : (metadata.finalizers ?? []);
  const next = {
    ...object,
    status: { ...(object['status'] as object | undefined), phase: 'Terminating' },
    metadata: orderMeta({ ...metadata, finalizers, deletionTimestamp: rfc3339(nowMs) }),
  };
  return { kind: 'mark', object: next, goesAtOnce: finalizers.length === 0 && specFinalizers(object).length === 0 };
}

/** The garbage collector's finalizers as the request, then the object, then the kind wants them. */
function finalizersFor(definition: ResourceDefinition, object: ApiObject, request: DeleteRequest): readonly string[] {
  const given = object.metadata.finalizers ?? [];
  const others = given.filter((each) => each !== ORPHAN && each !== FOREGROUND);
  const { garbageCollection } = definition.strategy;
  if (garbageCollection === 'Unsupported') return others;
  const orphans = request.orphanDependents ?? undefined;
  const policy = request.propagationPolicy ?? undefined;
  if (orphans !== undefined) return orphans ? withFinalizer(given, others, ORPHAN) : others;
  if (policy === 'Orphan') return withFinalizer(given, others, ORPHAN);
  if (policy === 'Foreground') return withFinalizer(given, others, FOREGROUND);
  if (policy !== undefined) return others;
  if (given.includes(ORPHAN) || given.includes(FOREGROUND)) return given;
  return garbageCollection === 'OrphanDependents' ? [...others, ORPHAN] : given;
}

/** The same list when it says so already. */
function withFinalizer(given: readonly string[], others: readonly string[], finalizer: string): readonly string[] {
  return given.includes(finalizer) && others.length + 1 === given.length ? given : [...others, finalizer];
}

function nextGeneration(generation: number | undefined): { readonly generation?: number } {
  return (generation ?? 0) > 0 ? { generation: generation! + 1 } : {};
}

function isNamespace(object: ApiObject): boolean {
  return object.kind === 'Namespace' && object.apiVersion === 'v1';
}

function specFinalizers(object: ApiObject): readonly string[] {
  return (object['spec'] as { finalizers?: readonly string[] } | undefined)?.finalizers ?? [];
}
