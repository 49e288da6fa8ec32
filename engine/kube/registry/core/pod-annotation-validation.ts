// Validation of annotations that mean something to pods: mirror pods, seccomp and AppArmor profiles.

import { FieldError } from '../../machinery/field-errors.ts';
import { list, record, text } from '../checks.ts';
import type { Json } from '../definition.ts';
import { validateTolerations } from './pod-affinity-validation.ts';
import { descendingPath } from './volume-source-validation.ts';

type Annotations = Readonly<Record<string, string>> | undefined;

export const MIRROR = 'kubernetes.io/config.mirror';
const TOLERATIONS = 'scheduler.alpha.kubernetes.io/tolerations';
export const SECCOMP_POD = 'seccomp.security.alpha.kubernetes.io/pod';
export const SECCOMP_CONTAINER = 'container.seccomp.security.alpha.kubernetes.io/';
const APPARMOR = 'container.apparmor.security.beta.kubernetes.io/';

/** ValidatePodSpecificAnnotations; `path` is the one of the annotations. */
export function validatePodAnnotations(errors: FieldError[], annotations: Annotations, spec: Json, path: string): void {
  if (annotations === undefined) return;
  const mirror = annotations[MIRROR];
  if (mirror !== undefined && text(spec['nodeName']) === '')
    errors.push(FieldError.invalid(`${path}[${MIRROR}]`, mirror, 'must set spec.nodeName if mirror pod annotation is set'));
  if ((annotations[TOLERATIONS] ?? '') !== '') annotatedTolerations(errors, annotations[TOLERATIONS]!, path);
  const pod = annotations[SECCOMP_POD];
  if (pod !== undefined) seccompProfileName(errors, pod, `${path}.${SECCOMP_POD}`);
  for (const key in annotations) if (key.startsWith(SECCOMP_CONTAINER)) seccompProfileName(errors, annotations[key]!, `${path}.${key}`);
  for (const key in annotations) {
    if (!key.startsWith(APPARMOR)) continue;
    const name = key.slice(APPARMOR.length);
    const containers = [...list(spec['initContainers']), ...list(spec['containers'])] as readonly Json[];
    if (!containers.some((container) => text(container['name']) === name))
      errors.push(FieldError.invalid(`${path}[${key}]`, name, 'container not found'));
    appArmorProfile(errors, annotations[key]!, `${path}[${key}]`, annotations[key]!);
  }
}

function annotatedTolerations(errors: FieldError[], json: string, path: string): void {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    errors.push(FieldError.invalid(path, TOLERATIONS, error.message));
    return;
  }
  validateTolerations(errors, parsed, `${path}.${TOLERATIONS}`);
}

/** ValidateSeccompProfile: the profile as annotations name it. */
export function seccompProfileName(errors: FieldError[], profile: string, path: string): void {
  if (profile === 'runtime/default' || profile === 'docker/default' || profile === 'unconfined') return;
  if (profile.startsWith('localhost/')) descendingPath(errors, path, profile.slice('localhost/'.length));
  else errors.push(FieldError.invalid(path, profile, 'must be a valid seccomp profile'));
}

/** What is shown as the bad value may be a whole list of profiles. */
export function appArmorProfile(errors: FieldError[], profile: string, path: string, value: string): void {
  if (profile === '' || profile === 'runtime/default' || profile === 'unconfined' || profile.startsWith('localhost/')) return;
  errors.push(FieldError.invalid(path, value, `invalid AppArmor profile name: ${JSON.stringify(profile)}`));
}

/** Where a profile is given both as annotation and as field they must agree; `path` is the one of the spec. */
export function validateSeccompAnnotations(errors: FieldError[], annotations: Annotations, spec: Json, path: string): void {
  if (annotations === undefined) return;
  seccompMatch(errors, annotations[SECCOMP_POD], record(spec['securityContext']), `${path}.securityContext.seccompProfile`);
  for (const kind of ['initContainers', 'containers'] as const) {
    for (const [index, each] of list(spec[kind]).entries()) {
      const container = each as Json;
      const annotation = annotations[SECCOMP_CONTAINER + text(container['name'])];
      seccompMatch(errors, annotation, record(container['securityContext']), `${path}.${kind}[${index}].securityContext.seccompProfile`);
    }
  }
}

function seccompMatch(errors: FieldError[], annotation: string | undefined, context: Json | undefined, path: string): void {
  const profile = record(context?.['seccompProfile']);
  if (annotation === undefined || profile === undefined) return;
  const refuse = (): void => {
    errors.push(FieldError.forbidden(`${path}.type`, 'seccomp type in annotation and field must match'));
  };
  switch (profile['type']) {
    case 'Unconfined':
      if (annotation !== 'unconfined') refuse();
      return;
    case 'RuntimeDefault':
      if (annotation !== 'runtime/default' && annotation !== 'docker/default') refuse();
      return;
    case 'Localhost':
      if (!annotation.startsWith('localhost/')) refuse();
      else if (annotation.slice('localhost/'.length) !== profile['localhostProfile'])
        errors.push(FieldError.forbidden(`${path}.localhostProfile`, 'seccomp profile in annotation and field must match'));
  }
}

/** What an update of a pod may not do to them. */
export function validatePodAnnotationUpdates(errors: FieldError[], next: Annotations, current: Annotations, path: string): void {
  for (const key in current) {
    if (next?.[key] === current[key]) continue;
    if (key.startsWith(APPARMOR)) errors.push(FieldError.forbidden(`${path}[${key}]`, 'may not remove or update AppArmor annotations'));
    if (key === MIRROR) errors.push(FieldError.forbidden(`${path}[${key}]`, 'may not remove or update mirror pod annotation'));
  }
  for (const key in next) {
    if (current?.[key] !== undefined) continue;
    if (key.startsWith(APPARMOR)) errors.push(FieldError.forbidden(`${path}[${key}]`, 'may not add AppArmor annotations'));
    if (key === MIRROR) errors.push(FieldError.forbidden(`${path}[${key}]`, 'may not add mirror pod annotation'));
  }
}
