/** What was counted of a key, by the number of the block it was counted in. */
export type BlockCounts = ReadonlyMap<bigint, number>

const none: BlockCounts = new Map()

/** Counts of keys in blocks, so that a key is looked up without going through the blocks. */
export function createBlockCounts() {
  const byKey = new Map<string, Map<bigint, number>>()
  return {
    of: (key: string): BlockCounts => byKey.get(key) ?? none,
    add(number: bigint, key: string, count: number): void {
      const counts = byKey.get(key)
      if (counts === undefined) byKey.set(key, new Map([[number, count]]))
      else counts.set(number, count)
    },
    remove(number: bigint, key: string): void {
      const counts = byKey.get(key)
      if (counts?.delete(number) && counts.size === 0) byKey.delete(key)
    },
  }
}
