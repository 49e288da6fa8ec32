// Keys in order, for ranges: few changes are put where they belong, many are sorted in at once.

/** Up to this many new keys an insertion each is cheaper than sorting all. */
const FEW = 32;

export class SortedKeys {
  #sorted: string[] = [];
  #added: string[] = [];

  /** A key that is not among them. */
  add(key: string): void {
    this.#added.push(key);
  }

  delete(key: string): void {
    this.#settle();
    const at = lowerBound(this.#sorted, key, 0);
    if (this.#sorted[at] === key) this.#sorted.splice(at, 1);
  }

  /** From `from`, up to but without `to`. */
  between(from: string, to: string): readonly string[] {
    this.#settle();
    const start = lowerBound(this.#sorted, from, 0);
    return this.#sorted.slice(start, lowerBound(this.#sorted, to, start));
  }

  #settle(): void {
    const added = this.#added;
    if (added.length === 0) return;
    this.#added = [];
    if (added.length > FEW) {
      this.#sorted = this.#sorted.concat(added).sort((a, b) => (a < b ? -1 : 1));
    } else for (const key of added) this.#sorted.splice(lowerBound(this.#sorted, key, 0), 0, key);
  }
}

function lowerBound(sorted: readonly string[], key: string, from: number): number {
  let low = from;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
