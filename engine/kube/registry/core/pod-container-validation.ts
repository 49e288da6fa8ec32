// Validation of containers, init containers and ephemeral containers.

import { FieldError } from '../../machinery/field-errors.ts';
import { dns1123Label, portName, portNumber } from '../../machinery/names.ts';
import { list, number, oneOf, problems, record, required, text } from '../checks.ts';
import type { Json } from '../definition.ts';
import { validateEnv, validateEnvFrom } from './pod-env-validation.ts';
import { validateVolumeDevices, validateVolumeMounts } from './pod-mount-validation.ts';
import { validateLifecycle, validateProbe } from './pod-probe-validation.ts';
import { validateResources } from './pod-resource-validation.ts';
import { validateContainerSecurity } from './pod-security-validation.ts';
import type { Volumes } from './pod-volume-validation.ts';

const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];
const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never'];
const MESSAGE_POLICIES = "must be 'File' or 'FallbackToLogsOnError'";

export function validateContainers(errors: FieldError[], containers: readonly Json[], volumes: Volumes, path: string): void {
  if (containers.length === 0) {
    errors.push(FieldError.required(path, ''));
    return;
  }
  eachContainer(errors, containers, volumes, path);
  hostPortConflicts(errors, containers, path);
}

function eachContainer(errors: FieldError[], containers: readonly Json[], volumes: Volumes, path: string): void {
  const names = new Set<string>();
  for (const [index, container] of containers.entries()) validateContainer(errors, container, `${path}[${index}]`, { names, volumes });
}

const INIT_HAS_NO = [
  ['lifecycle', 'core.Lifecycle'],
  ['livenessProbe', 'core.Probe'],
  ['readinessProbe', 'core.Probe'],
  ['startupProbe', 'core.Probe'],
] as const;

export function validateInitContainers(
  errors: FieldError[],
  containers: readonly Json[],
  others: readonly Json[],
  volumes: Volumes,
  path: string,
): void {
  if (containers.length === 0) return;
  eachContainer(errors, containers, volumes, path);
  // They run one after the other: only a container's own ports can clash, and all of them are told as the first one's.
  for (const container of containers) hostPortConflicts(errors, [container], path);
  const names = new Set(others.map((container) => text(container['name'])));
  for (const [index, container] of containers.entries()) {
    const at = `${path}[${index}]`;
    const name = text(container['name']);
    if (names.has(name)) errors.push(FieldError.duplicate(`${at}.name`, name));
    if (name !== '') names.add(name);
    for (const [field, type] of INIT_HAS_NO) {
      const given = container[field];
      if (given !== undefined) errors.push(FieldError.invalidOf(`${at}.${field}`, type, given, 'must not be set for init containers'));
    }
  }
}

function validateContainer(
  errors: FieldError[],
  container: Json,
  path: string,
  seen: { readonly names: Set<string>; readonly volumes: Volumes },
): void {
  const name = text(container['name']);
  if (name === '') errors.push(FieldError.required(`${path}.name`, ''));
  else problems(errors, `${path}.name`, name, dns1123Label(name));
  if (seen.names.has(name)) errors.push(FieldError.duplicate(`${path}.name`, name));
  seen.names.add(name);
  required(errors, `${path}.image`, container['image']);
  validateLifecycle(errors, container['lifecycle'], `${path}.lifecycle`);
  validateProbe(errors, container['livenessProbe'], `${path}.livenessProbe`, { succeedsOnce: true });
  validateProbe(errors, container['startupProbe'], `${path}.startupProbe`, { succeedsOnce: true });
  const policy = text(container['terminationMessagePolicy']);
  if (policy === '') errors.push(FieldError.required(`${path}.terminationMessagePolicy`, MESSAGE_POLICIES));
  else if (policy !== 'File' && policy !== 'FallbackToLogsOnError')
    errors.push(FieldError.invalid(`${path}.terminationMessagePolicy`, policy, MESSAGE_POLICIES));
  validateProbe(errors, container['readinessProbe'], `${path}.readinessProbe`, { succeedsOnce: false });
  validatePorts(errors, container['ports'], `${path}.ports`);
  validateEnv(errors, container['env'], `${path}.env`);
  validateEnvFrom(errors, container['envFrom'], `${path}.envFrom`);
  validateVolumeMounts(errors, container, seen.volumes, `${path}.volumeMounts`);
  validateVolumeDevices(errors, container, seen.volumes, `${path}.volumeDevices`);
  oneOf(errors, `${path}.imagePullPolicy`, container['imagePullPolicy'], PULL_POLICIES);
  validateResources(errors, container['resources'], `${path}.resources`);
  validateContainerSecurity(errors, container['securityContext'], `${path}.securityContext`);
}

