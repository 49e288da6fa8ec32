// npm run bench [-- --json]: how long a lab takes for what one waits for, through the real command. Measures, judges nothing:
// slow figures do not make it fail.

import { execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { requireModernNode, root, runScript } from './lib/node24.mjs';
import { drive, linesOf, residentBytes } from './lib/bench-driver.mjs';
import { measureDoor } from './lib/bench-door.mjs';
import { bundleTool } from './lib/bundle-host.mjs';

const args = process.argv.slice(2);
const isJson = args.includes('--json');
if (args.some((arg) => arg !== '--json')) {
  process.stderr.write('usage: npm run bench [-- --json]\n');
  process.exit(2);
}
if (Number(process.versions.node.split('.')[0]) < 22) process.exit(await runScript('scripts/bench.mjs', args));

const KEYS = 300;
const PODS = 30;
const CONTROL_PLANE = 'm-k8s';
const MACHINES = ['m-k8s', 'w1-k8s', 'w2-k8s', 'w3-k8s'];
const GET_NODES = { vm: CONTROL_PLANE, run: 'kubectl get nodes' };

const folder = mkdtempSync(path.join(os.tmpdir(), 'nobox-bench-'));
const figures = [];

try {
  // The bundle is brought up to date before anything is measured.
  await drive(path.join(folder, 'warm.nobox'), (lab) => lab.ask({ vm: CONTROL_PLANE, run: 'true' }));
  await measureLab();
  await measureScript();
  await measureDoor(path.join(folder, 'door.nobox'), add);
  await measureInside();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
print();

async function measureLab() {
  const state = path.join(folder, 'lab.nobox');
  await drive(state, async (lab) => {
    await usable(lab);
    add('fresh lab usable after start', 1500, 'ms', sinceStart(lab));
  });
  await drive(state, async (lab) => {
    await usable(lab);
    add('existing lab usable after start', 500, 'ms', sinceStart(lab));
    await lab.ask({ advance: '60s' });

    const gets = [];
    for (let i = 0; i < 30; i++) gets.push(await lab.time(GET_NODES));
    add('kubectl get nodes at the prompt (median)', 20, 'ms', percentile(gets, 50));

    add('key to echo (p99)', 5, 'ms', percentile(await keyTimes(lab), 99));

    add('snapshot save', 100, 'ms', await lab.time({ snapshot: 'save', name: 'bench' }));
    add('snapshot restore', 500, 'ms', await lab.time({ snapshot: 'restore', name: 'bench' }));
    await usable(lab);
    for (const vm of MACHINES) await lab.ask({ vm, run: 'uptime' });
    const bytes = await residentBytes(lab.pid);
    if (bytes !== undefined) add('memory of the host, four machines on', 250, 'MB', bytes / 1e6);
  });
}

/** The shell answers and so does the cluster. */
async function usable(lab) {
  for (;;) {
    const { exit } = await lab.ask(GET_NODES);
    if (exit === 0) return;
    await lab.ask({ advance: '1s' });
  }
}

function sinceStart(lab) {
  return performance.now() - lab.startedMs;
}

/** From the key to the moment its echo is on the screen and nothing more is to come. */
async function keyTimes(lab) {
  const { session } = await lab.ask({ tty: CONTROL_PLANE, open: { columns: 80, rows: 24 } });
  const times = [];
  for (let i = 0; i < KEYS; i++) times.push(await lab.time({ session, type: i % 60 === 59 ? '\u0015' : 'abcdefghij'[i % 10] }));
  await lab.ask({ session, close: true });
  return times;
}

/** `nobox run` says each line of the script as it is done. */
async function measureScript() {
  const script = path.join(folder, 'pods.lab');
  const lines = [
    `${CONTROL_PLANE}$ kubectl create deployment bench --image=nginx --replicas=${PODS}`,
    `@until 600s ${CONTROL_PLANE}$ kubectl get deployment bench ~ /${PODS}\\/${PODS}/`,
    '@advance 300s',
  ];
  writeFileSync(script, `${lines.join('\n')}\n`);
  const node = requireModernNode();
  const child = spawn(node, [path.join(root, 'bin/nobox.mjs'), 'run', script, '--json', '--state', path.join(folder, 'run.nobox')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let before = performance.now();
  for await (const line of linesOf(child.stdout)) {
    const now = performance.now();
    const step = JSON.parse(line);
    if (step.met === false) process.stderr.write(`bench: not all ${PODS} pods came up:\n${step.output}`);
    if (step.advance_ms !== undefined) add(`300 s of lab time with ${PODS} pods`, 2000, 'ms', now - before);
    before = now;
  }
}

/** The API server without the door: the program runs the engine in its own process. */
async function measureInside() {
  // Beside the installed packages, which it needs.
  const program = path.join(root, 'out/bench', 'inside.mjs');
  await bundleTool('tests/bench/inside.ts', program);
  const { stdout } = await promisify(execFile)(requireModernNode(), [program, path.join(root, 'out/host/lecture-1.20.lab')]);
  const { readyMs, createsPerSecond } = JSON.parse(stdout);
  add('API server ready after the lab was opened', undefined, 'ms', readyMs);
  add('ConfigMaps created inside the lab, one connection', 10_000, '/s', createsPerSecond, 'least');
}

function percentile(values, percent) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))];
}

/** `bound` tells whether the target is the most or the least that will do. */
function add(name, target, unit, measured, bound = 'most') {
  const isMet = target === undefined || (bound === 'most' ? measured <= target : measured >= target);
  figures.push({ name, target, unit, measured: Math.round(measured * 10) / 10, isMet });
  if (!isJson) process.stderr.write('.');
}

function print() {
  if (isJson) {
    process.stdout.write(`${JSON.stringify({ node: process.version, cpus: os.cpus().length, figures }, undefined, 2)}\n`);
    return;
  }
  const width = Math.max(...figures.map((figure) => figure.name.length));
  process.stderr.write('\n');
  process.stdout.write(`${'figure'.padEnd(width)}  ${'target'.padStart(10)}  ${'measured'.padStart(12)}\n`);
  for (const { name, target, unit, measured, isMet } of figures) {
    process.stdout.write(
      `${name.padEnd(width)}  ${(target === undefined ? '' : `${target} ${unit}`).padStart(10)}  ${`${measured} ${unit}`.padStart(12)}${isMet ? '' : '  missed'}\n`,
    );
  }
}
