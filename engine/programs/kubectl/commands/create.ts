// Models `kubectl create`: from files, and the generators of single kinds.

import type { Command } from '../command.ts';
import type { Context } from '../context.ts';
import { CliError, ExitError, throwAll, withSource } from '../errors.ts';
import { pathOf, query, type Mapping } from '../factory/rest-mapper.ts';
import { isObject, marshal, sortKeys, type JsonObject } from '../printers/json.ts';
import { sourcesOf } from '../resource/files.ts';
import { infosFromFiles, localMapping } from '../resource/infos.ts';
import {
  annotated,
  at,
  CHANGE_CAUSE,
  dryRunOf,
  filenamesOf,
  LAST_APPLIED,
  recordedCommand,
  ResultPrinter,
  shouldRecord,
  validation,
} from './common.ts';
import { configMap, genericSecret, registrySecret, tlsSecret } from './create-config.ts';
import { editTogether } from './editing.ts';
import { forEach } from './patching.ts';
import * as generators from './create-generators.ts';
import { clusterRole, role } from './create-rbac.ts';
import { jobFromCronJob } from './create-job.ts';
import { rawRequest } from './get.ts';

type Generator = (context: Context, name: string) => JsonObject | Promise<JsonObject>;

const CLUSTER_KINDS = ['Namespace', 'ClusterRole', 'ClusterRoleBinding', 'PriorityClass'];
const PLURALS: Readonly<Record<string, string>> = { Ingress: 'ingresses', PriorityClass: 'priorityclasses' };

/** `failure` stands before the message when the server refuses. */
function generated(
  name: string,
  generator: Generator,
  options: { readonly aliases?: readonly string[]; readonly failure?: string } = {},
): Command {
  return {
    name,
    ...(options.aliases === undefined ? {} : { aliases: options.aliases }),
    run: async (context) => {
      const before = context.flags.argsBeforeDash;
      const count = before < 0 ? context.args.length : before;
      if (count !== 1) throw context.usage(`exactly one NAME is required, got ${count}`);
      const [only = ''] = context.args;
      const dryRun = await dryRunOf(context);
      const printer = new ResultPrinter(context, dryRun);
      await submit(context, await generator(context, only), { dryRun, printer, failure: options.failure });
    },
  };
}

export interface Submission {
  readonly dryRun: 'none' | 'client' | 'server';
  readonly printer: ResultPrinter;
  readonly failure: string | undefined;
}

/** Creates an object that kubectl made, or only prints it. */
export async function submit(context: Context, made: JsonObject, { dryRun, printer, failure }: Submission): Promise<JsonObject> {
  const kind = String(made['kind']);
  const isCluster = CLUSTER_KINDS.includes(kind);
  const namespace = context.namespace();
  await context.flushWarnings();
  let object = made;
  if (!isCluster && kind !== 'Service' && namespace.isExplicit) object = inNamespace(object, namespace.name);
  if (context.flags.bool('save-config')) object = withLastApplied(object);
  if (dryRun === 'client') {
    await printer.print(object, 'created', { typed: true });
    return object;
  }
  const mapping: Mapping = { ...localMapping(String(made['apiVersion']), kind), isNamespaced: !isCluster };
  const plural = PLURALS[kind];
  try {
    const answer = await context.rest.json<JsonObject>(
      'POST',
      pathOf(plural === undefined ? mapping : { ...mapping, resource: plural }, { namespace: namespace.name }) +
        query({ fieldManager: context.flags.string('field-manager'), dryRun: dryRun === 'server' ? 'All' : undefined }),
      { body: object },
    );
    await printer.print(answer, 'created', { typed: true });
    return answer;
  } catch (error) {
    if (failure === undefined || !(error instanceof Error) || error.name === 'ProcessExit') throw error;
    throw new CliError(`failed to create ${failure}: ${error.message}`);
  }
}

function inNamespace(object: JsonObject, namespace: string): JsonObject {
  const metadata = isObject(object['metadata']) ? object['metadata'] : {};
  const { name, ...rest } = metadata;
  return { ...object, metadata: { name, namespace, ...rest } };
}

