// Fakes for tests of the stack: a kernel that knows modules and sysctls, and a lab with a clock.

import { VirtualClock } from '../../sim/clock.ts';
import { SysError } from '../../sim/errno.ts';
import { SeededRng } from '../../sim/rng.ts';
import type { NetHost, OwnedNetStack } from '../net-stack.ts';
import { createNetStack } from '../stack.ts';

export class FakeHost implements NetHost {
  readonly values = new Map<string, string>([['net.ipv4.ip_forward', '0']]);
  readonly modules = new Set<string>();
  readonly lines: string[] = [];
  #listeners: ((change: object) => void)[] = [];
  isModuleLoaded(name: string): boolean {
    return this.modules.has(name);
  }
  requestModule(name: string): void {
    this.modules.add(name);
  }
  sysctl(_namespace: string, key: string): string | undefined {
    return this.values.get(key);
  }
  set(key: string, value: string): void {
    this.values.set(key, value);
    for (const listener of this.#listeners) listener({ sysctl: key });
  }
  onChange(listener: (change: object) => void): { dispose(): void } {
    this.#listeners.push(listener);
    return { dispose: () => undefined };
  }
  log(line: string): void {
    this.lines.push(line);
  }
}

/** A clock, and a maker of namespaces whose `lo` is up. */
export function lab(settle: () => Promise<void>) {
  const clock = new VirtualClock({ startMs: 0, settle });
  const rng = new SeededRng(7);
  const make = (namespace: string): { stack: OwnedNetStack; host: FakeHost } => {
    const host = new FakeHost();
    const stack = createNetStack({ namespace, clock, rng: rng.fork(namespace), host });
    stack.setLink('lo', { isUp: true });
    return { stack, host };
  };
  return { clock, make };
}

/** The value, or the errno it was refused with. */
export async function outcome<T>(promise: Promise<T>): Promise<T | string> {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof SysError) return error.errno;
    throw error;
  }
}
