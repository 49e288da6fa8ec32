// A read-only mirror of what the host tells. React reads it through hooks; nothing here knows about drawing.

import { useSyncExternalStore } from 'react';
import type { ConnectionState, LabDelta, Unsubscribe } from '#shared/protocol/protocol.ts';
import type { ViewKind, Views } from '#shared/views/views.ts';

type Tables = { [Kind in ViewKind]: ReadonlyMap<string, Views[Kind]> };

export class LabStore {
  readonly #listeners = new Set<() => void>();
  #tables: Tables = emptyTables();
  #sequence: number | undefined;
  #connection: ConnectionState = 'connecting';
  #fault: { readonly message: string; readonly report: string } | undefined;

  subscribe = (listener: () => void): Unsubscribe => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** The same map until something of this kind changes. */
  table<Kind extends ViewKind>(kind: Kind): Tables[Kind] {
    return this.#tables[kind];
  }

  get connection(): ConnectionState {
    return this.#connection;
  }

  get fault(): { readonly message: string; readonly report: string } | undefined {
    return this.#fault;
  }

  /** Takes in a delta. Says false when one before it is missing: the whole has to be asked for again. */
  apply(delta: LabDelta): boolean {
    if (!delta.isWhole) {
      if (this.#sequence === undefined || delta.sequence <= this.#sequence) return true;
      if (delta.sequence !== this.#sequence + 1) return false;
    }
    this.#sequence = delta.sequence;
    const next: Record<string, Map<string, unknown>> = {};
    const copied = (kind: ViewKind): Map<string, unknown> =>
      (next[kind] ??= new Map<string, unknown>(delta.isWhole ? [] : (this.#tables[kind] as ReadonlyMap<string, unknown>)));
    if (delta.isWhole) for (const kind of Object.keys(this.#tables)) copied(kind as ViewKind);
    for (const { kind, id, view } of delta.changed) copied(kind).set(id, view);
    for (const { kind, id } of delta.removed) copied(kind).delete(id);
    this.#tables = { ...this.#tables, ...(next as Partial<Tables>) };
    this.#tell();
    return true;
  }

  setConnection(state: ConnectionState): void {
    if (state === this.#connection) return;
    this.#connection = state;
    if (state === 'lost') this.#fault = undefined;
    this.#tell();
  }

  setFault(fault: { readonly message: string; readonly report: string }): void {
    this.#fault = fault;
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

function emptyTables(): Tables {
  return {
    lab: new Map(),
    clock: new Map(),
    doors: new Map(),
    cluster: new Map(),
    machine: new Map(),
    node: new Map(),
    pod: new Map(),
    snapshot: new Map(),
    terminal: new Map(),
  };
}

export const labStore = new LabStore();

export function useTable<Kind extends ViewKind>(kind: Kind): Tables[Kind] {
  return useSyncExternalStore(labStore.subscribe, () => labStore.table(kind));
}

/** For the kinds of which there is one. */
export function useSingle<Kind extends 'lab' | 'clock' | 'doors' | 'cluster'>(kind: Kind): Views[Kind] | undefined {
  return (useTable(kind) as ReadonlyMap<string, Views[Kind]>).get(kind);
}

export function useConnection(): ConnectionState {
  return useSyncExternalStore(labStore.subscribe, () => labStore.connection);
}

export function useFault(): LabStore['fault'] {
  return useSyncExternalStore(labStore.subscribe, () => labStore.fault);
}
