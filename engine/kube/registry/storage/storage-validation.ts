// Models the validation of storage classes, attachments, and what CSI drivers register.

import { isDeepEqual, isRecord } from '../../machinery/deep.ts';
import { FieldError } from '../../machinery/field-errors.ts';
import { goStrings, goStruct } from '../../machinery/go-syntax.ts';
import { dns1123Subdomain, qualifiedName } from '../../machinery/names.ts';
import type { KubeObject } from '../../machinery/types.ts';
import { csiDriverName } from '../core/volume-source-validation.ts';
import type { Json, MetaErrors, ServedVersion } from '../definition.ts';
import { byteLength, immutable } from '../meta-validation.ts';
import { records, specOf } from '../object-access.ts';
import { findings, int, isSet, nonNegativeAt, str, strings } from '../rules.ts';

const RECLAIM_POLICIES = ['Delete', 'Retain'];
const BINDING_MODES = ['Immediate', 'WaitForFirstConsumer'];
const MAX_PARAMETERS = 512;
const MAX_MAP_BYTES = 256 * 1024;
const MAX_ERROR_BYTES = 1024;
const MAX_NODE_ID_BYTES = 128;

export function validateStorageClass(object: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  const json = object as unknown as Json;
  const provisioner = str(json['provisioner']);
  if (provisioner === '') errors.push(FieldError.required('provisioner', ''));
  else findings(errors, 'provisioner', provisioner, qualifiedName(provisioner.toLowerCase()));
  errors.push(...parameterErrors(json['parameters']));
  const policy = str(json['reclaimPolicy']);
  if (policy !== '' && !RECLAIM_POLICIES.includes(policy)) errors.push(FieldError.notSupported('reclaimPolicy', policy, RECLAIM_POLICIES));
  const mode = json['volumeBindingMode'];
  if (!isSet(mode)) errors.push(FieldError.required('volumeBindingMode', ''));
  else if (!BINDING_MODES.includes(str(mode))) errors.push(FieldError.notSupported('volumeBindingMode', mode, BINDING_MODES));
  const seen: string[] = [];
  for (const [index, term] of records(json['allowedTopologies']).entries()) {
    const path = `allowedTopologies[${index}].matchLabelExpressions`;
    const shape = topologyTerm(errors, term, path);
    if (seen.includes(shape)) errors.push(FieldError.duplicate(path, ''));
    seen.push(shape);
  }
  return errors;
}

function parameterErrors(parameters: unknown): FieldError[] {
  const errors: FieldError[] = [];
  if (!isRecord(parameters)) return errors;
  const entries = Object.entries(parameters);
  if (entries.length > MAX_PARAMETERS) return [FieldError.tooLong('parameters', MAX_PARAMETERS)];
  for (const [key] of entries) if (key === '') errors.push(FieldError.invalid('parameters', key, 'field can not be empty.'));
  if (mapBytes(parameters) > MAX_MAP_BYTES) errors.push(FieldError.tooLong('parameters', MAX_MAP_BYTES));
  return errors;
}

function mapBytes(map: Json): number {
  return Object.entries(map).reduce((sum, [key, value]) => sum + byteLength(key) + byteLength(str(value)), 0);
}

/** Checks a term; what comes back is the same for terms that mean the same. */
function topologyTerm(errors: FieldError[], term: Json, path: string): string {
  const shape = new Map<string, string>();
  for (const [index, requirement] of records(term['matchLabelExpressions']).entries()) {
    const at = `${path}[${index}]`;
    const key = str(requirement['key']);
    const values = strings(requirement['values']);
    if (values.length === 0) errors.push(FieldError.required(`${at}.values`, ''));
    for (const [position, value] of values.entries())
      if (values.indexOf(value) < position) errors.push(FieldError.duplicate(`${at}.values[${position}]`, value));
    findings(errors, `${at}.key`, key, qualifiedName(key));
    if (shape.has(key)) errors.push(FieldError.duplicate(`${at}.key`, key));
    shape.set(key, [...new Set(values)].sort().join('\0'));
  }
  return JSON.stringify([...shape].sort(([a], [b]) => (a < b ? -1 : 1)));
}

