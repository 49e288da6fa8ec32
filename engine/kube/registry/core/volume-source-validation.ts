// Validation of the sources of volumes, each as its own rule. Volumes of pods and persistent volumes share most of them.

import { FieldError } from '../../machinery/field-errors.ts';
import { dns1123Label, dns1123Subdomain } from '../../machinery/names.ts';
import { list, number, problems, record, required, text } from '../checks.ts';
import type { Json } from '../definition.ts';

export type SourceRule = (errors: FieldError[], source: Json, path: string) => void;

const BAD_MODE = 'must be a number between 0 and 0777 (octal), both inclusive';
const MAX_MODE = 0o777;

export function fileMode(errors: FieldError[], path: string, value: unknown): void {
  if (typeof value === 'number' && (value > MAX_MODE || value < 0)) errors.push(FieldError.invalid(path, value, BAD_MODE));
}

function range(errors: FieldError[], path: string, value: number, [least, most]: readonly [number, number], shown = least): void {
  if (value < least || value > most) errors.push(FieldError.invalid(path, value, `must be between ${shown} and ${most}, inclusive`));
}

export function noBacksteps(errors: FieldError[], path: string, target: string): void {
  if (hasBacksteps(target)) errors.push(FieldError.invalid(path, target, "must not contain '..'"));
}

export function hasBacksteps(target: string): boolean {
  return target.includes('..') && target.split('/').includes('..');
}

/** A path below something: relative, without `..`. */
export function descendingPath(errors: FieldError[], path: string, target: string): void {
  if (target.startsWith('/')) errors.push(FieldError.invalid(path, target, 'must be a relative path'));
  noBacksteps(errors, path, target);
}

export function nonReservedPath(errors: FieldError[], path: string, target: string): void {
  descendingPath(errors, path, target);
  if (target.startsWith('..') && !target.startsWith('../')) errors.push(FieldError.invalid(path, target, "must not start with '..'"));
}

const HOST_PATH_TYPES = ['', 'BlockDevice', 'CharDevice', 'Directory', 'DirectoryOrCreate', 'File', 'FileOrCreate', 'Socket'];

export const hostPath: SourceRule = (errors, source, path) => {
  const target = text(source['path']);
  if (target === '') {
    errors.push(FieldError.required(`${path}.path`, ''));
    return;
  }
  noBacksteps(errors, `${path}.path`, target);
  const type = source['type'];
  if (typeof type === 'string' && !HOST_PATH_TYPES.includes(type))
    errors.push(FieldError.notSupported(`${path}.type`, type, HOST_PATH_TYPES));
};

export const gitRepo: SourceRule = (errors, source, path) => {
  required(errors, `${path}.repository`, source['repository']);
  descendingPath(errors, `${path}.directory`, text(source['directory']));
};

/** `partition` of both is checked against 0 and told as 1. */
export const gcePersistentDisk: SourceRule = (errors, source, path) => {
  required(errors, `${path}.pdName`, source['pdName']);
  range(errors, `${path}.partition`, number(source['partition']), [0, 255], 1);
};

export const awsElasticBlockStore: SourceRule = (errors, source, path) => {
  required(errors, `${path}.volumeID`, source['volumeID']);
  range(errors, `${path}.partition`, number(source['partition']), [0, 255], 1);
};

export function keyToPath(errors: FieldError[], item: Json, path: string): void {
  required(errors, `${path}.key`, item['key']);
  required(errors, `${path}.path`, item['path']);
  nonReservedPath(errors, `${path}.path`, text(item['path']));
  fileMode(errors, `${path}.mode`, item['mode']);
}

function keysToPaths(errors: FieldError[], source: Json, path: string): void {
  fileMode(errors, `${path}.defaultMode`, source['defaultMode']);
  for (const [index, item] of list(source['items']).entries()) keyToPath(errors, item as Json, `${path}.items[${index}]`);
}

export const secret: SourceRule = (errors, source, path) => {
  required(errors, `${path}.secretName`, source['secretName']);
  keysToPaths(errors, source, path);
};

export const configMap: SourceRule = (errors, source, path) => {
  required(errors, `${path}.name`, source['name']);
  keysToPaths(errors, source, path);
};

export const nfs: SourceRule = (errors, source, path) => {
  required(errors, `${path}.server`, source['server']);
  required(errors, `${path}.path`, source['path']);
  if (!text(source['path']).startsWith('/'))
    errors.push(FieldError.invalid(`${path}.path`, text(source['path']), 'must be an absolute path'));
};

