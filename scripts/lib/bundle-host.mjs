// Bundles the host (the `nobox` command and the process the desktop app forks) with esbuild.

import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { writeApiDocs } from './api-docs.mjs';
import { root } from './node24.mjs';

const OUT = path.join(root, 'out/host');
const INPUTS = path.join(OUT, 'inputs.json');
const ENTRIES = { cli: 'electron/host/cli/main.ts', host: 'electron/host/utility.ts' };

/** Native modules, and what is only there in Electron. Everything else is in the bundle. */
const EXTERNAL = ['better-sqlite3', 'node-pty', 'ssh2', 'electron', 'bufferutil', 'utf-8-validate'];

/** True when a file that went into the bundle is newer than the bundle, or there is no bundle. */
export function isHostStale() {
  if (!existsSync(INPUTS)) return true;
  const { inputs, outputs } = JSON.parse(readFileSync(INPUTS, 'utf8'));
  let oldest = Infinity;
  for (const file of outputs) {
    const stat = statSync(path.join(OUT, file), { throwIfNoEntry: false });
    if (stat === undefined) return true;
    oldest = Math.min(oldest, stat.mtimeMs);
  }
  return inputs.some((file) => (statSync(path.join(root, file), { throwIfNoEntry: false })?.mtimeMs ?? Infinity) > oldest);
}

/** How the engine is bundled, whatever the entry. */
const OPTIONS = {
  absWorkingDir: root,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node22',
  external: EXTERNAL,
  loader: { '.txt': 'text', '.sql': 'text' },
  sourcemap: 'linked',
  sourcesContent: false,
  legalComments: 'none',
  logLevel: 'error',
  // Packages written as CommonJS call require() of Node's own modules.
  banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
};

/** Bundles a program of the development tools' own as the host is bundled. */
export async function bundleTool(file, outfile) {
  const { build } = await import('esbuild');
  const { outExtension: _, ...options } = OPTIONS;
  await build({ ...options, entryPoints: [path.join(root, file)], outfile });
}

/** Returns the number of milliseconds it took. */
export async function bundleHost() {
  const startedMs = Date.now();
  const { build } = await import('esbuild');
  mkdirSync(OUT, { recursive: true });
  const entryPoints = Object.fromEntries(Object.entries(ENTRIES).filter(([, file]) => existsSync(path.join(root, file))));
  const result = await build({
    ...OPTIONS,
    entryPoints,
    outdir: OUT,
    metafile: true,
    write: false,
  });
  // Renamed into place: another nobox may be starting from the old file at this moment.
  for (const file of result.outputFiles) {
    const temporary = `${file.path}.${process.pid}`;
    writeFileSync(temporary, file.contents);
    renameSync(temporary, file.path);
  }
  writeApiDocs(path.join(OUT, `api-docs.json.${process.pid}`));
  renameSync(path.join(OUT, `api-docs.json.${process.pid}`), path.join(OUT, 'api-docs.json'));
  const inputs = Object.keys(result.metafile.inputs).filter((file) => !file.startsWith('node_modules/') && !file.startsWith('..'));
  writeFileSync(INPUTS, JSON.stringify({ inputs, outputs: [...Object.keys(entryPoints).map((name) => `${name}.mjs`), 'api-docs.json'] }));
  return Date.now() - startedMs;
}
