// The API server under load from inside the lab: over the emulated network, without the host's door.
// Prints {"readyMs", "createsPerSecond"}.

import { connectTls } from '#engine/net/tls.ts';
import { HttpClient } from '#engine/net/http-client.ts';
import { ClockDriver } from '../../electron/host/clock-driver.ts';
import { onUnhandledRejection } from '../../electron/host/rejections.ts';
import { openLab } from '../../electron/host/lab-host.ts';

const CREATES = 10_000;
const WARM_UP = 2000;
const API = { address: '192.168.1.10', port: 6443 };
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';

const startMs = performance.now();
const lab = await openLab({ seed: 1, template: process.argv[2] });
const { adminKubeconfigYaml, caPem } = lab.clusterPki()!;
const pem = (field: string): string => Buffer.from(new RegExp(`${field}: (\\S+)`).exec(adminKubeconfigYaml)![1]!, 'base64').toString();
const certificate = { certificatePem: pem('client-certificate-data'), privateKeyPem: pem('client-key-data') };
const client = new HttpClient({
  host: `${API.address}:${API.port}`,
  connect: async () =>
    connectTls(await lab.connectHostOnly(API.address, API.port), {
      serverName: API.address,
      ca: caPem,
      certificate,
      nowMs: lab.clock.now(),
    }),
});

onUnhandledRejection(fail);
const driver = new ClockDriver({ clock: lab.clock, onFault: fail });
driver.start();
await untilReady();
const readyMs = performance.now() - startMs;
const createsPerSecond = await measure();
process.stdout.write(`${JSON.stringify({ readyMs, createsPerSecond })}\n`);
client.close();
await driver.stop();
await lab.close();

function fail(error: unknown): never {
  throw error;
}

async function untilReady(): Promise<void> {
  for (;;) {
    try {
      if ((await ask('GET', '/readyz')) === 200) return;
    } catch {
      // Not listening yet.
    }
    await lab.clock.sleep(100);
  }
}

async function measure(): Promise<number> {
  for (let i = 0; i < WARM_UP; i++) await create(`warm-${i}`);
  const beforeMs = performance.now();
  for (let i = 0; i < CREATES; i++) await create(`made-${i}`);
  return CREATES / ((performance.now() - beforeMs) / 1000);
}

async function create(name: string): Promise<void> {
  const status = await ask(
    'POST',
    CONFIG_MAPS,
    JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { key: 'value' } }),
  );
  if (status !== 201) throw new Error(`create ${name}: ${status}`);
}

async function ask(method: string, target: string, body?: string): Promise<number> {
  const response = await client.request({
    method,
    target,
    ...(body === undefined ? {} : { body, headers: { 'content-type': 'application/json' } }),
  });
  while ((await response.body.read()) !== undefined);
  return response.status;
}
