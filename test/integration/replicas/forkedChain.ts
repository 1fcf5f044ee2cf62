import { buildBlock } from '../../../harness/feed/index.ts'
import { createRandom } from '../../../harness/random.ts'
import type { SvmTrafficState } from '../../../harness/svm/createSvmTraffic.ts'
import type { Block, BlockRef } from '../../../sidecar/notification/types.ts'
import { createTraffic } from '../../support/simulation/createTraffic.ts'
import { randomTransactions } from '../../unit/findings/traffic.ts'

/** One change of a chain: so many blocks go, others come on what is left. */
export type ChainStep = { readonly undo: number; readonly blocks: readonly Block[] }

export type ForkedChain = {
  /** What is canonical at the end, genesis left out. */
  readonly blocks: readonly Block[]
  /** A history that ends there: before every reorg a branch that goes, as deep as asked for. */
  readonly steps: readonly ChainStep[]
}

type Made = { readonly block: Block; readonly state: SvmTrafficState }

/** Blocks between two forks. */
const STRETCH = 8
const WINDOW = 150

/**
 * Makes a chain of SVM envelopes, plain calls, trades, spam and failing calls, and a branch for each depth: the same for the same
 * seed. Branches carry part of what the chain carries: an envelope may run on the one and then on the other.
 */
export function createForkedChain(seed: number, genesis: BlockRef, depths: readonly number[]): ForkedChain {
  const random = createRandom(seed, 'forked chain')
  const traffic = createTraffic(`${seed}`, random)
  const canonical: Made[] = []
  let made = 0
  const extend = (branch: Made[]): Made => {
    const parent = branch.at(-1)?.block.ref ?? genesis
    const ancestors = [genesis, ...branch.map(({ block }) => block.ref)].slice(-WINDOW)
    const { transactions, state } = traffic.next(ancestors, branch.at(-1)?.state)
    const block = buildBlock({
      parent,
      transactions: [...transactions, ...randomTransactions(random)],
      timestamp: 1_700_000_000n + 12n * (parent.number + 1n),
      salt: `${made++}`,
    })
    branch.push({ block, state })
    return { block, state }
  }
  const grow = (branch: Made[], count: number) => Array.from({ length: count }, () => extend(branch).block)

  const steps = depths.flatMap((depth): ChainStep[] => {
    const straight = grow(canonical, STRETCH)
    const branch = grow([...canonical], depth)
    // Shorter than what goes, or longer.
    const instead = grow(canonical, 1 + random.below(depth + 2))
    return [
      { undo: 0, blocks: [...straight, ...branch] },
      { undo: depth, blocks: instead },
    ]
  })
  steps.push({ undo: 0, blocks: grow(canonical, STRETCH) })
  return { blocks: canonical.map(({ block }) => block), steps }
}
