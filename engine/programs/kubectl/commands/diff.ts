// Models `kubectl diff`: what apply would change, tried by the server without writing and shown by diff(1).

import { isConflict, isNotFound } from '../../../kube/machinery/api-error.ts';
import { isSysError } from '../../../sim/errno.ts';
import type { Command } from '../command.ts';
import type { Context } from '../context.ts';
import { CliError, describeError, ExitError, throwAll } from '../errors.ts';
import { pathOf, query } from '../factory/rest-mapper.ts';
import { marshal, sortKeys, type JsonObject } from '../printers/json.ts';
import { toYaml } from '../printers/yaml.ts';
import { getObject, infosFromFiles, type Info } from '../resource/infos.ts';
import { isKnownKind } from '../resource/strategic-merge.ts';
import { patchFor } from './apply.ts';
import { filenamesOf, withConfiguration } from './common.ts';
import { lookUp } from './editor.ts';

/** How often an object that changes in between is read and tried again. */
const MAX_TRIES = 4;

export const diff: Command = { name: 'diff', run: runTelling };

/** Status 1 says that there are differences; errors end one higher than those of other commands. */
async function runTelling(context: Context): Promise<void> {
  try {
    await run(context);
  } catch (error) {
    if (!(error instanceof Error) || error instanceof ExitError || error.name === 'ProcessExit') throw error;
    const { text, status } = describeError(error);
    throw new ExitError(status + 1, text);
  }
}

async function run(context: Context): Promise<void> {
  const { sys } = context.process;
  const files = filenamesOf(context, { required: true });
  if (context.args.length > 0) throw context.usage(`Unexpected args: [${context.args.join(' ')}]`);
  if (context.flags.bool('force-conflicts') && !context.flags.bool('server-side'))
    throw new CliError('--force-conflicts only works with --server-side');
  const namespace = context.namespace();
  const { infos, errors } = await infosFromFiles(context, {
    filenames: files,
    recursive: context.flags.bool('recursive'),
    namespace: namespace.name,
    enforceNamespace: namespace.isExplicit,
  });
  const folders = [temporaryFolder(context, 'LIVE'), temporaryFolder(context, 'MERGED')] as const;
  const written: string[] = [];
  const write = (folder: string, info: Info, object: JsonObject | undefined): void => {
    if (object === undefined) return;
    const path = `${folder}/${fileName(info)}`;
    sys.writeFile(path, toYaml(sortKeys(object)), { mode: 0o600 });
    written.push(path);
  };
  try {
    for (const info of infos) {
      const { live, merged } = await compared(context, info);
      write(folders[0], info, live);
      write(folders[1], info, merged);
    }
    throwAll(errors);
    await runDiff(context, folders);
  } finally {
    for (const path of written) sys.unlink(path);
    for (const folder of folders) sys.rmdir(folder);
  }
}

/** The object as it is and as it would be. */
async function compared(context: Context, info: Info): Promise<{ readonly live: JsonObject | undefined; readonly merged: JsonObject }> {
  const manager = context.flags.string('field-manager');
  for (let tries = 1; ; tries++) {
    const live = await liveOf(context, info);
    try {
      return { live, merged: await mergedOf(context, info, live, manager) };
    } catch (error) {
      if (isConflict(error) && tries < MAX_TRIES && !context.flags.bool('server-side')) continue;
      throw error;
    }
  }
}

async function liveOf(context: Context, info: Info): Promise<JsonObject | undefined> {
  try {
    return await getObject(context, info);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

async function mergedOf(context: Context, info: Info, live: JsonObject | undefined, fieldManager: string): Promise<JsonObject> {
  const { flags, rest } = context;
  const at = pathOf(info.mapping, { namespace: info.namespace, name: info.name });
  const object = info.object ?? {};
  if (flags.bool('server-side')) {
    const force = flags.bool('force-conflicts') ? 'true' : 'false';
    return rest.json<JsonObject>('PATCH', at + query({ dryRun: 'All', fieldManager, force }), {
      body: marshal(sortKeys(object)),
      contentType: 'application/apply-patch+yaml',
      accept: 'application/json',
    });
  }
  const modified = withConfiguration(object);
  if (live === undefined) {
    return rest.json<JsonObject>('POST', pathOf(info.mapping, { namespace: info.namespace }) + query({ dryRun: 'All', fieldManager }), {
      body: sortKeys(modified),
      accept: 'application/json',
    });
  }
  const body = marshal(sortKeys(patchFor(info, modified, live)));
  if (body === '{}') return live;
  return rest.json<JsonObject>('PATCH', at + query({ dryRun: 'All', fieldManager }), {
    body,
    contentType: isKnownKind(info.mapping) ? 'application/strategic-merge-patch+json' : 'application/merge-patch+json',
    accept: 'application/json',
  });
}

/** `apps.v1.Deployment.default.web`. */
function fileName({ mapping, namespace, name }: Info): string {
  return `${mapping.group === '' ? '' : `${mapping.group}.`}${mapping.version}.${mapping.kind}.${namespace}.${name}`;
}

function temporaryFolder(context: Context, prefix: string): string {
  const { sys, env } = context.process;
  const path = `${env.get('TMPDIR') ?? '/tmp'}/${prefix}-${String(sys.rng.int(1_000_000_000)).padStart(9, '0')}`;
  sys.mkdir(path, { mode: 0o700 });
  return path;
}

/** Its status becomes ours: 1 says that there are differences. */
async function runDiff(context: Context, folders: readonly [string, string]): Promise<void> {
  const { sys, env } = context.process;
  const given = (env.get('KUBECTL_EXTERNAL_DIFF') ?? '').split(/\s+/).filter((word) => word !== '');
  const [name = 'diff', ...args] = given.length > 0 ? given : ['diff', '-u', '-N'];
  const program = name.includes('/') ? name : lookUp(context, name);
  if (program === undefined) throw new CliError(`failed to run "${name}": exec: "${name}": executable file not found in $PATH`);
  let pid: number;
  try {
    pid = sys.spawn(program, [name, ...args, ...folders], { env });
  } catch (error) {
    if (!isSysError(error)) throw error;
    throw new CliError(`failed to run "${name}": fork/exec ${program}: ${error.strerror.toLowerCase()}`);
  }
  const result = await sys.wait(pid);
  const status = result?.kind === 'exited' ? result.status : 2;
  if (status !== 0) throw new ExitError(status, status > 1 ? `exit status ${status}` : '');
}
