// The HTTPS door under load, as a client in another process finds it.

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { linesOf, residentBytes } from './bench-driver.mjs';
import { requireModernNode, root } from './node24.mjs';

const CREATES = 4000;
const WARM_UP = 500;
const WATCHED = 1000;
const LISTED_PODS = 5000;
const STORED_PODS = 10_000;
/** Pods are made on several connections: only their number matters. */
const MAKERS = 8;
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';
const PODS = '/api/v1/namespaces/default/pods';

/** Calls `add(name, target, unit, value)` for each figure. */
export async function measureDoor(stateFile, add) {
  const child = spawn(requireModernNode(), [path.join(root, 'bin/nobox.mjs'), 'serve', '--state', stateFile, '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = new Promise((resolve) => child.on('exit', resolve));
  try {
    const first = await linesOf(child.stdout)[Symbol.asyncIterator]().next();
    const { kubeconfig, pid } = JSON.parse(first.value);
    const client = new ApiClient(readFileSync(kubeconfig, 'utf8'));
    await client.ready();

    for (let i = 0; i < WARM_UP; i++) await client.create(CONFIG_MAPS, configMap(`warm-${i}`));
    const startMs = performance.now();
    for (let i = 0; i < CREATES; i++) await client.create(CONFIG_MAPS, configMap(`made-${i}`));
    add('ConfigMaps created over HTTPS, one connection', 3000, '/s', CREATES / ((performance.now() - startMs) / 1000), 'least');

    add('watch: from the request to the event (p99)', 10, 'ms', percentile(await client.watchTimes(), 99));

    await client.createPods(0, LISTED_PODS);
    const listMs = performance.now();
    const { body } = await client.ask('GET', PODS);
    add(`list of ${LISTED_PODS} pods (${Math.round(body.length / 1e6)} MB)`, undefined, 'ms', performance.now() - listMs);

    await client.createPods(LISTED_PODS, STORED_PODS);
    const bytes = await residentBytes(pid);
    if (bytes !== undefined) add(`memory of the host with ${STORED_PODS} pods`, 400, 'MB', bytes / 1e6);
    client.close();
  } finally {
    child.kill('SIGTERM');
    await exited;
  }
}

class ApiClient {
  #options;
  #agent;
  #many;

  constructor(kubeconfig) {
    const field = (name) => new RegExp(`${name}: (\\S+)`).exec(kubeconfig)[1];
    const bytes = (name) => Buffer.from(field(name), 'base64');
    const identity = { ca: bytes('certificate-authority-data'), cert: bytes('client-certificate-data'), key: bytes('client-key-data') };
    this.#agent = new https.Agent({ keepAlive: true, maxSockets: 1, ...identity });
    this.#many = new https.Agent({ keepAlive: true, maxSockets: MAKERS + 1, ...identity });
    const url = new URL(field('server'));
    this.#options = { host: url.hostname, port: url.port };
  }

  async ready() {
    for (;;) {
      const { status } = await this.ask('GET', '/readyz').catch(() => ({ status: 0 }));
      if (status === 200) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  ask(method, target, body, agent = this.#agent) {
    return new Promise((resolve, reject) => {
      const headers = body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
      const request = https.request({ ...this.#options, method, path: target, agent, headers }, (response) => {
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('end', () => resolve({ status: response.statusCode, body: Buffer.concat(chunks) }));
        response.on('error', reject);
      });
      request.on('error', reject);
      request.end(body);
    });
  }

  async create(target, body, agent) {
    const { status, body: answer } = await this.ask('POST', target, body, agent);
    if (status !== 201) throw new Error(`POST ${target}: ${status} ${answer}`);
  }

  async createPods(from, to) {
    let next = from;
    const make = async () => {
      while (next < to) await this.create(PODS, pod(`pod-${next++}`), this.#many);
    };
    await Promise.all(Array.from({ length: MAKERS }, make));
  }

  /** Milliseconds from sending a create to its event on a watch that is open already. */
  async watchTimes() {
    const seen = new Map();
    const watch = https.get({ ...this.#options, path: `${CONFIG_MAPS}?watch=1&resourceVersion=0`, agent: this.#many });
    const response = await new Promise((resolve, reject) => watch.on('response', resolve).on('error', reject));
    let text = '';
    let waiting;
    response.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
      const lines = text.split('\n');
      text = lines.pop();
      for (const line of lines) {
        const { name } = JSON.parse(line).object.metadata;
        seen.set(name, performance.now());
        if (waiting?.name === name) waiting.done();
      }
    });
    response.on('error', () => undefined);
    const times = [];
    for (let i = 0; i < WATCHED; i++) {
      const name = `watched-${i}`;
      const sentMs = performance.now();
      const arrived = new Promise((done) => (waiting = { name, done }));
      await this.create(CONFIG_MAPS, configMap(name));
      if (!seen.has(name)) await arrived;
      times.push(seen.get(name) - sentMs);
    }
    watch.destroy();
    return times;
  }

  close() {
    this.#agent.destroy();
    this.#many.destroy();
  }
}

function configMap(name) {
  return JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { key: 'value' } });
}

/** Of a scheduler that does not exist: they stay as they are. */
function pod(name) {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: 'bench' } },
    spec: { schedulerName: 'nobody', containers: [{ name: 'c', image: 'nginx' }] },
  });
}

function percentile(values, percent) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))];
}
