import { buildBlock } from '../../../harness/feed/index.ts'
import type { Random } from '../../../harness/random.ts'
import type { SvmTrafficState } from '../../../harness/svm/createSvmTraffic.ts'
import type { Block, BlockRef } from '../../../sidecar/notification/types.ts'
import { createTraffic, type LedgerIntent } from './createTraffic.ts'

/** One change of the node's canonical chain. */
export type ChainChange = {
  /** Oldest first. */
  readonly undone: readonly Block[]
  readonly added: readonly Block[]
  /** Of the first block added; the new tip where none is. */
  readonly parent: BlockRef
}

/** A node's chain made up at random: every block ever made is kept, so an abandoned branch may come back. */
export type SimulatedChain = {
  readonly genesis: BlockRef
  /** Canonical, genesis left out. */
  readonly blocks: readonly Block[]
  readonly head: BlockRef
  readonly finalized: BlockRef | undefined
  isCanonical(ref: BlockRef): boolean
  intentsOf(block: BlockRef): ReadonlyMap<number, LedgerIntent>
  commit(count: number, empty?: boolean): ChainChange
  /** Undoes `depth` blocks and puts `count` new ones, or part of an abandoned branch, in their place. */
  reorg(depth: number, count: number): ChainChange
  /** As `reorg` to an abandoned branch; undefined where none leaves the chain within `depth`. */
  returnToBranch(depth: number): ChainChange | undefined
  finalize(number: bigint): void
}

type Made = {
  readonly block: Block
  readonly state: SvmTrafficState | undefined
  readonly intents: ReadonlyMap<number, LedgerIntent>
}

const WINDOW = 150
const GENESIS_TIME = 1_700_000_000n

export function createSimulatedChain(seed: string, random: Random, genesis: BlockRef): SimulatedChain {
  const traffic = createTraffic(seed, random)
  const made = new Map<string, Made>()
  /** Tips of branches that were left. */
  let abandoned: BlockRef[] = []
  let blocks: Block[] = []
  let finalized: BlockRef | undefined

  const head = () => blocks.at(-1)?.ref ?? genesis
  const extend = (count: number, empty: boolean): Block[] => {
    const added: Block[] = []
    for (let i = 0; i < count; i++) {
      const parent = added.at(-1)?.ref ?? head()
      const ancestors = [genesis, ...blocks.map(({ ref }) => ref), ...added.map(({ ref }) => ref)].slice(
        -WINDOW,
      )
      const before = made.get(parent.hash)?.state
      const contents = empty
        ? { transactions: [], intents: new Map(), state: before }
        : traffic.next(ancestors, before)
      const block = buildBlock({
        parent,
        transactions: contents.transactions,
        timestamp: GENESIS_TIME + 12n * (parent.number + 1n),
        salt: `${made.size}`,
      })
      made.set(block.ref.hash, { block, state: contents.state, intents: contents.intents })
      added.push(block)
    }
    return added
  }
  const replace = (depth: number, make: () => Block[]): ChainChange => {
    const undone = blocks.slice(blocks.length - depth)
    if (undone.length > 0) abandoned = [...abandoned, undone.at(-1)!.ref].slice(-8)
    blocks = blocks.slice(0, blocks.length - depth)
    const parent = head()
    const added = make()
    blocks = [...blocks, ...added]
    return { undone, added, parent }
  }
  const isCanonical = ({ number, hash }: BlockRef) =>
    (number === 0n ? genesis : blocks[Number(number) - 1]?.ref)?.hash === hash

  return {
    genesis,
    get blocks() {
      return blocks
    },
    get head() {
      return head()
    },
    get finalized() {
      return finalized
    },
    isCanonical,
    intentsOf: ({ hash }) => made.get(hash)!.intents,
    commit: (count, empty = false) => replace(0, () => extend(count, empty)),
    reorg: (depth, count) => replace(depth, () => extend(count, false)),
    returnToBranch(depth) {
      const floor = head().number - BigInt(depth)
      for (const tip of abandoned.toReversed()) {
        const branch: Block[] = []
        let at: BlockRef = tip
        while (!isCanonical(at)) {
          const { block } = made.get(at.hash)!
          branch.unshift(block)
          at = block.parent
        }
        if (branch.length === 0 || at.number < floor) continue
        abandoned = abandoned.filter(({ hash }) => hash !== tip.hash)
        const kept = branch.slice(0, 1 + random.below(branch.length))
        return replace(Number(head().number - at.number), () => kept)
      }
      return undefined
    },
    finalize(number) {
      if (number > (finalized?.number ?? 0n)) finalized = blocks[Number(number) - 1]!.ref
    },
  }
}
