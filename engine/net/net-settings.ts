// What a stack reads of its kernel while packets pass, cached until the kernel says that something changed.

import type { Disposable } from '../sim/disposable.ts';
import type { NetHost } from './net-stack.ts';

export class NetSettings implements Disposable {
  readonly #namespace: string;
  readonly #host: NetHost;
  readonly #values = new Map<string, string | undefined>();
  readonly #numbers = new Map<string, number>();
  readonly #modules = new Map<string, boolean>();
  readonly #listening: Disposable;
  /** Grows with every change, so that what was computed from settings can be kept until then. */
  version = 0;

  constructor(namespace: string, host: NetHost) {
    this.#namespace = namespace;
    this.#host = host;
    this.#listening = host.onChange(() => {
      this.#values.clear();
      this.#numbers.clear();
      this.#modules.clear();
      this.version++;
    });
  }

  text(key: string): string | undefined {
    if (this.#values.has(key)) return this.#values.get(key);
    const value = this.#host.sysctl(this.#namespace, key);
    this.#values.set(key, value);
    return value;
  }

  isOn(key: string): boolean {
    return this.number(key, 0) !== 0;
  }

  number(key: string, otherwise: number): number {
    let value = this.#numbers.get(key);
    if (value === undefined) this.#numbers.set(key, (value = Number(this.text(key) ?? Number.NaN)));
    return Number.isNaN(value) ? otherwise : value;
  }

  hasModule(name: string): boolean {
    let isLoaded = this.#modules.get(name);
    if (isLoaded === undefined) this.#modules.set(name, (isLoaded = this.#host.isModuleLoaded(name)));
    return isLoaded;
  }

  dispose(): void {
    this.#listening.dispose();
  }
}
