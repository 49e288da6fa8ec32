// Models the sysctl tree: values with their validation, per network namespace where Linux has it, and keys that exist only
// while the module behind them is loaded.

import type { Disposable } from '../sim/disposable.ts';
import { SysError } from '../sim/errno.ts';
import { Emitter } from '../sim/event.ts';
import type { LinuxKernel } from './linux-kernel.ts';
import type { Sysctl } from './kernel.ts';
import { LINK_KEYS, SYSCTL_KEYS, type SysctlSpec } from './sysctl-keys.ts';

export interface SysctlHost {
  readonly kernel: LinuxKernel;
  isModuleLoaded(name: string): boolean;
  onDirty(): void;
}

const HOST = 'host';
const CONF = 'net.ipv4.conf.';
const NEIGH = 'net.ipv4.neigh.';

export class SysctlTree implements Sysctl {
  readonly #host: SysctlHost;
  /** Namespace to key to value, only what was set; machine-wide keys lie under `host`. */
  readonly #values = new Map<string, Map<string, string>>();
  readonly #onChange = new Emitter<string>();

  constructor(host: SysctlHost) {
    this.#host = host;
  }

  onChange(listener: (key: string) => void): Disposable {
    return this.#onChange.on(listener);
  }

  keys(netNamespace: string = HOST): readonly string[] {
    const keys: string[] = [];
    for (const [key, spec] of SYSCTL_KEYS) if (this.#exists(spec, netNamespace)) keys.push(key);
    for (const link of this.#links(netNamespace)) for (const name of LINK_KEYS.keys()) keys.push(`${CONF}${link}.${name}`);
    return keys.sort();
  }

  /** Whether there is a key like this: a walk through /proc/sys asks at every step. */
  hasKey(isWanted: (key: string) => boolean, netNamespace: string = HOST): boolean {
    for (const [key, spec] of SYSCTL_KEYS) if (isWanted(key) && this.#exists(spec, netNamespace)) return true;
    for (const link of this.#links(netNamespace)) for (const name of LINK_KEYS.keys()) if (isWanted(`${CONF}${link}.${name}`)) return true;
    return false;
  }

  get(key: string, netNamespace: string = HOST): string {
    const value = this.peek(key, netNamespace);
    if (value === undefined) throw new SysError('ENOENT', key);
    return value;
  }

  /** Undefined when there is no such key. */
  peek(key: string, netNamespace: string = HOST): string | undefined {
    const spec = this.#spec(key, netNamespace);
    if (spec === undefined) return undefined;
    if (spec.read !== undefined) return spec.read(this.#host.kernel);
    return this.#values.get(this.#room(spec, netNamespace))?.get(key) ?? this.#default(key, spec, netNamespace);
  }

  set(key: string, value: string, netNamespace: string = HOST): void {
    const spec = this.#spec(key, netNamespace);
    if (spec === undefined) throw new SysError('ENOENT', key);
    if (spec.isReadOnly === true) throw new SysError('EACCES', key);
    const wanted = spec.normalise(value.trim());
    if (wanted === undefined) throw new SysError('EINVAL', key);
    if (spec.write !== undefined) spec.write(this.#host.kernel, wanted);
    else this.#store(key, spec, wanted, netNamespace);
    this.#follow(key, wanted, netNamespace);
  }

  save(): Readonly<Record<string, Readonly<Record<string, string>>>> {
    return Object.fromEntries([...this.#values].map(([namespace, values]) => [namespace, Object.fromEntries(values)]));
  }

  restore(saved: Readonly<Record<string, Readonly<Record<string, string>>>>): void {
    for (const [namespace, values] of Object.entries(saved)) this.#values.set(namespace, new Map(Object.entries(values)));
  }

  /** A namespace is gone. */
  forget(netNamespace: string): void {
    if (this.#values.delete(netNamespace)) this.#host.onDirty();
  }

  /** A module is gone: its keys come back with their defaults. */
  forgetModule(module: string): void {
    for (const [key, spec] of SYSCTL_KEYS) if (spec.module === module) for (const values of this.#values.values()) values.delete(key);
    this.#host.onDirty();
  }

  #store(key: string, spec: SysctlSpec, value: string, netNamespace: string): void {
    const room = this.#room(spec, netNamespace);
    let values = this.#values.get(room);
    if (values === undefined) this.#values.set(room, (values = new Map()));
    values.set(key, value);
    this.#host.onDirty();
    this.#onChange.emit(key);
  }

  /** Keys that move together: ip_forward is conf.all.forwarding, and `all` of forwarding sets every link's. */
  #follow(key: string, value: string, netNamespace: string): void {
    if (key === 'net.ipv4.ip_forward' || key === `${CONF}all.forwarding`) {
      const spec = LINK_KEYS.get('forwarding')!;
      const other = key === 'net.ipv4.ip_forward' ? `${CONF}all.forwarding` : 'net.ipv4.ip_forward';
      const otherSpec = this.#spec(other, netNamespace);
      if (otherSpec !== undefined) this.#store(other, otherSpec, value, netNamespace);
      for (const link of this.#links(netNamespace)) if (link !== 'all') this.#store(`${CONF}${link}.forwarding`, spec, value, netNamespace);
    }
  }

  #spec(key: string, netNamespace: string): SysctlSpec | undefined {
    const known = SYSCTL_KEYS.get(key);
    if (known !== undefined) return this.#exists(known, netNamespace) ? known : undefined;
    if (!key.startsWith(CONF) && !key.startsWith(NEIGH)) return undefined;
    // A link's name may hold dots, so the setting is what follows the last one.
    const rest = key.slice(CONF.length);
    const dot = rest.lastIndexOf('.');
    const link = rest.slice(0, dot).replaceAll('/', '.');
    if (!this.#links(netNamespace).includes(link)) return undefined;
    return LINK_KEYS.get(rest.slice(dot + 1));
  }

  #exists(spec: SysctlSpec, netNamespace: string): boolean {
    if (spec.isHostOnly === true && netNamespace !== HOST) return false;
    return spec.module === undefined || this.#host.isModuleLoaded(spec.module);
  }

  #default(key: string, spec: SysctlSpec, netNamespace: string): string {
    if (!key.startsWith(CONF)) return spec.initial;
    const [link, name] = [key.slice(CONF.length, key.lastIndexOf('.')), key.slice(key.lastIndexOf('.') + 1)];
    if (link === 'all' || link === 'default') return spec.initial;
    // A link starts with what `default` says.
    return this.peek(`${CONF}default.${name}`, netNamespace) ?? spec.initial;
  }

  #room(spec: SysctlSpec, netNamespace: string): string {
    return spec.isPerNamespace === true ? netNamespace : HOST;
  }

  #links(netNamespace: string): readonly string[] {
    const { netNamespaces } = this.#host.kernel;
    const links = netNamespaces?.names().includes(netNamespace)
      ? netNamespaces
          .get(netNamespace)
          .links()
          .map((link) => link.name)
      : [];
    return ['all', 'default', ...links];
  }
}
