// The real thing: `nobox serve` as a process of its own on a lab file of its own.

import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const NOBOX = path.resolve(import.meta.dirname, '../../bin/nobox.mjs');

export interface ServedLab {
  readonly url: string;
  readonly ssh: Readonly<Record<string, number>>;
  readonly kubeconfig: string;
  readonly pid: number;
  /** What it said on standard error. */
  readonly complaints: () => string;
  /** Ends it with SIGTERM; resolves with its exit status. */
  stop(): Promise<number | null>;
}

export interface LabFolder {
  readonly state: string;
  remove(): void;
}

export function labFolder(): LabFolder {
  const folder = mkdtempSync(path.join(tmpdir(), 'nobox-e2e-'));
  return { state: path.join(folder, 'lab.nobox'), remove: () => rmSync(folder, { recursive: true, force: true }) };
}

export async function serveLab(state: string): Promise<ServedLab> {
  const child = spawn(process.execPath, [NOBOX, 'serve', '--json', '--state', state, '--seed', '7'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text));
  const announced = JSON.parse(await firstLine(child, () => complaints)) as Omit<ServedLab, 'stop' | 'complaints'>;
  return {
    ...announced,
    complaints: () => complaints,
    stop: () =>
      new Promise((resolve) => {
        child.once('exit', (status) => resolve(status));
        child.kill('SIGTERM');
      }),
  };
}

function firstLine(child: ChildProcess, complaints: () => string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')));
    });
    child.once('exit', (status) => reject(new Error(`nobox serve ended with ${String(status)}: ${complaints()}`)));
  });
}
