import { disposable, type Disposable } from './disposable.ts';

/** A list of listeners, called in the order in which they were added. */
export class Emitter<T> {
  #listeners: ((value: T) => void)[] = [];

  /** Calls `listener` on every `emit` until disposed. */
  on(listener: (value: T) => void): Disposable {
    this.#listeners = [...this.#listeners, listener];
    return disposable(() => {
      this.#listeners = this.#listeners.filter((other) => other !== listener);
    });
  }

  emit(value: T): void {
    for (const listener of this.#listeners) listener(value);
  }

  get listenerCount(): number {
    return this.#listeners.length;
  }
}
