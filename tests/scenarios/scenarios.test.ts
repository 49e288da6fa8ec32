// Every session script in this folder, played by the built `nobox run` in a lab of its own.

import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildHost } from '../support/driven.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const CLI = path.join(ROOT, 'out/host/cli.mjs');
const SCRIPTS = readdirSync(import.meta.dirname)
  .filter((name) => name.endsWith('.lab'))
  .sort();

/** What must stand in a script's output beside its own `@until` lines. */
const FACTS: Readonly<Record<string, readonly (string | RegExp)[]>> = {
  '01-first-look.lab': [
    /^m-k8s +Ready +control-plane,master +\S+ +v1\.20\.2$/m,
    /^w3-k8s +Ready +<none> +\S+ +v1\.20\.2$/m,
    /^calico-kube-controllers-744cfdf676-\S{5} +1\/1 +Running +0 /m,
    /^coredns-74ff55c5b-\S{5} +1\/1 +Running +0 +\S+ +172\.16\.171\.\d+ +m-k8s +<none> +<none>$/m,
    /^kube-scheduler-m-k8s +1\/1 +Running +0 +\S+ +192\.168\.1\.10 +m-k8s /m,
    'No resources found in default namespace.',
    "Error: unknown shorthand flag: 'a' in -all-namespaces\nSee 'kubectl get --help' for usage.\nexit 1\n",
    'The connection to the server localhost:8080 was refused - did you specify the right host or port?',
    'calico-node kube-proxy POD POD\n',
  ],
  '02-deployment.lab': [
    'deployment.apps/nginx created\n',
    'deployment.apps/nginx scaled\n',
    '      3 w1-k8s\n      3 w2-k8s\n      3 w3-k8s\n',
    '      1 w1-k8s\n      1 w2-k8s\n      1 w3-k8s\n',
    'command terminated with exit code 137\nexit 137\n',
    'exit 7\n',
    'same address\n',
    'pod "nginx-pod" deleted\n',
  ],
  '03-kubelet-stopped.lab': [
    /^quick-\S+ +0\/1 +Pending +0 +\S+ +<none> +w1-k8s +<none> +<none>$/m,
    /^w1-k8s +NotReady +<none> /m,
    /^quick-\S+ +1\/1 +Terminating +0 +\S+ +172\.16\.221\.\d+ +w1-k8s /m,
  ],
  '04-docker-stopped.lab': [
    'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?',
    /^ +Ready +False .* KubeletNotReady +container runtime is down/m,
    'exit 28\n',
    'another address\n',
  ],
};

function play(script: string, seed: number): Promise<{ status: number; output: string; errors: string }> {
  return new Promise((resolve) => {
    const args = [CLI, 'run', path.join(import.meta.dirname, script), '--seed', String(seed)];
    const child = execFile(process.execPath, args, { cwd: ROOT, maxBuffer: 1 << 26 }, (_error, output, errors) => {
      resolve({ status: child.exitCode ?? -1, output, errors });
    });
  });
}

describe('a session script', () => {
  beforeAll(buildHost, 600_000);

  it.each(SCRIPTS)(
    '%s comes out as on the real lab',
    async (script) => {
      const { status, output, errors } = await play(script, 1);
      expect(output.split('\n').filter((line) => /: NOT within \d+s/.test(line))).toEqual([]);
      for (const fact of FACTS[script] ?? []) expect(output).toMatch(fact);
      expect({ status, errors }).toEqual({ status: 0, errors: '' });
    },
    300_000,
  );

  it('prints the same bytes again with the same seed', async () => {
    const [first, second] = [await play('04-docker-stopped.lab', 7), await play('04-docker-stopped.lab', 7)];
    expect(second).toEqual(first);
    expect(first.status).toBe(0);
  }, 300_000);
});
