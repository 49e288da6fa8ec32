// Validation of references to a pod's own fields and resources (the downward API).

import { FieldError } from '../../machinery/field-errors.ts';
import { qualifiedName } from '../../machinery/names.ts';
import { Quantity } from '../../machinery/quantity.ts';
import { problems, text } from '../checks.ts';
import type { Json } from '../definition.ts';

export const VOLUME_FIELDS = ['metadata.annotations', 'metadata.labels', 'metadata.name', 'metadata.namespace', 'metadata.uid'];
export const ENV_FIELDS = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.podIP',
  'status.podIPs',
];
/** Labels of fields that v1 knows at all. */
const KNOWN_FIELDS = new Set([...VOLUME_FIELDS, ...ENV_FIELDS, 'spec.restartPolicy', 'spec.schedulerName', 'status.phase']);

export function objectFieldSelector(errors: FieldError[], selector: Json, supported: readonly string[], path: string): void {
  const version = text(selector['apiVersion']);
  const given = text(selector['fieldPath']);
  if (version === '') {
    errors.push(FieldError.required(`${path}.apiVersion`, ''));
    return;
  }
  if (given === '') {
    errors.push(FieldError.required(`${path}.fieldPath`, ''));
    return;
  }
  const subscript = /^(.+?)\['(.*)'\]$/s.exec(given);
  const why = convertProblem(version, given, subscript?.[1]);
  if (why !== undefined) {
    errors.push(FieldError.invalid(`${path}.fieldPath`, given, `error converting fieldPath: ${why}`));
    return;
  }
  if (subscript !== null) {
    const key = subscript[2]!;
    problems(errors, path, key, qualifiedName(subscript[1] === 'metadata.annotations' ? key.toLowerCase() : key));
    return;
  }
  const field = given === 'spec.host' ? 'spec.nodeName' : given;
  if (!supported.includes(field)) errors.push(FieldError.notSupported(`${path}.fieldPath`, field, supported));
}

function convertProblem(version: string, given: string, subscripted: string | undefined): string | undefined {
  if (version !== 'v1') return `unsupported pod version: ${version}`;
  if (subscripted !== undefined) {
    return subscripted === 'metadata.annotations' || subscripted === 'metadata.labels'
      ? undefined
      : `field label does not support subscript: ${given}`;
  }
  return KNOWN_FIELDS.has(given) || given === 'spec.host' ? undefined : `field label not supported: ${given}`;
}

const RESOURCES = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
];
const CPU_DIVISORS = ['1m', '1'];
const BYTE_DIVISORS = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei'];

export function resourceFieldSelector(
  errors: FieldError[],
  selector: Json,
  path: string,
  { isVolume }: { readonly isVolume: boolean },
): void {
  const resource = text(selector['resource']);
  if (isVolume && text(selector['containerName']) === '') errors.push(FieldError.required(`${path}.containerName`, ''));
  else if (resource === '') errors.push(FieldError.required(`${path}.resource`, ''));
  else if (!RESOURCES.includes(resource)) errors.push(FieldError.notSupported(`${path}.resource`, resource, RESOURCES));
  const divisor = text(selector['divisor']);
  if (divisor === '' || divisor === '0' || !RESOURCES.includes(resource)) return;
  const amount = Quantity.parse(divisor);
  if (amount.isZero) return;
  const what = resource.slice(resource.indexOf('.') + 1);
  const divisors = what === 'cpu' ? CPU_DIVISORS : BYTE_DIVISORS;
  if (divisors.includes(amount.toString())) return;
  const detail =
    what === 'cpu'
      ? "only divisor's values 1m and 1 are supported with the cpu resource"
      : `only divisor's values ${BYTE_DIVISORS.join(', ')} are supported with the ${what === 'memory' ? 'memory' : 'local ephemeral storage'} resource`;
  errors.push(FieldError.invalid(`${path}.divisor`, resource, detail));
}
