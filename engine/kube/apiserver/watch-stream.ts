// Models the watch answer: one JSON event a line, bookmarks every minute, an end when its time is up.

import type { Clock } from '../../sim/clock.ts';
import { isSysError } from '../../sim/errno.ts';
import type { Rng } from '../../sim/rng.ts';
import type { Disposable } from '../../sim/disposable.ts';
import type { HttpResponder } from '../../net/http.ts';
import { apiVersionOf } from '../machinery/resources.ts';
import { ApiError } from '../machinery/api-error.ts';
import { normalize } from '../machinery/schema/codec.ts';
import { structOf } from '../machinery/schema/schema.ts';
import { plainError } from '../machinery/status.ts';
import type { ApiObject, ServedVersion } from '../registry/definition.ts';
import type { ResourceStore, StoreEvent, Stored } from './resource-store.ts';
import { StoredObject } from './stored.ts';
import { versionProblem, type ListOptions } from './request-options.ts';
import type { Selection } from './selection.ts';
import { partialOf, tableOf, type Include, type Representation } from './table.ts';
import { fromStorage, isStorage } from './version-conversion.ts';

const BOOKMARK_EVERY_MS = 60_000;
/** The last bookmark comes so long before the watch ends by itself. */
const BOOKMARK_BEFORE_END_MS = 2000;
/** A client that names no timeout gets one between one and two times this (min-request-timeout). */
const MIN_TIMEOUT_MS = 1800_000;
/** Events that may wait for a client that does not read; and how long it may do so. */
const MOST_WAITING = 1000;
const MAX_STALL_MS = 100;

export interface WatchRequest {
  readonly store: ResourceStore;
  readonly served: ServedVersion;
  readonly namespace: string;
  readonly selection: Selection;
  readonly options: ListOptions;
  readonly representation: Representation;
  readonly include: Include;
  readonly clock: Clock;
  readonly rng: Rng;
}

