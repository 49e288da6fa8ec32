// The kernel behind the stacks that are no machine of the lab (the hypervisor's NAT, the learner's computer, the internet):
// all modules, a few settings that never change.

import { disposable, type Disposable } from '../../sim/disposable.ts';
import type { NetHost } from '../net-stack.ts';

export class FixedNetHost implements NetHost {
  readonly #settings: ReadonlyMap<string, string>;

  constructor(settings: Readonly<Record<string, string>>) {
    this.#settings = new Map(Object.entries(settings));
  }

  isModuleLoaded(_name: string): boolean {
    return true;
  }

  requestModule(_name: string): void {
    // Everything is built in.
  }

  sysctl(_namespace: string, key: string): string | undefined {
    return this.#settings.get(key);
  }

  onChange(_listener: Parameters<NetHost['onChange']>[0]): Disposable {
    return disposable(() => undefined);
  }

  log(_text: string): void {
    // These computers have no console that anybody could look at.
  }
}
