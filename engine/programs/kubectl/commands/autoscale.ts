// Models `kubectl autoscale`.

import type { Command } from '../command.ts';
import type { Context } from '../context.ts';
import { CliError } from '../errors.ts';
import { apiVersionOf, pathOf, query } from '../factory/rest-mapper.ts';
import type { JsonObject } from '../printers/json.ts';
import { localMapping } from '../resource/infos.ts';
import { annotated, CHANGE_CAUSE, dryRunOf, recordedCommand, ResultPrinter, shouldRecord } from './common.ts';
import { withLastApplied } from './create.ts';
import { newMetadata } from './create-generators.ts';
import { forEach, selectObjects } from './patching.ts';

export const autoscale: Command = { name: 'autoscale', run };

async function run(context: Context): Promise<void> {
  const { flags } = context;
  const max = flags.int('max');
  const min = flags.int('min');
  const cpu = flags.int('cpu-percent');
  const dryRun = await dryRunOf(context);
  const printer = new ResultPrinter(context, dryRun);
  if (max < 1) throw new CliError(`--max=MAXPODS is required and must be at least 1, max: ${max}`);
  if (max < min) throw new CliError(`--max=MAXPODS must be larger or equal to --min=MINPODS, max: ${max}, min: ${min}`);
  const { infos, errors } = await selectObjects(context, { args: context.args, all: false });
  await forEach(infos, errors, async (info) => {
    const { group, version, resource, kind } = info.mapping;
    if (!(await context.discovery.hasSubresource(info.mapping, 'scale')))
      throw new CliError(
        `cannot autoscale a ${kind}: could not find scale subresource for ${group}/${version}, Resource=${resource} in discovery information`,
      );
    let scaler: JsonObject = {
      kind: 'HorizontalPodAutoscaler',
      apiVersion: 'autoscaling/v1',
      metadata: newMetadata(flags.string('name') || info.name),
      spec: {
        scaleTargetRef: { kind: info.mapping.kind, name: info.name, apiVersion: apiVersionOf(info.mapping) },
        ...(min > 0 ? { minReplicas: min } : {}),
        maxReplicas: max,
        ...(cpu >= 0 ? { targetCPUUtilizationPercentage: cpu } : {}),
      },
      status: { currentReplicas: 0, desiredReplicas: 0 },
    };
    if (shouldRecord(context)) scaler = annotated(scaler, CHANGE_CAUSE, recordedCommand(context));
    if (dryRun === 'client') {
      await printer.print(scaler, 'autoscaled', { typed: true });
      return;
    }
    if (flags.bool('save-config')) scaler = withLastApplied(scaler);
    const target =
      pathOf(localMapping('autoscaling/v1', 'HorizontalPodAutoscaler'), { namespace: info.namespace }) +
      query({ fieldManager: flags.string('field-manager'), dryRun: dryRun === 'server' ? 'All' : undefined });
    await printer.print(await context.rest.json<JsonObject>('POST', target, { body: scaler }), 'autoscaled', { typed: true });
  });
  if (infos.length === 0 && errors.length === 0) throw new CliError('no objects passed to autoscale');
}