export async function serveWatch(request: WatchRequest, respond: HttpResponder): Promise<void> {
  const { store, options, clock } = request;
  const { definition } = store;
  const problem = versionProblem(options.resourceVersion);
  if (problem !== undefined) throw plainError(problem);
  await store.whenReady;
  const from = options.resourceVersion === '' ? 0 : Number(options.resourceVersion);
  const timeoutMs = options.timeoutSeconds > 0 ? options.timeoutSeconds * 1000 : MIN_TIMEOUT_MS * (1 + request.rng.float());
  const endsMs = clock.now() + timeoutMs;
  const lines: string[] = [];
  let wake: (() => void) | undefined;
  let isOver = false;
  let sentHeaders = false;
  /** When the write began that the client has not taken yet. */
  let stalledSinceMs: number | undefined;
  const finish = (): void => {
    isOver = true;
    wake?.();
  };
  const push = (line: string): void => {
    lines.push(line);
    wake?.();
    // A client that does not read is sent away rather than kept in mind for ever; it may list and watch again.
    if (lines.length > MOST_WAITING && stalledSinceMs !== undefined && clock.now() - stalledSinceMs > MAX_STALL_MS) finish();
  };
  const scope = definition.isNamespaced && request.namespace !== '' ? store.prefixOf(request.namespace) : undefined;
  const line = (type: string, stored: Stored): string => {
    const { representation, served } = request;
    let body: string;
    if (representation.kind === 'table') {
      body = tableOf(definition, [stored.object], {
        version: representation.version,
        nowMs: clock.now(),
        include: request.include,
        resourceVersion: stored.object.metadata.resourceVersion,
        withoutHeaders: sentHeaders,
        served,
      });
      sentHeaders = true;
    } else if (representation.kind === 'partial')
      body = JSON.stringify(partialOf(fromStorage(stored.object, definition, served), representation.version));
    else body = isStorage(definition, served) ? stored.json : JSON.stringify(fromStorage(stored.object, definition, served));
    return `{"type":"${type}","object":${body}}\n`;
  };
  const watcher = {
    event(event: StoreEvent): void {
      if (isOver || (scope !== undefined && !event.stored.key.startsWith(scope))) return;
      const type = eventType(event, request.selection);
      if (type !== undefined) push(line(type, shownOf(type, event)));
    },
    end: finish,
  };
  let stop: () => void;
  try {
    stop = store.watch(from === 0 ? undefined : from, watcher);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    // As the real server does: the watch begins, and its first event is the error.
    const out = await respond.stream(HEAD);
    await out.write(`${JSON.stringify({ type: 'ERROR', object: error.status })}\n`);
    await out.end();
    return;
  }
  if (from === 0) {
    for (const stored of store.list(request.namespace)) if (request.selection.matches(stored.object)) push(line('ADDED', stored));
  }
  // What the client knows already needs no bookmark.
  const known = from === 0 ? store.revision : from;
  const end = clock.setTimer(timeoutMs, finish);
  const nextBookmark = (): Disposable | undefined => {
    const last = endsMs - BOOKMARK_BEFORE_END_MS - clock.now();
    const delayMs = last > 0 ? Math.min(BOOKMARK_EVERY_MS, last) : BOOKMARK_EVERY_MS;
    return clock.setTimer(delayMs, () => {
      if (store.revision > known) push(bookmark(request));
      timer = nextBookmark();
    });
  };
  let timer = options.allowWatchBookmarks ? nextBookmark() : undefined;
  const onGone = (): void => finish();
  respond.signal.addEventListener('abort', onGone, { once: true });
  try {
    const out = await respond.stream(HEAD);
    for (;;) {
      while (lines.length > 0) {
        stalledSinceMs = clock.now();
        await out.write(lines.splice(0).join(''));
        stalledSinceMs = undefined;
        if (isOver) break;
      }
      if (isOver || respond.signal.aborted) break;
      await new Promise<void>((resolve) => (wake = resolve));
      wake = undefined;
    }
    await out.end();
  } catch (error) {
    if (!isSysError(error, 'EPIPE', 'ECONNRESET')) throw error;
  } finally {
    stop();
    end.dispose();
    timer?.dispose();
    respond.signal.removeEventListener('abort', onGone);
  }
}

const HEAD = { status: 200, headers: { 'cache-control': 'no-cache, private', 'content-type': 'application/json' } };

/** An object of nothing but a version: so far the client has seen everything. */
function bookmark({ store, served, representation, clock, include }: WatchRequest): string {
  const { definition } = store;
  const resourceVersion = String(store.revision);
  let body: string;
  if (representation.kind === 'table') {
    body = tableOf(definition, [], { version: representation.version, nowMs: clock.now(), include, resourceVersion, withoutHeaders: true });
  } else {
    const struct = definition.isCustom ? undefined : structOf(definition.group, definition.version, definition.kind);
    const empty = struct === undefined ? {} : normalize(struct, { metadata: {} });
    const object = {
      ...empty,
      kind: definition.kind,
      apiVersion: apiVersionOf(served),
      metadata: { resourceVersion, creationTimestamp: null },
    } as unknown as ApiObject;
    const { kind, apiVersion, metadata, ...rest } = object;
    body = JSON.stringify(
      representation.kind === 'partial' ? partialOf(object, representation.version) : { kind, apiVersion, metadata, ...rest },
    );
  }
  return `{"type":"BOOKMARK","object":${body}}\n`;
}

/** An object that leaves the selection is shown as it was, with the version of the change. */
function shownOf(type: string, { stored, previous, revision }: StoreEvent): Stored {
  return type === 'DELETED' && previous instanceof StoredObject ? previous.at(revision) : stored;
}

function eventType(event: StoreEvent, selection: Selection): 'ADDED' | 'MODIFIED' | 'DELETED' | undefined {
  const { previous, stored, type } = event;
  const did = previous !== undefined && selection.matches(previous.object);
  const does = type === 'put' && selection.matches(stored.object);
  if (did && does) return 'MODIFIED';
  if (does) return 'ADDED';
  return did ? 'DELETED' : undefined;
}
