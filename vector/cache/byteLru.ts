/** Values in the order of their last use, bounded by the bytes that they are said to take. */
export type ByteLru<V> = {
  /** Counts as use. */
  get(key: string): V | undefined
  /** Does not. */
  peek(key: string): V | undefined
  /** Replaces what is there. What then exceeds the limit goes to `onEvict`, least recently used first; too large a value does at once. */
  put(key: string, value: V, bytes: number): void
  delete(key: string): boolean
  /** Nothing of it goes to `onEvict`. */
  clear(): void
  /** Least recently used first. */
  keys(): IterableIterator<string>
  readonly size: () => number
  /** Never more than the limit. */
  readonly bytes: () => number
}

export function createByteLru<V>(limitBytes: number, onEvict: (key: string, value: V) => void): ByteLru<V> {
  // A map keeps the order in which keys were put in.
  const held = new Map<string, { readonly value: V; readonly bytes: number }>()
  let total = 0

  const remove = (key: string) => {
    const found = held.get(key)
    if (!found) return undefined
    held.delete(key)
    total -= found.bytes
    return found
  }

  return {
    get(key) {
      const found = held.get(key)
      if (!found) return undefined
      held.delete(key)
      held.set(key, found)
      return found.value
    },
    peek: (key) => held.get(key)?.value,
    put(key, value, bytes) {
      remove(key)
      if (bytes > limitBytes) return onEvict(key, value)
      held.set(key, { value, bytes })
      total += bytes
      while (total > limitBytes) {
        const [oldest] = held.keys()
        onEvict(oldest!, remove(oldest!)!.value)
      }
    },
    delete: (key) => remove(key) !== undefined,
    clear() {
      held.clear()
      total = 0
    },
    keys: () => held.keys(),
    size: () => held.size,
    bytes: () => total,
  }
}