export function validateStorageClassUpdate(next: KubeObject, current: KubeObject, meta: MetaErrors): FieldError[] {
  const errors = [...meta.object, ...validateStorageClass(next), ...meta.update];
  const [after, before] = [next as unknown as Json, current as unknown as Json];
  for (const field of ['parameters', 'provisioner', 'reclaimPolicy'])
    if (!isDeepEqual(after[field], before[field])) errors.push(FieldError.forbidden(field, `updates to ${field} are forbidden.`));
  errors.push(...immutable('volumeBindingMode', after['volumeBindingMode'], before['volumeBindingMode']));
  return errors;
}

export function validateVolumeAttachment(object: KubeObject, served: ServedVersion): FieldError[] {
  const errors = attachmentErrors(object);
  if (served.version === 'v1') errors.push(...strictAttachmentErrors(specOf(object)));
  return errors;
}

function attachmentErrors(object: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  const spec = specOf(object);
  if (str(spec['attacher']) === '') errors.push(FieldError.required('spec.attacher', ''));
  const { inlineVolumeSpec: inline, persistentVolumeName: name } = (spec['source'] ?? {}) as Json;
  const one = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName';
  if (!isSet(inline) && !isSet(name)) errors.push(FieldError.required('spec.source', one));
  else if (isSet(inline) && isSet(name)) errors.push(FieldError.forbidden('spec.source', one));
  else if (isSet(name) && str(name) === '')
    errors.push(FieldError.required('spec.source.persistentVolumeName', 'must specify non empty persistentVolumeName'));
  const node = str(spec['nodeName']);
  findings(errors, 'spec.nodeName', node, dns1123Subdomain(node));
  const status = ((object as unknown as Json)['status'] ?? {}) as Json;
  const metadata = status['attachmentMetadata'];
  if (isRecord(metadata) && mapBytes(metadata) > MAX_MAP_BYTES) errors.push(FieldError.tooLong('status.attachmentMetadata', MAX_MAP_BYTES));
  for (const field of ['attachError', 'detachError']) {
    const message = str((status[field] as Json | undefined)?.['message']);
    // Upstream names the limit of metadata here.
    if (byteLength(message) > MAX_ERROR_BYTES) errors.push(FieldError.tooLong(`status.${field}.message`, MAX_MAP_BYTES));
  }
  return errors;
}

function strictAttachmentErrors(spec: Json): FieldError[] {
  const errors: FieldError[] = [];
  csiDriverName(errors, 'spec.attacher', str(spec['attacher']));
  const name = (spec['source'] as Json | undefined)?.['persistentVolumeName'];
  if (isSet(name)) findings(errors, 'spec.source.persistentVolumeName', name, dns1123Subdomain(str(name)));
  return errors;
}

export function validateVolumeAttachmentUpdate(next: KubeObject, current: KubeObject, meta: MetaErrors): FieldError[] {
  const errors = [...meta.object, ...attachmentErrors(next)];
  const [after, before] = [specOf(next), specOf(current)];
  if (!isDeepEqual(after, before))
    errors.push(FieldError.invalid('spec', goStruct('storage/v1.VolumeAttachmentSpec', after), 'field is immutable'));
  return errors;
}

