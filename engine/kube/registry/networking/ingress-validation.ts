// Models ValidateIngress and ValidateIngressClass of v1.20, whose fields are named as the request's version names them.

import { isRecord } from '../../machinery/deep.ts';
import { FieldError } from '../../machinery/field-errors.ts';
import { goStructs } from '../../machinery/go-syntax.ts';
import { dns1035Label, dns1123Subdomain, httpPath, pathSegment, portName, portNumber, wildcardSubdomain } from '../../machinery/names.ts';
import type { KubeObject } from '../../machinery/types.ts';
import type { Json, ServedVersion } from '../definition.ts';
import { byteLength } from '../meta-validation.ts';
import { records, specOf } from '../object-access.ts';
import { findings, int, isIp, isSet, str, strings } from '../rules.ts';

const PATH_TYPES = ['Exact', 'ImplementationSpecific', 'Prefix'];
const CLASS_ANNOTATION = 'kubernetes.io/ingress.class';
const MAX_CONTROLLER_BYTES = 250;

/** Faults that the beta versions let through, and what had them once keeps. */
interface Leniency {
  readonly secretNames: boolean;
  readonly wildcardRules: boolean;
}

export function validateIngressCreate(ingress: KubeObject, served: ServedVersion): FieldError[] {
  const isBeta = served.version === 'v1beta1';
  const errors = validateIngressSpec(ingress, served, { secretNames: isBeta, wildcardRules: isBeta });
  const annotation = ingress.metadata.annotations?.[CLASS_ANNOTATION];
  if (annotation !== undefined && isSet(specOf(ingress)['ingressClassName']))
    errors.push(FieldError.invalid(`annotations.${CLASS_ANNOTATION}`, annotation, 'can not be set when the class field is also set'));
  return errors;
}

export function validateIngressUpdate(next: KubeObject, current: KubeObject, served: ServedVersion): FieldError[] {
  const isBeta = served.version === 'v1beta1';
  const old = specOf(current);
  return validateIngressSpec(next, served, {
    secretNames: isBeta || records(old['tls']).some((entry) => secretNameProblems(str(entry['secretName'])).length > 0),
    wildcardRules:
      isBeta || records(old['rules']).some((rule) => str(rule['host']).includes('*') && ruleErrors(rule, '', served).length > 0),
  });
}

function secretNameProblems(name: string): readonly string[] {
  return name === '' ? [] : dns1123Subdomain(name);
}

function validateIngressSpec(ingress: KubeObject, served: ServedVersion, lets: Leniency): FieldError[] {
  const errors: FieldError[] = [];
  const spec = specOf(ingress);
  const backendField = served.version === 'v1beta1' ? 'backend' : 'defaultBackend';
  const rules = records(spec['rules']);
  const backend = spec['defaultBackend'];
  if (rules.length === 0 && !isSet(backend)) {
    const shown = goStructs('networking/v1.IngressRule', spec['rules'] as unknown[] | undefined);
    errors.push(FieldError.invalid('spec', shown, `either \`${backendField}\` or \`rules\` must be specified`));
  }
  if (isRecord(backend)) errors.push(...backendErrors(backend, `spec.${backendField}`, served));
  for (const [index, rule] of rules.entries()) {
    const path = `spec.rules[${index}]`;
    const host = str(rule['host']);
    const isWildcard = host.includes('*');
    if (host !== '') {
      if (isIp(host)) errors.push(FieldError.invalid(`${path}.host`, host, 'must be a DNS name, not an IP address'));
      findings(errors, `${path}.host`, host, isWildcard ? wildcardSubdomain(host) : dns1123Subdomain(host));
    }
    if (!isWildcard || !lets.wildcardRules) errors.push(...ruleErrors(rule, path, served));
  }
  for (const [index, entry] of records(spec['tls']).entries()) {
    const path = `spec.tls[${index}]`;
    for (const [at, host] of strings(entry['hosts']).entries())
      findings(errors, `${path}.hosts[${at}]`, host, host.includes('*') ? wildcardSubdomain(host) : dns1123Subdomain(host));
    const secret = str(entry['secretName']);
    if (!lets.secretNames) findings(errors, `${path}.secretName`, secret, secretNameProblems(secret));
  }
  const className = spec['ingressClassName'];
  if (isSet(className)) findings(errors, 'spec.ingressClassName', className, dns1123Subdomain(str(className)));
  return errors;
}

