// What a real v1.20.2 control plane printed through kubectl must be what ours prints through the very same kubectl.

import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { KNOWN_DIFFERENCES } from './known-differences.ts';
import { KUBECTL, RealKubectl } from './real-kubectl.ts';
import { mask, parseTranscript, type RunStep } from './transcript.ts';

const FOLDER = path.join(import.meta.dirname, 'transcripts');
/** Lab time between two commands, as it lay between those that were recorded. */
const PAUSE_SECONDS = 2;
const SEED = 11;
/** Where kubectl worked, if not in `default`. */
const NAMESPACES: Readonly<Record<string, string>> = { '06-rollout.txt': 'roll', '07-apply-edit.txt': 'app', '11-validation.txt': 'val', '18-logs-exec.txt': 'le' };
/** What was there before the first command, besides the files. */
const PRELUDES: Readonly<Record<string, string>> = {
  '18-logs-exec.txt': 'kubectl apply -f p.yaml && kubectl create deployment dep --image=nginx --replicas=2',
};
/** The recorded cluster had no network add-on. */
const OWN_LINES = /calico/;

const isThere = KUBECTL !== undefined;
if (!isThere) process.stderr.write('skipped: kubectl v1.20.2 is not installed (Debian: kubernetes-client)\n');

let compared = 0;
let equal = 0;
afterAll(() => {
  if (isThere) process.stdout.write(`kubectl at the door: ${equal} of ${compared} command lines print what the real control plane printed\n`);
});

describe.skipIf(!isThere)('kubectl v1.20.2 through the HTTPS door', () => {
  for (const file of readdirSync(FOLDER).sort()) {
    const only = process.env['NOBOX_TRANSCRIPT'];
    if (only !== undefined && !file.startsWith(only)) continue;
    test(
      `prints what it printed in ${file}`,
      async () => {
        const kubectl = await RealKubectl.open({ seed: SEED });
        try {
          const namespace = NAMESPACES[file];
          if (namespace !== undefined) {
            await kubectl.run(`kubectl create namespace ${namespace}; kubectl config set-context --current --namespace=${namespace}`);
            await kubectl.pass(PAUSE_SECONDS);
          }
          expect(await differences(kubectl, file)).toEqual([]);
          expect(kubectl.faults).toEqual([]);
        } finally {
          await kubectl.close();
        }
      },
      600_000,
    );
  }
});

/** The command lines that printed something else, for no reason that is known. */
async function differences(kubectl: RealKubectl, file: string): Promise<readonly string[]> {
  const found: string[] = [];
  let asides: Promise<unknown>[] = [];
  let prelude = PRELUDES[file];
  for (const step of parseTranscript(readFileSync(path.join(FOLDER, file), 'utf8'))) {
    if (step.kind === 'run' && prelude !== undefined) {
      await kubectl.run(prelude);
      await kubectl.pass(20);
      prelude = undefined;
    }
    if (step.kind === 'file') kubectl.write(step.name, step.text);
    else if (step.kind === 'aside') asides.push(kubectl.run(`sleep ${step.afterSeconds}; ${step.command}`));
    else {
      const difference = await compare(kubectl, step);
      compared++;
      if (difference === undefined) equal++;
      else {
        if (KNOWN_DIFFERENCES[file]?.[step.command] === undefined) found.push(`$ ${step.command}\n${difference}`);
        if (process.env['NOBOX_TRANSCRIPT_SHOW'] !== undefined) process.stdout.write(`$ ${step.command}\n${difference}\n`);
      }
      await Promise.all(asides);
      asides = [];
      await kubectl.pass(PAUSE_SECONDS);
    }
  }
  return found;
}

async function compare(kubectl: RealKubectl, step: RunStep): Promise<string | undefined> {
  const interrupted = /^interrupted after (\d+) s$/.exec(step.exit)?.[1];
  const printed = await kubectl.run(step.command, interrupted === undefined ? {} : { interruptAfterMs: Number(interrupted) * 1000 });
  if (interrupted === undefined && String(printed.exit) !== step.exit) return `  exit: ${step.exit}, not ${printed.exit}\n${printed.stderr}`;
  return firstDifference(mask(step.stdout), mask(withoutOwn(printed.stdout))) ?? firstDifference(mask(step.stderr), mask(printed.stderr));
}

function withoutOwn(text: string): string {
  return text
    .split('\n')
    .filter((line) => !OWN_LINES.test(line))
    .join('\n');
}

function firstDifference(wanted: string, got: string): string | undefined {
  if (wanted === got) return undefined;
  const wantedLines = wanted.split('\n');
  const gotLines = got.split('\n');
  const at = wantedLines.findIndex((line, index) => line !== gotLines[index]);
  if (at < 0) return `  ${gotLines.length - wantedLines.length} lines more, the first: ${gotLines[wantedLines.length]}`;
  return `  want: ${wantedLines[at]}\n  got:  ${gotLines[at] ?? '(nothing)'}`;
}
