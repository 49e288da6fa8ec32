// npm run dist: packages the desktop app with electron-builder. Needs Electron's binary, which electron-builder fetches.

import { installPackages } from './lib/install.mjs';
import { runScript, runTool } from './lib/node24.mjs';

await installPackages();
const built = await runScript('scripts/build.mjs');
if (built !== 0) process.exit(built);
process.exit(await runTool('electron-builder', ['--config', 'electron-builder.yml', ...process.argv.slice(2)]));
