// Validation of a container's volume mounts and block devices.

import { FieldError } from '../../machinery/field-errors.ts';
import { list, record, text } from '../checks.ts';
import type { Json } from '../definition.ts';
import type { Volumes } from './pod-volume-validation.ts';
import { descendingPath, hasBacksteps } from './volume-source-validation.ts';

const PROPAGATIONS = ['Bidirectional', 'HostToContainer', 'None'];

export function validateVolumeMounts(errors: FieldError[], container: Json, volumes: Volumes, path: string): void {
  const mounts = list(container['volumeMounts']);
  if (mounts.length === 0) return;
  const devices = list(container['volumeDevices']) as readonly Json[];
  const targets = new Set<string>();
  for (const [index, each] of mounts.entries()) {
    const mount = each as Json;
    const at = `${path}[${index}]`;
    const name = text(mount['name']);
    const target = text(mount['mountPath']);
    if (name === '') errors.push(FieldError.required(`${at}.name`, ''));
    if (!volumes.has(name)) errors.push(FieldError.notFound(`${at}.name`, name));
    if (target === '') errors.push(FieldError.required(`${at}.mountPath`, ''));
    if (targets.has(target)) errors.push(FieldError.invalid(`${at}.mountPath`, target, 'must be unique'));
    targets.add(target);
    if (devices.some((device) => text(device['name']) === name))
      errors.push(FieldError.invalid(`${at}.name`, name, 'must not already exist in volumeDevices'));
    if (devices.some((device) => text(device['devicePath']) === target))
      errors.push(FieldError.invalid(`${at}.mountPath`, target, 'must not already exist as a path in volumeDevices'));
    const below = text(mount['subPath']);
    const expression = text(mount['subPathExpr']);
    // These paths go without the mount's index.
    if (below !== '') descendingPath(errors, `${path}.subPath`, below);
    if (expression !== '') {
      if (below !== '') errors.push(FieldError.invalid(`${at}.subPathExpr`, expression, 'subPathExpr and subPath are mutually exclusive'));
      descendingPath(errors, `${path}.subPathExpr`, expression);
    }
    propagation(errors, mount['mountPropagation'], container, `${path}.mountPropagation`);
  }
}

function propagation(errors: FieldError[], given: unknown, container: Json, path: string): void {
  if (typeof given !== 'string') return;
  if (!PROPAGATIONS.includes(given)) errors.push(FieldError.notSupported(path, given, PROPAGATIONS));
  if (given === 'Bidirectional' && record(container['securityContext'])?.['privileged'] !== true)
    errors.push(FieldError.forbidden(path, 'Bidirectional mount propagation is available only to privileged containers'));
}

export function validateVolumeDevices(errors: FieldError[], container: Json, volumes: Volumes, path: string): void {
  const devices = list(container['volumeDevices']);
  if (devices.length === 0) return;
  const mounts = list(container['volumeMounts']) as readonly Json[];
  const names = new Set<string>();
  const paths = new Set<string>();
  for (const [index, each] of devices.entries()) {
    const device = each as Json;
    const at = `${path}[${index}]`;
    const name = text(device['name']);
    const target = text(device['devicePath']);
    const volume = volumes.get(name);
    if (name === '') errors.push(FieldError.required(`${at}.name`, ''));
    if (names.has(name)) errors.push(FieldError.invalid(`${at}.name`, name, 'must be unique'));
    if (volume === undefined) errors.push(FieldError.notFound(`${at}.name`, name));
    else if (record(volume['persistentVolumeClaim']) === undefined)
      errors.push(FieldError.invalid(`${at}.name`, name, 'can only use volume source type of PersistentVolumeClaim for block mode'));
    if (target === '') errors.push(FieldError.required(`${at}.devicePath`, ''));
    if (paths.has(target)) errors.push(FieldError.invalid(`${at}.devicePath`, target, 'must be unique'));
    if (hasBacksteps(target)) errors.push(FieldError.invalid(`${at}.devicePath`, target, "can not contain backsteps ('..')"));
    else paths.add(target);
    if (mounts.some((mount) => text(mount['name']) === name))
      errors.push(FieldError.invalid(`${at}.name`, name, 'must not already exist in volumeMounts'));
    if (mounts.some((mount) => text(mount['mountPath']) === target))
      errors.push(FieldError.invalid(`${at}.devicePath`, target, 'must not already exist as a path in volumeMounts'));
    if (name !== '') names.add(name);
  }
}
