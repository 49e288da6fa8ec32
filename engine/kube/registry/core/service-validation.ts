// Models ValidateService and ValidateServiceUpdate.

import { FieldError } from '../../machinery/field-errors.ts';
import { goStrings, goStruct } from '../../machinery/go-syntax.ts';
import { dns1123Subdomain, ipAddress, ipv6Words, isIpv4, isIpv6, portNumber, qualifiedName } from '../../machinery/names.ts';
import type { KubeObject, Service } from '../../machinery/types.ts';
import type { Json, MetaErrors } from '../definition.ts';
import { validateLabels } from '../meta-validation.ts';
import { records, specOf } from '../object-access.ts';
import { findings, int, isCidr, isIp, isSet, labelAt, oneOf, portAt, PROTOCOLS, str, strings, subdomainAt } from '../rules.ts';

const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];
const AFFINITIES = ['ClientIP', 'None'];
const FAMILIES = ['IPv4', 'IPv6'];
const FAMILY_POLICIES = ['PreferDualStack', 'RequireDualStack', 'SingleStack'];
const KUBELET_PORT = 10250;
const MAX_AFFINITY_SECONDS = 86400;
const SOURCE_RANGES = 'service.beta.kubernetes.io/load-balancer-source-ranges';

export function isHeadless(spec: Json): boolean {
  const addresses = strings(spec['clusterIPs']);
  return addresses.length === 1 && addresses[0] === 'None';
}

export function validateService(service: Service): FieldError[] {
  const errors: FieldError[] = [];
  const spec = specOf(service);
  const ports = records(spec['ports']);
  const type = str(spec['type']);
  const headless = isHeadless(spec);
  if (ports.length === 0 && !headless && type !== 'ExternalName') errors.push(FieldError.required('spec.ports', ''));
  validateType(errors, spec, type, headless);
  const names = new Set<string>();
  for (const [index, port] of ports.entries()) validatePort(errors, port, `spec.ports[${index}]`, { names, isNamed: ports.length > 1 });
  errors.push(...validateLabels(spec['selector'] as Record<string, string> | undefined, 'spec.selector'));
  validateAffinity(errors, spec);
  validateClusterIps(errors, spec, type, headless);
  for (const [index, address] of strings(spec['externalIPs']).entries()) {
    const path = `spec.externalIPs[${index}]`;
    const problems = ipAddress(address);
    findings(errors, path, address, problems);
    if (problems.length === 0) findings(errors, path, address, specialAddress(address));
  }
  oneOf(errors, 'spec.type', type, TYPES);
  if (type === 'ClusterIP') {
    for (const [index, port] of ports.entries())
      if (int(port['nodePort']) !== 0)
        errors.push(FieldError.forbidden(`spec.ports[${index}].nodePort`, "may not be used when `type` is 'ClusterIP'"));
  }
  duplicatePorts(errors, ports);
  validateSourceRanges(errors, service, spec, type);
  if (isSet(spec['allocateLoadBalancerNodePorts']) && type !== 'LoadBalancer')
    errors.push(FieldError.forbidden('spec.allocateLoadBalancerNodePorts', "may only be used when `type` is 'LoadBalancer'"));
  const policy = str(spec['externalTrafficPolicy']);
  if (!['', 'Cluster', 'Local'].includes(policy))
    errors.push(FieldError.invalid('spec.externalTrafficPolicy', policy, 'ExternalTrafficPolicy must be empty, Cluster or Local'));
  const health = int(spec['healthCheckNodePort']);
  if (health < 0) errors.push(FieldError.invalid('spec.healthCheckNodePort', health, 'HealthCheckNodePort must be not less than 0'));
  return errors;
}

