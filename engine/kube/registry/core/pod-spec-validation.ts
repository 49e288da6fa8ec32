// Validation of a pod's spec (ValidatePodSpec) and of templates of pods (ValidatePodTemplateSpec). Objects have gone through the
// decoder and have their defaults.

import { FieldError } from '../../machinery/field-errors.ts';
import { dns1123Label, dns1123Subdomain, isIp, qualifiedName } from '../../machinery/names.ts';
import { labels, list, oneOf, problems, record, text } from '../checks.ts';
import type { Json } from '../definition.ts';
import { validateAnnotations } from '../meta-validation.ts';
import { validateAffinity, validateTolerations, validateTopologySpread } from './pod-affinity-validation.ts';
import { validatePodAnnotations, validateSeccompAnnotations } from './pod-annotation-validation.ts';
import { validateContainers, validateEphemeralContainers, validateInitContainers } from './pod-container-validation.ts';
import { validateResources } from './pod-resource-validation.ts';
import { validatePodSecurity } from './pod-security-validation.ts';
import { validateVolumes } from './pod-volume-validation.ts';

const RESTART_POLICIES = ['Always', 'OnFailure', 'Never'];
const DNS_POLICIES = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'];
const PREEMPTION_POLICIES = ['PreemptLowerPriority', 'Never'];
const MAX_INT32 = 2 ** 31 - 1;

export function validatePodSpec(errors: FieldError[], spec: Json, path: string): void {
  const volumes = validateVolumes(errors, spec['volumes'], `${path}.volumes`);
  const containers = list(spec['containers']) as readonly Json[];
  validateContainers(errors, containers, volumes, `${path}.containers`);
  validateInitContainers(errors, list(spec['initContainers']) as readonly Json[], containers, volumes, `${path}.initContainers`);
  validateEphemeralContainers(errors, spec, volumes, `${path}.ephemeralContainers`);
  oneOf(errors, `${path}.restartPolicy`, spec['restartPolicy'], RESTART_POLICIES);
  oneOf(errors, `${path}.dnsPolicy`, spec['dnsPolicy'], DNS_POLICIES);
  labels(errors, `${path}.nodeSelector`, spec['nodeSelector']);
  validatePodSecurity(errors, spec, path);
  validateAffinity(errors, spec['affinity'], `${path}.affinity`);
  validateDns(errors, spec, `${path}.dnsConfig`);
  for (const [index, gate] of list(spec['readinessGates']).entries()) {
    const type = text((gate as Json)['conditionType']);
    problems(errors, `${path}.readinessGates[${index}].conditionType`, type, qualifiedName(type));
  }
  validateTopologySpread(errors, spec['topologySpreadConstraints'], `${path}.topologySpreadConstraints`);
  named(errors, `${path}.serviceAccountName`, spec['serviceAccountName'], dns1123Subdomain);
  named(errors, `${path}.nodeName`, spec['nodeName'], dns1123Subdomain);
  const deadline = spec['activeDeadlineSeconds'];
  if (typeof deadline === 'number' && (deadline < 1 || deadline > MAX_INT32))
    errors.push(FieldError.invalid(`${path}.activeDeadlineSeconds`, deadline, `must be between 1 and ${MAX_INT32}, inclusive`));
  named(errors, `${path}.hostname`, spec['hostname'], dns1123Label);
  named(errors, `${path}.subdomain`, spec['subdomain'], dns1123Label);
  validateTolerations(errors, spec['tolerations'], `${path}.tolerations`);
  hostAliases(errors, spec['hostAliases'], `${path}.hostAliases`);
  named(errors, `${path}.priorityClassName`, spec['priorityClassName'], dns1123Subdomain);
  const runtime = spec['runtimeClassName'];
  if (typeof runtime === 'string') problems(errors, `${path}.runtimeClassName`, runtime, dns1123Subdomain(runtime));
  validatePreemptionPolicy(errors, spec['preemptionPolicy'], `${path}.preemptionPolicy`);
  if (spec['overhead'] !== undefined) validateResources(errors, { limits: spec['overhead'] }, `${path}.overhead`);
}

