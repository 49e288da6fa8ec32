// npm start: sets up what is missing, builds what is stale, and opens the lab: in the desktop app, or in the browser where Electron's binary is missing.

import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { installPackages } from './lib/install.mjs';
import { requireModernNode, root, run, runScript } from './lib/node24.mjs';

await installPackages();
const built = await runScript('scripts/build.mjs', ['--stale']);
if (built !== 0) process.exit(built);

const electron = electronBinary();
if (electron !== undefined) process.exit(await run(electron, [root, ...process.argv.slice(2)]));

process.stdout.write("Electron's binary is not installed (npx install-electron fetches it): the lab opens in the browser instead.\n");
serveInBrowser();

/** Path of the binary, found without asking the package: that would download it. */
function electronBinary() {
  const given = process.env.ELECTRON_OVERRIDE_DIST_PATH;
  const folder = path.join(root, 'node_modules/electron');
  const listed = path.join(folder, 'path.txt');
  if (!existsSync(listed)) return undefined;
  const binary = path.join(given ?? path.join(folder, 'dist'), readFileSync(listed, 'utf8').trim());
  return existsSync(binary) ? binary : undefined;
}

function serveInBrowser() {
  const args = [path.join(root, 'bin/nobox.mjs'), 'serve', '--json', '--host-shell', ...process.argv.slice(2)];
  const child = spawn(requireModernNode(), args, { cwd: root, stdio: ['inherit', 'pipe', 'inherit'] });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal));
  let head = '';
  child.stdout.setEncoding('utf8');
  child.stdout.on('data', (text) => {
    const wasComplete = head.includes('\n');
    head += text;
    if (wasComplete || !head.includes('\n')) return;
    const { url, ssh, kubeconfig } = JSON.parse(head.slice(0, head.indexOf('\n')));
    process.stdout.write(`\n  NoBox        ${url}\n`);
    for (const [machine, port] of Object.entries(ssh))
      process.stdout.write(`  ${machine.padEnd(12)} ssh -p ${port} root@127.0.0.1   (password vagrant)\n`);
    if (kubeconfig) process.stdout.write(`  kubectl      export KUBECONFIG=${kubeconfig}\n`);
    process.stdout.write('\n  Ctrl-C ends it; the lab is kept.\n\n');
    openBrowser(url);
  });
  child.on('exit', (status, signal) => process.exit(signal === null ? (status ?? 1) : 0));
}

/** Tries; whoever has no desktop opens the address himself. */
function openBrowser(url) {
  if (process.env.NOBOX_NO_BROWSER || (process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY)) return;
  const [command, ...args] = { darwin: ['open', url], win32: ['cmd', '/c', 'start', '', url] }[process.platform] ?? ['xdg-open', url];
  spawn(command, args, { stdio: 'ignore', detached: true })
    .on('error', () => process.stdout.write('  (open the address above in a browser)\n'))
    .unref();
}