function validateType(errors: FieldError[], spec: Json, type: string, headless: boolean): void {
  if (type === 'LoadBalancer') {
    for (const [index, port] of records(spec['ports']).entries()) {
      if (port['port'] === KUBELET_PORT) {
        const detail = `may not expose port ${KUBELET_PORT} externally since it is used by kubelet`;
        errors.push(FieldError.invalid(`spec.ports[${index}]`, KUBELET_PORT, detail));
      }
    }
  }
  if ((type === 'LoadBalancer' || type === 'NodePort') && headless)
    errors.push(FieldError.invalid('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${type} services`));
  if (type !== 'ExternalName') return;
  for (const [field, isGiven] of [
    ['clusterIPs', strings(spec['clusterIPs']).length > 0],
    ['ipFamilies', strings(spec['ipFamilies']).length > 0],
    ['ipFamilyPolicy', isSet(spec['ipFamilyPolicy'])],
  ] as const)
    if (isGiven) errors.push(FieldError.forbidden(`spec.${field}`, 'may not be set for ExternalName services'));
  const name = str(spec['externalName']).replace(/\.$/, '');
  if (name === '') errors.push(FieldError.required('spec.externalName', ''));
  else subdomainAt(errors, 'spec.externalName', name);
}

function validatePort(
  errors: FieldError[],
  port: Json,
  path: string,
  seen: { readonly names: Set<string>; readonly isNamed: boolean },
): void {
  const name = str(port['name']);
  if (name !== '') {
    labelAt(errors, `${path}.name`, name);
    if (seen.names.has(name)) errors.push(FieldError.duplicate(`${path}.name`, name));
    seen.names.add(name);
  } else if (seen.isNamed) errors.push(FieldError.required(`${path}.name`, ''));
  findings(errors, `${path}.port`, int(port['port']), portNumber(int(port['port'])));
  oneOf(errors, `${path}.protocol`, port['protocol'], PROTOCOLS);
  portAt(errors, `${path}.targetPort`, port['targetPort']);
  const application = port['appProtocol'];
  if (isSet(application)) findings(errors, `${path}.appProtocol`, application, qualifiedName(str(application)));
}

function validateAffinity(errors: FieldError[], spec: Json): void {
  const affinity = str(spec['sessionAffinity']);
  oneOf(errors, 'spec.sessionAffinity', affinity, AFFINITIES);
  const path = 'spec.sessionAffinityConfig';
  const config = spec['sessionAffinityConfig'] as { clientIP?: { timeoutSeconds?: number } } | undefined | null;
  if (affinity === 'None' && isSet(config)) errors.push(FieldError.forbidden(path, 'must not be set when session affinity is None'));
  if (affinity !== 'ClientIP') return;
  const why = 'when session affinity type is ClientIP';
  const seconds = config?.clientIP?.timeoutSeconds;
  if (!isSet(config)) errors.push(FieldError.required(path, why));
  else if (!isSet(config!.clientIP)) errors.push(FieldError.required(`${path}.clientIP`, why));
  else if (seconds === undefined) errors.push(FieldError.required(`${path}.clientIP.timeoutSeconds`, why));
  else if (seconds <= 0 || seconds > MAX_AFFINITY_SECONDS) {
    const detail = `must be greater than 0 and less than ${MAX_AFFINITY_SECONDS}`;
    errors.push(FieldError.invalid(`${path}.clientIP.timeoutSeconds`, seconds, detail));
  }
}

function validateClusterIps(errors: FieldError[], spec: Json, type: string, headless: boolean): void {
  if (type === 'ExternalName') return;
  const path = 'spec.clusterIPs';
  const address = str(spec['clusterIP']);
  const all = strings(spec['clusterIPs']);
  const shown = goStrings(spec['clusterIPs'] as readonly string[] | undefined);
  if (address !== '') {
    if (all.length === 0) errors.push(FieldError.required(path, ''));
    else if (all[0] !== address) errors.push(FieldError.invalid(path, shown, 'element [0] must match clusterIP'));
  } else if (all.length > 0) errors.push(FieldError.invalid(path, shown, 'must be empty when clusterIP is empty'));
  const families = strings(spec['ipFamilies']);
  for (const [index, family] of families.entries()) {
    if (!FAMILIES.includes(family)) errors.push(FieldError.notSupported(`spec.ipFamilies[${index}]`, family, FAMILIES));
    if (families.indexOf(family) < index) errors.push(FieldError.duplicate(`spec.ipFamilies[${index}]`, family));
  }
  const policy = spec['ipFamilyPolicy'];
  if (isSet(policy) && !FAMILY_POLICIES.includes(str(policy)))
    errors.push(FieldError.notSupported('spec.ipFamilyPolicy', policy, FAMILY_POLICIES));
  let isAnyWrong = false;
  for (const [index, each] of all.entries()) {
    if (index === 0 && each === 'None') {
      if (all.length > 1) {
        isAnyWrong = true;
        errors.push(FieldError.invalid(path, shown, "'None' must be the first and only value"));
      }
      continue;
    }
    const problems = ipAddress(each);
    isAnyWrong ||= problems.length > 0;
    findings(errors, `${path}[${index}]`, each, problems);
  }
  if (all.length > 2) errors.push(FieldError.invalid(path, shown, 'may only hold up to 2 values'));
  if (isAnyWrong) return;
  if (all.length > 1 && (all.every(isIpv4) || all.every(isIpv6)))
    errors.push(FieldError.invalid(path, shown, 'may specify no more than one IP for each IP family'));
  if (headless) return;
  for (const [index, each] of all.entries()) {
    const family = families[index];
    if ((family === 'IPv4' && isIpv6(each)) || (family === 'IPv6' && !isIpv6(each)))
      errors.push(FieldError.invalid(`${path}[${index}]`, each, `expected an ${family} value as indicated by \`ipFamilies[${index}]\``));
  }
}

/** Addresses that are no place for a service or an endpoint. */
export function specialAddress(address: string): readonly string[] {
  const problems: string[] = [];
  const words = ipv6Words(address);
  const [a = 0, b = 0, c = 0] = address.split('.').map(Number);
  const isMapped = words?.slice(0, 5).every((word) => word === 0) === true && words[5] === 0xffff;
  const is = (four: boolean, six: (words: readonly number[]) => boolean): boolean =>
    words === undefined ? four : isMapped ? false : six(words);
  if (is(/^0+(\.0+){3}$/.test(address), (w) => w.every((word) => word === 0))) problems.push('may not be unspecified (0.0.0.0)');
  if (is(a === 127, (w) => w.every((word, index) => word === (index === 7 ? 1 : 0))))
    problems.push('may not be in the loopback range (127.0.0.0/8)');
  if (is(a === 169 && b === 254, (w) => (w[0]! & 0xffc0) === 0xfe80)) problems.push('may not be in the link-local range (169.254.0.0/16)');
  if (is(a === 224 && b === 0 && c === 0, (w) => (w[0]! & 0xff0f) === 0xff02))
    problems.push('may not be in the link-local multicast range (224.0.0.0/24)');
  return problems;
}

function duplicatePorts(errors: FieldError[], ports: readonly Json[]): void {
  const nodePorts = new Set<string>();
  for (const [index, port] of ports.entries()) {
    const number = int(port['nodePort']);
    if (number === 0) continue;
    const key = `${str(port['protocol'])}/${number}`;
    if (nodePorts.has(key)) errors.push(FieldError.duplicate(`spec.ports[${index}].nodePort`, number));
    nodePorts.add(key);
  }
  const seen = new Set<string>();
  for (const [index, port] of ports.entries()) {
    const key = `${str(port['protocol'])}/${int(port['port'])}`;
    if (seen.has(key)) {
      const shown = goStruct('core/v1.ServicePort', { protocol: str(port['protocol']), port: int(port['port']) });
      errors.push(FieldError.duplicate(`spec.ports[${index}]`, shown));
    }
    seen.add(key);
  }
}

function validateSourceRanges(errors: FieldError[], { metadata }: KubeObject, spec: Json, type: string): void {
  const ranges = strings(spec['loadBalancerSourceRanges']);
  const annotation = metadata.annotations?.[SOURCE_RANGES];
  if (ranges.length === 0 && annotation === undefined) return;
  const isField = ranges.length > 0;
  const path = isField ? 'spec.LoadBalancerSourceRanges' : `metadata.annotations[${SOURCE_RANGES}]`;
  if (type !== 'LoadBalancer') errors.push(FieldError.forbidden(path, "may only be used when `type` is 'LoadBalancer'"));
  const given = annotation?.trim() ?? '';
  const all = isField ? ranges : given === '' ? [] : given.split(',');
  if (!all.every((range) => isCidr(range.trim()))) {
    const shown = isField ? `[${ranges.join(' ')}]` : annotation;
    errors.push(FieldError.invalid(path, shown, 'must be a list of IP ranges. For example, 10.240.0.0/24,10.250.0.0/24 '));
  }
}

export function validateServiceUpdate(next: Service, current: Service, meta: MetaErrors): FieldError[] {
  return [...meta.update, ...changedAddresses(specOf(next), specOf(current)), ...meta.object, ...validateService(next)];
}

function changedAddresses(spec: Json, old: Json): FieldError[] {
  if (spec['type'] === 'ExternalName' || old['type'] === 'ExternalName' || (isHeadless(spec) && isHeadless(old))) return [];
  const errors: FieldError[] = [];
  const [after, before] = [strings(spec['clusterIPs']), strings(old['clusterIPs'])];
  const shown = goStrings(spec['clusterIPs'] as readonly string[] | undefined);
  const fault = (index: number, detail: string): void => void errors.push(FieldError.invalid(`spec.clusterIPs[${index}]`, shown, detail));
  if (before.length === after.length) {
    for (const [index, address] of before.entries()) if (address !== after[index]) fault(index, 'may not change once set');
  } else if (before.length > after.length) {
    if (after.length === 0) fault(0, 'primary clusterIP can not be unset');
    else if (after[0] !== before[0]) fault(0, 'may not change once set');
    if (after.length === 1 && spec['ipFamilyPolicy'] !== 'SingleStack')
      fault(0, "`ipFamilyPolicy` must be set to 'SingleStack' when releasing the secondary clusterIP");
  } else if (before.length > 0 && after[0] !== before[0]) fault(0, 'may not change once set');
  return errors;
}

/** ValidateServiceExternalTrafficFieldsCombination: runs once ports and addresses are there. */
export function externalTrafficErrors(spec: Json): FieldError[] {
  const errors: FieldError[] = [];
  const policy = str(spec['externalTrafficPolicy']);
  const type = str(spec['type']);
  if (type !== 'LoadBalancer' && type !== 'NodePort' && policy !== '') {
    const detail = 'ExternalTrafficPolicy can only be set on NodePort and LoadBalancer service';
    errors.push(FieldError.invalid('spec.externalTrafficPolicy', policy, detail));
  }
  const health = int(spec['healthCheckNodePort']);
  if (!needsHealthCheck(spec) && health !== 0) {
    const detail = 'HealthCheckNodePort can only be set on LoadBalancer service with ExternalTrafficPolicy=Local';
    errors.push(FieldError.invalid('spec.healthCheckNodePort', health, detail));
  }
  return errors;
}

export function needsHealthCheck(spec: Json): boolean {
  return spec['type'] === 'LoadBalancer' && spec['externalTrafficPolicy'] === 'Local';
}

/** ValidateLoadBalancerStatus. */
export function validateLoadBalancerStatus(status: unknown, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { ingress } = (status ?? {}) as { ingress?: unknown };
  for (const [index, each] of records(ingress).entries()) {
    const at = `${path}.ingress[${index}]`;
    const [ip, hostname] = [str(each['ip']), str(each['hostname'])];
    if (ip !== '' && !isIp(ip)) errors.push(FieldError.invalid(`${at}.ip`, ip, 'must be a valid IP address'));
    if (hostname === '') continue;
    findings(errors, `${at}.hostname`, hostname, dns1123Subdomain(hostname));
    if (isIp(hostname)) errors.push(FieldError.invalid(`${at}.hostname`, hostname, 'must be a DNS name, not an IP address'));
  }
  return errors;
}
