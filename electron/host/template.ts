// The provisioned lab that a new one starts from, computed at build time by the code that provisions a lab in front of a learner.

import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { VirtualClock } from '#engine/sim/clock.ts';
import { Journal } from '#engine/store/journal.ts';
import { MemoryStore } from '#engine/store/memory-store.ts';
import { Lab } from '#engine/lab/lab.ts';
import { provision, type Progress } from '#engine/lab/provision.ts';
import { DriveLoop } from './drive-loop.ts';
import { packLab, readLabFile, type ImportedLab } from './lab-file.ts';
import { reportCrash } from './report-crash.ts';
import { settle } from './settle.ts';

/** A new lab is handed over at this instant of lab time. */
export const LAB_START_MS = Date.UTC(2026, 0, 1);

/** Provisioning takes some ten minutes of lab time; it starts early enough to be over by LAB_START_MS. */
const PROVISION_MS = 30 * 60_000;

const TEMPLATE_SEED = 120;

/** Provisions a lab in memory. Takes some seconds of wall time. */
export async function makeTemplate(progress: Progress): Promise<Uint8Array> {
  const store = new MemoryStore();
  const journal = new Journal(store);
  const clock = new VirtualClock({ startMs: LAB_START_MS - PROVISION_MS, settle });
  const lab = new Lab({ journal, clock, seed: TEMPLATE_SEED });
  lab.onCrash.on(reportCrash);
  const loop = new DriveLoop(clock);
  await loop.during(provision(lab, progress));
  if (clock.now() < LAB_START_MS) await loop.advance(LAB_START_MS - clock.now());
  journal.put('lab/clock', String(clock.now()));
  journal.flush();
  lab.dispose();
  return packLab(store, store.revision).bytes;
}

/** Where the build puts it, beside the bundle. */
export function templatePath(): string {
  return join(dirname(fileURLToPath(import.meta.url)), 'lecture-1.20.lab');
}

export async function writeTemplate(path: string, progress: Progress): Promise<number> {
  const bytes = await makeTemplate(progress);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.partial`, bytes);
  renameSync(`${path}.partial`, path);
  return bytes.length;
}

/** Undefined when the build did not make one. */
export function readTemplate(path = templatePath()): ImportedLab | undefined {
  return existsSync(path) ? readLabFile(path) : undefined;
}
