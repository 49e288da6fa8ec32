// Models the rules of APIServices.

import { FieldError } from '../../machinery/field-errors.ts';
import { goQuote } from '../../machinery/go-syntax.ts';
import { dns1035Label, dns1123Subdomain, pathSegment, portNumber } from '../../machinery/names.ts';
import type { KubeObject } from '../../machinery/types.ts';

export type ApiServiceObject = KubeObject & {
  spec: {
    service?: { namespace?: string; name?: string; port?: number } | null;
    group?: string;
    version?: string;
    insecureSkipTLSVerify?: boolean;
    caBundle?: string;
    groupPriorityMinimum?: number;
    versionPriority?: number;
  };
  status?: {
    conditions?: { type: string; status: string; lastTransitionTime?: string; reason?: string; message?: string }[] | null;
  };
};

export function apiServiceErrors({ metadata, spec }: ApiServiceObject): FieldError[] {
  const errors: FieldError[] = [];
  const { group = '', version = '', groupPriorityMinimum = 0, versionPriority = 0, service, caBundle = '' } = spec;
  const name = `${version}.${group}`;
  if ((metadata.name ?? '') !== '' && pathSegment(metadata.name).length === 0 && metadata.name !== name)
    errors.push(FieldError.invalid('metadata.name', metadata.name, `must be \`spec.version+"."+spec.group\`: ${goQuote(name)}`));
  if (group === '' && version !== 'v1')
    errors.push(FieldError.required('spec.group', 'only v1 may have an empty group and it better be legacy kube'));
  if (group !== '') for (const problem of dns1123Subdomain(group)) errors.push(FieldError.invalid('spec.group', group, problem));
  for (const problem of dns1035Label(version)) errors.push(FieldError.invalid('spec.version', version, problem));
  if (groupPriorityMinimum <= 0 || groupPriorityMinimum > 20000)
    errors.push(FieldError.invalid('spec.groupPriorityMinimum', groupPriorityMinimum, 'must be positive and less than 20000'));
  if (versionPriority <= 0 || versionPriority > 1000)
    errors.push(FieldError.invalid('spec.versionPriority', versionPriority, 'must be positive and less than 1000'));
  const skips = spec.insecureSkipTLSVerify === true;
  if (service === undefined || service === null) {
    if (caBundle !== '')
      errors.push(FieldError.invalid('spec.caBundle', `${decodedLength(caBundle)} bytes`, 'local APIServices may not have a caBundle'));
    if (skips) errors.push(FieldError.invalid('spec.insecureSkipTLSVerify', true, 'local APIServices may not have insecureSkipTLSVerify'));
    return errors;
  }
  if ((service.namespace ?? '') === '') errors.push(FieldError.required('spec.service.namespace', ''));
  if ((service.name ?? '') === '') errors.push(FieldError.required('spec.service.name', ''));
  const problems = portNumber(service.port ?? 0);
  if (problems.length > 0)
    errors.push(FieldError.invalid('spec.service.port', service.port ?? 0, `port is not valid: ${problems.join(', ')}`));
  if (skips && caBundle !== '')
    errors.push(FieldError.invalid('spec.insecureSkipTLSVerify', true, 'may not be true if caBundle is present'));
  return errors;
}

export function apiServiceStatusErrors({ status }: ApiServiceObject): FieldError[] {
  const allowed = ['True', 'False', 'Unknown'];
  return (status?.conditions ?? []).flatMap((condition, index) =>
    allowed.includes(condition.status) ? [] : [FieldError.notSupported(`status.conditions[${index}].status`, condition.status, allowed)],
  );
}

function decodedLength(base64: string): number {
  return Math.floor((base64.replaceAll(/[=\s]/g, '').length * 3) / 4);
}