function validatePorts(errors: FieldError[], given: unknown, path: string): void {
  const ports = list(given);
  if (ports.length === 0) return;
  const names = new Set<string>();
  for (const [index, each] of ports.entries()) {
    const port = each as Json;
    const at = `${path}[${index}]`;
    const name = text(port['name']);
    if (name !== '') {
      const found = portName(name);
      problems(errors, `${at}.name`, name, found);
      if (found.length === 0 && names.has(name)) errors.push(FieldError.duplicate(`${at}.name`, name));
      names.add(name);
    }
    const inside = number(port['containerPort']);
    if (inside === 0) errors.push(FieldError.required(`${at}.containerPort`, ''));
    else problems(errors, `${at}.containerPort`, inside, portNumber(inside));
    const outside = number(port['hostPort']);
    if (outside !== 0) problems(errors, `${at}.hostPort`, outside, portNumber(outside));
    oneOf(errors, `${at}.protocol`, port['protocol'], PROTOCOLS);
  }
}

function hostPortConflicts(errors: FieldError[], containers: readonly Json[], path: string): void {
  let used: Set<string> | undefined;
  for (const [index, container] of containers.entries()) {
    for (const [at, each] of list(container['ports']).entries()) {
      const port = each as Json;
      const outside = number(port['hostPort']);
      if (outside === 0) continue;
      const key = `${text(port['protocol'])}/${text(port['hostIP'])}/${outside}`;
      used ??= new Set();
      if (used.has(key)) errors.push(FieldError.duplicate(`${path}[${index}].ports[${at}].hostPort`, key));
      used.add(key);
    }
  }
}

/** What pods are told and templates are not: they keep what older versions let through. */
export function validateImages(errors: FieldError[], given: unknown, path: string): void {
  for (const [index, container] of list(given).entries()) {
    const image = text((container as Json)['image']);
    if (image.trim() !== image)
      errors.push(FieldError.invalid(`${path}[${index}].image`, image, 'must not have leading or trailing whitespace'));
  }
}

/** In the order of the fields; the others may be set. */
const EPHEMERAL_HAS_NO = [
  'ports',
  'resources',
  'volumeDevices',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
  'securityContext',
];

export function validateEphemeralContainers(errors: FieldError[], spec: Json, volumes: Volumes, path: string): void {
  const given = list(spec['ephemeralContainers']);
  if (given.length === 0) return;
  const names = new Set([...list(spec['containers']), ...list(spec['initContainers'])].map((each) => text((each as Json)['name'])));
  for (const [index, each] of given.entries()) {
    const container = each as Json;
    const at = `${path}[${index}]`;
    const name = text(container['name']);
    const target = text(container['targetContainerName']);
    if (target !== '' && !names.has(target)) errors.push(FieldError.notFound(`${at}.targetContainerName`, target));
    if (name === '') {
      errors.push(FieldError.required(at, 'ephemeralContainer requires a name'));
      continue;
    }
    // It is checked as a list of one, which shows in the paths.
    validateContainers(errors, [container], volumes, at);
    validateImages(errors, [container], at);
    if (names.has(name)) errors.push(FieldError.duplicate(`${at}.name`, name));
    names.add(name);
    for (const field of EPHEMERAL_HAS_NO) {
      if (isSet(container[field])) errors.push(FieldError.forbidden(`${at}.${field}`, 'cannot be set for an Ephemeral Container'));
    }
  }
}

function isSet(value: unknown): boolean {
  if (value === undefined || value === null) return false;
  const members = record(value);
  return members === undefined || Object.keys(members).length > 0;
}
