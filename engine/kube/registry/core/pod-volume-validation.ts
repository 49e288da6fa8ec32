// Validation of a pod's volumes (ValidateVolumes).

import { FieldError } from '../../machinery/field-errors.ts';
import { dns1123Label } from '../../machinery/names.ts';
import { Quantity } from '../../machinery/quantity.ts';
import { list, number, problems, record, required, text } from '../checks.ts';
import type { Json } from '../definition.ts';
import { objectFieldSelector, resourceFieldSelector, VOLUME_FIELDS } from './pod-field-selector-validation.ts';
import * as sources from './volume-source-validation.ts';
import { fileMode, keyToPath, type SourceRule } from './volume-source-validation.ts';

/** Volumes without fault, by name. */
export type Volumes = ReadonlyMap<string, Json>;

export function validateVolumes(errors: FieldError[], given: unknown, path: string): Volumes {
  const known = new Map<string, Json>();
  for (const [index, each] of list(given).entries()) {
    const volume = each as Json;
    const at = `${path}[${index}]`;
    const name = text(volume['name']);
    const before = errors.length;
    validateSources(errors, volume, at);
    if (name === '') errors.push(FieldError.required(`${at}.name`, ''));
    else problems(errors, `${at}.name`, name, dns1123Label(name));
    if (known.has(name)) errors.push(FieldError.duplicate(`${at}.name`, name));
    // A volume with a fault does not count as there.
    if (errors.length === before) known.set(name, volume);
  }
  return known;
}

const MORE_THAN_ONE = 'may not specify more than 1 volume type';

/** `told` and `below` are the paths of the errors where they are not the member's name. */
interface Source {
  readonly member: string;
  readonly rule: SourceRule;
  readonly told?: string;
  readonly below?: string;
}

/** The names of the paths, misspelt ones too, are upstream's; so is the order. */
const SOURCES: readonly Source[] = [
  { member: 'emptyDir', rule: emptyDir },
  { member: 'hostPath', rule: sources.hostPath },
  { member: 'gitRepo', rule: sources.gitRepo },
  { member: 'gcePersistentDisk', rule: sources.gcePersistentDisk, below: 'persistentDisk' },
  { member: 'awsElasticBlockStore', rule: sources.awsElasticBlockStore },
  { member: 'secret', rule: sources.secret },
  { member: 'nfs', rule: sources.nfs },
  { member: 'iscsi', rule: sources.iscsi },
  { member: 'glusterfs', rule: sources.glusterfs },
  { member: 'flocker', rule: sources.flocker },
  { member: 'persistentVolumeClaim', rule: sources.persistentVolumeClaim },
  { member: 'rbd', rule: sources.rbd },
  { member: 'cinder', rule: sources.cinder },
  { member: 'cephfs', rule: sources.cephfs, told: 'cephFS' },
  { member: 'quobyte', rule: sources.quobyte },
  { member: 'downwardAPI', rule: downwardApi, told: 'downwarAPI' },
  { member: 'fc', rule: sources.fc },
  { member: 'flexVolume', rule: sources.flexVolume },
  { member: 'configMap', rule: sources.configMap },
  { member: 'azureFile', rule: sources.azureFile },
  { member: 'vsphereVolume', rule: sources.vsphereVolume },
  { member: 'photonPersistentDisk', rule: sources.photonPersistentDisk },
  { member: 'portworxVolume', rule: sources.portworxVolume },
  { member: 'azureDisk', rule: sources.azureDisk },
  { member: 'storageos', rule: sources.storageos },
  { member: 'projected', rule: projected },
  { member: 'scaleIO', rule: sources.scaleIO },
  { member: 'csi', rule: sources.csi },
];

const MAX_ISCSI_NAME = 64;