/** The object with itself in the annotation of apply. */
export function withLastApplied(object: JsonObject): JsonObject {
  const bare = annotated(object, LAST_APPLIED, undefined);
  const isEmpty = Object.keys((at(bare, 'metadata', 'annotations') ?? {}) as object).length === 0;
  const plain = isEmpty ? { ...bare, metadata: { ...(bare['metadata'] as JsonObject), annotations: undefined } } : bare;
  const typed = JSON.parse(JSON.stringify(plain)) as JsonObject;
  return annotated(object, LAST_APPLIED, `${marshal(typed)}\n`);
}

const deployment: Generator = (context, name) => {
  const images = context.flags.list('image');
  const command = context.args.slice(1);
  if (images.length > 1 && command.length > 0) throw new CliError('cannot specify multiple --image options and command');
  return generators.deployment(name, { images, replicas: context.flags.int('replicas'), port: context.flags.int('port'), command });
};

const serviceOf =
  (type: string): Generator =>
  ({ flags }, name) => {
    const tcp = flags.list('tcp');
    const clusterIp = flags.has('clusterip') ? flags.string('clusterip') : '';
    if (type !== 'ExternalName' && clusterIp !== 'None' && tcp.length === 0)
      throw new CliError('at least one tcp port specifier must be provided');
    return generators.service(name, type, {
      tcp,
      clusterIp,
      ...(type === 'ExternalName' ? { externalName: flags.string('external-name') } : {}),
      ...(flags.has('node-port') ? { nodePort: flags.int('node-port') } : {}),
    });
  };

const job: Generator = async (context, name) => {
  const { flags } = context;
  const from = flags.string('from');
  const image = flags.string('image');
  if (image === '' && from === '') throw new CliError('either --image or --from must be specified');
  if (image !== '' && from !== '') throw new CliError('either --image or --from must be specified');
  if (from !== '' && context.args.length > 1) throw new CliError('cannot specify --from and command');
  return from === '' ? generators.job(name, image, context.args.slice(1)) : jobFromCronJob(context, name, from);
};

const bindingOf =
  (kind: 'RoleBinding' | 'ClusterRoleBinding'): Generator =>
  ({ flags }, name) => {
    const clusterRoleName = flags.string('clusterrole');
    const roleName = kind === 'RoleBinding' ? flags.string('role') : '';
    if (kind === 'RoleBinding' && (clusterRoleName === '') === (roleName === ''))
      throw new CliError('exactly one of clusterrole or role must be specified');
    return generators.roleBinding(
      name,
      kind,
      clusterRoleName === '' ? { kind: 'Role', name: roleName } : { kind: 'ClusterRole', name: clusterRoleName },
      {
        users: flags.list('user'),
        groups: flags.list('group'),
        serviceAccounts: flags.list('serviceaccount'),
      },
    );
  };

export const create: Command = {
  name: 'create',
  run: createFromFiles,
  subcommands: [
    generated('namespace', (_, name) => generators.namespace(name), { aliases: ['ns'] }),
    generated('quota', ({ flags }, name) => generators.quota(name, flags.string('hard'), flags.string('scopes')), {
      aliases: ['resourcequota'],
      failure: 'quota',
    }),
    {
      name: 'secret',
      group: { stream: 'err', status: 1 },
      subcommands: [generated('docker-registry', registrySecret), generated('generic', genericSecret), generated('tls', tlsSecret)],
    },
    generated('configmap', configMap, { aliases: ['cm'] }),
    generated('serviceaccount', (_, name) => generators.serviceAccount(name), { aliases: ['sa'] }),
    {
      name: 'service',
      aliases: ['svc'],
      group: { stream: 'err', status: 1 },
      subcommands: [
        generated('clusterip', serviceOf('ClusterIP'), { failure: 'ClusterIP service' }),
        generated('externalname', serviceOf('ExternalName'), { failure: 'ExternalName service' }),
        generated('loadbalancer', serviceOf('LoadBalancer'), { failure: 'LoadBalancer service' }),
        generated('nodeport', serviceOf('NodePort'), { failure: 'NodePort service' }),
      ],
    },
    generated('deployment', deployment, { aliases: ['deploy'], failure: 'deployment' }),
    generated('clusterrole', clusterRole),
    generated('clusterrolebinding', bindingOf('ClusterRoleBinding'), { failure: 'clusterrolebinding' }),
    generated('role', role),
    generated('rolebinding', bindingOf('RoleBinding'), { failure: 'rolebinding' }),
    generated(
      'poddisruptionbudget',
      ({ flags }, name) =>
        generators.disruptionBudget(name, {
          minAvailable: flags.string('min-available'),
          maxUnavailable: flags.string('max-unavailable'),
          selector: flags.string('selector'),
        }),
      { aliases: ['pdb'] },
    ),
    generated(
      'priorityclass',
      ({ flags }, name) =>
        generators.priorityClass(name, {
          value: flags.int('value'),
          isDefault: flags.bool('global-default'),
          description: flags.string('description'),
          preemption: flags.string('preemption-policy'),
        }),
      // The wrong word is kubectl's own.
      { aliases: ['pc'], failure: 'clusterrolebinding' },
    ),
    generated('job', job, { failure: 'job' }),
    generated(
      'cronjob',
      ({ flags, args }, name) =>
        generators.cronJob(name, {
          image: flags.string('image'),
          schedule: flags.string('schedule'),
          restart: flags.string('restart') || 'OnFailure',
          command: args.slice(1),
        }),
      { aliases: ['cj'], failure: 'cronjob' },
    ),
    generated('ingress', generators.ingress, { aliases: ['ing'], failure: 'ingress' }),
  ],
};

