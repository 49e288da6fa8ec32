// A shell function as it was defined.

import type { CommandNode, CompoundList } from 'unbash';

export interface ShellFunction {
  readonly name: string;
  readonly body: CommandNode | CompoundList;
  /** The source in which the body's positions count. */
  readonly text: string;
  readonly lineOffset: number;
  readonly sourceName: string;
  readonly definition: string;
  isExported: boolean;
  isReadonly: boolean;
}
