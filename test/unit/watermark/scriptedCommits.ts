import type { BlockEffects, Effects } from '../../../sidecar/watermark/types.ts'
import { type ChainModel, createChainModel, createRandom, effectsOf } from './chainModel.ts'

export type ScriptedCommit = {
  /** Counts from 1; every block of the commit carries it in its total of deposits. */
  readonly commit: number
  readonly effects: readonly Effects[]
  readonly model: ChainModel
}

/** An endless chain that follows from its seed: groups of blocks, one commit each, every fourth with a reorg. */
export function* scriptedCommits(seed: number): Generator<ScriptedCommit> {
  const random = createRandom(seed)
  const model = createChainModel()
  for (let commit = 1; ; commit++) {
    const depth = commit % 4 === 0 ? Math.min(random(5), model.blocks.length) : 0
    const undo = Array.from({ length: depth }, () => model.pop().block)
    const apply: BlockEffects[] = []
    for (let n = 0; n <= depth + random(4); n++) {
      const block = model.next(`commit ${commit}`, random, { writes: 60, keys: 200, decisionBytes: 3000 })
      const marked = { ...block, totals: { ...block.totals, deposits: commit } }
      model.append(marked)
      apply.push(marked)
    }
    yield { commit, effects: [effectsOf({ undo, apply })], model }
  }
}
