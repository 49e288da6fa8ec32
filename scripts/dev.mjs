// npm run dev: the screen with hot reload. With Electron's binary in the desktop app, without it in the browser, where the
// host is built again and restarted by `node scripts/build.mjs host`.

import { existsSync } from 'node:fs';
import path from 'node:path';
import { installPackages } from './lib/install.mjs';
import { root, runScript, runTool } from './lib/node24.mjs';

await installPackages();
const built = await runScript('scripts/build.mjs', ['host', '--stale']);
if (built !== 0) process.exit(built);
if (existsSync(path.join(root, 'node_modules/electron/path.txt'))) process.exit(await runTool('electron-vite', ['dev', '--watch']));

process.stdout.write("Electron's binary is not installed: rebuilding the screen on change; open the address below and reload.\n");
void runTool('electron-vite', ['build', '--watch', '--logLevel', 'warn']);
process.exit(await runScript('bin/nobox.mjs', ['serve', ...process.argv.slice(2)]));
