// Short notes at the edge of the window that go away by themselves.

import { useSyncExternalStore, type ReactElement } from 'react';
import { say } from '../i18n/language.ts';

interface Toast {
  readonly id: number;
  readonly text: string;
  readonly isError: boolean;
}

const NOTE_MS = 4000;
/** An error is read twice. */
const ERROR_MS = 9000;

let toasts: readonly Toast[] = [];
let count = 0;
const listeners = new Set<() => void>();

function setToasts(next: readonly Toast[]): void {
  toasts = next;
  for (const listener of listeners) listener();
}

export function note(text: string, isError = false): void {
  const toast = { id: ++count, text, isError };
  setToasts([...toasts.slice(-3), toast]);
  setTimeout(() => setToasts(toasts.filter((other) => other.id !== toast.id)), isError ? ERROR_MS : NOTE_MS);
}

/** Runs something the host may refuse, and shows its refusal. */
export function attempt(work: Promise<unknown>): void {
  work.catch((error: unknown) => note(say('failed', { message: error instanceof Error ? error.message : String(error) }), true));
}

export function Toasts(): ReactElement {
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => toasts,
  );
  return (
    <div className="toasts" role="status" aria-live="polite">
      {shown.map((toast) => (
        <div key={toast.id} className={`toast${toast.isError ? ' is-error' : ''}`}>
          {toast.text}
        </div>
      ))}
    </div>
  );
}
