// Models `kubectl apply --prune`: what was applied once and is in the files no more is deleted.

import type { Context } from '../context.ts';
import { groupKind, type Mapping } from '../factory/rest-mapper.ts';
import { infoFor, itemsOf, listPages, type Info } from '../resource/infos.ts';
import { annotationOf, LAST_APPLIED, type DryRun } from './common.ts';
import { cascadeOf, deleteObject } from './delete.ts';

/** The kinds kubectl prunes unless --prune-whitelist says otherwise. */
const KINDS: readonly (readonly [string, string])[] = [
  ['v1', 'ConfigMap'],
  ['v1', 'Endpoints'],
  ['v1', 'Namespace'],
  ['v1', 'PersistentVolumeClaim'],
  ['v1', 'PersistentVolume'],
  ['v1', 'Pod'],
  ['v1', 'ReplicationController'],
  ['v1', 'Secret'],
  ['v1', 'Service'],
  ['batch/v1', 'Job'],
  ['batch/v1beta1', 'CronJob'],
  ['extensions/v1beta1', 'Ingress'],
  ['apps/v1', 'DaemonSet'],
  ['apps/v1', 'Deployment'],
  ['apps/v1', 'ReplicaSet'],
  ['apps/v1', 'StatefulSet'],
];

export async function prune(
  context: Context,
  applied: readonly Info[],
  options: { readonly dryRun: DryRun; readonly selector: string },
): Promise<void> {
  const mappings = await pruned(context);
  const namespaces = [...new Set(applied.map(({ namespace }) => namespace).filter((name) => name !== ''))].sort();
  const kept = new Set(applied.map((info) => `${info.mapping.group}/${info.mapping.kind}/${info.namespace}/${info.name}`));
  for (const namespace of namespaces)
    for (const mapping of mappings.filter(({ isNamespaced }) => isNamespaced)) await pruneList(context, mapping, namespace, kept, options);
  for (const mapping of mappings.filter(({ isNamespaced }) => !isNamespaced)) await pruneList(context, mapping, undefined, kept, options);
}

async function pruned(context: Context): Promise<readonly Mapping[]> {
  const whitelist = context.flags.list('prune-whitelist').map((text): readonly [string, string] => {
    const [group = '', version = '', kind = ''] = text.split('/');
    return [group === 'core' || group === '' ? version : `${group}/${version}`, kind];
  });
  const out: Mapping[] = [];
  for (const [apiVersion, kind] of whitelist.length > 0 ? whitelist : KINDS) {
    const mapping = await context.mapper.kind(apiVersion, kind);
    if (mapping !== undefined) out.push(mapping);
  }
  return out;
}

async function pruneList(
  context: Context,
  mapping: Mapping,
  namespace: string | undefined,
  kept: ReadonlySet<string>,
  options: { readonly dryRun: DryRun; readonly selector: string },
): Promise<void> {
  for await (const page of listPages(
    context,
    mapping,
    { namespace, selector: options.selector, fieldSelector: '', chunkSize: 0 },
    'application/json',
  )) {
    for (const object of itemsOf(page, mapping)) {
      const info = infoFor(mapping, object);
      if (annotationOf(object, LAST_APPLIED) === undefined || kept.has(`${mapping.group}/${mapping.kind}/${info.namespace}/${info.name}`))
        continue;
      if (options.dryRun !== 'client') {
        await deleteObject(context, info, {
          graceSeconds: context.flags.int('grace-period'),
          cascade: await cascadeOf(context),
          dryRun: options.dryRun,
        });
      }
      const suffix = options.dryRun === 'client' ? ' (dry run)' : options.dryRun === 'server' ? ' (server dry run)' : '';
      await context.out(`${groupKind(mapping)}/${info.name} pruned${suffix}\n`);
    }
  }
}
