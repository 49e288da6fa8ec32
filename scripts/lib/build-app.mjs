// Builds the desktop shell and the screen with electron-vite; works without Electron's binary.

import { existsSync, readdirSync, statSync, utimesSync } from 'node:fs';
import path from 'node:path';
import { root, runTool } from './node24.mjs';

const PRODUCTS = ['out/main/index.js', 'out/preload/index.cjs', 'out/renderer/index.html'];
const SOURCES = ['electron/main', 'electron/preload', 'renderer', 'shared', 'electron.vite.config.ts', 'package-lock.json'];

export function isAppStale() {
  const built = PRODUCTS.map((file) => statSync(path.join(root, file), { throwIfNoEntry: false })?.mtimeMs ?? 0);
  return SOURCES.some((source) => newest(path.join(root, source)) > Math.min(...built));
}

export async function buildApp() {
  if (!existsSync(path.join(root, 'electron.vite.config.ts'))) return 0;
  const status = await runTool('electron-vite', ['build', '--logLevel', 'warn']);
  const now = new Date();
  if (status === 0) for (const file of PRODUCTS) utimesSync(path.join(root, file), now, now);
  return status;
}

function newest(file) {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (stat === undefined) return 0;
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(0, ...readdirSync(file).map((name) => newest(path.join(file, name))));
}
