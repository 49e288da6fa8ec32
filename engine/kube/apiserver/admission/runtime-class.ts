// Models the RuntimeClass plugin: what running a pod in another way costs, and where it may run.

import { isDeepEqual } from '../../machinery/deep.ts';
import type { ApiObject, Json } from '../../registry/definition.ts';
import { records } from '../../registry/object-access.ts';
import { isFor, refusal, type AdmissionPlugin, type AdmissionRequest, type ClusterReader } from '../admission.ts';

export function runtimeClass(reader: ClusterReader): AdmissionPlugin {
  const classOf = (request: AdmissionRequest, spec: Json): ApiObject | undefined => {
    const name = spec['runtimeClassName'];
    if (typeof name !== 'string') return undefined;
    const found = reader.store('node.k8s.io', 'runtimeclasses').get(undefined, name);
    if (found === undefined) throw refusal(request, `pod rejected: RuntimeClass ${JSON.stringify(name)} not found`);
    return found.object;
  };
  const overheadOf = (object: ApiObject | undefined): Json | undefined =>
    (object?.['overhead'] as { podFixed?: Json } | undefined)?.podFixed;
  return {
    name: 'RuntimeClass',
    admit(request) {
      if (!isFor(request, '', 'pods') || request.operation !== 'CREATE') return;
      const spec = (request.object as unknown as { spec: Json }).spec;
      const found = classOf(request, spec);
      const overhead = overheadOf(found);
      if (overhead !== undefined) {
        if (spec['overhead'] !== undefined && !isDeepEqual(spec['overhead'], overhead)) throw refusal(request, MISMATCH);
        spec['overhead'] = { ...overhead };
      }
      const scheduling = found?.['scheduling'] as { nodeSelector?: Record<string, string>; tolerations?: Json[] } | undefined;
      const selector = (spec['nodeSelector'] ?? {}) as Record<string, string>;
      for (const [key, value] of Object.entries(scheduling?.nodeSelector ?? {})) {
        if (selector[key] !== undefined && selector[key] !== value)
          throw refusal(
            request,
            `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${selector[key]}`,
          );
        spec['nodeSelector'] = { ...((spec['nodeSelector'] ?? {}) as object), [key]: value };
      }
      const tolerations = records(spec['tolerations']);
      const added = records(scheduling?.tolerations).filter((each) => !tolerations.some((other) => isDeepEqual(other, each)));
      if (added.length > 0) spec['tolerations'] = [...tolerations, ...added];
    },
    validate(request) {
      if (!isFor(request, '', 'pods') || request.operation !== 'CREATE') return;
      const spec = (request.object as unknown as { spec: Json }).spec;
      const overhead = overheadOf(classOf(request, spec));
      if (overhead !== undefined) {
        if (!isDeepEqual(spec['overhead'], overhead)) throw refusal(request, MISMATCH);
      } else if (spec['overhead'] !== undefined) {
        throw refusal(request, 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead');
      }
    },
  };
}

const MISMATCH = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead";