function validateSources(errors: FieldError[], volume: Json, path: string): void {
  let isFound = false;
  for (const { member, rule, told, below } of SOURCES) {
    const source = record(volume[member]);
    if (source === undefined) continue;
    if (isFound) errors.push(FieldError.forbidden(`${path}.${told ?? member}`, MORE_THAN_ONE));
    else rule(errors, source, `${path}.${below ?? member}`);
    isFound = true;
    if (member !== 'iscsi' || source['initiatorName'] === undefined) continue;
    const name = text(volume['name']);
    if (`${name}:${text(source['targetPortal'])}`.length > MAX_ISCSI_NAME) {
      const why = `Total length of <volume name>:<iscsi.targetPortal> must be under ${MAX_ISCSI_NAME} characters if iscsi.initiatorName is specified.`;
      errors.push(FieldError.invalid(`${path}.name`, name, why));
    }
  }
  if (!isFound) errors.push(FieldError.required(path, 'must specify a volume type'));
}

function emptyDir(errors: FieldError[], source: Json, path: string): void {
  const limit = source['sizeLimit'];
  if (typeof limit === 'string' && Quantity.parse(limit).nanos < 0n)
    errors.push(FieldError.forbidden(`${path}.sizeLimit`, 'SizeLimit field must be a valid resource quantity'));
}

function downwardApi(errors: FieldError[], source: Json, path: string): void {
  fileMode(errors, `${path}.defaultMode`, source['defaultMode']);
  for (const file of list(source['items'])) downwardApiFile(errors, file as Json, path);
}

function downwardApiFile(errors: FieldError[], file: Json, path: string): void {
  required(errors, `${path}.path`, file['path']);
  sources.nonReservedPath(errors, `${path}.path`, text(file['path']));
  const field = record(file['fieldRef']);
  const resource = record(file['resourceFieldRef']);
  if (field !== undefined) {
    objectFieldSelector(errors, field, VOLUME_FIELDS, `${path}.fieldRef`);
    if (resource !== undefined)
      errors.push(FieldError.invalid(path, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously'));
  } else if (resource !== undefined) resourceFieldSelector(errors, resource, `${path}.resourceFieldRef`, { isVolume: true });
  else errors.push(FieldError.required(path, 'one of fieldRef and resourceFieldRef is required'));
  fileMode(errors, `${path}.mode`, file['mode']);
}

const MIN_TOKEN_SECONDS = 600;
const MAX_TOKEN_SECONDS = 2 ** 32;

function projected(errors: FieldError[], source: Json, path: string): void {
  fileMode(errors, `${path}.defaultMode`, source['defaultMode']);
  const taken = new Set<string>();
  const take = (target: string, shown: string): void => {
    if (target === '') return;
    if (taken.has(target)) errors.push(FieldError.invalid(path, shown, 'conflicting duplicate paths'));
    taken.add(target);
  };
  for (const [index, each] of list(source['sources']).entries()) {
    const part = each as Json;
    const at = `${path}.sources[${index}]`;
    let count = 0;
    for (const member of ['secret', 'configMap'] as const) {
      const given = record(part[member]);
      if (given === undefined) continue;
      count++;
      required(errors, `${at}.${member}.name`, given['name']);
      for (const [number, item] of list(given['items']).entries()) {
        keyToPath(errors, item as Json, `${at}.${member}.items[${number}]`);
        take(text((item as Json)['path']), text(given['name']));
      }
    }
    const downward = record(part['downwardAPI']);
    if (downward !== undefined) {
      count++;
      for (const file of list(downward['items'])) {
        downwardApiFile(errors, file as Json, `${at}.downwardAPI`);
        const target = text((file as Json)['path']);
        take(target, target);
      }
    }
    const token = record(part['serviceAccountToken']);
    if (token !== undefined) {
      count++;
      const seconds = number(token['expirationSeconds']);
      const where = `${at}.serviceAccountToken.expirationSeconds`;
      if (seconds < MIN_TOKEN_SECONDS) errors.push(FieldError.invalid(where, seconds, 'may not specify a duration less than 10 minutes'));
      if (seconds > MAX_TOKEN_SECONDS)
        errors.push(FieldError.invalid(where, seconds, 'may not specify a duration larger than 2^32 seconds'));
      required(errors, `${path}.path`, token['path']);
    }
    if (count > 1) errors.push(FieldError.forbidden(at, MORE_THAN_ONE));
  }
}
