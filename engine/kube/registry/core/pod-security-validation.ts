// Validation of security contexts of pods and containers.

import { FieldError } from '../../machinery/field-errors.ts';
import { dns1123Subdomain, unixId } from '../../machinery/names.ts';
import { list, problems, record, text } from '../checks.ts';
import type { Json } from '../definition.ts';
import { descendingPath } from './volume-source-validation.ts';

/** The pod's own context; `path` is the one of the pod's spec. */
export function validatePodSecurity(errors: FieldError[], spec: Json, path: string): void {
  if (spec['hostNetwork'] === true) hostNetworkPorts(errors, spec['containers'], `${path}.containers`);
  const context = record(spec['securityContext']);
  const at = `${path}.securityContext`;
  if (context !== undefined) {
    id(errors, `${at}.fsGroup`, context['fsGroup']);
    id(errors, `${at}.runAsUser`, context['runAsUser']);
    id(errors, `${at}.runAsGroup`, context['runAsGroup']);
    for (const [index, group] of list(context['supplementalGroups']).entries()) id(errors, `${at}.supplementalGroups[${index}]`, group);
  }
  if (spec['shareProcessNamespace'] === true && spec['hostPID'] === true)
    errors.push(FieldError.invalid(`${at}.shareProcessNamespace`, true, 'ShareProcessNamespace and HostPID cannot both be enabled'));
  if (context === undefined) return;
  sysctls(errors, context['sysctls'], `${at}.sysctls`);
  const policy = context['fsGroupChangePolicy'];
  if (typeof policy === 'string' && !GROUP_POLICIES.includes(policy))
    errors.push(FieldError.notSupported(`${at}.fsGroupChangePolicy`, policy, GROUP_POLICIES));
  seccompProfile(errors, context['seccompProfile'], `${at}.seccompProfile`);
  windowsOptions(errors, context['windowsOptions'], `${at}.windowsOptions`);
}

const GROUP_POLICIES = ['Always', 'OnRootMismatch'];
const PROC_MOUNTS = ['Default', 'Unmasked'];

export function validateContainerSecurity(errors: FieldError[], given: unknown, path: string): void {
  const context = record(given);
  if (context === undefined) return;
  id(errors, `${path}.runAsUser`, context['runAsUser']);
  id(errors, `${path}.runAsGroup`, context['runAsGroup']);
  procMount(errors, context['procMount'], `${path}.procMount`);
  seccompProfile(errors, context['seccompProfile'], `${path}.seccompProfile`);
  if (context['allowPrivilegeEscalation'] === false) {
    const refuse = (why: string): void => {
      const detail = `cannot set \`allowPrivilegeEscalation\` to false and ${why}`;
      errors.push(FieldError.invalidOf(path, 'core.SecurityContext', context, detail));
    };
    if (context['privileged'] === true) refuse('`privileged` to true');
    for (const capability of list(record(context['capabilities'])?.['add']))
      if (capability === 'CAP_SYS_ADMIN') refuse('`capabilities.Add` CAP_SYS_ADMIN');
  }
  windowsOptions(errors, context['windowsOptions'], `${path}.windowsOptions`);
}

export function procMount(errors: FieldError[], type: unknown, path: string): void {
  if (typeof type === 'string' && !PROC_MOUNTS.includes(type)) errors.push(FieldError.notSupported(path, type, PROC_MOUNTS));
}

function id(errors: FieldError[], path: string, value: unknown): void {
  if (typeof value === 'number') problems(errors, path, value, unixId(value));
}

function hostNetworkPorts(errors: FieldError[], containers: unknown, path: string): void {
  for (const [index, container] of list(containers).entries()) {
    for (const [at, each] of list((container as Json)['ports']).entries()) {
      const { hostPort = 0, containerPort = 0 } = each as Json;
      if (hostPort === containerPort) continue;
      const where = `${path}[${index}].ports[${at}].containerPort`;
      errors.push(FieldError.invalid(where, containerPort, 'must match `hostPort` when `hostNetwork` is true'));
    }
  }
}

export const SYSCTL_SEGMENT = '[a-z0-9]([-_a-z0-9]*[a-z0-9])?';
const SYSCTL = `(${SYSCTL_SEGMENT}\\.)*${SYSCTL_SEGMENT}`;
const SYSCTL_RE = new RegExp(`^${SYSCTL}$`);
export const MAX_SYSCTL = 253;

