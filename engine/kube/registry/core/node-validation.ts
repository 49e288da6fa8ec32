// Models ValidateNode and ValidateNodeUpdate.

import { isDeepEqual, isRecord } from '../../machinery/deep.ts';
import { FieldError } from '../../machinery/field-errors.ts';
import { goStrings, goStruct } from '../../machinery/go-syntax.ts';
import { configMapKey, dns1123Label, dns1123Subdomain, isIpv4, labelValue, qualifiedName } from '../../machinery/names.ts';
import type { Node } from '../../machinery/types.ts';
import type { Json, MetaErrors } from '../definition.ts';
import { records, specOf } from '../object-access.ts';
import { findings, isCidr, isSet, str, strings } from '../rules.ts';
import { resourceQuantityErrors } from './resource-names.ts';

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

/** podCIDR is the first of podCIDRs; who sets only one sets both. */
export function linkPodCidrs(node: Node): void {
  const spec = specOf(node);
  const [one, all] = [str(spec['podCIDR']), strings(spec['podCIDRs'])];
  if (one !== '' && one !== all[0]) spec['podCIDRs'] = [one];
  else if (one === '' && all.length > 0) spec['podCIDR'] = all[0];
}

export function validateNode(node: Node): FieldError[] {
  const spec = specOf(node);
  const errors = [...taintErrors(spec), ...resourceErrors(node)];
  const path = 'spec.podCIDRs';
  const ranges = strings(spec['podCIDRs']);
  for (const [index, range] of ranges.entries())
    if (!isCidr(range)) errors.push(FieldError.invalid(`${path}[${index}]`, goStrings(ranges), 'must be valid CIDR'));
  if (ranges.length > 1) {
    const families = new Set(ranges.map((range) => isIpv4(range.split('/')[0]!)));
    if (families.size < 2 || ranges.length > 2)
      errors.push(FieldError.invalid(path, goStrings(ranges), 'may specify no more than one CIDR for each IP family'));
    for (const [index, range] of ranges.entries())
      if (ranges.indexOf(range) < index) errors.push(FieldError.duplicate(`${path}[${index}]`, range));
  }
  return errors;
}

/** validateNodeTaints; the path is upstream's. */
function taintErrors(spec: Json): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [index, taint] of records(spec['taints']).entries()) {
    const path = `metadata.taints[${index}]`;
    const [key, value, effect] = [str(taint['key']), str(taint['value']), str(taint['effect'])];
    findings(errors, `${path}.key`, key, qualifiedName(key));
    const problems = labelValue(value);
    if (problems.length > 0) errors.push(FieldError.invalid(`${path}.value`, value, problems.join(';')));
    if (effect === '') errors.push(FieldError.required(`${path}.effect`, ''));
    else if (!EFFECTS.includes(effect)) errors.push(FieldError.notSupported(`${path}.effect`, effect, EFFECTS));
    const pair = `${effect}/${key}`;
    if (seen.has(pair))
      errors.push(FieldError.duplicate(path, goStruct('core/v1.Taint', taint), 'taints must be unique by key and effect pair'));
    seen.add(pair);
  }
  return errors;
}

function resourceErrors(node: Node): FieldError[] {
  const errors: FieldError[] = [];
  for (const list of ['capacity', 'allocatable'] as const) {
    const amounts = node.status?.[list] ?? {};
    for (const name in amounts) errors.push(...resourceQuantityErrors(name, String(amounts[name]), `status.${list}.${name}`));
  }
  return errors;
}

export function validateNodeUpdate(next: Node, current: Node, meta: MetaErrors): FieldError[] {
  const errors = [...meta.update, ...resourceErrors(next)];
  const addresses = next.status?.addresses ?? [];
  for (const [index, address] of addresses.entries()) {
    if (addresses.findIndex((each) => isDeepEqual(each, address)) < index)
      errors.push(FieldError.duplicate(`status.addresses[${index}]`, goStruct('core/v1.NodeAddress', address)));
  }
  const [spec, old] = [specOf(next), specOf(current)];
  const [after, before] = [strings(spec['podCIDRs']), strings(old['podCIDRs'])];
  const fixed = 'node updates may not change podCIDR except from "" to valid';
  if (before.length > 0) {
    const changes = before.length !== after.length ? 1 : before.filter((range, index) => range !== after[index]).length;
    for (let i = 0; i < changes; i++) errors.push(FieldError.forbidden('spec.podCIDRs', fixed));
  }
  if (str(old['providerID']) !== '' && old['providerID'] !== spec['providerID'])
    errors.push(FieldError.forbidden('spec.providerID', 'node updates may not change providerID except from "" to valid'));
  if (isSet(spec['configSource'])) errors.push(...configSourceErrors(spec['configSource']));
  errors.push(...taintErrors(spec));
  if (str(spec['externalID']) !== str(old['externalID'])) {
    const detail =
      'node updates may only change labels, taints, or capacity (or configSource, if the DynamicKubeletConfig feature gate is enabled)';
    errors.push(FieldError.forbidden('[]', detail));
  }
  return errors;
}

function configSourceErrors(source: unknown): FieldError[] {
  const path = 'spec.configSource';
  const map = isRecord(source) ? source['configMap'] : undefined;
  if (!isRecord(map))
    return [FieldError.invalid(path, goStruct('core/v1.NodeConfigSource', source), 'exactly one reference subfield must be non-nil')];
  const errors: FieldError[] = [];
  const at = `${path}.configMap`;
  for (const field of ['uid', 'resourceVersion'])
    if (str(map[field]) !== '') errors.push(FieldError.forbidden(`${at}.${field}`, `${field} must not be set in spec`));
  for (const [field, rule] of [
    ['namespace', dns1123Label],
    ['name', dns1123Subdomain],
    ['kubeletConfigKey', configMapKey],
  ] as const) {
    const value = str(map[field]);
    if (value === '') errors.push(FieldError.required(`${at}.${field}`, `${field} must be set`));
    else findings(errors, `${at}.${field}`, value, rule(value));
  }
  return errors;
}
