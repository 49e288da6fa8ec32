// npm run build [host|app] [--stale]: builds out/. `host` is the nobox command and the lab's process, `app` the window and the screen.

import { requireModernNode, runScript, root } from './lib/node24.mjs';
import { bundleHost, isHostStale } from './lib/bundle-host.mjs';
import { makeTemplate } from './lib/template.mjs';
import { buildApp, isAppStale } from './lib/build-app.mjs';

const args = process.argv.slice(2);
const onlyStale = args.includes('--stale');
const parts = args.filter((arg) => !arg.startsWith('--'));
const wants = (part) => parts.length === 0 || parts.includes(part);
const unknown = parts.find((part) => part !== 'host' && part !== 'app');
if (unknown !== undefined) {
  process.stderr.write(`build: unknown part '${unknown}' (host, app)\n`);
  process.exit(2);
}

// vite needs the newer Node; start over under it if this one is too old.
if (Number(process.versions.node.split('.')[0]) < 22) process.exit(await runScript('scripts/build.mjs', args));
requireModernNode();
process.chdir(root);

if (wants('host') && !(onlyStale && !isHostStale())) {
  const tookMs = await bundleHost();
  process.stderr.write(`built out/host in ${tookMs} ms\n`);
  if (!(await makeTemplate())) process.stderr.write('build: no lab could be provisioned in advance (above is why)\n');
}
if (wants('app') && !(onlyStale && !isAppStale())) {
  const status = await buildApp();
  if (status !== 0) process.exit(status);
  process.stderr.write('built out/main, out/preload, out/renderer\n');
}
