// Installs the packages of the lockfile when they are not there, or older than it.

import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { spawn } from 'node:child_process';
import { root } from './node24.mjs';

export async function installPackages() {
  const installed = path.join(root, 'node_modules/.package-lock.json');
  const wanted = path.join(root, 'package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(wanted).mtimeMs) return;
  if (existsSync(installed) && (await isComplete())) return;
  process.stdout.write('Installing packages (npm ci) ...\n');
  // Warnings of packages that want a newer Node: what needs one runs under the Node that comes with them.
  const status = await npm(['ci', '--loglevel=error'], 'inherit');
  if (status !== 0) process.exit(status);
}

/** A fresh checkout makes the lockfile newer without changing it. */
async function isComplete() {
  return (await npm(['ls', '--all'], 'ignore')) === 0;
}

function npm(args, stdio) {
  return new Promise((resolve) => {
    const child = spawn('npm', args, { cwd: root, stdio, shell: process.platform === 'win32' });
    child.on('error', (error) => {
      process.stderr.write(`npm: ${error.message}\n`);
      resolve(1);
    });
    child.on('exit', (status) => resolve(status ?? 1));
  });
}