const INITIATORS: readonly (readonly [string, RegExp])[] = [
  ['iqn', /iqn\.\d{4}-\d{2}\.([A-Za-z0-9-.]+)(:[^,;*&$|\s]+)$/],
  ['eui', /^eui.[A-Za-z0-9]{16}$/],
  ['naa', /^naa.[A-Za-z0-9]{32}$/],
];

function initiator(errors: FieldError[], path: string, value: string): void {
  const known = INITIATORS.find(([prefix]) => value.startsWith(prefix));
  if (known === undefined) errors.push(FieldError.invalid(path, value, 'must be valid format starting with iqn, eui, or naa'));
  else if (!known[1].test(value)) errors.push(FieldError.invalid(path, value, 'must be valid format'));
}

export const iscsi: SourceRule = (errors, source, path) => {
  required(errors, `${path}.targetPortal`, source['targetPortal']);
  const name = text(source['iqn']);
  if (name === '') errors.push(FieldError.required(`${path}.iqn`, ''));
  else initiator(errors, `${path}.iqn`, name);
  range(errors, `${path}.lun`, number(source['lun']), [0, 255]);
  if ((source['chapAuthDiscovery'] === true || source['chapAuthSession'] === true) && source['secretRef'] === undefined)
    errors.push(FieldError.required(`${path}.secretRef`, ''));
  if (typeof source['initiatorName'] === 'string') initiator(errors, `${path}.initiatorname`, source['initiatorName']);
};

export const glusterfs: SourceRule = (errors, source, path) => {
  required(errors, `${path}.endpoints`, source['endpoints']);
  required(errors, `${path}.path`, source['path']);
};

export const flocker: SourceRule = (errors, source, path) => {
  const name = text(source['datasetName']);
  const uuid = text(source['datasetUUID']);
  if (name === '' && uuid === '') errors.push(FieldError.required(path, 'one of datasetName and datasetUUID is required'));
  if (name !== '' && uuid !== '')
    errors.push(FieldError.invalid(path, 'resource', 'datasetName and datasetUUID can not be specified simultaneously'));
  if (name.includes('/')) errors.push(FieldError.invalid(`${path}.datasetName`, name, "must not contain '/'"));
};

export const persistentVolumeClaim: SourceRule = (errors, source, path) => required(errors, `${path}.claimName`, source['claimName']);

export const rbd: SourceRule = (errors, source, path) => {
  if (list(source['monitors']).length === 0) errors.push(FieldError.required(`${path}.monitors`, ''));
  required(errors, `${path}.image`, source['image']);
};

export const cinder: SourceRule = (errors, source, path) => {
  required(errors, `${path}.volumeID`, source['volumeID']);
  const reference = record(source['secretRef']);
  if (reference !== undefined) required(errors, `${path}.secretRef.name`, reference['name']);
};

export const cephfs: SourceRule = (errors, source, path) => {
  if (list(source['monitors']).length === 0) errors.push(FieldError.required(`${path}.monitors`, ''));
};

const MAX_TENANT = 64;
const PAIRS = 'must be a host:port pair or multiple pairs separated by commas';

export const quobyte: SourceRule = (errors, source, path) => {
  const registry = text(source['registry']);
  if (registry === '') errors.push(FieldError.required(`${path}.registry`, PAIRS));
  else if (text(source['tenant']).length > MAX_TENANT)
    errors.push(FieldError.required(`${path}.tenant`, 'must be a UUID and may not exceed a length of 64 characters'));
  else {
    for (const pair of registry.split(',')) {
      if (!/^(\[[^\]]*\]|[^:[\]]*):[^:[\]]*$/.test(pair)) errors.push(FieldError.invalid(`${path}.registry`, registry, PAIRS));
    }
  }
  required(errors, `${path}.volume`, source['volume']);
};

export const fc: SourceRule = (errors, source, path) => {
  const names = list(source['targetWWNs']);
  const ids = list(source['wwids']);
  if (names.length === 0 && ids.length === 0)
    errors.push(FieldError.required(`${path}.targetWWNs`, 'must specify either targetWWNs or wwids, but not both'));
  if (names.length > 0 && ids.length > 0)
    errors.push(FieldError.invalid(`${path}.targetWWNs`, names, 'targetWWNs and wwids can not be specified simultaneously'));
  if (names.length === 0) return;
  const { lun } = source;
  if (typeof lun !== 'number') errors.push(FieldError.required(`${path}.lun`, 'lun is required if targetWWNs is specified'));
  else range(errors, `${path}.lun`, lun, [0, 255]);
};

