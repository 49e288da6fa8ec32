// Models ValidateEndpoints.

import { FieldError } from '../../machinery/field-errors.ts';
import { dns1123Subdomain, ipAddress, portNumber, qualifiedName } from '../../machinery/names.ts';
import type { Endpoints } from '../../machinery/types.ts';
import type { Json } from '../definition.ts';
import { records } from '../object-access.ts';
import { findings, int, isIp, isSet, labelAt, oneOf, PROTOCOLS, str } from '../rules.ts';
import { specialAddress } from './service-validation.ts';

export function validateEndpoints(endpoints: Endpoints): FieldError[] {
  const errors: FieldError[] = [];
  for (const [index, subset] of records((endpoints as unknown as Json)['subsets']).entries()) {
    const path = `subsets[${index}]`;
    const [ready, waiting, ports] = [records(subset['addresses']), records(subset['notReadyAddresses']), records(subset['ports'])];
    if (ready.length === 0 && waiting.length === 0)
      errors.push(FieldError.required(path, 'must specify `addresses` or `notReadyAddresses`'));
    for (const [at, address] of ready.entries()) validateAddress(errors, address, `${path}.addresses[${at}]`);
    for (const [at, address] of waiting.entries()) validateAddress(errors, address, `${path}.notReadyAddresses[${at}]`);
    for (const [at, port] of ports.entries()) validatePort(errors, port, `${path}.ports[${at}]`, ports.length > 1);
  }
  return errors;
}

function validateAddress(errors: FieldError[], address: Json, path: string): void {
  const ip = str(address['ip']);
  findings(errors, `${path}.ip`, ip, ipAddress(ip));
  if (str(address['hostname']) !== '') labelAt(errors, `${path}.hostname`, str(address['hostname']));
  const node = address['nodeName'];
  if (isSet(node)) findings(errors, `${path}.nodeName`, node, dns1123Subdomain(str(node)));
  findings(errors, `${path}.ip`, ip, isIp(ip) ? specialAddress(ip) : ['must be a valid IP address']);
}

function validatePort(errors: FieldError[], port: Json, path: string, isNamed: boolean): void {
  const name = str(port['name']);
  if (name !== '') labelAt(errors, `${path}.name`, name);
  else if (isNamed) errors.push(FieldError.required(`${path}.name`, ''));
  findings(errors, `${path}.port`, int(port['port']), portNumber(int(port['port'])));
  oneOf(errors, `${path}.protocol`, port['protocol'], PROTOCOLS);
  const application = port['appProtocol'];
  if (isSet(application)) findings(errors, `${path}.appProtocol`, application, qualifiedName(str(application)));
}
