// Models ValidateEventCreate and ValidateEventUpdate.

import { isDeepEqual } from '../../machinery/deep.ts';
import { FieldError } from '../../machinery/field-errors.ts';
import { goStruct } from '../../machinery/go-syntax.ts';
import { dns1123Subdomain, qualifiedName } from '../../machinery/names.ts';
import type { Event } from '../../machinery/types.ts';
import type { Json, MetaErrors, ServedVersion } from '../definition.ts';
import { byteLength, goTime, kubeFinalizerErrors, objectMetaErrors } from '../meta-validation.ts';
import { findings, int, isSet, str } from '../rules.ts';

const MAX_NAME_BYTES = 128;
const MAX_NOTE_BYTES = 1024;

export function validateEvent(event: Event, served: ServedVersion): FieldError[] {
  const errors = oldRules(event);
  if (!isStrict(served)) return errors;
  errors.push(...objectMetaErrors(event.metadata, true, dns1123Subdomain), ...kubeFinalizerErrors(event.metadata), ...seriesErrors(event));
  const json = event as unknown as Json;
  if (!isSet(json['eventTime'])) errors.push(FieldError.required('eventTime', ''));
  if (event.type !== 'Normal' && event.type !== 'Warning')
    errors.push(FieldError.invalid('type', '', `has invalid value: ${event.type ?? ''}`));
  const source = json['source'] as { component?: string; host?: string } | undefined;
  for (const [field, isThere] of [
    ['firstTimestamp', isSet(json['firstTimestamp'])],
    ['lastTimestamp', isSet(json['lastTimestamp'])],
    ['count', int(json['count']) !== 0],
    ['source', str(source?.component) !== '' || str(source?.host) !== ''],
  ] as const)
    if (isThere) errors.push(FieldError.invalid(field, '', 'needs to be unset'));
  return errors;
}

export function validateEventUpdate(next: Event, current: Event, meta: MetaErrors, served: ServedVersion): FieldError[] {
  const errors = oldRules(next);
  if (!isStrict(served)) return errors;
  errors.push(...meta.update);
  const [after, before] = [next as unknown as Json, current as unknown as Json];
  if (!isDeepEqual(after['series'], before['series'])) errors.push(...seriesErrors(next));
  for (const [field, type] of FIXED) {
    if (isDeepEqual(after[field], before[field])) continue;
    const value = after[field];
    const shown =
      type === 'time'
        ? isSet(value)
          ? goTime(str(value))
          : '0001-01-01 00:00:00 +0000 UTC'
        : type === ''
          ? undefined
          : goStruct(type, value);
    const path = PATHS[field] ?? field;
    if (type === 'time') errors.push(FieldError.invalidGo(path, String(shown), 'field is immutable'));
    else errors.push(FieldError.invalid(path, shown ?? value ?? (field === 'count' ? 0 : ''), 'field is immutable'));
  }
  return errors;
}

/** In upstream's order; reason is looked at twice. */
const FIXED: readonly (readonly [string, string])[] = [
  ['involvedObject', 'core/v1.ObjectReference'],
  ['reason', ''],
  ['message', ''],
  ['source', 'core/v1.EventSource'],
  ['firstTimestamp', 'time'],
  ['lastTimestamp', 'time'],
  ['count', ''],
  ['reason', ''],
  ['type', ''],
  ['eventTime', 'time'],
  ['action', ''],
  ['related', 'core/v1.ObjectReference'],
  ['reportingComponent', ''],
  ['reportingInstance', ''],
];
const PATHS: Readonly<Record<string, string>> = { reportingComponent: 'reportingController' };

/** Only the newest version of the API is strict. */
function isStrict({ group, version }: ServedVersion): boolean {
  return group === 'events.k8s.io' && version === 'v1';
}

function seriesErrors(event: Event): FieldError[] {
  const errors: FieldError[] = [];
  const series = (event as unknown as Json)['series'] as { count?: number; lastObservedTime?: string | null } | undefined;
  if (!isSet(series)) return errors;
  if (int(series!.count) < 2) errors.push(FieldError.invalid('series.count', '', 'should be at least 2'));
  if (!isSet(series!.lastObservedTime)) errors.push(FieldError.required('series.lastObservedTime', ''));
  return errors;
}

function oldRules(event: Event): FieldError[] {
  const errors: FieldError[] = [];
  const json = event as unknown as Json;
  const about = str((json['involvedObject'] as Json | undefined)?.['namespace']);
  const namespace = event.metadata.namespace ?? '';
  const mismatch = (): void => void errors.push(FieldError.invalid('involvedObject.namespace', about, 'does not match event.namespace'));
  if (!isSet(json['eventTime'])) {
    if (about === '' ? namespace !== '' && namespace !== 'default' : namespace !== about) mismatch();
  } else {
    if (about === '' && namespace !== 'kube-system') mismatch();
    const controller = str(json['reportingComponent']);
    if (controller === '') errors.push(FieldError.required('reportingController', ''));
    findings(errors, 'reportingController', controller, qualifiedName(controller));
    for (const field of ['reportingInstance', 'action', 'reason']) {
      const value = str(json[field]);
      if (value === '') errors.push(FieldError.required(field, ''));
      if (byteLength(value) > MAX_NAME_BYTES) errors.push(FieldError.invalid(field, '', `can have at most ${MAX_NAME_BYTES} characters`));
    }
    if (byteLength(str(json['message'])) > MAX_NOTE_BYTES)
      errors.push(FieldError.invalid('message', '', `can have at most ${MAX_NOTE_BYTES} characters`));
  }
  findings(errors, 'namespace', namespace, dns1123Subdomain(namespace));
  return errors;
}
