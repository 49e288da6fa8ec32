import type { Options, Tool } from './tool.ts';

/** Parses options out of other arguments than the process's own. */
export function withArgs(
  t: Tool,
  args: readonly string[],
): { options(short: string, long?: Readonly<Record<string, string>>): Promise<Options> } {
  return { options: (short, long) => t.options(short, long, args) };
}
