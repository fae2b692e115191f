/** A map that keeps the entries used last and drops the others (LRU), so that caches stay bounded. */
export class Recent<V> {
  readonly #capacity: number
  readonly #entries = new Map<string, V>()

  /** @param capacity the largest number of entries kept */
  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get(key: string): V | undefined {
    const value = this.#entries.get(key)
    // A Map keeps insertion order, so moving an entry to the end marks it as used; below half of the capacity nothing
    // can be dropped soon and the move is spared.
    if (value !== undefined && this.#entries.size * 2 > this.#capacity) {
      this.#entries.delete(key)
      this.#entries.set(key, value)
    }
    return value
  }

  set(key: string, value: V): void {
    this.#entries.delete(key)
    this.#entries.set(key, value)
    if (this.#entries.size > this.#capacity) {
      for (const oldest of this.#entries.keys()) {
        this.#entries.delete(oldest)
        break
      }
    }
  }

  delete(key: string): void {
    this.#entries.delete(key)
  }

  clear(): void {
    this.#entries.clear()
  }

  /** Drops every entry whose key begins with `prefix`. */
  deletePrefix(prefix: string): void {
    for (const key of this.#entries.keys()) if (key.startsWith(prefix)) this.#entries.delete(key)
  }
}
