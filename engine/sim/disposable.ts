// Ownership: who creates something disposes of it.

export interface Disposable {
  dispose(): void;
}

/** Wraps a function that undoes something; calling `dispose` more than once is harmless. */
export function disposable(undo: () => void): Disposable {
  let isDone = false;
  return {
    dispose() {
      if (isDone) return;
      isDone = true;
      undo();
    },
  };
}

/** Owns other disposables and disposes of them in reverse order of adding. */
export class DisposableStore implements Disposable {
  readonly #owned: Disposable[] = [];

  add<T extends Disposable>(child: T): T {
    this.#owned.push(child);
    return child;
  }

  dispose(): void {
    for (let child = this.#owned.pop(); child !== undefined; child = this.#owned.pop()) child.dispose();
  }
}
