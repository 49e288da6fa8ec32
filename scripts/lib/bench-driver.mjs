// `nobox drive` as a child: one request, one answer, and how long that took.

import { execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { requireModernNode, root } from './node24.mjs';

const NOBOX = path.join(root, 'bin/nobox.mjs');

/** Runs `work` with a lab that is open, and closes it. */
export async function drive(stateFile, work) {
  const startedMs = performance.now();
  const child = spawn(requireModernNode(), [NOBOX, 'drive', '--state', stateFile], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', resolve);
  });
  const answers = linesOf(child.stdout)[Symbol.asyncIterator]();
  let id = 0;
  const ask = async (request) => {
    child.stdin.write(`${JSON.stringify({ id: ++id, ...request })}\n`);
    const { value, done } = await answers.next();
    if (done) throw new Error(`nobox drive ended before it answered ${JSON.stringify(request)}`);
    const answer = JSON.parse(value);
    if (answer.error !== undefined) throw new Error(`${JSON.stringify(request)}: ${answer.error}`);
    return answer;
  };
  const time = async (request) => {
    const beforeMs = performance.now();
    await ask(request);
    return performance.now() - beforeMs;
  };
  try {
    return await work({ ask, time, startedMs, pid: child.pid });
  } finally {
    child.stdin.end();
    await exited;
  }
}

export function linesOf(stream) {
  return createInterface({ input: stream, crlfDelay: Infinity });
}

/** Undefined where there is no way to ask. */
export async function residentBytes(pid) {
  if (process.platform === 'linux') return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024;
  if (process.platform === 'win32') return undefined;
  const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(pid)]);
  return Number(stdout.trim()) * 1024;
}
