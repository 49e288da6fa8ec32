// What the server has under a group and a name, asked for several times in every request: without a key to put together.

export class ResourceIndex<T> {
  readonly #groups = new Map<string, Map<string, T>>();

  get(group: string, name: string): T | undefined {
    return this.#groups.get(group)?.get(name);
  }

  set(group: string, name: string, value: T): void {
    let names = this.#groups.get(group);
    if (names === undefined) this.#groups.set(group, (names = new Map()));
    names.set(name, value);
  }

  delete(group: string, name: string): void {
    const names = this.#groups.get(group);
    if (names?.delete(name) === true && names.size === 0) this.#groups.delete(group);
  }
}
