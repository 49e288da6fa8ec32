// All programs that an executable file can name. A new program is a new file and one line in its folder's index.

import type { Program } from '../kernel/process.ts';

export class ProgramRegistry {
  readonly #programs = new Map<string, Program>();

  constructor(...groups: readonly (readonly Program[])[]) {
    for (const program of groups.flat()) {
      if (this.#programs.has(program.name)) throw new Error(`two programs are named ${program.name}`);
      this.#programs.set(program.name, program);
    }
  }

  get(name: string): Program | undefined {
    return this.#programs.get(name);
  }

  names(): readonly string[] {
    return [...this.#programs.keys()];
  }
}
