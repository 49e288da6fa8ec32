// What many commands share: the flags for files and selectors, printing, dry runs and records of the command line.

import type { Context } from '../context.ts';
import { CliError } from '../errors.ts';
import { klogLine } from '../klog.ts';
import { isObject, marshal, sortKeys, type JsonObject } from '../printers/json.ts';
import { nameOf, printerFor, type ObjectPrinter, type PrintRequest } from '../printers/object-printer.ts';
import { validatorOf } from '../resource/validation.ts';

export type DryRun = 'none' | 'client' | 'server';

export const CHANGE_CAUSE = 'kubernetes.io/change-cause';
export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** Reads --dry-run, with its warnings. */
export async function dryRunOf(context: Context): Promise<DryRun> {
  if (!context.flags.has('dry-run')) return 'none';
  const value = context.flags.string('dry-run');
  const warn = (line: number, text: string): Promise<void> =>
    context.err(`${klogLine(context.process, 'W', `helpers.go:${line}`, text)}\n`);
  if (value === 'none' || value === 'client' || value === 'server') return value;
  if (value === 'unchanged') {
    await warn(553, '--dry-run is deprecated and can be replaced with --dry-run=client.');
    return 'client';
  }
  if (/^(1|t|T|true|TRUE|True)$/.test(value)) {
    await warn(567, `--dry-run=${value} is deprecated (boolean value) and can be replaced with --dry-run=client.`);
    return 'client';
  }
  if (/^(0|f|F|false|FALSE|False)$/.test(value)) {
    await warn(570, `--dry-run=${value} is deprecated (boolean value) and can be replaced with --dry-run=none.`);
    return 'none';
  }
  throw new CliError(`Invalid dry-run value (${value}). Must be "none", "server", or "client".`);
}

export function printRequest(context: Context): PrintRequest {
  const { flags } = context;
  return {
    output: flags.string('output'),
    template: flags.has('template') ? flags.string('template') : '',
    allowMissingKeys: !flags.has('allow-missing-template-keys') || flags.bool('allow-missing-template-keys'),
    noHeaders: flags.bool('no-headers'),
    readFile: (path) => context.readTextFile(path),
  };
}

/** Prints `deployment.apps/x created (dry run)`, or the object as -o asks. */
export class ResultPrinter {
  readonly #context: Context;
  readonly #printer: ObjectPrinter | undefined;
  readonly #dryRun: DryRun;

  /** Some commands choose their word too late for the mark of a dry run: they pass `none`. */
  constructor(context: Context, dryRun: DryRun) {
    this.#context = context;
    this.#printer = printerFor(printRequest(context), 'create');
    this.#dryRun = dryRun;
  }

  get isStructured(): boolean {
    return this.#printer !== undefined;
  }

  /** `object` is printed with sorted keys unless it is `typed`, built by kubectl itself. */
  async print(object: JsonObject, operation: string, options: { readonly typed?: boolean } = {}): Promise<void> {
    const shown = options.typed === true ? object : (sortKeys(object) as JsonObject);
    await this.#context.out(
      this.#printer === undefined ? `${nameOf(object)} ${operation}${this.suffix}\n` : this.#printer.print(shown, operation),
    );
  }

  get suffix(): string {
    if (this.#dryRun === 'client') return ' (dry run)';
    return this.#dryRun === 'server' ? ' (server dry run)' : '';
  }
}

/** -f, or the one directory of -k; throws when neither or both are there, if they must be. */
export function filenamesOf(context: Context, options: { readonly required?: boolean } = {}): readonly string[] {
  const files = context.flags.list('filename');
  const kustomize = context.flags.has('kustomize') ? context.flags.string('kustomize') : '';
  if (kustomize !== '') {
    if (files.length > 0) throw new CliError('only one of -f or -k can be specified');
    if (context.flags.bool('recursive')) throw new CliError("the -k flag can't be used with -f or -R");
    return [kustomize];
  }
  if (options.required === true && files.length === 0) throw new CliError('must specify one of -f and -k');
  return files;
}

/** The check of --validate; undefined when it is off. */
export function validation(context: Context): ((value: unknown, source: string) => Promise<void>) | undefined {
  return context.flags.bool('validate') ? validatorOf(context) : undefined;
}

/** The command line as --record keeps it. */
export function recordedCommand(context: Context): string {
  const { flags, path, args } = context;
  const program = (context.process.argv[0] ?? 'kubectl').split('/').pop() ?? 'kubectl';
  return [program, ...path.split(' '), ...args, ...flags.given.map(([name, value]) => `--${name}=${value}`)].join(' ');
}

/** True when --record asks for a change cause. */
export function shouldRecord(context: Context): boolean {
  return context.flags.bool('record');
}

/** A copy with an annotation set. */
export function annotated(object: JsonObject, key: string, value: string | undefined): JsonObject {
  const metadata = isObject(object['metadata']) ? object['metadata'] : {};
  const annotations: JsonObject = { ...(isObject(metadata['annotations']) ? metadata['annotations'] : {}) };
  if (value === undefined) delete annotations[key];
  else annotations[key] = value;
  return { ...object, metadata: { ...metadata, annotations } };
}

export function annotationOf(object: JsonObject | undefined, key: string): string | undefined {
  const metadata = isObject(object?.['metadata']) ? object['metadata'] : {};
  const annotations = isObject(metadata['annotations']) ? metadata['annotations'] : {};
  return typeof annotations[key] === 'string' ? annotations[key] : undefined;
}

/** The value at a path of keys. */
export function at(object: unknown, ...keys: readonly string[]): unknown {
  let current = object;
  for (const key of keys) current = isObject(current) ? current[key] : undefined;
  return current;
}

/** The object with itself, in JSON, as the configuration that was applied last. */
export function withConfiguration(object: JsonObject): JsonObject {
  const bare = annotated(object, LAST_APPLIED, undefined);
  return annotated(object, LAST_APPLIED, `${marshal(sortKeys(bare))}\n`);
}
