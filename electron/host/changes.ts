// What differs between two moments of a lab, in words: a file, a rule, an object, a switch.

import type { History } from '#engine/store/history.ts';
import type { KvStore, Revision } from '#engine/store/kv-store.ts';

/** Rooms that change all the time and tell a person nothing. */
const NOISE = [
  /^lab\//,
  /\/process\//,
  /^database\/[^/]+\/?\/run\//,
  /\/clock/,
  /\/var\/log\//,
  /\/var\/lib\/docker\//,
  /\/var\/lib\/kubelet\/pods\//,
];

/** Objects that the cluster writes by itself every few seconds. */
const NOISY_OBJECTS = /^\/registry\/(leases|events|masterleases|apiregistration)/;

/** Lines that say how `to` differs from `from`, sorted. */
export function describeChanges(store: KvStore, history: History, from: Revision, to: Revision): readonly string[] {
  const value = (key: string, at: Revision): string | undefined => store.range(key, { atRevision: at }).kvs[0]?.value;
  const lines = new Set<string>();
  for (const key of history.changed(from, to)) {
    const before = value(key, from);
    const after = value(key, to);
    const line = describe(key, before, after);
    if (line !== undefined) lines.add(line);
  }
  return [...lines].sort();
}

function describe(key: string, before: string | undefined, after: string | undefined): string | undefined {
  const verb = before === undefined ? 'created' : after === undefined ? 'deleted' : 'changed';
  const object = /(\/registry\/.+)$/.exec(key);
  if (object !== null) {
    if (NOISY_OBJECTS.test(object[1]!)) return undefined;
    const [, , kind = '', ...rest] = object[1]!.split('/');
    return describeObject(kind, rest.join('/'), verb, before, after);
  }
  if (NOISE.some((pattern) => pattern.test(key))) return undefined;
  const disk = /^disk\/([^/]+)(\/.*)$/.exec(key);
  if (disk !== null) return `${disk[1]!}: ${disk[2]!} ${verb}`;
  const machine = /^machine\/([^/]+)\/(.+)$/.exec(key);
  if (machine === null) return undefined;
  const [, name = '', what = ''] = machine;
  if (what === 'power') return `${name}: power ${before ?? 'off'} -> ${after ?? 'off'}`;
  if (what.startsWith('net/')) return what === 'net/host' ? `${name}: network settings ${verb}` : undefined;
  return undefined;
}

function describeObject(
  kind: string,
  name: string,
  verb: string,
  before: string | undefined,
  after: string | undefined,
): string | undefined {
  const replicas = (text: string | undefined): string | undefined =>
    text === undefined ? undefined : /"spec":\{[^}]*?"replicas":(\d+)/.exec(text)?.[1];
  const from = replicas(before);
  const to = replicas(after);
  if (from !== undefined && to !== undefined && from !== to) return `${kind} ${name}: replicas ${from} -> ${to}`;
  if (verb === 'changed')
    return kind === 'minions' && isCordoned(before) !== isCordoned(after)
      ? `node ${name} ${isCordoned(after) ? 'cordoned' : 'uncordoned'}`
      : undefined;
  return `${kind} ${name} ${verb}`;
}

function isCordoned(text: string | undefined): boolean {
  return text?.includes('"unschedulable":true') === true;
}
