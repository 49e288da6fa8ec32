// The provisioned lab that new labs start from: made by the bundled host itself, again whenever the bundle has changed.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { requireModernNode, root } from './node24.mjs';

const CLI = path.join(root, 'out/host/cli.mjs');
const TEMPLATE = path.join(root, 'out/host/lecture-1.20.lab');
/** Digest of the bundle that was asked last, whether it could or not. */
const MADE_BY = path.join(root, 'out/host/template.json');

export function hasTemplate() {
  return existsSync(TEMPLATE);
}

/** Says false when the bundle cannot provision a lab; new labs are then provisioned as they are opened, and show why. */
export async function makeTemplate() {
  const digest = createHash('sha256').update(readFileSync(CLI)).digest('hex');
  const last = existsSync(MADE_BY) ? JSON.parse(readFileSync(MADE_BY, 'utf8')) : undefined;
  if (last?.digest === digest && (last.isMade ? existsSync(TEMPLATE) : true)) return last.isMade;
  rmSync(TEMPLATE, { force: true });
  const isMade = (await runCli(['template', TEMPLATE])) === 0;
  writeFileSync(MADE_BY, JSON.stringify({ digest, isMade }));
  return isMade;
}

/** Everything goes to standard error: standard output may be a program's. */
function runCli(args) {
  return new Promise((resolve, reject) => {
    const child = spawn(requireModernNode(), [CLI, ...args], { cwd: root, stdio: ['ignore', 2, 2] });
    child.on('error', reject);
    child.on('exit', (status) => resolve(status ?? 1));
  });
}
