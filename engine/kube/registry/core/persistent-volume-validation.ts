// Models the validation of persistent volumes and the claims to them.

import { isDeepEqual, isRecord } from '../../machinery/deep.ts';
import { FieldError } from '../../machinery/field-errors.ts';
import { goDiff } from '../../machinery/go-diff.ts';
import { goQuantity, goQuote, goStruct, GoSyntax } from '../../machinery/go-syntax.ts';
import { dns1123Subdomain } from '../../machinery/names.ts';
import type { KubeObject } from '../../machinery/types.ts';
import { labelSelector } from '../checks.ts';
import type { Json, MetaErrors } from '../definition.ts';
import { immutable } from '../meta-validation.ts';
import { specOf } from '../object-access.ts';
import { findings, isSet, positiveQuantityAt, quantity, str, strings } from '../rules.ts';
import { nodeSelector } from './pod-affinity-validation.ts';
import { resourceQuantityErrors } from './resource-names.ts';
import * as sources from './volume-source-validation.ts';

const MODES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce'];
const RECLAIM_POLICIES = ['Delete', 'Recycle', 'Retain'];
const VOLUME_MODES = ['Block', 'Filesystem'];
const CLASS_ANNOTATION = 'volume.beta.kubernetes.io/storage-class';

/** In the order upstream looks at them: the first counts, others are one too many. What differs in paths is upstream's. */
const SOURCES: readonly (readonly [field: string, rule: sources.SourceRule, pathOfErrors?: string])[] = [
  ['hostPath', sources.hostPath],
  ['gcePersistentDisk', sources.gcePersistentDisk, 'persistentDisk'],
  ['awsElasticBlockStore', sources.awsElasticBlockStore],
  ['glusterfs', sources.glusterfs],
  ['flocker', sources.flocker],
  ['nfs', sources.nfs],
  ['rbd', sources.rbd],
  ['quobyte', sources.quobyte],
  ['cephfs', sources.cephfs],
  ['iscsi', sources.iscsi],
  ['cinder', sources.cinder],
  ['fc', sources.fc],
  ['flexVolume', sources.flexVolume],
  ['azureFile', sources.azureFile],
  ['vsphereVolume', sources.vsphereVolume],
  ['photonPersistentDisk', sources.photonPersistentDisk],
  ['portworxVolume', sources.portworxVolume],
  ['azureDisk', sources.azureDisk],
  ['scaleIO', sources.scaleIO],
  ['local', localPath],
  ['storageos', sources.storageos],
  ['csi', csiVolume],
];

function localPath(errors: FieldError[], source: Json, path: string): void {
  const target = str(source['path']);
  if (target === '') errors.push(FieldError.required(`${path}.path`, ''));
  else sources.noBacksteps(errors, `${path}.path`, target);
}

function csiVolume(errors: FieldError[], source: Json, path: string): void {
  sources.csiDriverName(errors, `${path}.driver`, str(source['driver']));
  if (str(source['volumeHandle']) === '') errors.push(FieldError.required(`${path}.volumeHandle`, ''));
}

function modeErrors(errors: FieldError[], modes: readonly string[]): void {
  for (const mode of modes) if (!MODES.includes(mode)) errors.push(FieldError.notSupported('spec.accessModes', mode, MODES));
}

export function validatePersistentVolume(volume: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  const spec = specOf(volume);
  const modes = strings(spec['accessModes']);
  if (modes.length === 0) errors.push(FieldError.required('spec.accessModes', ''));
  modeErrors(errors, modes);
  validateCapacity(errors, spec['capacity']);
  const policy = str(spec['persistentVolumeReclaimPolicy']);
  if (policy !== '' && !RECLAIM_POLICIES.includes(policy))
    errors.push(FieldError.notSupported('spec.persistentVolumeReclaimPolicy', policy, RECLAIM_POLICIES));
  const affinity = spec['nodeAffinity'];
  if (isRecord(affinity)) {
    const path = 'spec.nodeAffinity.required';
    if (isRecord(affinity['required'])) nodeSelector(errors, affinity['required'], path);
    else errors.push(FieldError.required(path, 'must specify required node constraints'));
  }
  validateSource(errors, spec, isRecord(affinity));
  const root = (spec['hostPath'] as Json | undefined)?.['path'];
  if (isSet(root) && /^\/(\.?\/)*\.?$/.test(str(root)) && policy === 'Recycle')
    errors.push(FieldError.forbidden('spec.persistentVolumeReclaimPolicy', "may not be 'recycle' for a hostPath mount of '/'"));
  const storageClass = str(spec['storageClassName']);
  if (storageClass !== '') findings(errors, 'spec.storageClassName', storageClass, dns1123Subdomain(storageClass));
  volumeModeErrors(errors, spec);
  return errors;
}

