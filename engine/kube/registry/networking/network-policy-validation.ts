// Models ValidateNetworkPolicy.

import { isRecord } from '../../machinery/deep.ts';
import { FieldError } from '../../machinery/field-errors.ts';
import { goStrings } from '../../machinery/go-syntax.ts';
import { ipv6Words, isIpv4 } from '../../machinery/names.ts';
import type { KubeObject } from '../../machinery/types.ts';
import { labelSelector } from '../checks.ts';
import type { Json } from '../definition.ts';
import { records, specOf } from '../object-access.ts';
import { isCidr, isSet, portAt, str, strings } from '../rules.ts';

const PROTOCOLS = ['TCP', 'UDP', 'SCTP'];
const TYPES = ['Ingress', 'Egress'];

export function validateNetworkPolicy(policy: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  const spec = specOf(policy);
  labelSelector(errors, 'spec.podSelector', spec['podSelector']);
  for (const [direction, peers] of [
    ['ingress', 'from'],
    ['egress', 'to'],
  ] as const) {
    for (const [index, rule] of records(spec[direction]).entries()) {
      const path = `spec.${direction}[${index}]`;
      for (const [at, port] of records(rule['ports']).entries()) validatePort(errors, port, `${path}.ports[${at}]`);
      for (const [at, peer] of records(rule[peers]).entries()) validatePeer(errors, peer, `${path}.${peers}[${at}]`);
    }
  }
  const types = strings(spec['policyTypes']);
  if (types.length > TYPES.length) {
    const shown = goStrings(types, 'networking.PolicyType');
    errors.push(FieldError.invalid('spec.policyTypes', shown, 'may not specify more than two policyTypes'));
    return errors;
  }
  for (const [index, type] of types.entries())
    if (!TYPES.includes(type)) errors.push(FieldError.notSupported(`spec.policyTypes[${index}]`, type, TYPES));
  return errors;
}

function validatePort(errors: FieldError[], port: Json, path: string): void {
  const { protocol } = port as { protocol?: unknown };
  if (isSet(protocol) && !PROTOCOLS.includes(str(protocol))) errors.push(FieldError.notSupported(`${path}.protocol`, protocol, PROTOCOLS));
  if (isSet(port['port'])) portAt(errors, `${path}.port`, port['port']);
}

function validatePeer(errors: FieldError[], peer: Json, path: string): void {
  let count = 0;
  for (const selector of ['podSelector', 'namespaceSelector']) {
    if (!isSet(peer[selector])) continue;
    count++;
    labelSelector(errors, `${path}.${selector}`, peer[selector]);
  }
  const block = peer['ipBlock'];
  if (isRecord(block)) {
    count++;
    validateBlock(errors, block, `${path}.ipBlock`);
  }
  if (count === 0) errors.push(FieldError.required(path, 'must specify a peer'));
  else if (count > 1 && isRecord(block)) errors.push(FieldError.forbidden(path, 'may not specify both ipBlock and another peer'));
}

function validateBlock(errors: FieldError[], block: Json, path: string): void {
  const range = str(block['cidr']);
  if (range === '') {
    errors.push(FieldError.required(`${path}.cidr`, ''));
    return;
  }
  if (!isCidr(range)) {
    errors.push(FieldError.invalid(`${path}.cidr`, range, 'not a valid CIDR'));
    return;
  }
  for (const [index, except] of strings(block['except']).entries()) {
    const at = `${path}.except[${index}]`;
    if (!isCidr(except)) {
      errors.push(FieldError.invalid(at, except, 'not a valid CIDR'));
      return;
    }
    if (!isStrictlyWithin(except, range)) errors.push(FieldError.invalid(at, except, 'must be a strict subset of `cidr`'));
  }
}

function isStrictlyWithin(inner: string, outer: string): boolean {
  const [innerBits, innerLength] = bitsOf(inner);
  const [outerBits, outerLength] = bitsOf(outer);
  return innerBits.length === outerBits.length && innerLength > outerLength && innerBits.startsWith(outerBits.slice(0, outerLength));
}

/** An address as ones and zeros, and how many of them name the network. */
function bitsOf(range: string): readonly [string, number] {
  const [address = '', length = ''] = range.split('/');
  const parts = isIpv4(address) ? address.split('.').map(Number) : (ipv6Words(address) ?? []);
  const width = isIpv4(address) ? 8 : 16;
  return [parts.map((part) => part.toString(2).padStart(width, '0')).join(''), Number(length)];
}
