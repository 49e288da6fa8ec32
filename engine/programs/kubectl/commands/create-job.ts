// Models `kubectl create job --from=cronjob/NAME`.

import type { Context } from '../context.ts';
import { CliError } from '../errors.ts';
import type { JsonObject } from '../printers/json.ts';
import { objectsOf } from '../resource/infos.ts';
import { throwAll } from '../errors.ts';
import { at } from './common.ts';
import { newMetadata } from './create-generators.ts';

export async function jobFromCronJob(context: Context, name: string, from: string): Promise<JsonObject> {
  const { infos, errors } = await objectsOf(context, {
    args: [from],
    filenames: [],
    recursive: false,
    selector: '',
    all: false,
    latest: true,
  });
  throwAll(errors);
  const [info] = infos;
  if (infos.length !== 1 || info?.object === undefined) throw new CliError('from must be an existing cronjob');
  const cronJob = info.object;
  if (cronJob['kind'] !== 'CronJob') throw new CliError(`unknown object type *${String(cronJob['kind'])}`);
  const template = at(cronJob, 'spec', 'jobTemplate');
  const annotations = { 'cronjob.kubernetes.io/instantiate': 'manual', ...((at(template, 'metadata', 'annotations') ?? {}) as JsonObject) };
  const labels = at(template, 'metadata', 'labels');
  return {
    kind: 'Job',
    apiVersion: 'batch/v1',
    metadata: newMetadata(name, {
      ...(labels === undefined ? {} : { labels }),
      annotations,
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'CronJob', name: info.name, uid: at(cronJob, 'metadata', 'uid') }],
    }),
    spec: at(template, 'spec'),
    status: {},
  };
}
