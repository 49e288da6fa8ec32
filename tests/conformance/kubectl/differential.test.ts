// Our kubectl inside m-k8s must print what the real kubectl v1.20.2 prints at the HTTPS door: two labs of one seed, the same command
// lines in each, compared line by line.

import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openLab, type LabHost } from '../../../electron/host/lab-host.ts';
import { KUBECTL, RealKubectl, TEMPLATE } from '../api/real-kubectl.ts';
import { mask } from '../api/transcript.ts';
import { parseCorpus } from './corpus.ts';
import { KNOWN_DIFFERENCES } from './known-differences.ts';

const FOLDER = path.join(import.meta.dirname, 'corpus');
const PAUSE_SECONDS = 2;
const SEED = 20;
const LIMIT_MS = 60_000;
const MACHINE = 'm-k8s';

const isThere = KUBECTL !== undefined;
const count = { compared: 0, known: 0 };
afterAll(() => {
  if (!isThere) return;
  process.stdout.write(`kubectl against kubectl: ${count.compared} command lines, ${count.known} of them print something else for a reason\n`);
});

describe.skipIf(!isThere)('our kubectl prints what kubectl v1.20.2 prints', () => {
  for (const file of readdirSync(FOLDER).sort()) {
    const only = process.env['NOBOX_CORPUS'];
    if (only !== undefined && !file.startsWith(only)) continue;
    test(
      `the corpus ${file}`,
      async () => {
        const real = await RealKubectl.open({ seed: SEED });
        const lab = await openLab({ seed: SEED, template: TEMPLATE });
        try {
          await lab.advance(15_000);
          await real.pass(15);
          expect(await differences(real, lab, file)).toEqual([]);
          expect(real.faults).toEqual([]);
        } finally {
          await lab.close();
          await real.close();
        }
      },
      900_000,
    );
  }
});

async function differences(real: RealKubectl, lab: LabHost, file: string): Promise<readonly string[]> {
  const found: string[] = [];
  await lab.run(MACHINE, 'mkdir -p work && cd work');
  for (const step of parseCorpus(readFileSync(path.join(FOLDER, file), 'utf8'))) {
    if (step.kind === 'file') {
      real.write(step.name, step.text);
      const folder = path.posix.dirname(step.name);
      await lab.run(MACHINE, `mkdir -p ${folder}; cat > ${step.name} <<'END-OF-FILE'\n${step.text}END-OF-FILE`);
      continue;
    }
    const wanted = await real.run(step.command);
    const got = await lab.run(MACHINE, step.command, { timeoutMs: LIMIT_MS });
    await Promise.all([real.pass(PAUSE_SECONDS), lab.advance(PAUSE_SECONDS * 1000)]);
    count.compared++;
    const difference =
      firstDifference('stdout', mask(wanted.stdout), mask(got.stdout)) ??
      firstDifference('stderr', mask(wanted.stderr), mask(got.stderr)) ??
      (wanted.exit === got.exit ? undefined : `exit status ${wanted.exit}, ours ${got.exit}`);
    if (difference === undefined) continue;
    if (KNOWN_DIFFERENCES[step.command] !== undefined) count.known++;
    else found.push(`$ ${step.command}\n${difference}${wanted.stderr === got.stderr ? '' : `\n  stderr, real: ${wanted.stderr.slice(0, 300)}`}`);
  }
  return found;
}

function firstDifference(stream: string, wanted: string, got: string): string | undefined {
  if (wanted === got) return undefined;
  const wantedLines = wanted.split('\n');
  const gotLines = got.split('\n');
  let at = 0;
  while (at < wantedLines.length && wantedLines[at] === gotLines[at]) at++;
  return `${stream} line ${at + 1}\n  real: ${wantedLines[at] ?? '(nothing more)'}\n  ours: ${gotLines[at] ?? '(nothing more)'}`;
}
