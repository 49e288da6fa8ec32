// The network namespaces of a machine: one stack each, durable through the stack's own save and restore.

import type { Clock } from '../sim/clock.ts';
import { SysError } from '../sim/errno.ts';
import type { Rng } from '../sim/rng.ts';
import type { NetHost, NetStack, NetStackOptions, OwnedNetStack } from '../net/net-stack.ts';
import { prefixEnd } from '../store/kv-store.ts';
import type { Journal } from '../store/journal.ts';
import type { NetNamespaces } from './kernel.ts';

const HOST = 'host';

export interface NetNamespaceOptions {
  readonly clock: Clock;
  readonly rng: Rng;
  readonly journal: Journal;
  /** Ends with a slash. */
  readonly prefix: string;
  readonly host: NetHost;
  readonly createNetStack: (options: NetStackOptions) => OwnedNetStack;
  readonly onDelete: (name: string) => void;
}

export class NetNamespaceTable implements NetNamespaces {
  readonly #options: NetNamespaceOptions;
  readonly #stacks = new Map<string, OwnedNetStack>();

  constructor(options: NetNamespaceOptions) {
    this.#options = options;
  }

  get(name: string): NetStack {
    const stack = this.#stacks.get(name);
    if (stack === undefined) throw new SysError('ENOENT', name);
    return stack;
  }

  names(): readonly string[] {
    return [...this.#stacks.keys()];
  }

  create(name: string): NetStack {
    return this.#create(name);
  }

  /** The machine's own, before its hardware is plugged in. */
  createHost(): OwnedNetStack {
    return this.#create(HOST);
  }

  delete(name: string): void {
    const stack = this.#stacks.get(name);
    if (stack === undefined) throw new SysError('ENOENT', name);
    this.#stacks.delete(name);
    stack.dispose();
    this.#options.journal.delete(this.#options.prefix + name);
    this.#options.onDelete(name);
  }

  /** Puts every stored namespace back; the machine's own exists already. */
  restore(): void {
    const { journal, prefix } = this.#options;
    const stored = journal.list(prefix, prefixEnd(prefix)).map(({ key, value }) => ({ name: key.slice(prefix.length), value }));
    for (const { name } of stored) if (!this.#stacks.has(name)) this.#create(name);
    const restored = new Set<string>();
    for (const { name, value } of stored) {
      restored.add(name);
      this.#stacks.get(name)!.restore(value, (other) => (restored.has(other) ? this.#stacks.get(other) : undefined));
    }
  }

  dispose(): void {
    for (const stack of this.#stacks.values()) stack.dispose();
    this.#stacks.clear();
  }

  #create(name: string): OwnedNetStack {
    if (this.#stacks.has(name)) throw new SysError('EEXIST', name);
    const { clock, rng, host, journal, prefix } = this.#options;
    const stack = this.#options.createNetStack({ namespace: name, clock, rng: rng.fork(name), host });
    this.#stacks.set(name, stack);
    // The other end of a veth may be given as a process sees its namespace.
    const addLink = stack.addLink.bind(stack);
    stack.addLink = (spec) =>
      addLink(spec.peer === undefined ? spec : { ...spec, peer: { ...spec.peer, stack: this.get(spec.peer.stack.namespace) } });
    const keep = (): void => {
      if (this.#stacks.get(name) === stack)
        journal.putLater(prefix + name, () => (this.#stacks.get(name) === stack ? stack.save() : undefined));
    };
    stack.onStateChange(keep);
    keep();
    return stack;
  }
}