function volumeModeErrors(errors: FieldError[], spec: Json): void {
  const mode = spec['volumeMode'];
  if (isSet(mode) && !VOLUME_MODES.includes(str(mode))) errors.push(FieldError.notSupported('spec.volumeMode', mode, VOLUME_MODES));
}

function validateCapacity(errors: FieldError[], given: unknown): void {
  const path = 'spec.capacity';
  const capacity = isRecord(given) ? (given as Record<string, string>) : {};
  const names = Object.keys(capacity).sort();
  if (names.length === 0) errors.push(FieldError.required(path, ''));
  if (capacity['storage'] === undefined || names.length > 1) {
    const shown = names.map((name) => `${goQuote(name)}:${goQuantity(capacity[name]!).text}`).join(', ');
    const list = new GoSyntax(isRecord(given) ? `core.ResourceList{${shown}}` : 'core.ResourceList(nil)');
    errors.push(FieldError.notSupported(path, list, ['storage']));
  }
  for (const name of names) {
    const amount = quantity(capacity[name]);
    if (amount.value < 0) errors.push(FieldError.invalid(`${path}[${name}]`, amount.value, 'must be a valid resource quantity'));
    positiveQuantityAt(errors, `${path}[${name}]`, amount);
  }
}

function validateSource(errors: FieldError[], spec: Json, hasAffinity: boolean): void {
  let count = 0;
  for (const [field, rule, pathOfErrors = field] of SOURCES) {
    const source = spec[field];
    if (!isRecord(source)) continue;
    if (count > 0 && field !== 'flexVolume') {
      errors.push(FieldError.forbidden(`spec.${field === 'cephfs' ? 'cephFS' : field}`, 'may not specify more than 1 volume type'));
      continue;
    }
    count++;
    rule(errors, source, `spec.${pathOfErrors}`);
    if (field === 'local' && !hasAffinity) errors.push(FieldError.required('spec.nodeAffinity', 'Local volume requires node affinity'));
  }
  if (count === 0) errors.push(FieldError.required('spec', 'must specify a volume type'));
}

function sourceOf(spec: Json): Json {
  const source: Json = {};
  for (const [field] of SOURCES) if (spec[field] !== undefined) source[field] = spec[field];
  return source;
}

export function validatePersistentVolumeUpdate(next: KubeObject, current: KubeObject, meta: MetaErrors): FieldError[] {
  const own = [...meta.object, ...validatePersistentVolume(next)];
  // Upstream checks the whole volume twice.
  const errors = [...own, ...own];
  const [spec, old] = [specOf(next), specOf(current)];
  const [after, before] = [sourceOf(spec), sourceOf(old)];
  const [csi, oldCsi] = [after['csi'], before['csi']];
  if (isRecord(csi) && isRecord(oldCsi) && oldCsi['controllerExpandSecretRef'] === undefined) {
    const { controllerExpandSecretRef: _new, ...rest } = csi;
    after['csi'] = rest;
  }
  if (!isDeepEqual(after, before)) {
    const difference = goDiff('core.PersistentVolumeSource', after, before);
    errors.push(
      FieldError.forbidden('spec.persistentvolumesource', `spec.persistentvolumesource is immutable after creation\n${difference}`),
    );
  }
  errors.push(...immutable('volumeMode', spec['volumeMode'], old['volumeMode']));
  if (isSet(old['nodeAffinity'])) {
    const shown = isSet(spec['nodeAffinity']) ? goStruct('core/v1.VolumeNodeAffinity', spec['nodeAffinity']) : null;
    errors.push(...immutable('nodeAffinity', spec['nodeAffinity'], old['nodeAffinity'], shown));
  }
  return errors;
}

