// Models loadable modules: dependencies, who uses whom, and loading on demand.

import type { Disposable } from '../sim/disposable.ts';
import { SysError } from '../sim/errno.ts';
import { Emitter } from '../sim/event.ts';
import type { ModuleInfo, Modules } from './kernel.ts';
import { INITIAL_MODULES, MODULE_CATALOGUE, type ModuleSpec } from './module-catalogue.ts';

export interface ModulesHost {
  log(text: string): void;
  /** References other than by modules: mounts. */
  references(name: string): number;
  /** Something made of it is in use, though no reference is counted: bridge devices. */
  isPinned(name: string): boolean;
  onDirty(): void;
}

export class KernelModules implements Modules {
  readonly #host: ModulesHost;
  /** Loaded ones, oldest first. */
  readonly #loaded = new Set<string>();
  readonly #onChange = new Emitter<{ readonly name: string; readonly isLoaded: boolean }>();

  #isQuiet = false;

  constructor(host: ModulesHost) {
    this.#host = host;
  }

  /** As lsmod(8) lists them: the newest first. */
  list(): readonly ModuleInfo[] {
    return [...this.#loaded].reverse().map((name) => this.#info(name));
  }

  isLoaded(name: string): boolean {
    const real = canonical(name);
    return this.#loaded.has(real) || MODULE_CATALOGUE.get(real)?.isBuiltIn === true;
  }

  spec(name: string): ModuleSpec | undefined {
    return MODULE_CATALOGUE.get(canonical(name));
  }

  load(name: string): void {
    const real = canonical(name);
    const spec = MODULE_CATALOGUE.get(real);
    if (spec === undefined) throw new SysError('ENOENT', name);
    if (spec.isBuiltIn === true || this.#loaded.has(real)) return;
    for (const dependency of spec.needs) this.load(dependency);
    this.#loaded.add(real);
    if (!this.#isQuiet) for (const line of spec.messages ?? []) this.#host.log(line);
    this.#host.onDirty();
    this.#onChange.emit({ name: real, isLoaded: true });
  }

  unload(name: string): void {
    const real = canonical(name);
    if (!this.#loaded.has(real)) throw new SysError('ENOENT', name);
    this.#remove(real);
    // modprobe -r goes on to what only this module needed.
    for (const dependency of MODULE_CATALOGUE.get(real)?.needs ?? []) {
      if (this.#loaded.has(dependency) && !this.#isInUse(dependency)) this.unload(dependency);
    }
  }

  /** rmmod(8): this module alone. EBUSY, ENOENT. */
  remove(name: string): void {
    const real = canonical(name);
    if (!this.#loaded.has(real)) throw new SysError('ENOENT', name);
    this.#remove(real);
  }

  /** request_module(): unknown names are ignored. */
  request(name: string): void {
    const real = canonical(name);
    if (MODULE_CATALOGUE.has(real) && !this.#loaded.has(real)) this.load(real);
  }

  onChange(listener: (change: { readonly name: string; readonly isLoaded: boolean }) => void): Disposable {
    return this.#onChange.on(listener);
  }

  loadInitial(): void {
    // Their lines are part of the boot's own log.
    this.#isQuiet = true;
    for (const name of INITIAL_MODULES) this.load(name);
    this.#isQuiet = false;
  }

  /** Puts back what was loaded, given as `list` has it. */
  restore(names: readonly string[]): void {
    for (const name of [...names].reverse()) this.#loaded.add(name);
  }

  #remove(name: string): void {
    if (this.#isInUse(name)) throw new SysError('EBUSY', name);
    this.#loaded.delete(name);
    this.#host.onDirty();
    this.#onChange.emit({ name, isLoaded: false });
  }

  #isInUse(name: string): boolean {
    const info = this.#info(name);
    return info.usedBy.length > 0 || info.references > 0 || this.#host.isPinned(name);
  }

  #info(name: string): ModuleInfo {
    const usedBy = [...this.#loaded].filter((other) => MODULE_CATALOGUE.get(other)?.needs.includes(name) === true);
    const spec = MODULE_CATALOGUE.get(name);
    return { name, sizeBytes: spec?.sizeBytes ?? 16384, usedBy, references: this.#host.references(name) + (spec?.pins ?? 0) };
  }
}

/** Dashes and underscores are the same in module names; `nf-nat` is nf_nat. */
export function canonical(name: string): string {
  return name.replaceAll('-', '_');
}
