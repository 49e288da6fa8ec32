// Watch events as objects. Several programs of a lab follow the same resources and are sent the same lines: a line that another
// has just been sent is not parsed again, and what they keep of it is kept once. Nobody changes what a watch brought.

import { deepFreeze } from '../machinery/deep.ts';
import { diagnosis } from '../../sim/diagnosis.ts';

/** Watchers are told one after another, with few other lines in between. */
const REMEMBERED = 64;

const recent = new Map<string, unknown>();

/** The event of a line; equal lines may give the same object. */
export function parseEvent(line: string): unknown {
  const known = recent.get(line);
  if (known !== undefined) return known;
  const parsed: unknown = JSON.parse(line);
  const event = diagnosis.freezesShared ? deepFreeze(parsed) : parsed;
  recent.set(line, event);
  if (recent.size > REMEMBERED) recent.delete(recent.keys().next().value!);
  return event;
}
