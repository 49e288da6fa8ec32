// Models kubectl's help templates: sections in kubectl's order, texts of our own.

import type { Command } from './command.ts';
import { flagFromWord } from './flags/flag-set.ts';
import { COMMAND_FLAGS } from './flags/specs.ts';
import { COMMAND_TEXTS, FLAG_TEXTS, GLOBAL_FLAG_TEXTS, ROOT_GROUPS, USAGES } from './help-texts.ts';

const OPTIONS_HINT = 'Use "kubectl options" for a list of global command-line options (applies to all commands).\n';
const COMMANDS_HINT = 'Use "kubectl <command> --help" for more information about a given command.\n';

/** What `kubectl PATH --help` prints. */
export function helpText(root: Command, path: string, command: Command): string {
  if (command === root) return rootHelp();
  const sections: string[] = [`${COMMAND_TEXTS[path] ?? ''}\n`];
  // A group all of whose commands are hidden has nothing to tell but how to go on.
  if (command.run === undefined && command.subcommands?.every((child) => child.isHidden) === true)
    return [...sections, COMMANDS_HINT].join('\n');
  if (command.aliases !== undefined) sections.push(`Aliases:\n${[command.name, ...command.aliases].join(', ')}\n`);
  const children = (command.subcommands ?? []).filter((child) => child.isHidden !== true).sort((a, b) => (a.name < b.name ? -1 : 1));
  if (children.length > 0) {
    const width = Math.max(11, ...children.map(({ name }) => name.length));
    sections.push(
      `Available Commands:\n${children.map(({ name }) => `  ${name.padEnd(width)} ${COMMAND_TEXTS[`${path} ${name}`] ?? ''}\n`).join('')}`,
    );
  }
  const options = optionLines(path);
  if (options !== '') sections.push(`Options:\n${options}`);
  sections.push(`Usage:\n  kubectl ${USAGES[path] ?? `${path} [flags]`} [options]\n`);
  sections.push(`${children.length > 0 ? COMMANDS_HINT : ''}${OPTIONS_HINT}`);
  return sections.join('\n');
}

function rootHelp(): string {
  const groups = ROOT_GROUPS.map(
    ([title, names]) => `${title}:\n${names.map((name) => `  ${name.padEnd(13)} ${COMMAND_TEXTS[name] ?? ''}\n`).join('')}`,
  );
  return [`${COMMAND_TEXTS[''] ?? ''}\n`, ...groups, 'Usage:\n  kubectl [flags] [options]\n', `${COMMANDS_HINT}${OPTIONS_HINT}`].join('\n');
}

function optionLines(path: string): string {
  const words = COMMAND_FLAGS[path];
  if (words === undefined) return '';
  return words
    .split(' ')
    .map((word) => flagFromWord(word))
    .map(
      ({ name, shorthand, defaultText }) =>
        `  ${shorthand === '' ? '    ' : `-${shorthand}, `}--${name}=${defaultText.replace(/^\[[*=]\]$/, '[]')}: ${FLAG_TEXTS[name] ?? ''}\n`,
    )
    .join('');
}

/** What `kubectl options` prints. */
export function optionsText(home: string): string {
  const lines = GLOBAL_FLAG_TEXTS.map(
    ([shorthand, word, text]) => `  ${shorthand === '' ? '    ' : `-${shorthand}, `}--${word.replace('$HOME', home)}: ${text}\n`,
  );
  return `The following options can be passed to any command:\n\n${lines.join('')}`;
}
