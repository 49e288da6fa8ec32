// How the describers word single values.

import { offsetOf, type Zone } from '../../../kernel/time-zone.ts';
import { isObject, type JsonObject } from '../printers/json.ts';
import { at } from '../commands/common.ts';

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** time.RFC1123Z in the zone kubectl runs in. */
export function rfc1123(timestamp: unknown, zone: Zone): string {
  if (typeof timestamp !== 'string') return '<unset>';
  // A missing time is Go's zero, which is universal time everywhere.
  const { offsetMinutes } = timestamp.startsWith('0001-') ? { offsetMinutes: 0 } : zone;
  const date = new Date(Date.parse(timestamp) + offsetMinutes * 60_000);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${DAYS[date.getUTCDay()] ?? ''}, ${two(date.getUTCDate())} ${MONTHS[date.getUTCMonth()] ?? ''} ${String(date.getUTCFullYear()).padStart(4, '0')}`;
  return `${day} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} ${offsetOf(offsetMinutes)}`;
}

/** Go's own form of a time: `2026-01-01 09:00:00 +0900 KST`. */
export function goTime(timestamp: string, zone: Zone): string {
  const date = new Date(Date.parse(timestamp) + zone.offsetMinutes * 60_000).toISOString();
  return `${date.slice(0, 10)} ${date.slice(11, 19)} ${offsetOf(zone.offsetMinutes)} ${zone.name}`;
}

export function objects(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? (value as unknown[]).filter(isObject) : [];
}

export function text(value: unknown): string {
  return value === undefined || value === null
    ? ''
    : typeof value === 'object'
      ? JSON.stringify(value)
      : String(value as string | number | boolean);
}

export function titleBool(value: unknown): string {
  return value === true ? 'True' : 'False';
}

/** `ReplicaSet/web-1234`; empty without a controller. */
export function controllerOf(object: JsonObject): string {
  const owner = objects(at(object, 'metadata', 'ownerReferences')).find((reference) => reference['controller'] === true);
  return owner === undefined ? '' : `${text(owner['kind'])}/${text(owner['name'])}`;
}

/** A LabelSelector as text, `<none>` when empty, `<unset>` when there is none. */
export function selectorText(selector: unknown): string {
  if (!isObject(selector)) return '<none>';
  const labels = isObject(selector['matchLabels']) ? selector['matchLabels'] : {};
  const parts = Object.keys(labels)
    .sort()
    .map((key) => `${key}=${text(labels[key])}`);
  for (const expression of objects(selector['matchExpressions'])) {
    const key = text(expression['key']);
    const values = Array.isArray(expression['values']) ? `(${[...(expression['values'] as string[])].sort().join(',')})` : '';
    const operator = text(expression['operator']);
    parts.push(
      operator === 'In' ? `${key} in ${values}` : operator === 'NotIn' ? `${key} notin ${values}` : operator === 'Exists' ? key : `!${key}`,
    );
  }
  return parts.length === 0 ? '<none>' : parts.join(',');
}

/** `a=b,c=d`, or `<none>`. */
export function labelsText(labels: unknown): string {
  const pairs = isObject(labels) ? labels : {};
  const keys = Object.keys(pairs).sort();
  return keys.length === 0 ? '<none>' : keys.map((key) => `${key}=${text(pairs[key])}`).join(',');
}

const SHOWN_ENDPOINTS = 3;

/** `10.0.0.1:80,10.0.0.2:80 + 3 more...`: the ready addresses behind the port of a name. */
export function endpointsText(endpoints: JsonObject | undefined, portName: string): string {
  const subsets = objects(endpoints?.['subsets']);
  if (subsets.length === 0) return '<none>';
  const all = subsets.flatMap((subset) => {
    const addresses = objects(subset['addresses']).map((address) => text(address['ip']));
    const ports = objects(subset['ports']);
    if (ports.length === 0) return addresses;
    return ports
      .filter((port) => text(port['name']) === portName)
      .flatMap((port) => addresses.map((address) => `${address}:${text(port['port'])}`));
  });
  const shown = all.slice(0, SHOWN_ENDPOINTS).join(',');
  return all.length > SHOWN_ENDPOINTS ? `${shown} + ${all.length - SHOWN_ENDPOINTS} more...` : shown;
}
