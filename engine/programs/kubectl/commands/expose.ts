// Models `kubectl expose`: a service made from what an object says of itself.

import type { Command } from '../command.ts';
import type { Context } from '../context.ts';
import { CliError, throwAll } from '../errors.ts';
import { pathOf, query, type Mapping } from '../factory/rest-mapper.ts';
import { isObject, type JsonObject } from '../printers/json.ts';
import { localMapping, objectsOf, type Info } from '../resource/infos.ts';
import { annotated, at, CHANGE_CAUSE, dryRunOf, filenamesOf, recordedCommand, ResultPrinter, shouldRecord } from './common.ts';
import { withLastApplied } from './create.ts';
import { newMetadata } from './create-generators.ts';
import { parseOverrides, parsePairs } from './overrides.ts';

export const expose: Command = { name: 'expose', run };

const EXPOSABLE = [
  '/ReplicationController',
  '/Service',
  '/Pod',
  'apps/Deployment',
  'apps/ReplicaSet',
  'extensions/Deployment',
  'extensions/ReplicaSet',
];
const MAX_NAME = 63;

export interface ServicePort {
  readonly name?: string;
  readonly protocol: string;
  readonly port: number;
  readonly targetPort: number | string;
}

async function run(context: Context): Promise<void> {
  const { flags } = context;
  const dryRun = await dryRunOf(context);
  const printer = new ResultPrinter(context, dryRun);
  const files = filenamesOf(context);
  const found = await selected(context, files);
  await context.flushWarnings();
  throwAll(found.errors);
  if (found.infos.length > 1 && flags.string('name') !== '') throw new CliError('multiple resources provided, but --name given');
  for (const info of found.infos) {
    const object = info.object ?? {};
    if (!EXPOSABLE.includes(`${info.mapping.group}/${info.mapping.kind}`)) {
      throw new CliError(`cannot expose a ${info.mapping.group === '' ? info.mapping.kind : `${info.mapping.kind}.${info.mapping.group}`}`);
    }
    let service = serviceFor(context, info, object);
    if (shouldRecord(context)) service = annotated(service, CHANGE_CAUSE, recordedCommand(context));
    const overrides = flags.string('overrides');
    if (overrides !== '') service = parseOverrides(overrides, service);
    if (dryRun === 'client') {
      await printer.print(service, 'exposed');
      continue;
    }
    if (flags.bool('save-config')) service = withLastApplied(service);
    const mapping: Mapping = localMapping('v1', 'Service');
    const answer = await context.rest.json<JsonObject>(
      'POST',
      pathOf(mapping, { namespace: info.namespace }) +
        query({ fieldManager: flags.string('field-manager'), dryRun: dryRun === 'server' ? 'All' : undefined }),
      { body: service, accept: 'application/json' },
    );
    await printer.print(answer, 'exposed');
  }
}

/** What the arguments name; a wrong line is told with a hint to the help. */
async function selected(context: Context, files: readonly string[]): ReturnType<typeof objectsOf> {
  try {
    return await objectsOf(context, {
      args: context.args,
      filenames: files,
      recursive: context.flags.bool('recursive'),
      selector: '',
      all: false,
      latest: true,
    });
  } catch (error) {
    if (error instanceof CliError) throw context.usage(error.message);
    throw error;
  }
}