export const flexVolume: SourceRule = (errors, source, path) => {
  required(errors, `${path}.driver`, source['driver']);
  for (const key of Object.keys(record(source['options']) ?? {})) {
    const space = `.${key.split('/')[0]!.toLowerCase()}`;
    if (space.endsWith('.kubernetes.io') || space.endsWith('.k8s.io'))
      errors.push(FieldError.invalid(`${path}.options[${key}]`, key, 'kubernetes.io and k8s.io namespaces are reserved'));
  }
};

export const azureFile: SourceRule = (errors, source, path) => {
  required(errors, `${path}.secretName`, source['secretName']);
  required(errors, `${path}.shareName`, source['shareName']);
};

const CACHING_MODES = ['None', 'ReadOnly', 'ReadWrite'];
const DISK_KINDS = ['Dedicated', 'Managed', 'Shared'];
const MANAGED_URI = '/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}';
const BLOB_URI = 'https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd';

export const azureDisk: SourceRule = (errors, source, path) => {
  required(errors, `${path}.diskName`, source['diskName']);
  required(errors, `${path}.diskURI`, source['diskURI']);
  const { cachingMode, kind } = source;
  const uri = text(source['diskURI']);
  if (typeof cachingMode === 'string' && !CACHING_MODES.includes(cachingMode))
    errors.push(FieldError.notSupported(`${path}.cachingMode`, cachingMode, CACHING_MODES));
  if (typeof kind !== 'string') return;
  if (!DISK_KINDS.includes(kind)) errors.push(FieldError.notSupported(`${path}.kind`, kind, DISK_KINDS));
  if (kind === 'Managed' && !uri.startsWith('/subscriptions/')) errors.push(FieldError.notSupported(`${path}.diskURI`, uri, [MANAGED_URI]));
  if (kind !== 'Managed' && !uri.startsWith('https://')) errors.push(FieldError.notSupported(`${path}.diskURI`, uri, [BLOB_URI]));
};

export const vsphereVolume: SourceRule = (errors, source, path) => required(errors, `${path}.volumePath`, source['volumePath']);
export const photonPersistentDisk: SourceRule = (errors, source, path) => required(errors, `${path}.pdID`, source['pdID']);
export const portworxVolume: SourceRule = (errors, source, path) => required(errors, `${path}.volumeID`, source['volumeID']);

export const scaleIO: SourceRule = (errors, source, path) => {
  required(errors, `${path}.gateway`, source['gateway']);
  required(errors, `${path}.system`, source['system']);
  required(errors, `${path}.volumeName`, source['volumeName']);
};

export const storageos: SourceRule = (errors, source, path) => {
  const name = text(source['volumeName']);
  const namespace = text(source['volumeNamespace']);
  if (name === '') errors.push(FieldError.required(`${path}.volumeName`, ''));
  else problems(errors, `${path}.volumeName`, name, dns1123Label(name));
  if (namespace !== '') problems(errors, `${path}.volumeNamespace`, namespace, dns1123Label(namespace));
  const reference = record(source['secretRef']);
  if (reference !== undefined) required(errors, `${path}.secretRef.name`, reference['name']);
};

const MAX_DRIVER = 63;

export function csiDriverName(errors: FieldError[], path: string, name: string): void {
  if (name === '') errors.push(FieldError.required(path, ''));
  if (name.length > MAX_DRIVER) errors.push(FieldError.tooLong(path, MAX_DRIVER));
  problems(errors, path, name, dns1123Subdomain(name.toLowerCase()));
}

export const csi: SourceRule = (errors, source, path) => {
  csiDriverName(errors, `${path}.driver`, text(source['driver']));
  const reference = record(source['nodePublishSecretRef']);
  if (reference === undefined) return;
  const name = text(reference['name']);
  // The blank in the path is upstream's.
  if (name === '') errors.push(FieldError.required(`${path}.nodePublishSecretRef .name`, ''));
  else problems(errors, `${path}.name`, name, dns1123Subdomain(name));
};
