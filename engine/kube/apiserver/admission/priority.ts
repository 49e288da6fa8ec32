// Models the Priority plugin: priorityClassName becomes a number, and one class at most is the default.

import type { Json } from '../../registry/definition.ts';
import { isFor, refusal, type AdmissionPlugin, type AdmissionRequest, type ClusterReader } from '../admission.ts';

export function priority(reader: ClusterReader): AdmissionPlugin {
  const classes = (): ReturnType<ClusterReader['store']> => reader.store('scheduling.k8s.io', 'priorityclasses');
  /** Of several defaults, which a race can make, the least counts. */
  const byDefault = (): Json | undefined => {
    let least: Json | undefined;
    for (const { object } of classes().list()) {
      if (object['globalDefault'] !== true) continue;
      if (least === undefined || Number(least['value']) > Number(object['value'])) least = object;
    }
    return least;
  };
  return {
    name: 'Priority',
    admit(request) {
      if (!isFor(request, '', 'pods')) return;
      const spec = (request.object as unknown as { spec?: Json } | undefined)?.spec;
      if (spec === undefined) return;
      if (request.operation === 'UPDATE') return keepOld(request, spec);
      if (request.operation !== 'CREATE') return;
      const name = String(spec['priorityClassName'] ?? '');
      const found = name === '' ? byDefault() : (classes().get(undefined, name)?.object as Json | undefined);
      if (found === undefined && name !== '') throw refusal(request, `no PriorityClass with name ${name} was found`);
      if (found !== undefined) spec['priorityClassName'] = (found['metadata'] as { name: string }).name;
      const value = Number(found?.['value'] ?? 0);
      const given = spec['priority'];
      if (typeof given === 'number' && given !== value) {
        throw refusal(
          request,
          `the integer value of priority (${given}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`,
        );
      }
      spec['priority'] = value;
      const policy = String(found?.['preemptionPolicy'] ?? 'PreemptLowerPriority');
      const asked = spec['preemptionPolicy'];
      if (typeof asked === 'string' && asked !== policy) {
        throw refusal(
          request,
          `the string value of PreemptionPolicy (${asked}) must not be provided in pod spec; priority admission controller computed ${policy} from the given PriorityClass name`,
        );
      }
      spec['preemptionPolicy'] = policy;
    },
    validate(request) {
      if (!isFor(request, 'scheduling.k8s.io', 'priorityclasses') || request.object?.['globalDefault'] !== true) return;
      const current = (byDefault()?.['metadata'] as { name: string } | undefined)?.name;
      if (current !== undefined && (request.operation === 'CREATE' || current !== request.object.metadata.name))
        throw refusal(request, `PriorityClass ${current} is already marked as default. Only one default can exist`);
    },
  };
}

/** A pod's priority never changes; an update may leave it out. */
function keepOld(request: AdmissionRequest, spec: Json): void {
  const old = (request.old as unknown as { spec?: Json } | undefined)?.spec;
  for (const field of ['priority', 'preemptionPolicy']) if (old?.[field] !== undefined) spec[field] ??= old[field];
}