function sysctls(errors: FieldError[], given: unknown, path: string): void {
  const names = new Set<string>();
  for (const [index, each] of list(given).entries()) {
    const name = text((each as Json)['name']);
    const at = `${path}[${index}].name`;
    if (name === '') errors.push(FieldError.required(at, ''));
    else if (name.length > MAX_SYSCTL || !SYSCTL_RE.test(name))
      errors.push(FieldError.invalid(at, name, `must have at most ${MAX_SYSCTL} characters and match regex ${SYSCTL}`));
    else if (names.has(name)) errors.push(FieldError.duplicate(at, name));
    names.add(name);
  }
}

const PROFILE_TYPES = ['Localhost', 'RuntimeDefault', 'Unconfined'];

function seccompProfile(errors: FieldError[], given: unknown, path: string): void {
  const profile = record(given);
  if (profile === undefined) return;
  const type = text(profile['type']);
  const { localhostProfile } = profile;
  if (type === '') errors.push(FieldError.required(`${path}.type`, 'type is required when seccompProfile is set'));
  else if (!PROFILE_TYPES.includes(type)) errors.push(FieldError.notSupported(`${path}.type`, type, PROFILE_TYPES));
  if (type === 'Localhost') {
    if (typeof localhostProfile !== 'string')
      errors.push(FieldError.required(`${path}.localhostProfile`, 'must be set when seccomp type is Localhost'));
    else descendingPath(errors, `${path}.localhostProfile`, localhostProfile);
  } else if (localhostProfile !== undefined) {
    const why = 'can only be set when seccomp type is Localhost';
    errors.push(FieldError.invalidOf(`${path}.localhostProfile`, 'core.SeccompProfile', profile, why));
  }
}

const MAX_CREDENTIAL_KIB = 64;
const MAX_DOMAIN = 256;
const MAX_USER = 104;
const CONTROL = /[\u0000-\u001f\u007f]/;
const NETBIOS = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/;
const DNS_DOMAIN = /^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$/;

function windowsOptions(errors: FieldError[], given: unknown, path: string): void {
  const options = record(given);
  if (options === undefined) return;
  const { gmsaCredentialSpecName: name, gmsaCredentialSpec: spec, runAsUserName: user } = options;
  if (typeof name === 'string') problems(errors, `${path}.gmsaCredentialSpecName`, name, dns1123Subdomain(name));
  if (spec === '') errors.push(FieldError.invalid(`${path}.gmsaCredentialSpec`, spec, 'gmsaCredentialSpec cannot be an empty string'));
  else if (typeof spec === 'string' && spec.length > MAX_CREDENTIAL_KIB * 1024)
    errors.push(FieldError.invalid(`${path}.gmsaCredentialSpec`, spec, `gmsaCredentialSpec size must be under ${MAX_CREDENTIAL_KIB} KiB`));
  if (typeof user === 'string') windowsUser(errors, user, `${path}.runAsUserName`);
}

function windowsUser(errors: FieldError[], given: string, path: string): void {
  const refuse = (why: string): void => {
    errors.push(FieldError.invalid(path, given, why));
  };
  const parts = given.split('\\');
  if (given === '') return refuse('runAsUserName cannot be an empty string');
  if (CONTROL.test(given)) return refuse('runAsUserName cannot contain control characters');
  if (parts.length > 2) return refuse('runAsUserName cannot contain more than one backslash');
  const domain = parts.length === 2 ? parts[0]! : undefined;
  const user = parts.at(-1)!;
  if (domain !== undefined && domain.length >= MAX_DOMAIN) refuse(`runAsUserName's Domain length must be under ${MAX_DOMAIN} characters`);
  if (domain !== undefined && !NETBIOS.test(domain) && !DNS_DOMAIN.test(domain))
    refuse("runAsUserName's Domain doesn't match the NetBios nor the DNS format");
  if (user === '') refuse("runAsUserName's User cannot be empty");
  else if (user.length > MAX_USER) refuse(`runAsUserName's User length must not be longer than ${MAX_USER} characters`);
  if (/^[. ]+$/.test(user)) refuse("runAsUserName's User cannot contain only periods or spaces");
  if (/["/\\:;|=,+*?<>@[\]]/.test(user)) refuse('runAsUserName\'s User cannot contain the following characters: "/\\:;|=,+*?<>@[]');
}
