import {
  type Block,
  type BlockRef,
  type ChainSource,
  type EncodedBlock,
  encodeBlock,
  HistoryPrunedError,
  type SourceEvent,
} from '#exex/server'
import { buildBlock, type TransactionFields } from './buildBlock.ts'

export type ScriptedFeedOptions = {
  /** Default 1337. */
  readonly chainId?: bigint
  /** Unix seconds of the genesis block; every block adds 12. Default 1 700 000 000. */
  readonly genesisTime?: bigint
  /** Whether blocks carry logs. Default true. */
  readonly hasLogs?: boolean
  /** Fills the blocks that verbs make by number alone. Default: one plain transfer a block. */
  readonly transactions?: (number: bigint) => readonly TransactionFields[]
}

/** What a verb takes: blocks already built on the right parent, or how many to make. */
export type BlocksOrCount = readonly Block[] | number

/** A chain that does what the script says: a source for the server, with verbs for the test. */
export type ScriptedFeed = ChainSource & {
  readonly genesis: BlockRef
  /** The canonical chain, genesis first. */
  readonly canonical: readonly BlockRef[]
  /** Every height the server has told, in order. */
  readonly finishedHeights: readonly BlockRef[]
  readonly head: BlockRef
  commit(blocks: BlocksOrCount): readonly BlockRef[]
  /** Undoes `depth` blocks and applies others in their place, as one event. */
  reorg(depth: number, blocks: BlocksOrCount): readonly BlockRef[]
  revert(depth: number): void
  /** Commits on an ancestor `depth` below the tip without announcing the undo, as a node may. */
  commitOnAncestor(depth: number, blocks: BlocksOrCount): readonly BlockRef[]
  finalize(number: bigint): void
  /** History below this is gone. */
  prune(oldestBlock: bigint): void
  /** The next reads of blocks fail, so many times. */
  failReads(times: number): void
  /** What `problem()` answers from now on. */
  setProblem(problem: string | undefined): void
  setSyncing(syncing: boolean): void
  /** Blocks read by the cold path so far. */
  readonly blocksRead: number
}

/** Makes a feed with a genesis block of its own. The same verbs in the same order make the same chain. */
export function createScriptedFeed(options: ScriptedFeedOptions = {}): ScriptedFeed {
  const { chainId = 1337n, genesisTime = 1_700_000_000n, hasLogs = true, transactions = () => [{}] } = options
  const zero: BlockRef = { number: -1n, hash: `0x${'0'.repeat(64)}` }
  const genesisBlock = buildBlock({
    parent: zero,
    transactions: [],
    timestamp: genesisTime,
    salt: `chain ${chainId}`,
  })
  const genesis = genesisBlock.ref
  let chain: EncodedBlock[] = [encodeBlock(genesisBlock)]
  let finalized: BlockRef | undefined
  let oldestBlock = 0n
  let problem: string | undefined
  let syncing = false
  let built = 0
  let failures = 0
  let blocksRead = 0
  const finishedHeights: BlockRef[] = []
  const listeners = new Set<(event: SourceEvent) => void>()

  const head = () => chain.at(-1)!.ref

  function toBlocks(blocks: BlocksOrCount, parent: BlockRef): readonly EncodedBlock[] {
    if (typeof blocks !== 'number') return blocks.map(encodeBlock)
    const made: EncodedBlock[] = []
    let tip = parent
    for (let i = 0; i < blocks; i++) {
      const number = tip.number + 1n
      const timestamp = genesisTime + 12n * number
      const block = buildBlock({
        parent: tip,
        transactions: transactions(number),
        timestamp,
        salt: `${built++}`,
      })
      made.push(encodeBlock(block))
      tip = block.ref
    }
    return made
  }

  function change(depth: number, blocks: BlocksOrCount, announced: boolean): readonly BlockRef[] {
    if (depth >= chain.length)
      throw new Error(`cannot undo ${depth} of ${chain.length - 1} blocks above genesis`)
    const undone = depth === 0 ? [] : chain.slice(-depth)
    const kept = chain.slice(0, chain.length - depth)
    const parent = kept.at(-1)!.ref
    const added = toBlocks(blocks, parent)
    if (added.length > 0 && added[0]!.parent.hash !== parent.hash) {
      throw new Error(`block ${added[0]!.ref.number} is not built on ${parent.number} ${parent.hash}`)
    }
    chain = [...kept, ...added]
    const event: SourceEvent = {
      undo: announced ? undone.map((block) => block.ref) : [],
      blocks: added,
      parent,
      head: head(),
      safe: finalized,
      finalized,
      nodeTimeMs: Date.now(),
    }
    for (const listener of listeners) listener(event)
    return added.map((block) => block.ref)
  }

  const at = (number: bigint): EncodedBlock | undefined =>
    number < oldestBlock ? undefined : chain[Number(number)]

  async function* readBlocks(from: bigint, to: bigint): AsyncIterable<EncodedBlock> {
    for (let number = from; number <= to; number++) {
      if (failures > 0) {
        failures--
        throw new Error('the node did not answer')
      }
      if (number < oldestBlock) throw new HistoryPrunedError(number, oldestBlock)
      const block = at(number)
      // The chain got shorter while it was read: the reader sees for itself that it moved.
      if (block === undefined) return
      blocksRead++
      yield block
    }
  }

  return {
    chainId,
    genesisHash: genesis.hash,
    hasLogs,
    genesis,
    finishedHeights,
    get canonical() {
      return chain.map((block) => block.ref)
    },
    get head() {
      return head()
    },
    get blocksRead() {
      return blocksRead
    },
    heads: () => ({ head: head(), safe: finalized, finalized, oldestBlock, syncing }),
    canonicalRef: async (number) => at(number)?.ref,
    readBlocks,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    finishedHeight: (height) => void finishedHeights.push(height),
    problem: () => problem,
    close: async () => listeners.clear(),
    commit: (blocks) => change(0, blocks, true),
    reorg: (depth, blocks) => change(depth, blocks, true),
    revert: (depth) => void change(depth, 0, true),
    commitOnAncestor: (depth, blocks) => change(depth, blocks, false),
    finalize(number) {
      const block = at(number)
      if (block === undefined) throw new Error(`no block ${number} to finalize; the head is ${head().number}`)
      finalized = block.ref
      // Heads travel with events: an empty one carries the news, as a node's own notice would.
      const event = {
        undo: [],
        blocks: [],
        parent: head(),
        head: head(),
        safe: finalized,
        finalized,
        nodeTimeMs: Date.now(),
      }
      for (const listener of listeners) listener(event)
    },
    prune(block) {
      oldestBlock = block
    },
    failReads(times) {
      failures = times
    },
    setProblem(text) {
      problem = text
    },
    setSyncing(value) {
      syncing = value
    },
  }
}
