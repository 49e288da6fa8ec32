// Models cobra: a tree of commands, how a command line finds its command, and what is said when it does not.

import type { Process } from '../../kernel/process.ts';
import { isSysError } from '../../sim/errno.ts';
import { utf8 } from '../../sim/bytes.ts';
import { Context } from './context.ts';
import { describeError } from './errors.ts';
import { FlagError, flagFromWord, FlagSet } from './flags/flag-set.ts';
import { DEPRECATED_FLAGS, GLOBAL_FLAGS, REQUIRED_FLAGS } from './flags/global-flags.ts';
import { COMMAND_FLAGS } from './flags/specs.ts';
import { helpText } from './help.ts';

export interface Command {
  readonly name: string;
  readonly aliases?: readonly string[];
  /** Left out: a group, which prints its help. */
  readonly run?: (context: Context) => Promise<void>;
  readonly subcommands?: readonly Command[];
  /** Where a group without a command prints its help, and how it ends. */
  readonly group?: { readonly stream: 'out' | 'err'; readonly status: number };
  /** Not listed and not suggested. */
  readonly isHidden?: boolean;
}

/** Runs a whole command line; returns the exit status. */
export async function runCommandLine(root: Command, process: Process): Promise<number> {
  const words = process.argv.slice(1);
  const { command, path, rest } = find(root, words);
  const flags = flagSetOf(path);
  const context = new Context(process, flags, path, () => helpText(root, path, command));
  try {
    return await execute(root, command, context, rest);
  } catch (error) {
    const { text, status } = describeError(error);
    await context.flushWarnings();
    await context.err(text);
    return status;
  } finally {
    context.close();
  }
}

async function execute(root: Command, command: Command, context: Context, words: readonly string[]): Promise<number> {
  const { flags } = context;
  const asksForHelp = { value: false };
  const operand = command === root ? firstOperand(words, flags) : -1;
  // An unknown command is told before its flags are looked at.
  if (operand >= 0) return unknownCommand(root, context, words.slice(operand));
  try {
    flags.parse(words, () => {
      asksForHelp.value = true;
    });
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    if (asksForHelp.value) return showHelp(context);
    await context.err(`Error: ${error.message}\nSee '${context.commandPath} --help' for usage.\n`);
    return 1;
  }
  if (asksForHelp.value) return showHelp(context);
  for (const warning of flags.warnings) await context.err(`${warning}\n`);
  const missing = (REQUIRED_FLAGS[context.path] ?? []).filter((name) => !flags.isChanged(name));
  if (missing.length > 0) {
    await context.err(`Error: required flag(s) ${missing.map((name) => `"${name}"`).join(', ')} not set\n`);
    return 1;
  }
  if (command.run === undefined) return showGroup(command, context);
  await command.run(context);
  await context.flushWarnings();
  if (flags.bool('warnings-as-errors') && context.warnings.size > 0) {
    await context.err(`error: ${context.warnings.size} warning${context.warnings.size === 1 ? '' : 's'} received\n`);
    return 1;
  }
  return 0;
}

async function showHelp(context: Context): Promise<number> {
  await context.out(context.help());
  return 0;
}

async function showGroup(command: Command, context: Context): Promise<number> {
  if (context.args.length > 0 && command.group !== undefined && command.group.status !== 0) {
    throw context.usage(`unknown command "${context.args.join(' ')}"`);
  }
  const { stream, status } = command.group ?? { stream: 'out', status: 0 };
  if (stream === 'out') await context.out(context.help());
  else await context.err(context.help());
  return status;
}

/** Follows the words down the tree, as cobra's Find does. */
function find(
  root: Command,
  words: readonly string[],
): { readonly command: Command; readonly path: string; readonly rest: readonly string[] } {
  let command = root;
  let path = '';
  let rest = [...words];
  for (;;) {
    const index = firstOperand(rest, flagSetOf(path));
    const word = index < 0 ? undefined : rest[index];
    const next = command.subcommands?.find((child) => child.name === word || child.aliases?.includes(word ?? '') === true);
    if (next === undefined) return { command, path, rest };
    rest = [...rest.slice(0, index), ...rest.slice(index + 1)];
    command = next;
    path = path === '' ? next.name : `${path} ${next.name}`;
  }
}

/** Index of the first word that is neither a flag nor a flag's value; -1 when there is none. */
function firstOperand(words: readonly string[], flags: FlagSet): number {
  const takesValue = (name: string): boolean =>
    flags.all().some((flag) => (flag.name === name || flag.shorthand === name) && flag.noValue === undefined);
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    if (word === '--') return -1;
    if (word.startsWith('--') && !word.includes('=')) {
      if (takesValue(word.slice(2)) || !flags.has(word.slice(2))) at++;
    } else if (word.startsWith('-') && !word.includes('=') && word.length === 2) {
      if (takesValue(word.slice(1))) at++;
    } else if (word !== '' && !word.startsWith('-')) return at;
  }
  return -1;
}

export function flagSetOf(path: string): FlagSet {
  const flags = new FlagSet();
  for (const word of GLOBAL_FLAGS.split(' ')) flags.add(flagFromWord(word));
  const own = COMMAND_FLAGS[path];
  for (const word of own === undefined ? [] : own.split(' ')) {
    const name = word.slice(word.indexOf('/') + 1, word.indexOf('='));
    flags.add(flagFromWord(word, DEPRECATED_FLAGS[path]?.[name]));
  }
  return flags;
}

async function unknownCommand(root: Command, context: Context, words: readonly string[]): Promise<number> {
  const [typed = ''] = words;
  const flagAt = words.findIndex((word) => word.startsWith('-'));
  const plugin = findPlugin(context.process, flagAt < 0 ? words : words.slice(0, flagAt));
  if (plugin !== undefined) {
    const { sys, argv, env } = context.process;
    await sys.exec(plugin.path, [plugin.path, ...argv.slice(1 + plugin.words)], env);
  }
  const near = (root.subcommands ?? []).filter(
    (command) => command.isHidden !== true && (distance(typed, command.name) <= 2 || command.name.startsWith(typed.toLowerCase())),
  );
  const hint = near.length === 0 ? '' : `\nDid you mean this?\n${near.map(({ name }) => `\t${name}\n`).join('')}\n`;
  await context.process.stderr.write(utf8(`Error: unknown command "${typed}" for "kubectl"\n${hint}Run 'kubectl --help' for usage.\n`));
  return 1;
}

/** kubectl-foo-bar of PATH, the longest name first. */
function findPlugin(process: Process, args: readonly string[]): { readonly path: string; readonly words: number } | undefined {
  const names = args.map((arg) => arg.replace(/-/g, '_'));
  for (let count = names.length; count > 0; count--) {
    for (const folder of (process.env.get('PATH') ?? '').split(':')) {
      const path = `${folder}/kubectl-${names.slice(0, count).join('-')}`;
      try {
        process.sys.access(path, { execute: true });
        return { path, words: count };
      } catch (error) {
        if (!isSysError(error)) throw error;
      }
    }
  }
  return undefined;
}

/** Levenshtein's distance, without regard to case. */
function distance(left: string, right: string): number {
  const a = left.toLowerCase();
  const b = right.toLowerCase();
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** Commands that take no operands say so with this. */
export function refuseArguments(context: Context): void {
  if (context.args.length > 0) throw context.usage(`unexpected arguments: [${context.args.join(' ')}]`);
}
