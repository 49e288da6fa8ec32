// Validation of pods: when they are created, when they or their status change (ValidatePodCreate, ValidatePodUpdate, ...).

import { deepCopy, isDeepEqual } from '../../machinery/deep.ts';
import { FieldError } from '../../machinery/field-errors.ts';
import { goDiff } from '../../machinery/go-diff.ts';
import { dns1123Subdomain, ipAddress, isIpv4, qualifiedName } from '../../machinery/names.ts';
import type { Pod } from '../../machinery/types.ts';
import { list, problems, record, text } from '../checks.ts';
import type { Json, MetaErrors } from '../definition.ts';
import { validateTolerations } from './pod-affinity-validation.ts';
import { validatePodAnnotationUpdates, validatePodAnnotations, validateSeccompAnnotations } from './pod-annotation-validation.ts';
import { validateImages } from './pod-container-validation.ts';
import { validatePodSpec } from './pod-spec-validation.ts';

const specOf = (pod: Pod): Json => pod.spec as unknown as Json;

export function validatePodCreate(pod: Pod): readonly FieldError[] {
  const errors: FieldError[] = [];
  metadataAndSpec(errors, pod);
  validateSeccompAnnotations(errors, pod.metadata.annotations, specOf(pod), 'spec');
  return errors;
}

function metadataAndSpec(errors: FieldError[], pod: Pod): void {
  const spec = specOf(pod);
  validatePodAnnotations(errors, pod.metadata.annotations, spec, 'metadata.annotations');
  validatePodSpec(errors, spec, 'spec');
  if (text(spec['serviceAccountName']) === '') {
    for (const [index, volume] of list(spec['volumes']).entries()) {
      for (const [at, source] of list(record((volume as Json)['projected'])?.['sources']).entries()) {
        if ((source as Json)['serviceAccountToken'] === undefined) continue;
        const path = `spec.volumes[${index}].projected.sources[${at}].serviceAccountToken`;
        errors.push(FieldError.forbidden(path, 'must not be specified when serviceAccountName is not set'));
      }
    }
  }
  validateImages(errors, spec['containers'], 'spec.containers');
  validateImages(errors, spec['initContainers'], 'spec.initContainers');
}

const MAX_INT32 = 2 ** 31 - 1;

export function validatePodUpdate(next: Pod, current: Pod, meta: MetaErrors): readonly FieldError[] {
  const errors: FieldError[] = [...meta.update, ...meta.object];
  metadataAndSpec(errors, next);
  const { annotations } = next.metadata;
  validatePodAnnotationUpdates(errors, annotations, current.metadata.annotations, 'metadata.annotations');
  validatePodAnnotations(errors, annotations, specOf(next), 'metadata.annotations');
  updateOfSpec(errors, specOf(next), specOf(current));
  return errors;
}

const ONLY_IMAGES =
  'pod updates may not change fields other than `spec.containers[*].image`, `spec.initContainers[*].image`, `spec.activeDeadlineSeconds` or `spec.tolerations` (only additions to existing tolerations)';

/** Images, a deadline that comes nearer and tolerations that come on top may change; the rest may not. */
function updateOfSpec(errors: FieldError[], next: Json, current: Json): void {
  for (const kind of ['containers', 'initContainers'] as const) {
    if (list(next[kind]).length !== list(current[kind]).length) {
      errors.push(FieldError.forbidden(`spec.${kind}`, 'pod updates may not add or remove containers'));
      return;
    }
    for (const [index, container] of list(next[kind]).entries())
      if (text((container as Json)['image']) === '') errors.push(FieldError.required(`spec.${kind}[${index}].image`, ''));
    validateImages(errors, next[kind], `spec.${kind}`);
  }
  const [deadline, before] = [next['activeDeadlineSeconds'], current['activeDeadlineSeconds']];
  const path = 'spec.activeDeadlineSeconds';
  if (typeof deadline === 'number') {
    if (deadline < 0 || deadline > MAX_INT32) {
      errors.push(FieldError.invalid(path, deadline, `must be between 0 and ${MAX_INT32}, inclusive`));
      return;
    }
    if (typeof before === 'number' && before < deadline) {
      errors.push(FieldError.invalid(path, deadline, 'must be less than or equal to previous value'));
      return;
    }
  } else if (before !== undefined) errors.push(FieldError.invalid(path, null, 'must not update from a positive integer to nil value'));
  addedTolerations(errors, next['tolerations'], current['tolerations']);
  if (isDeepEqual(next, current)) return;
  const munged: Json = deepCopy(next);
  for (const kind of ['containers', 'initContainers'] as const) {
    const theirs = list(current[kind]) as readonly Json[];
    for (const [index, container] of list(munged[kind]).entries()) (container as Json)['image'] = theirs[index]!['image'];
  }
  for (const field of ['activeDeadlineSeconds', 'tolerations'] as const) {
    if (current[field] === undefined) delete munged[field];
    else munged[field] = current[field];
  }
  if (isDeepEqual(munged, current)) return;
  errors.push(FieldError.forbidden('spec', `${ONLY_IMAGES}\n${goDiff('core.PodSpec', munged, current)}`));
}

