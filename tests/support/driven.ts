// A `nobox drive` process of the built host, asked one request after another.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';

const ROOT = path.resolve(import.meta.dirname, '../..');
const CLI = path.join(ROOT, 'out/host/cli.mjs');
const TEMPLATE = path.join(ROOT, 'out/host/lecture-1.20.lab');

export interface Answer {
  readonly id: number;
  readonly error?: string;
  readonly stdout?: string;
  readonly stderr?: string;
  readonly exit?: number;
  readonly session?: string;
  readonly lines?: readonly string[];
  readonly points?: readonly { readonly revision: number; readonly label: string }[];
}

/** Builds what is stale; a new lab's template is provisioned when there is none. */
export async function buildHost(): Promise<void> {
  await runNode(path.join(ROOT, 'scripts/build.mjs'), 'host', '--stale');
  if (!existsSync(TEMPLATE)) await runNode(path.join(ROOT, 'scripts/build.mjs'), 'host');
}

async function runNode(...args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] });
  const [status] = (await once(child, 'exit')) as [number | null];
  if (status !== 0) throw new Error(`${args.join(' ')}: exit status ${String(status)}`);
}

export class DrivenProcess {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  readonly #ended: Promise<unknown>;
  #lastId = 0;
  #errors = '';

  constructor(state: string) {
    this.#child = spawn(process.execPath, [CLI, 'drive', '--state', state], { cwd: ROOT, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#ended = once(this.#child, 'close');
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => (this.#errors += text));
    // A request may be on its way to a process that is killed.
    this.#child.stdin!.on('error', () => undefined);
    createInterface({ input: this.#child.stdout! }).on('line', (line) => {
      const answer = JSON.parse(line) as Answer;
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
  }

  /** What the process said on standard error. */
  get errors(): string {
    return this.#errors;
  }

  /** Never settles when the process is killed before it answers. */
  ask(request: object): Promise<Answer> {
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#child.stdin!.write(`${JSON.stringify({ id, ...request })}\n`);
    });
  }

  /** Standard output and error of a command; throws when the request itself fails or the process ends under it. */
  async run(vm: string, command: string): Promise<string> {
    const died = this.#ended.then((): Answer => ({ id: 0, error: `the process has ended: ${this.#errors}` }));
    const answer = await Promise.race([this.ask({ vm, run: command }), died]);
    if (answer.error !== undefined) throw new Error(`${vm}$ ${command}: ${answer.error}`);
    return (answer.stdout ?? '') + (answer.stderr ?? '');
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  /** End of input: the process ends by itself; resolves with its status. */
  async end(): Promise<number | null> {
    this.#child.stdin!.end();
    await this.#ended;
    return this.#child.exitCode;
  }
}
