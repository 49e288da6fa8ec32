// What kubeadm's phases need of the machine: saying something, running a command, asking the API server.

import type { Process } from '../../kernel/process.ts';
import { createClient, userAgentOf } from '../../kube/client/connect.ts';
import { loadClientConfig } from '../../kube/client/kubeconfig.ts';
import type { KubeClient } from '../../kube/client/contracts.ts';
import { isAlreadyExists } from '../../kube/machinery/api-error.ts';
import type { KubeObject } from '../../kube/machinery/types.ts';
import { concat, text, utf8 } from '../../sim/bytes.ts';
import type { NewObject } from './addons.ts';

/** A phase that cannot go on; printed and exit status 1. */
export class KubeadmError extends Error {
  override readonly name = 'KubeadmError';
}

export type Say = (line: string) => Promise<void>;

export function sayOn(process: Process): Say {
  return (line) => process.stdout.write(utf8(`${line}\n`));
}

/** Runs a command with its output caught. */
export async function run(process: Process, argv: readonly string[]): Promise<{ readonly status: number; readonly output: string }> {
  const { sys } = process;
  const path = argv[0]!;
  const [read, write] = sys.pipe();
  const pid = sys.spawn(path, [path.slice(path.lastIndexOf('/') + 1), ...argv.slice(1)], {
    env: process.env,
    fds: new Map([
      [1, write],
      [2, write],
    ]),
  });
  sys.close(write);
  const chunks: Uint8Array[] = [];
  const source = sys.file(read);
  for (let chunk = await source.read(); chunk !== undefined; chunk = await source.read()) chunks.push(chunk);
  sys.close(read);
  const ended = await sys.wait(pid);
  return { status: ended?.kind === 'exited' ? ended.status : 1, output: text(concat(chunks)) };
}

export function clientOf(process: Process, kubeconfig: string): KubeClient {
  return createClient(process, loadClientConfig(process, { kubeconfig }), { userAgent: userAgentOf('kubeadm') });
}

/** Creates what is not there yet and updates what is. */
export async function ensure(client: KubeClient, wanted: NewObject): Promise<void> {
  try {
    await client.create(wanted.resource, wanted.object as KubeObject);
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    const { name = '', namespace } = wanted.object.metadata;
    await client.patch(
      wanted.resource,
      { name, ...(namespace === undefined ? {} : { namespace }) },
      'application/merge-patch+json',
      wanted.object,
    );
  }
}