function addedTolerations(errors: FieldError[], next: unknown, current: unknown): void {
  const bare = (toleration: unknown): Json => ({ ...(toleration as Json), tolerationSeconds: undefined });
  const ours = list(next).map(bare);
  if (!list(current).every((old) => ours.some((toleration) => isDeepEqual(toleration, bare(old))))) {
    errors.push(FieldError.forbidden('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds'));
    return;
  }
  validateTolerations(errors, next, 'spec.tolerations');
}

const SYSTEM_CONDITIONS = new Set(['PodScheduled', 'Ready', 'Initialized']);

export function validatePodStatusUpdate(next: Pod, current: Pod, meta: MetaErrors): readonly FieldError[] {
  const errors: FieldError[] = [...meta.update];
  const { annotations } = next.metadata;
  validatePodAnnotationUpdates(errors, annotations, current.metadata.annotations, 'metadata.annotations');
  validatePodAnnotations(errors, annotations, specOf(next), 'metadata.annotations');
  const status = record(next.status) ?? {};
  const old = record(current.status) ?? {};
  for (const [index, condition] of list(status['conditions']).entries()) {
    const type = text((condition as Json)['type']);
    // The path is upstream's.
    if (!SYSTEM_CONDITIONS.has(type)) problems(errors, `metadata.conditions[${index}].Type`, type, qualifiedName(type));
  }
  const nominated = text(status['nominatedNodeName']);
  if (nominated !== text(old['nominatedNodeName']) && nominated !== '')
    problems(errors, 'status.nominatedNodeName', nominated, dns1123Subdomain(nominated));
  for (const kind of ['containerStatuses', 'initContainerStatuses'] as const)
    containersStayDown(errors, status[kind], old[kind], { policy: current.spec?.restartPolicy ?? '', path: `status.${kind}` });
  const faults = podIpErrors(status);
  if (faults.length > 0 && podIpErrors(old).length === 0) errors.push(...faults);
  return errors;
}

/** What a pod's policy does not restart stays terminated. */
function containersStayDown(
  errors: FieldError[],
  next: unknown,
  current: unknown,
  { policy, path }: { readonly policy: string; readonly path: string },
): void {
  if (policy === 'Always') return;
  for (const [index, each] of list(current).entries()) {
    const old = each as Json;
    const terminated = record(record(old['state'])?.['terminated']);
    if (terminated === undefined || ((terminated['exitCode'] ?? 0) !== 0 && policy === 'OnFailure')) continue;
    for (const status of list(next) as readonly Json[]) {
      if (status['name'] === old['name'] && record(record(status['state'])?.['terminated']) === undefined)
        errors.push(FieldError.forbidden(`${path}[${index}].state`, 'may not be transitioned to non-terminated state'));
    }
  }
}

function podIpErrors(status: Json): readonly FieldError[] {
  const errors: FieldError[] = [];
  const ips = list(status['podIPs']).map((each) => text((each as Json)['ip']));
  for (const [index, ip] of ips.entries()) problems(errors, `status.podIPs[${index}]`, ip, ipAddress(ip));
  if (ips.length < 2) return errors;
  const isDual = ips.some(isIpv4) && ips.some((ip) => !isIpv4(ip));
  if (!isDual || ips.length > 2) {
    const why = 'may specify no more than one IP for each IP family';
    errors.push(FieldError.invalidOf('status.podIPs', '[]core.PodIP', status['podIPs'], why));
  }
  for (const [index, ip] of ips.entries())
    if (ips.indexOf(ip) < index) errors.push(FieldError.duplicateOf(`status.podIPs[${index}]`, 'core.PodIP', { ip }));
  return errors;
}
