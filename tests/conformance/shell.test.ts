// What scripts print is what the recorded bash printed.

import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { Guest } from '../support/guest.ts';

interface Recorded {
  readonly script: string;
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const recording = JSON.parse(readFileSync(new URL('./shell.json', import.meta.url), 'utf8')) as { readonly tool: string; readonly cases: readonly Recorded[] };

/** Scripts whose answer differs between bash 5.2 with newer coreutils and bash 4.2 with coreutils 8.22, and why. */
const LOCKED: Readonly<Record<string, string>> = {
  'shopt -s nullglob; echo none*; shopt -u nullglob; shopt -s extglob; case foo in @(foo|bar)) echo ext;; esac':
    'bash parses the line before shopt runs; our parser always knows extended globs',
  'echo ${x@Q} > /dev/null 2>&1; echo ok': '4.2 knows no @ operators',
};

describe(`scripts as ${recording.tool} runs them`, () => {
  const guest = new Guest();
  afterAll(() => guest.dispose());
  for (const [i, one] of recording.cases.entries()) {
    it.skipIf(LOCKED[one.script] !== undefined)(JSON.stringify(one.script), async () => {
      const cwd = `/tmp/case-${i}`;
      await guest.run(['mkdir', '-p', cwd]);
      const result = await guest.run(['bash', '-c', one.script], { cwd, env: { LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8' } });
      expect({ status: result.status, stdout: result.stdout }).toEqual({ status: one.status, stdout: one.stdout });
    });
  }
});
