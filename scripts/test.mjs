// npm test: sets up what is missing, then types, lint, unit tests and scenarios, build, and the built app in a real browser.
// Every runner goes, also after one has failed, and says its own last word.

import { installPackages } from './lib/install.mjs';
import { provideKubectl } from './lib/real-kubectl.mjs';
import { requireModernNode, runScript, runTool } from './lib/node24.mjs';

await installPackages();
requireModernNode();
provideKubectl();

const steps = [
  ['types', () => runTool('tsc', ['--build'])],
  ['lint', () => runTool('eslint', ['.'])],
  ['layers', () => runTool('depcruise', ['--config', '.dependency-cruiser.mjs', 'engine', 'electron', 'renderer', 'shared'])],
  ['format', () => runTool('prettier', ['--check', '--log-level', 'warn', '.'])],
  ['build', () => runScript('scripts/build.mjs')],
  ['unit tests and scenarios', () => runTool('vitest', ['run', ...process.argv.slice(2)])],
  ['the app in a browser', () => runTool('vitest', ['run', '--config', 'vitest.e2e.config.ts'])],
];

const results = [];
for (const [name, step] of steps) {
  process.stdout.write(`\n── ${name} ──\n`);
  const startedMs = Date.now();
  const status = await step();
  results.push({ name, status, seconds: Math.round((Date.now() - startedMs) / 1000) });
}

process.stdout.write('\n');
for (const { name, status, seconds } of results) process.stdout.write(`${status === 0 ? 'ok    ' : 'FAILED'}  ${name} (${seconds} s)\n`);
process.exit(results.every(({ status }) => status === 0) ? 0 : 1);