function serviceFor(context: Context, info: Info, object: JsonObject): JsonObject {
  const { flags } = context;
  const selector = flags.string('selector') === '' ? introspectSelector(context, object) : parsePairs(flags.string('selector'));
  const clusterIp = flags.string('cluster-ip');
  const ports = servicePorts(context, object, clusterIp === 'None');
  const labels = flags.string('labels') === '' ? at(object, 'metadata', 'labels') : parsePairs(flags.string('labels'));
  const name = flags.string('name') || info.name.slice(0, MAX_NAME);
  const type = flags.string('type');
  const externalIp = flags.string('external-ip');
  const affinity = flags.string('session-affinity');
  if (affinity !== '' && affinity !== 'None' && affinity !== 'ClientIP') throw new CliError(`unknown session affinity: ${affinity}`);
  return {
    kind: 'Service',
    apiVersion: 'v1',
    metadata: newMetadata(name, isObject(labels) && Object.keys(labels).length > 0 ? { labels } : {}),
    spec: {
      ...(ports.length === 0 ? {} : { ports }),
      selector,
      ...(clusterIp === '' ? {} : { clusterIP: clusterIp }),
      ...(type === '' ? {} : { type }),
      ...(externalIp === '' ? {} : { externalIPs: [externalIp] }),
      ...(affinity === '' ? {} : { sessionAffinity: affinity }),
      ...(flags.string('load-balancer-ip') === '' ? {} : { loadBalancerIP: flags.string('load-balancer-ip') }),
    },
    status: { loadBalancer: {} },
  };
}

function introspectSelector(context: Context, object: JsonObject): JsonObject {
  const fail = (why: string): CliError => context.usage(`couldn't retrieve selectors via --selector flag or introspection: ${why}`);
  switch (object['kind']) {
    case 'Pod': {
      const labels = at(object, 'metadata', 'labels');
      if (!isObject(labels) || Object.keys(labels).length === 0) throw fail('the pod has no labels and cannot be exposed');
      return labels;
    }
    case 'Service': {
      const selector = at(object, 'spec', 'selector');
      if (!isObject(selector)) throw fail('the service has no pod selector set');
      return selector;
    }
    case 'ReplicationController':
      return (at(object, 'spec', 'selector') ?? {}) as JsonObject;
    default: {
      const expressions = at(object, 'spec', 'selector', 'matchExpressions');
      if (Array.isArray(expressions) && expressions.length > 0)
        throw fail(`couldn't convert expressions - "${JSON.stringify(expressions)}" to map-based selector format`);
      return (at(object, 'spec', 'selector', 'matchLabels') ?? {}) as JsonObject;
    }
  }
}

function servicePorts(context: Context, object: JsonObject, isHeadless: boolean): readonly ServicePort[] {
  const { flags } = context;
  const given = flags.string('port');
  const known = portsOf(object);
  const ports = given === '' ? known.map(({ port }) => String(port)) : given.split(',');
  if (ports.length === 0) {
    if (isHeadless) return [];
    throw context.usage("couldn't find port via --port flag or introspection");
  }
  const target = flags.string('target-port');
  return ports.map((text, index): ServicePort => {
    if (!/^\d+$/.test(text)) throw new CliError(`strconv.Atoi: parsing "${text}": invalid syntax`);
    const port = Number(text);
    const protocol = flags.string('protocol') || known.find((other) => other.port === port)?.protocol || 'TCP';
    return {
      ...(ports.length > 1 ? { name: `port-${index + 1}` } : {}),
      protocol,
      port,
      targetPort: target === '' ? port : /^\d+$/.test(target) ? Number(target) : target,
    };
  });
}

function portsOf(object: JsonObject): readonly { readonly port: number; readonly protocol: string }[] {
  if (object['kind'] === 'Service') {
    const ports = at(object, 'spec', 'ports');
    return (Array.isArray(ports) ? (ports as JsonObject[]) : []).map((port) => ({
      port: Number(port['port']),
      protocol: String(port['protocol'] ?? 'TCP'),
    }));
  }
  const spec = object['kind'] === 'Pod' ? at(object, 'spec') : at(object, 'spec', 'template', 'spec');
  const containers = at(spec, 'containers');
  return (Array.isArray(containers) ? (containers as JsonObject[]) : [])
    .flatMap((container) => (Array.isArray(container['ports']) ? (container['ports'] as JsonObject[]) : []))
    .map((port) => ({ port: Number(port['containerPort']), protocol: String(port['protocol'] ?? 'TCP') }));
}
