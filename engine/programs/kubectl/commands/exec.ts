// Models `kubectl exec` and `kubectl attach`.

import type { Command } from '../command.ts';
import type { Context } from '../context.ts';
import { CliError } from '../errors.ts';
import { runStreams } from '../factory/remote-command.ts';
import type { JsonObject } from '../printers/json.ts';
import { objectsOf } from '../resource/infos.ts';
import { attachablePod, containerNames } from '../resource/pods-of.ts';
import { throwAll } from '../errors.ts';
import { at } from './common.ts';

export const exec: Command = { name: 'exec', run: runExec };
export const attach: Command = { name: 'attach', run: runAttach };

async function runExec(context: Context): Promise<void> {
  const { flags, args } = context;
  const files = flags.list('filename');
  const dash = flags.argsBeforeDash;
  if ((args.length === 0 || dash === 0) && files.length === 0) throw new CliError('pod, type/name or --filename must be specified');
  let command: readonly string[];
  if (files.length > 0) command = args;
  else if (dash < 0) {
    command = args.slice(1);
    if (command.length > 0) {
      await context.err(
        'kubectl exec [POD] [COMMAND] is DEPRECATED and will be removed in a future version. Use kubectl exec [POD] -- [COMMAND] instead.\n',
      );
    }
  } else {
    if (dash > 1)
      throw new CliError(
        "expected 'exec POD_NAME COMMAND [ARG1] [ARG2] ... [ARGN]'.\nPOD_NAME and COMMAND are required arguments for the exec command",
      );
    command = args.slice(dash);
  }
  if (command.length === 0) throw new CliError('you must specify at least one command for the container');
  const pod = files.length > 0 ? await podOfFile(context, files) : await attachablePod(context, args[0] ?? '');
  await context.flushWarnings();
  const phase = String(at(pod, 'status', 'phase'));
  if (phase === 'Succeeded' || phase === 'Failed')
    throw new CliError(`cannot exec into a container in a completed pod; current phase is ${phase}`);
  await execIn(context, pod, await containerOf(context, pod, 1), command, { stdin: flags.bool('stdin'), tty: flags.bool('tty') });
}

async function podOfFile(context: Context, files: readonly string[]): Promise<JsonObject> {
  const { infos, errors } = await objectsOf(context, {
    args: [],
    filenames: files,
    recursive: false,
    selector: '',
    all: false,
    latest: true,
  });
  throwAll(errors);
  const [info] = infos;
  if (info?.object === undefined) throw new CliError('pod, type/name or --filename must be specified');
  return info.object;
}

/** -c, or the first container; says which it took when there are more than `silentUpTo`. */
export async function containerOf(context: Context, pod: JsonObject, silentUpTo: number): Promise<string> {
  const given = context.flags.string('container');
  if (given !== '') return given;
  const names = containerNames(pod);
  const [first = ''] = names;
  if (names.length > silentUpTo) {
    await context.err(
      `Defaulting container name to ${first}.\nUse 'kubectl describe pod/${nameOf(pod)} -n ${namespaceOf(pod)}' to see all of the containers in this pod.\n`,
    );
  }
  return first;
}

export function nameOf(pod: JsonObject): string {
  return String(at(pod, 'metadata', 'name'));
}

export function namespaceOf(pod: JsonObject): string {
  return String(at(pod, 'metadata', 'namespace'));
}

export async function execIn(
  context: Context,
  pod: JsonObject,
  container: string,
  command: readonly string[],
  options: { readonly stdin: boolean; readonly tty: boolean },
): Promise<void> {
  const tty = await terminalOf(context, options);
  const query = [
    ...command.map((word) => `command=${encodeURIComponent(word)}`),
    `container=${encodeURIComponent(container)}`,
    ...(tty === undefined ? ['stderr=true'] : []),
    ...(options.stdin ? ['stdin=true'] : []),
    'stdout=true',
    ...(tty === undefined ? [] : ['tty=true']),
  ].join('&');
  await runStreams(context, {
    target: `/api/v1/namespaces/${namespaceOf(pod)}/pods/${nameOf(pod)}/exec?${query}`,
    hasStdin: options.stdin,
    tty,
  });
}

/** The terminal for -t; without one kubectl says so and goes on. */
async function terminalOf(
  context: Context,
  options: { readonly stdin: boolean; readonly tty: boolean },
): Promise<ReturnType<typeof ttyOf>> {
  if (!options.tty) return undefined;
  const tty = options.stdin ? ttyOf(context) : undefined;
  if (tty === undefined) await context.err('Unable to use a TTY - input is not a terminal or the right kind of file\n');
  return tty;
}

function ttyOf(context: Context): Context['process']['stdin']['tty'] {
  return context.process.stdin.tty;
}

async function runAttach(context: Context): Promise<void> {
  const { args, flags } = context;
  const [name] = args;
  if (name === undefined) throw new CliError('at least 1 argument is required for attach');
  if (args.length > 2)
    throw new CliError(`expected POD, TYPE/NAME, or TYPE NAME, (at most 2 arguments) saw ${args.length}: [${args.join(' ')}]`);
  const pod = await attachablePod(context, args.length === 2 ? `${name}/${args[1] ?? ''}` : name);
  const phase = String(at(pod, 'status', 'phase'));
  if (phase === 'Succeeded' || phase === 'Failed')
    throw new CliError(`cannot attach a container in a completed pod; current phase is ${phase}`);
  await attachTo(context, pod, { stdin: flags.bool('stdin'), tty: flags.bool('tty'), quiet: false });
}

export async function attachTo(
  context: Context,
  pod: JsonObject,
  options: { readonly stdin: boolean; readonly tty: boolean; readonly quiet: boolean; readonly container?: string },
): Promise<void> {
  const container = options.container ?? (await containerOf(context, pod, 0));
  const tty = await terminalOf(context, options);
  if (!options.quiet) await context.err("If you don't see a command prompt, try pressing enter.\n");
  const query = [
    `container=${encodeURIComponent(container)}`,
    ...(tty === undefined ? ['stderr=true'] : []),
    ...(options.stdin ? ['stdin=true'] : []),
    'stdout=true',
    ...(tty === undefined ? [] : ['tty=true']),
  ].join('&');
  await runStreams(context, {
    target: `/api/v1/namespaces/${namespaceOf(pod)}/pods/${nameOf(pod)}/attach?${query}`,
    hasStdin: options.stdin,
    tty,
  });
}
