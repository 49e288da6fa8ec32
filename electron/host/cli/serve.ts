// `nobox serve`: the lab for browsers, SSH and kubectl, until it is told to end.

import { onUnhandledRejection } from '../rejections.ts';
import path from 'node:path';
import { loginToGuest } from '../gateways/guest-login.ts';
import { openLab } from '../lab-host.ts';
import { SCREEN_FILES, serveLab, type ServedLab } from '../serve-lab.ts';
import { CliError, parseOptions } from './options.ts';
import { defaultLabPath } from './state.ts';

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

export async function serve(argv: readonly string[]): Promise<number> {
  const { values, flags, words } = parseOptions(argv, {
    port: 'string',
    host: 'string',
    state: 'string',
    seed: 'string',
    json: 'flag',
    'host-shell': 'flag',
  });
  if (words.length > 0) throw new CliError(`unexpected argument "${words[0]!}"`);
  const file = values['state'] ?? defaultLabPath();
  const port = numberOf('port', values['port'] ?? '0', 65_535);
  const seed = values['seed'] === undefined ? undefined : numberOf('seed', values['seed'], Number.MAX_SAFE_INTEGER);
  const host = values['host'] ?? '127.0.0.1';
  if (flags.has('host-shell') && !/^(127\.|localhost$|::1$)/.test(host))
    throw new CliError('--host-shell is only for a host that listens on loopback');
  const ended = untilSignal();
  const lab = await openLab({ path: file, seed });
  let served: ServedLab;
  try {
    served = await serveLab(lab, {
      port,
      host,
      files: SCREEN_FILES,
      login: loginToGuest,
      ...(flags.has('host-shell') ? { nobox: [process.execPath, path.join(import.meta.dirname, '../../bin/nobox.mjs')] } : {}),
      onError: report,
      onFault: (error) => {
        // The lab stands still; its file holds everything up to the last prompt. A supervisor may start it again.
        process.stderr.write(`nobox: the lab has stopped: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
      },
    });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') throw new CliError(`port ${port} of ${host} is in use; choose another with --port`, 1);
    if (code === 'EACCES' || code === 'EADDRNOTAVAIL') throw new CliError(message, 1);
    throw error;
  }
  onUnhandledRejection((error) => served.fault(error));
  process.on('uncaughtException', (error) => served.fault(error));
  announce(served, flags.has('json'));
  await ended;
  await served.close();
  return 0;
}

function report(error: unknown): void {
  process.stderr.write(`nobox: ${error instanceof Error ? error.message : String(error)}\n`);
}

function announce({ url, ssh, kubeconfig }: ServedLab, isJson: boolean): void {
  if (isJson) {
    process.stdout.write(`${JSON.stringify({ url, ssh, kubeconfig, pid: process.pid })}\n`);
    return;
  }
  process.stdout.write(`${url}\n`);
  for (const [machine, port] of Object.entries(ssh)) process.stdout.write(`${machine}: ssh -p ${port} root@127.0.0.1\n`);
  if (kubeconfig !== undefined) process.stdout.write(`kubectl: export KUBECONFIG=${kubeconfig}\n`);
}

function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of SIGNALS) process.once(signal, () => resolve());
  });
}

function numberOf(option: string, text: string, most: number): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number > most) throw new CliError(`--${option} takes a whole number up to ${most}, not "${text}"`);
  return number;
}
