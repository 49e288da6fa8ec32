// Event.

import { pathSegment } from '../../machinery/names.ts';
import { ageOf } from '../../machinery/time.ts';
import type { Event } from '../../machinery/types.ts';
import { defineResource, NAME_COLUMN, type ResourceDefinition } from '../definition.ts';
import { validateEvent, validateEventUpdate } from './event-validation.ts';
import { eventFromCore, eventToCore } from './event-versions.ts';

export const EVENT: ResourceDefinition = defineResource<Event>({
  group: '',
  version: 'v1',
  isNamespaced: true,
  kind: 'Event',
  plural: 'events',
  shortNames: ['ev'],
  ttlSeconds: 3600,
  alsoServedAs: ['v1', 'v1beta1'].map((version) => ({
    group: 'events.k8s.io',
    version,
    toStorage: eventToCore,
    fromStorage: eventFromCore,
  })),
  fields: {
    ...aboutFields('involvedObject'),
    // The same as events.k8s.io calls it.
    ...aboutFields('regarding'),
    reason: (event) => event.reason ?? '',
    reportingComponent: (event) => event.reportingComponent ?? '',
    reportingController: (event) => event.reportingComponent ?? '',
    source: (event) => nonEmpty(event.source?.component, event.reportingComponent),
    type: (event) => event.type ?? '',
  },
  strategy: {
    allowsCreateOnUpdate: true,
    nameProblems: pathSegment,
    validatesMetaLast: true,
    validate: validateEvent,
    validateUpdate: validateEventUpdate,
  },
  table: {
    columns: [
      { name: 'Last Seen', type: 'string', description: 'The time at which the most recent occurrence of this event was recorded.' },
      { name: 'Type', type: 'string', description: 'Type of this event (Normal, Warning), new types could be added in the future' },
      {
        name: 'Reason',
        type: 'string',
        description:
          "This should be a short, machine understandable string that gives the reason for the transition into the object's current status.",
      },
      { name: 'Object', type: 'string', description: 'The object that this event is about.' },
      {
        name: 'Subobject',
        type: 'string',
        priority: 1,
        description:
          'If referring to a piece of an object instead of an entire object, this string should contain a valid JSON/Go field access statement.',
      },
      { name: 'Source', type: 'string', priority: 1, description: 'The component reporting this event.' },
      { name: 'Message', type: 'string', description: 'A human-readable description of the status of this operation.' },
      { name: 'First Seen', type: 'string', priority: 1, description: 'The time at which the event was first recorded.' },
      { name: 'Count', type: 'string', priority: 1, description: 'The number of times this event has occurred.' },
      { ...NAME_COLUMN, priority: 1 },
    ],
    cells(event, nowMs) {
      const about = event.involvedObject ?? {};
      const kind = (about.kind ?? '').toLowerCase();
      const age = (time: unknown): string => ageOf(String(time), nowMs);
      const series = event.series as { count?: number; lastObservedTime?: string } | undefined;
      const first = event.firstTimestamp ?? event.eventTime;
      const firstSeen = first === undefined || first === null ? '<unknown>' : age(first);
      const last = series === undefined || series === null ? event.lastTimestamp : series.lastObservedTime;
      return [
        last === undefined || last === null ? firstSeen : age(last),
        event.type ?? '',
        event.reason ?? '',
        (about.name ?? '') === '' ? kind : `${kind}/${about.name!}`,
        about.fieldPath ?? '',
        sourceCell(event),
        (event.message ?? '').trim(),
        firstSeen,
        series?.count ?? ((event.count ?? 0) === 0 ? 1 : event.count),
        event.metadata.name,
      ];
    },
  },
});

function sourceCell({ source, reportingComponent, reportingInstance }: Event): string {
  const component = nonEmpty(source?.component, reportingComponent);
  const instance = nonEmpty(source?.host, reportingInstance);
  return instance === '' ? component : `${component}, ${instance}`;
}

function nonEmpty(first: string | undefined, second: string | undefined): string {
  return first === undefined || first === '' ? (second ?? '') : first;
}

/** The fields that name what an event is about. */
function aboutFields(prefix: string): Record<string, (event: Event) => string> {
  const names = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'] as const;
  return Object.fromEntries(names.map((name) => [`${prefix}.${name}`, (event: Event): string => event.involvedObject[name] ?? '']));
}