export function validateClaim(claim: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  const spec = specOf(claim);
  const modes = strings(spec['accessModes']);
  if (modes.length === 0) errors.push(FieldError.required('spec.accessModes', 'at least 1 access mode is required'));
  if (isSet(spec['selector'])) labelSelector(errors, 'spec.selector', spec['selector']);
  modeErrors(errors, modes);
  const path = 'spec.resources[storage]';
  const storage = requested(spec);
  if (storage === undefined) errors.push(FieldError.required(path, ''));
  else {
    const before = errors.length;
    positiveQuantityAt(errors, path, quantity(storage));
    if (errors.length === before) errors.push(...resourceQuantityErrors('storage', storage, path));
  }
  const storageClass = str(spec['storageClassName']);
  if (storageClass !== '') findings(errors, 'spec.storageClassName', storageClass, dns1123Subdomain(storageClass));
  volumeModeErrors(errors, spec);
  const source = spec['dataSource'];
  if (isRecord(source)) {
    for (const field of ['name', 'kind']) if (str(source[field]) === '') errors.push(FieldError.required(`spec.dataSource.${field}`, ''));
    if (str(source['apiGroup']) === '' && source['kind'] !== 'PersistentVolumeClaim')
      errors.push(FieldError.invalid('spec.dataSource', str(source['kind']), ''));
  }
  return errors;
}

function requested(spec: Json): string | undefined {
  const { requests } = (spec['resources'] ?? {}) as { requests?: Record<string, string> };
  return requests?.['storage'];
}

/** Sources of a kind that v1.20 knows of stay: other claims and snapshots. */
export function dropUnknownDataSource(claim: KubeObject): void {
  const spec = specOf(claim);
  const { dataSource: source } = spec;
  if (!isRecord(source)) return;
  const isClaim = source['kind'] === 'PersistentVolumeClaim' && str(source['apiGroup']) === '';
  const isSnapshot = source['kind'] === 'VolumeSnapshot' && source['apiGroup'] === 'snapshot.storage.k8s.io';
  if (!isClaim && !isSnapshot) delete spec['dataSource'];
}

export function validateClaimUpdate(next: KubeObject, current: KubeObject, meta: MetaErrors): FieldError[] {
  const own = [...meta.object, ...validateClaim(next)];
  const errors = [...own, ...meta.update, ...own];
  const [spec, old] = [specOf(next), specOf(current)];
  const [after, before]: [Json, Json] = [{ ...spec }, { ...old }];
  // A claim is bound once.
  if (str(before['volumeName']) === '') {
    if (after['volumeName'] === undefined) delete before['volumeName'];
    else before['volumeName'] = after['volumeName'];
  }
  const [newClass, oldClass] = [next, current].map((claim) => claim.metadata.annotations?.[CLASS_ANNOTATION]);
  // The class may move from the annotation of old into the field.
  const moves =
    oldClass !== undefined &&
    before['storageClassName'] === undefined &&
    after['storageClassName'] === oldClass &&
    (newClass === undefined || newClass === oldClass);
  if (moves) delete after['storageClassName'];
  else errors.push(...immutable(`metadata.annotations.${CLASS_ANNOTATION}`, newClass ?? '', oldClass ?? ''));
  const isBound = (next as unknown as { status?: { phase?: string } }).status?.phase === 'Bound';
  const [newSize, oldSize] = [requested(spec), requested(old)];
  const resources = after['resources'] as { requests?: Json } | undefined;
  if (isBound && resources?.requests !== undefined)
    after['resources'] = { ...resources, requests: { ...resources.requests, storage: oldSize } };
  if (!isDeepEqual(after, before)) {
    const difference = goDiff('core.PersistentVolumeClaimSpec', after, before);
    errors.push(FieldError.forbidden('spec', `spec is immutable after creation except resources.requests for bound claims\n${difference}`));
  }
  if (quantity(newSize).compare(quantity(oldSize)) < 0)
    errors.push(FieldError.forbidden('spec.resources.requests.storage', 'field can not be less than previous value'));
  errors.push(...immutable('volumeMode', spec['volumeMode'], old['volumeMode']));
  return errors;
}

export function claimStatusErrors(claim: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  const { capacity } = ((claim as unknown as Json)['status'] ?? {}) as { capacity?: Record<string, string> };
  for (const name in capacity) {
    const amount = quantity(capacity[name]).value;
    if (amount < 0) errors.push(FieldError.invalid(`status.capacity[${name}]`, amount, 'must be a valid resource quantity'));
  }
  return errors;
}
