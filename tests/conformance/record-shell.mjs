// Records what the real bash of this computer says to the scripts of scripts.json: node tests/conformance/record-shell.mjs
// Known differences between the recording bash (5.x) and the modelled 4.2 are listed in shell.test.ts.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const here = new URL('.', import.meta.url).pathname;
const scripts = JSON.parse(readFileSync(join(here, 'scripts.json'), 'utf8'));
const version = spawnSync('bash', ['--version'], { encoding: 'utf8' }).stdout.split('\n')[0];
const cases = scripts.map((script) => {
  const cwd = mkdtempSync(join(tmpdir(), 'record-'));
  const run = spawnSync('bash', ['-c', script], { cwd, encoding: 'utf8', input: '', env: { PATH: process.env.PATH, HOME: '/root', LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8' } });
  rmSync(cwd, { recursive: true, force: true });
  return { script, status: run.status, stdout: run.stdout, stderr: run.stderr };
});
writeFileSync(join(here, 'shell.json'), JSON.stringify({ tool: version, cases }, undefined, 1) + '\n');
