// What network programs share: printing, reading small files, names of hosts.

import type { Process } from '../../kernel/process.ts';
import { utf8 } from '../../sim/bytes.ts';
import { isSysError } from '../../sim/errno.ts';
import { nameInHostsFile, lookupHostsFile, resolveHost, type ResolveContext, type Resolution } from '../../net/resolver.ts';

export function out(process: Process, text: string): Promise<void> {
  return process.stdout.write(utf8(text));
}

export function err(process: Process, text: string): Promise<void> {
  return process.stderr.write(utf8(text));
}

/** A text file, or an empty text when there is none or it may not be read. */
export function readIfThere(process: Process, path: string): string {
  try {
    return process.sys.readTextFile(path);
  } catch (error) {
    if (isSysError(error, 'ENOENT', 'EACCES', 'ENOTDIR', 'EISDIR')) return '';
    throw error;
  }
}

export function resolveContext(process: Process, signal?: AbortSignal): ResolveContext {
  const { sys } = process;
  return {
    net: sys.net,
    clock: sys.clock,
    rng: sys.rng,
    resolvConf: readIfThere(process, '/etc/resolv.conf'),
    hosts: readIfThere(process, '/etc/hosts'),
    ...(signal === undefined ? {} : { signal }),
  };
}

/** getaddrinfo(3) as a program of this machine sees it. */
export function lookup(process: Process, name: string, signal?: AbortSignal): Promise<Resolution> {
  return resolveHost(name, resolveContext(process, signal));
}

/** Names out of /etc/hosts alone, for listings that must not wait. */
export function hostsNames(process: Process): { nameOf(address: string): string | undefined; lookup(name: string): readonly string[] } {
  const hosts = readIfThere(process, '/etc/hosts');
  return {
    nameOf: (address) => nameInHostsFile(hosts, address),
    lookup: (name) => {
      const address = lookupHostsFile(hosts, name);
      return address === undefined ? [] : [address];
    },
  };
}

/** Waits for whichever comes first: the work, or SIGINT. */
export class Interrupt {
  readonly #controller = new AbortController();
  readonly reason = new Error('interrupted');

  constructor(process: Process) {
    process.sys.onSignal('SIGINT', () => this.#controller.abort(this.reason));
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get isRaised(): boolean {
    return this.#controller.signal.aborted;
  }
}
