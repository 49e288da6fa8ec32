// All builtins. A new one is an entry in one of the tables.

import { DIRECTORY_BUILTINS } from './directories.ts';
import { FLOW_BUILTINS } from './flow.ts';
import { HISTORY_BUILTINS } from './history.ts';
import { COMPLETION_BUILTINS } from './completion.ts';
import { INPUT_BUILTINS } from './input.ts';
import { JOB_BUILTINS } from './job-control.ts';
import { NAME_BUILTINS } from './names.ts';
import { OPTION_BUILTINS } from './settings.ts';
import { OUTPUT_BUILTINS } from './output.ts';
import { VARIABLE_BUILTINS } from './variables.ts';
import type { Builtin } from './types.ts';

/** Builtins whose arguments `name=value` are assignments. */
export const DECLARATIONS: ReadonlySet<string> = new Set(['declare', 'typeset', 'local', 'export', 'readonly']);

/** POSIX special builtins: found before functions in posix mode. */
export const SPECIAL_BUILTINS: ReadonlySet<string> = new Set([
  ':',
  '.',
  'break',
  'continue',
  'eval',
  'exec',
  'exit',
  'export',
  'readonly',
  'return',
  'set',
  'shift',
  'source',
  'times',
  'trap',
  'unset',
]);

let table: Map<string, Builtin> | undefined;

function builtins(): Map<string, Builtin> {
  if (table !== undefined) return table;
  table = new Map();
  const groups = [
    FLOW_BUILTINS,
    VARIABLE_BUILTINS,
    OPTION_BUILTINS,
    INPUT_BUILTINS,
    OUTPUT_BUILTINS,
    DIRECTORY_BUILTINS,
    NAME_BUILTINS,
    JOB_BUILTINS,
    HISTORY_BUILTINS,
    COMPLETION_BUILTINS,
  ];
  for (const group of groups) for (const [name, run] of Object.entries(group)) table.set(name, { run });
  return table;
}

export function findBuiltin(name: string): Builtin | undefined {
  return builtins().get(name);
}

export function builtinNames(): readonly string[] {
  return [...builtins().keys()].sort();
}