async function createFromFiles(context: Context): Promise<void> {
  const { flags } = context;
  const files = filenamesOf(context);
  const raw = flags.string('raw');
  if (files.length === 0) {
    await context.err('Error: must specify one of -f and -k\n\n');
    if (context.args.length > 0) throw context.usage(`unknown command "${context.args.join(' ')}"`);
    await context.err(context.help());
    throw new ExitError(1);
  }
  if (raw !== '') {
    if (flags.bool('edit')) throw context.usage('--raw and --edit are mutually exclusive');
    if (files.length !== 1) throw new CliError('--raw can only use a single local file or stdin');
    const body = await (sourcesOf(context, files, false)[0]?.read() ?? Promise.resolve(''));
    await context.out(await rawRequest(context, 'POST', raw, body));
    return;
  }
  const dryRun = await dryRunOf(context);
  const printer = new ResultPrinter(context, dryRun);
  const namespace = context.namespace();
  await context.flushWarnings();
  const validate = flags.bool('edit') ? undefined : validation(context);
  const found = await infosFromFiles(context, {
    filenames: files,
    recursive: flags.bool('recursive'),
    namespace: namespace.name,
    enforceNamespace: namespace.isExplicit,
    ...(validate === undefined ? {} : { validate }),
  });
  const errors: Error[] = [...found.errors];
  if (flags.bool('edit')) {
    // Each object is a session of its own.
    await forEach(found.infos, errors, (info) => editTogether(context, [info], 'create'));
    return;
  }
  let count = 0;
  for (const info of found.infos) {
    try {
      let object = info.object ?? {};
      if (flags.bool('save-config')) object = annotated(object, LAST_APPLIED, `${marshal(sortKeys(withoutLastApplied(object)))}\n`);
      if (shouldRecord(context)) object = annotated(object, CHANGE_CAUSE, recordedCommand(context));
      if (dryRun !== 'client') {
        object = await context.rest.json<JsonObject>(
          'POST',
          pathOf(info.mapping, { namespace: info.namespace }) +
            query({ fieldManager: flags.string('field-manager'), dryRun: dryRun === 'server' ? 'All' : undefined }),
          { body: sortKeys(object), accept: 'application/json' },
        );
      }
      count++;
      await printer.print(object, 'created');
    } catch (error) {
      if (!(error instanceof Error) || error.name === 'ProcessExit') throw error;
      errors.push(withSource('creating', info.source, error));
    }
  }
  throwAll(errors);
  if (count === 0) throw new CliError('no objects passed to create');
}

export function withoutLastApplied(object: JsonObject): JsonObject {
  const annotations = at(object, 'metadata', 'annotations');
  return isObject(annotations) && LAST_APPLIED in annotations ? annotated(object, LAST_APPLIED, undefined) : object;
}