/** ValidatePodTemplateSpec; `path` is the template's. */
export function validatePodTemplate(errors: FieldError[], template: Json | undefined, path: string): void {
  const metadata = record(template?.['metadata']);
  const spec = record(template?.['spec']) ?? {};
  const annotations = record(metadata?.['annotations']) as Readonly<Record<string, string>> | undefined;
  labels(errors, `${path}.labels`, metadata?.['labels']);
  errors.push(...validateAnnotations(annotations, `${path}.annotations`));
  validatePodAnnotations(errors, annotations, spec, `${path}.annotations`);
  validatePodSpec(errors, spec, `${path}.spec`);
  validateSeccompAnnotations(errors, annotations, spec, `${path}.spec`);
  if (list(spec['ephemeralContainers']).length > 0)
    errors.push(FieldError.forbidden(`${path}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template'));
}

/** Disks that several machines share must be read-only; `path` is the one of the volumes. */
export function validateSharedDisks(errors: FieldError[], volumes: unknown, path: string): void {
  for (const [index, volume] of list(volumes).entries()) {
    const disk = record((volume as Json)['gcePersistentDisk']);
    if (disk === undefined || disk['readOnly'] === true) continue;
    const why = 'must be true for replicated pods > 1; GCE PD can only be mounted on multiple machines if it is read-only';
    errors.push(FieldError.invalid(`${path}[${index}].gcePersistentDisk.readOnly`, false, why));
  }
}

export function validatePreemptionPolicy(errors: FieldError[], policy: unknown, path: string): void {
  if (policy !== undefined) oneOf(errors, path, policy, PREEMPTION_POLICIES);
}

function named(errors: FieldError[], path: string, value: unknown, rule: (name: string) => readonly string[]): void {
  const name = text(value);
  if (name !== '') problems(errors, path, name, rule(name));
}

const MAX_NAMESERVERS = 3;
const MAX_SEARCHES = 6;
const MAX_SEARCH_CHARACTERS = 256;

function validateDns(errors: FieldError[], spec: Json, path: string): void {
  const config = record(spec['dnsConfig']);
  const servers = list(config?.['nameservers']);
  if (spec['dnsPolicy'] === 'None') {
    if (config === undefined) {
      errors.push(FieldError.required(path, 'must provide `dnsConfig` when `dnsPolicy` is None'));
      return;
    }
    if (servers.length === 0) {
      errors.push(FieldError.required(`${path}.nameservers`, 'must provide at least one DNS nameserver when `dnsPolicy` is None'));
      return;
    }
  }
  if (config === undefined) return;
  if (servers.length > MAX_NAMESERVERS)
    errors.push(FieldError.invalid(`${path}.nameservers`, servers, `must not have more than ${MAX_NAMESERVERS} nameservers`));
  for (const [index, server] of servers.entries())
    if (!isIp(text(server))) errors.push(FieldError.invalid(`${path}.nameservers[${index}]`, server, 'must be valid IP address'));
  const searches = list(config['searches']) as readonly string[];
  if (searches.length > MAX_SEARCHES)
    errors.push(FieldError.invalid(`${path}.searches`, searches, `must not have more than ${MAX_SEARCHES} search paths`));
  if (searches.join(' ').length > MAX_SEARCH_CHARACTERS) {
    const why = `must not have more than ${MAX_SEARCH_CHARACTERS} characters (including spaces) in the search list`;
    errors.push(FieldError.invalid(`${path}.searches`, searches, why));
  }
  for (const [index, search] of searches.entries()) {
    const domain = search.endsWith('.') ? search.slice(0, -1) : search;
    problems(errors, `${path}.searches[${index}]`, domain, dns1123Subdomain(domain));
  }
  for (const [index, option] of list(config['options']).entries())
    if (text((option as Json)['name']) === '') errors.push(FieldError.required(`${path}.options[${index}]`, 'must not be empty'));
}

function hostAliases(errors: FieldError[], given: unknown, path: string): void {
  for (const each of list(given)) {
    const alias = each as Json;
    const ip = text(alias['ip']);
    if (!isIp(ip)) errors.push(FieldError.invalid(`${path}.ip`, ip, 'must be valid IP address'));
    for (const name of list(alias['hostnames'])) problems(errors, `${path}.hostnames`, name, dns1123Subdomain(text(name)));
  }
}
