/** What a memory is: something found in a block, or what an epoch of blocks, or a pattern in it, came to. */
export const memoryKinds = ['finding', 'epoch', 'pattern'] as const
export type MemoryKind = (typeof memoryKinds)[number]

/** A row of `memories`. It is of the blocks it names and goes with them. */
export type MemoryRow = {
  /** 32 hex digits: the same memory has the same id everywhere. */
  readonly id: string
  readonly memoryKind: MemoryKind
  /** What was found, such as `sandwich-like`; `epoch` and `pattern` for the summaries. */
  readonly name: string
  /** Ids of entities, and selectors, the one most concerned first. */
  readonly subjects: readonly string[]
  readonly fromBlock: bigint
  readonly toBlock: bigint
  /** 0 to 100. */
  readonly risk: number
  readonly text: string
}

/** Something noticed about a block, to be remembered with it. */
export type FindingRow = {
  /** Its kind in a word, up to 40 letters, digits and `-`: `failure-storm`. */
  readonly name: string
  /** One sentence, at most 2000 characters, of our own words: chain text in it has to be escaped. */
  readonly text: string
  /** Addresses, keys and hashes concerned, 0x and hex digits, the one most concerned first; at most 32. */
  readonly subjects: readonly string[]
  /** 0 to 100. */
  readonly risk: number
}