function ruleErrors(rule: Json, path: string, served: ServedVersion): FieldError[] {
  const errors: FieldError[] = [];
  const { http } = rule as { http?: unknown };
  if (!isRecord(http)) return errors;
  const paths = records(http['paths']);
  if (paths.length === 0) errors.push(FieldError.required(`${path}.http.paths`, ''));
  for (const [index, each] of paths.entries()) errors.push(...pathErrors(each, `${path}.http.paths[${index}]`, served));
  return errors;
}

function pathErrors(each: Json, path: string, served: ServedVersion): FieldError[] {
  const type = each['pathType'];
  if (!isSet(type)) return [FieldError.required(`${path}.pathType`, 'pathType must be specified')];
  const errors: FieldError[] = [];
  const value = str(each['path']);
  const fault = (detail: string): void => void errors.push(FieldError.invalid(`${path}.path`, value, detail));
  if (type === 'Exact' || type === 'Prefix') {
    if (!value.startsWith('/')) fault('must be an absolute path');
    for (const part of ['//', '/./', '/../', '%2f', '%2F']) if (value.includes(part)) fault(`must not contain '${part}'`);
    for (const end of ['/..', '/.']) if (value.endsWith(end)) fault(`cannot end with '${end}'`);
  } else if (type === 'ImplementationSpecific') {
    if (value !== '' && !value.startsWith('/')) fault('must be an absolute path');
  } else errors.push(FieldError.notSupported(`${path}.pathType`, type, PATH_TYPES));
  errors.push(...backendErrors((each['backend'] ?? {}) as Json, `${path}.backend`, served));
  return errors;
}

function backendErrors(backend: Json, path: string, { version }: ServedVersion): FieldError[] {
  const errors: FieldError[] = [];
  const { resource, service } = backend as { resource?: unknown; service?: unknown };
  if (isRecord(resource) && isRecord(service)) return [FieldError.invalid(path, '', 'cannot set both resource and service backends')];
  if (isRecord(resource)) return referenceErrors(resource, `${path}.resource`);
  if (!isRecord(service)) return [FieldError.invalid(path, '', 'resource or service backend is required')];
  const isBeta = version === 'v1beta1';
  const nameAt = isBeta ? `${path}.serviceName` : `${path}.service.name`;
  const name = str(service['name']);
  if (name === '') errors.push(FieldError.required(nameAt, ''));
  else findings(errors, nameAt, name, dns1035Label(name));
  const port = (service['port'] ?? {}) as Json;
  const [label, number] = [str(port['name']), int(port['number'])];
  const portAt = (field: string): string => (isBeta ? `${path}.servicePort` : `${path}.service.port.${field}`);
  if (label !== '' && number !== 0) errors.push(FieldError.invalid(path, '', 'cannot set both port name & port number'));
  else if (label !== '') findings(errors, portAt('name'), label, portName(label));
  else if (number !== 0) findings(errors, portAt('number'), number, portNumber(number));
  else errors.push(FieldError.required(path, 'port name or number is required'));
  return errors;
}

function referenceErrors(reference: Json, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const group = reference['apiGroup'];
  if (isSet(group)) findings(errors, `${path}.apiGroup`, group, dns1123Subdomain(str(group)));
  for (const field of ['kind', 'name']) {
    const value = str(reference[field]);
    if (value === '') errors.push(FieldError.required(`${path}.${field}`, `${field} is required`));
    else findings(errors, `${path}.${field}`, value, pathSegment(value));
  }
  return errors;
}

export function validateIngressClass(object: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  const spec = specOf(object);
  const controller = str(spec['controller']);
  const path = 'spec.controller';
  if (byteLength(controller) > MAX_CONTROLLER_BYTES) errors.push(FieldError.tooLong(path, MAX_CONTROLLER_BYTES));
  errors.push(...domainPrefixedPathErrors(controller, path));
  if (isRecord(spec['parameters'])) errors.push(...referenceErrors(spec['parameters'], 'spec.parameters'));
  return errors;
}

/** IsDomainPrefixedPath. */
function domainPrefixedPathErrors(value: string, path: string): FieldError[] {
  if (value === '') return [FieldError.required(path, '')];
  const slash = value.indexOf('/');
  const [host, rest] = [value.slice(0, Math.max(slash, 0)), value.slice(slash + 1)];
  if (host === '' || rest === '') return [FieldError.invalid(path, value, 'must be a domain-prefixed path (such as "acme.io/foo")')];
  const errors: FieldError[] = [];
  findings(errors, path, host, dns1123Subdomain(host));
  findings(errors, path, rest, httpPath(rest));
  return errors;
}
