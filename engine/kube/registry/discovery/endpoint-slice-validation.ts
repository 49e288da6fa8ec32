// Models ValidateEndpointSlice.

import { FieldError } from '../../machinery/field-errors.ts';
import { dns1123Label, dns1123Subdomain, ipAddress, isIpv4, isIpv6, qualifiedName } from '../../machinery/names.ts';
import type { KubeObject } from '../../machinery/types.ts';
import { specialAddress } from '../core/service-validation.ts';
import type { Json, MetaErrors } from '../definition.ts';
import { immutable, validateLabels } from '../meta-validation.ts';
import { records } from '../object-access.ts';
import { findings, isIp, isSet, labelAt, PROTOCOLS, str, strings } from '../rules.ts';

const TYPES = ['FQDN', 'IPv4', 'IPv6'];
const OLD_TYPES = ['FQDN', 'IP', 'IPv4', 'IPv6'];
const MAX_ENDPOINTS = 1000;
const MAX_ADDRESSES = 100;
const MAX_PORTS = 20000;
const MAX_TOPOLOGY = 16;

export function validateEndpointSlice(slice: KubeObject): FieldError[] {
  return sliceErrors(slice as unknown as Json, TYPES);
}

export function validateEndpointSliceUpdate(next: KubeObject, current: KubeObject, meta: MetaErrors): FieldError[] {
  const [after, before] = [next as unknown as Json, current as unknown as Json];
  return [...meta.object, ...sliceErrors(after, OLD_TYPES), ...immutable('addressType', after['addressType'], before['addressType'])];
}

function sliceErrors(slice: Json, types: readonly string[]): FieldError[] {
  const errors: FieldError[] = [];
  const type = str(slice['addressType']);
  if (type === '') errors.push(FieldError.required('addressType', ''));
  else if (!types.includes(type)) errors.push(FieldError.notSupported('addressType', type, types));
  const endpoints = records(slice['endpoints']);
  if (endpoints.length > MAX_ENDPOINTS) errors.push(FieldError.tooMany('endpoints', endpoints.length, MAX_ENDPOINTS));
  else for (const [index, endpoint] of endpoints.entries()) validateEndpoint(errors, endpoint, `endpoints[${index}]`, type);
  const ports = records(slice['ports']);
  if (ports.length > MAX_PORTS) errors.push(FieldError.tooMany('ports', ports.length, MAX_PORTS));
  else validatePorts(errors, ports);
  return errors;
}

function validateEndpoint(errors: FieldError[], endpoint: Json, path: string, type: string): void {
  const addresses = strings(endpoint['addresses']);
  if (addresses.length === 0) errors.push(FieldError.required(`${path}.addresses`, 'must contain at least 1 address'));
  else if (addresses.length > MAX_ADDRESSES) errors.push(FieldError.tooMany(`${path}.addresses`, addresses.length, MAX_ADDRESSES));
  for (const [index, address] of addresses.entries()) validateAddress(errors, address, `${path}.addresses[${index}]`, type);
  const topology = (endpoint['topology'] ?? {}) as Record<string, string>;
  const count = Object.keys(topology).length;
  if (count > MAX_TOPOLOGY) errors.push(FieldError.tooMany(`${path}.topology`, count, MAX_TOPOLOGY));
  errors.push(...validateLabels(topology, `${path}.topology`));
  const hostname = endpoint['hostname'];
  if (isSet(hostname)) labelAt(errors, `${path}.hostname`, str(hostname));
}

function validateAddress(errors: FieldError[], address: string, path: string, type: string): void {
  if (type === 'IP') findings(errors, path, address, ipAddress(address));
  else if (type === 'IPv4' || type === 'IPv6') {
    const isRight = type === 'IPv4' ? isIpv4(address) : isIpv6(address);
    if (!isRight) errors.push(FieldError.invalid(path, address, `must be a valid ${type} address`));
    findings(errors, path, address, isIp(address) ? specialAddress(address) : ['must be a valid IP address']);
  } else if (type === 'FQDN') {
    const name = address.replace(/\.$/, '');
    const problems = dns1123Subdomain(name);
    if (address === '') errors.push(FieldError.required(path, ''));
    else if (problems.length > 0) errors.push(FieldError.invalid(path, name, problems.join(',')));
    else if (!name.includes('.'))
      errors.push(FieldError.invalid(path, name, 'should be a domain with at least two segments separated by dots'));
    else {
      const bad = name.split('.').find((label) => dns1123Label(label).length > 0);
      if (bad !== undefined) errors.push(FieldError.invalid(path, bad, dns1123Label(bad).join(',')));
    }
  }
}

function validatePorts(errors: FieldError[], ports: readonly Json[]): void {
  const names = new Set<string>();
  for (const [index, port] of ports.entries()) {
    const path = `ports[${index}]`;
    const name = str(port['name']);
    if (name !== '') labelAt(errors, `${path}.name`, name);
    if (names.has(name)) errors.push(FieldError.duplicate(`${path}.name`, name));
    names.add(name);
    const { protocol, appProtocol } = port as { protocol?: unknown; appProtocol?: unknown };
    if (!isSet(protocol)) errors.push(FieldError.required(`${path}.protocol`, ''));
    else if (!PROTOCOLS.includes(str(protocol))) errors.push(FieldError.notSupported(`${path}.protocol`, protocol, PROTOCOLS));
    if (isSet(appProtocol)) findings(errors, `${path}.appProtocol`, appProtocol, qualifiedName(str(appProtocol)));
  }
}
