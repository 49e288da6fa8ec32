// kubectl v1.20.2 for the tests that put the real client before our API server: the computer's own if it is that version, else the one
// of Debian's package kubernetes-client, unpacked beside the installed packages. Where neither can be had those tests say so and skip.

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';

const folder = path.resolve(import.meta.dirname, '../../node_modules/.cache/kubernetes-client');
const unpacked = path.join(folder, 'usr/bin/kubectl');

/** Path of a kubectl v1.20.2, or undefined. */
export function findKubectl() {
  return [process.env.NOBOX_KUBECTL, unpacked, '/usr/bin/kubectl', '/usr/local/bin/kubectl'].find(
    (candidate) => candidate !== undefined && existsSync(candidate) && isRightVersion(candidate),
  );
}

/** Fetches the package when no kubectl v1.20.2 is there. Needs no privileges; says why when it can't. */
export function provideKubectl() {
  if (findKubectl() !== undefined) return;
  try {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    execFileSync('apt-get', ['download', '-q', 'kubernetes-client'], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
    const archive = readdirSync(folder).find((name) => name.endsWith('.deb'));
    execFileSync('dpkg-deb', ['-x', path.join(folder, archive), folder]);
    rmSync(path.join(folder, archive));
  } catch (error) {
    process.stderr.write(`kubectl v1.20.2 could not be had (${error.message.split('\n')[0]}): its tests will be skipped\n`);
  }
}

function isRightVersion(kubectl) {
  const { stdout } = spawnSync(kubectl, ['version', '--client', '--output=json'], { encoding: 'utf8' });
  return /"gitVersion": "v1\.20\.2\b/.test(stdout ?? '');
}
