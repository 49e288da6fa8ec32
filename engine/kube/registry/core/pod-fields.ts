// What storing a pod or a template does to fields of features that are off in 1.20, and how seccomp profiles are told twice.

import type { Pod } from '../../machinery/types.ts';
import { list, record, text } from '../checks.ts';
import type { Json } from '../definition.ts';
import { SECCOMP_CONTAINER, SECCOMP_POD } from './pod-annotation-validation.ts';

/** DropDisabledPodFields: alpha features go, unless the object already used them. */
export function dropDisabledFields(spec: Json | undefined, old: Json | undefined): void {
  if (spec === undefined) return;
  if (list(old?.['ephemeralContainers']).length === 0) delete spec['ephemeralContainers'];
  for (const volume of list(spec['volumes'])) {
    const source = volume as Json;
    if (source['ephemeral'] !== undefined && !usesCsi(old)) delete source['ephemeral'];
  }
  const containers = [...list(spec['initContainers']), ...list(spec['containers'])] as readonly Json[];
  if (!containers.some((container) => record(container['securityContext'])?.['procMount'] !== undefined) || unmasksProc(old)) return;
  for (const container of containers) {
    const context = record(container['securityContext']);
    if (context?.['procMount'] !== undefined) context['procMount'] = 'Default';
  }
}

/** The same for a kind's template. */
export function dropDisabledTemplateFields(template: Json | undefined, old: Json | undefined): void {
  dropDisabledFields(record(template?.['spec']), record(old?.['spec']));
}

function usesCsi(spec: Json | undefined): boolean {
  return list(spec?.['volumes']).some((volume) => (volume as Json)['csi'] !== undefined);
}

function unmasksProc(spec: Json | undefined): boolean {
  return [...list(spec?.['initContainers']), ...list(spec?.['containers'])].some((container) => {
    const type = record((container as Json)['securityContext'])?.['procMount'];
    return type !== undefined && type !== 'Default';
  });
}

/** A new pod's seccomp profiles stand in annotations and in fields, whichever of them the client gave. */
export function syncSeccomp(pod: Pod): void {
  const spec = pod.spec as unknown as Json;
  const metadata = pod.metadata as { annotations?: Record<string, string> };
  const sync = (key: string, holder: Json): void => {
    const annotation = metadata.annotations?.[key];
    const profile = record(record(holder['securityContext'])?.['seccompProfile']);
    if (profile !== undefined && annotation === undefined) {
      const name = profileName(profile);
      if (name !== '') metadata.annotations = { ...metadata.annotations, [key]: name };
    } else if (profile === undefined && annotation !== undefined) {
      const seccompProfile = profileOf(annotation);
      if (seccompProfile !== undefined) holder['securityContext'] = { ...record(holder['securityContext']), seccompProfile };
    }
  };
  sync(SECCOMP_POD, spec);
  for (const container of [...list(spec['initContainers']), ...list(spec['containers'])] as readonly Json[])
    sync(SECCOMP_CONTAINER + text(container['name']), container);
}

function profileName(profile: Json): string {
  switch (profile['type']) {
    case 'Unconfined':
      return 'unconfined';
    case 'RuntimeDefault':
      return 'runtime/default';
    case 'Localhost':
      return typeof profile['localhostProfile'] === 'string' ? `localhost/${profile['localhostProfile']}` : '';
    default:
      return '';
  }
}

function profileOf(annotation: string): Json | undefined {
  if (annotation === 'unconfined') return { type: 'Unconfined' };
  if (annotation === 'runtime/default' || annotation === 'docker/default') return { type: 'RuntimeDefault' };
  if (annotation.startsWith('localhost/') && annotation !== 'localhost/')
    return { type: 'Localhost', localhostProfile: annotation.slice('localhost/'.length) };
  return undefined;
}
