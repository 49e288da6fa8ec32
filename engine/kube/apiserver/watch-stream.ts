// Models the watch answer: one JSON event a line, bookmarks every minute, an end when its time is up.

import type { Clock } from '../../sim/clock.ts';
import { isSysError } from '../../sim/errno.ts';
import type { Rng } from '../../sim/rng.ts';
import type { HttpResponder } from '../../net/http.ts';
import { apiVersionOf } from '../machinery/resources.ts';
import { ApiError } from '../machinery/api-error.ts';
import type { ApiObject, ServedVersion } from '../registry/definition.ts';
import type { ResourceStore, StoreEvent, Stored } from './resource-store.ts';
import type { Selection } from './selection.ts';
import { partialOf, tableOf, type Representation } from './table.ts';
import { fromStorage, isStorage } from './version-conversion.ts';

const BOOKMARK_EVERY_MS = 60_000;
/** A client that names no timeout gets one between one and two times this (min-request-timeout). */
const MIN_TIMEOUT_MS = 1800_000;

export interface WatchRequest {
  readonly store: ResourceStore;
  readonly served: ServedVersion;
  readonly namespace: string;
  readonly selection: Selection;
  readonly query: ReadonlyMap<string, string>;
  readonly representation: Representation;
  readonly include: 'None' | 'Metadata' | 'Object';
  readonly clock: Clock;
  readonly rng: Rng;
  /** The newest version of anything, for bookmarks. */
  readonly latest: () => number;
}

export async function serveWatch(request: WatchRequest, respond: HttpResponder): Promise<void> {
  const { store, query, clock } = request;
  const { definition } = store;
  const asked = query.get('resourceVersion') ?? '';
  const from = asked === '' || asked === '0' ? undefined : Number(asked);
  const timeoutSeconds = Number(query.get('timeoutSeconds') ?? '0');
  const timeoutMs = timeoutSeconds > 0 ? timeoutSeconds * 1000 : MIN_TIMEOUT_MS * (1 + request.rng.float());
  const wantsBookmarks = query.get('allowWatchBookmarks') === 'true';
  const lines: string[] = [];
  let wake: (() => void) | undefined;
  let isOver = false;
  let sentHeaders = false;
  const push = (line: string): void => {
    lines.push(line);
    wake?.();
  };
  const finish = (): void => {
    isOver = true;
    wake?.();
  };
  const scope = definition.isNamespaced && request.namespace !== '' ? store.keyOf(request.namespace, '') : undefined;
  const line = (type: string, stored: Stored): string => {
    const { representation, served } = request;
    let body: string;
    if (representation.kind === 'table') {
      body = tableOf(definition, [fromStorage(stored.object, definition, served)], {
        version: representation.version,
        nowMs: clock.now(),
        include: request.include,
        resourceVersion: stored.object.metadata.resourceVersion,
        withoutHeaders: sentHeaders,
      });
      sentHeaders = true;
    } else if (representation.kind === 'partial') body = JSON.stringify(partialOf(stored.object, representation.version));
    else body = isStorage(definition, served) ? stored.json : JSON.stringify(fromStorage(stored.object, definition, served));
    return `{"type":"${type}","object":${body}}\n`;
  };
  const watcher = {
    event(event: StoreEvent): void {
      if (scope !== undefined && !event.stored.key.startsWith(scope)) return;
      const type = eventType(event, request.selection);
      // An object that leaves the selection is shown as it was, with the version of the change.
      if (type !== undefined) push(line(type, event.stored));
    },
    end: finish,
  };
  let stop: () => void;
  try {
    stop = store.watch(from, watcher);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    // As the real server does: the watch begins, and its first event is the error.
    await respond.send(
      { status: 200, headers: { 'content-type': 'application/json' } },
      `${JSON.stringify({ type: 'ERROR', object: error.status })}\n`,
    );
    return;
  }
  if (from === undefined) {
    for (const stored of store.list(request.namespace === '' ? undefined : request.namespace)) {
      if (request.selection.matches(stored.object)) push(line('ADDED', stored));
    }
  }
  const end = clock.setTimer(timeoutMs, finish);
  const bookmark = (): void => {
    const object = {
      kind: definition.kind,
      apiVersion: apiVersionOf(request.served),
      metadata: { resourceVersion: String(request.latest()), creationTimestamp: null },
    } as unknown as ApiObject;
    push(`{"type":"BOOKMARK","object":${JSON.stringify(object)}}\n`);
  };
  let nextBookmark = wantsBookmarks ? clock.setTimer(BOOKMARK_EVERY_MS, onBookmark) : undefined;
  function onBookmark(): void {
    bookmark();
    nextBookmark = clock.setTimer(BOOKMARK_EVERY_MS, onBookmark);
  }
  const onGone = (): void => finish();
  respond.signal.addEventListener('abort', onGone, { once: true });
  try {
    const out = await respond.stream({
      status: 200,
      headers: { 'content-type': 'application/json', 'cache-control': 'no-cache, private' },
    });
    for (;;) {
      while (lines.length > 0) await out.write(lines.splice(0).join(''));
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
    nextBookmark?.dispose();
    respond.signal.removeEventListener('abort', onGone);
  }
}

function eventType(event: StoreEvent, selection: Selection): 'ADDED' | 'MODIFIED' | 'DELETED' | undefined {
  const { previous, stored, type } = event;
  const did = previous !== undefined && selection.matches(previous.object);
  const does = type === 'put' && selection.matches(stored.object);
  if (did && does) return 'MODIFIED';
  if (does) return 'ADDED';
  return did ? 'DELETED' : undefined;
}