export function validateCsiNode(object: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  for (const [index, driver] of records(specOf(object)['drivers']).entries()) {
    const path = `spec.drivers[${index}]`;
    const [name, id] = [str(driver['name']), str(driver['nodeID'])];
    csiDriverName(errors, `${path}.name`, name);
    if (id === '') errors.push(FieldError.required(`${path}.nodeID`, ''));
    if (byteLength(id) > MAX_NODE_ID_BYTES)
      errors.push(FieldError.invalid(`${path}.nodeID`, id, `must be ${MAX_NODE_ID_BYTES} characters or less`));
    const count = (driver['allocatable'] as Json | undefined)?.['count'];
    if (isSet(count)) nonNegativeAt(errors, `${path}.allocatable.count`, int(count));
    if (names.has(name)) errors.push(FieldError.duplicate(`${path}.name`, name));
    names.add(name);
    const keys = strings(driver['topologyKeys']);
    for (const [at, key] of keys.entries()) {
      if (key === '') errors.push(FieldError.required(path, ''));
      if (keys.indexOf(key) < at) errors.push(FieldError.duplicate(path, key));
      findings(errors, path, goStrings(keys), qualifiedName(key));
    }
  }
  return errors;
}

export function validateCsiNodeUpdate(next: KubeObject, current: KubeObject, meta: MetaErrors): FieldError[] {
  const errors = [...meta.object, ...validateCsiNode(next)];
  for (const before of records(specOf(current)['drivers'])) {
    for (const after of records(specOf(next)['drivers'])) {
      if (before['name'] === after['name'] && !isDeepEqual(before, after))
        errors.push(FieldError.invalid('CSINodeDriver', goStruct('storage/v1.CSINodeDriver', after), 'field is immutable'));
    }
  }
  return errors;
}

const LIFECYCLES = ['Persistent', 'Ephemeral'];
const GROUP_POLICIES = ['ReadWriteOnceWithFSType', 'File', 'None'];

/** What v1.20 fills in; capacity, tokens and republishing are behind gates it keeps closed. */
export function defaultCsiDriver(object: KubeObject): void {
  const spec = specOf(object);
  spec['attachRequired'] ??= true;
  spec['podInfoOnMount'] ??= false;
  spec['fsGroupPolicy'] ??= 'ReadWriteOnceWithFSType';
  if (strings(spec['volumeLifecycleModes']).length === 0) spec['volumeLifecycleModes'] = ['Persistent'];
}

export function dropGatedCsiFields(object: KubeObject): void {
  const spec = specOf(object);
  for (const field of ['storageCapacity', 'tokenRequests', 'requiresRepublish']) delete spec[field];
}

export function validateCsiDriver(object: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  csiDriverName(errors, 'name', object.metadata.name);
  const spec = specOf(object);
  if (!isSet(spec['attachRequired'])) errors.push(FieldError.required('spec.attachedRequired', ''));
  if (!isSet(spec['podInfoOnMount'])) errors.push(FieldError.required('spec.podInfoOnMount', ''));
  const policy = spec['fsGroupPolicy'];
  if (isSet(policy) && !GROUP_POLICIES.includes(str(policy)))
    errors.push(FieldError.notSupported('spec.fsGroupPolicy', policy, [...GROUP_POLICIES].sort()));
  for (const mode of strings(spec['volumeLifecycleModes']))
    if (!LIFECYCLES.includes(mode)) errors.push(FieldError.notSupported('spec.volumeLifecycleModes', mode, LIFECYCLES));
  return errors;
}

export function validateCsiDriverUpdate(next: KubeObject, current: KubeObject, meta: MetaErrors): FieldError[] {
  const errors = [...validateCsiDriver(next), ...meta.update];
  const [after, before] = [specOf(next), specOf(current)];
  for (const [field, path] of [
    ['attachRequired', 'attachedRequired'],
    ['fsGroupPolicy', 'fsGroupPolicy'],
    ['podInfoOnMount', 'podInfoOnMount'],
  ] as const)
    errors.push(...immutable(`spec.${path}`, after[field], before[field]));
  const modes = goStrings(strings(after['volumeLifecycleModes']), 'storage.VolumeLifecycleMode');
  errors.push(...immutable('spec.volumeLifecycleModes', after['volumeLifecycleModes'], before['volumeLifecycleModes'], modes));
  return errors;
}
