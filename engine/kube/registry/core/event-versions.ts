// Events as events.k8s.io shows them, and as core/v1 stores them: the same facts under other names.

import type { ApiObject, Json } from '../definition.ts';

/** Names in events.k8s.io, and in core/v1 where they differ. */
const RENAMED: readonly (readonly [events: string, core: string])[] = [
  ['regarding', 'involvedObject'],
  ['note', 'message'],
  ['reportingController', 'reportingComponent'],
  ['deprecatedSource', 'source'],
  ['deprecatedFirstTimestamp', 'firstTimestamp'],
  ['deprecatedLastTimestamp', 'lastTimestamp'],
  ['deprecatedCount', 'count'],
];
const TO_CORE = new Map(RENAMED);
const FROM_CORE = new Map(RENAMED.map(([events, core]) => [core, events]));

function renamed(object: Json, names: ReadonlyMap<string, string>): ApiObject {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [names.get(key) ?? key, value])) as unknown as ApiObject;
}

export function eventToCore(object: ApiObject): ApiObject {
  return renamed(object, TO_CORE);
}

export function eventFromCore(object: ApiObject): ApiObject {
  return renamed(object, FROM_CORE);
}
