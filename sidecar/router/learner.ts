import type { StateWrite } from '../notification/stateWrite.ts'
import { type Block, EvmStatus } from '../notification/types.ts'
import type { BlockFeatures } from './blockFeatures.ts'
import { blockKey, readBlockKey } from './blockKey.ts'
import { type BlockPatterns, PLAIN } from './blockPatterns.ts'
import type { Decay } from './decay.ts'
import type { EnvelopeModel } from './envelopeModel.ts'
import { createOutcome, type Outcome, readOutcome, SUMS } from './outcome.ts'
import { Domain, KEY_BYTES, KEY_WORDS } from './patternKey.ts'
import { LAST, type PatternTable, STATE, STATE_BYTES } from './patternTable.ts'
import type { ItemOutcome } from './types.ts'

const NONE = new Uint32Array(5)
const NO_EXAMPLES = new Uint8Array(0)
/** Bytes of one pattern write in the buffer all writes of a block share: key (28 + 4 unused), before, after. */
const WRITE_BYTES = 32 + 2 * STATE_BYTES

/**
 * Decayed counts per pattern, learnt `lag` blocks behind: what block N teaches is kept as its outcome, and moves into
 * the counts when block N + lag is decided, as one change of state that belongs to that block.
 */
export class Learner {
  private readonly table: PatternTable
  private readonly decay: Decay
  private readonly lag: number
  private readonly maxPatterns: number
  private readonly model: EnvelopeModel | undefined
  private readonly outcomes = new Map<number, Outcome>()
  private sums = new Float64Array(0)

  /** `model` learns with it, where there is one. */
  constructor(
    table: PatternTable,
    decay: Decay,
    options: { lag: number; maxPatterns: number },
    model: EnvelopeModel | undefined,
  ) {
    this.table = table
    this.decay = decay
    this.lag = options.lag
    this.maxPatterns = options.maxPatterns
    this.model = model
  }

  /** Mean share of gas used in the blocks whose outcomes are not learnt yet: the `lag` parents. 0 without any. */
  congestion(block: number): number {
    let sum = 0
    let known = 0
    for (let parent = block - this.lag; parent < block; parent++) {
      const outcome = this.outcomes.get(parent)
      if (outcome === undefined) continue
      sum += outcome.fullness
      known++
    }
    return known === 0 ? 0 : sum / known
  }

  /**
   * Moves the outcome of `block - lag` into the counts, and into the model. Appends one write a pattern and a row of the
   * model, and the outcome's removal. A pattern that would be one more than `maxPatterns` is not learnt: the next
   * boundary's sweep makes room.
   */
  learn(block: number, writes: StateWrite[]): void {
    const learnt = block - this.lag
    const outcome = this.outcomes.get(learnt)
    if (outcome === undefined) return
    this.outcomes.delete(learnt)
    writes.push({ table: 'outcome', key: blockKey(learnt), before: outcome.bytes, after: undefined })
    const { table, decay } = this
    const { state, present, keys } = table
    const { ids, sums } = outcome
    const buffer = new ArrayBuffer(ids.length * WRITE_BYTES)
    const words = new Uint32Array(buffer)
    const doubles = new Float64Array(buffer)
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i]!
      const key = id * KEY_WORDS
      const known = present[id] === 1
      if (!known && table.learnt >= this.maxPatterns && keys[key + 6]! < Domain.allEvm) continue
      const word = (i * WRITE_BYTES) / 4
      for (let k = 0; k < KEY_WORDS; k++) words[word + k] = keys[key + k]!
      const at = id * STATE
      const before = (i * WRITE_BYTES + 32) / 8
      const after = before + STATE
      const factor = known ? decay(learnt - state[at + LAST]!) : 0
      for (let field = 0; field < SUMS; field++) {
        doubles[before + field] = state[at + field]!
        doubles[after + field] = state[at + field] = state[at + field]! * factor + sums[i * SUMS + field]!
      }
      doubles[before + LAST] = state[at + LAST]!
      doubles[after + LAST] = state[at + LAST] = learnt
      if (!known) {
        present[id] = 1
        table.learnt++
      }
      writes.push({
        table: 'pattern',
        key: new Uint8Array(buffer, i * WRITE_BYTES, KEY_BYTES),
        before: known ? new Uint8Array(buffer, before * 8, STATE_BYTES) : undefined,
        after: new Uint8Array(buffer, after * 8, STATE_BYTES),
      })
    }
    this.model?.learn(outcome.examples, learnt, writes)
  }

  /**
   * Keeps what a block teaches. The EVM's status counts for transactions that are not envelopes (`unknown` counts
   * nothing), the SVM's for envelopes: executed and failed items. Rejected items never reached the program and deposits
   * call none, so neither is a success or a failure of it. Appends one write.
   */
  settle(
    block: Block,
    features: BlockFeatures,
    patterns: BlockPatterns,
    items: readonly ItemOutcome[],
    writes: StateWrite[],
  ): void {
    const { table } = this
    const { count, calldataBytes, valueBits } = features
    const { localOf, kinds } = patterns
    const { statuses, gasLimits } = block.transactions
    const distinct = patterns.count
    const sums = this.cleared((distinct + 2) * SUMS)
    const evm = distinct * SUMS
    const svm = evm + SUMS
    for (let row = 0; row < count; row++) {
      const at = localOf[row]! * SUMS
      sums[at + 2]!++
      sums[at + 4]! += gasLimits[row]!
      sums[at + 5]! += calldataBytes[row]!
      sums[at + 6]! += valueBits[row]!
      if (kinds[row] !== PLAIN) continue
      const status = statuses[row]
      if (status === EvmStatus.succeeded) sums[at]!++
      else if (status === EvmStatus.failed) sums[at + 1]!++
    }
    for (let local = 0; local < distinct; local++) {
      sums[evm]! += sums[local * SUMS]!
      sums[evm + 1]! += sums[local * SUMS + 1]!
    }
    for (const item of items) {
      if (item.status !== 'executed' && item.status !== 'failed') continue
      const field = item.status === 'executed' ? 0 : 1
      const at = localOf[item.transactionIndex]! * SUMS
      sums[at + field]!++
      sums[at + 3]! += item.computeUnits
      sums[svm + field]!++
      sums[svm + 3]! += item.computeUnits
    }
    sums[evm + 2] = sums[evm]! + sums[evm + 1]!
    sums[svm + 2] = sums[svm]! + sums[svm + 1]!
    const ids = new Int32Array(distinct + 2)
    ids.set(patterns.ids.subarray(0, distinct))
    let used = distinct
    if (sums[evm + 2]! > 0) ids[used++] = table.intern(NONE, 0, 0, Domain.allEvm)
    if (sums[svm + 2]! > 0) {
      if (used === distinct) sums.copyWithin(evm, svm, svm + SUMS)
      ids[used++] = table.intern(NONE, 0, 0, Domain.allSvm)
    }
    const number = Number(block.ref.number)
    const examples = this.model?.examples(items) ?? NO_EXAMPLES
    const outcome = createOutcome(
      fullness(block),
      ids.slice(0, used),
      sums.slice(0, used * SUMS),
      table,
      examples,
    )
    this.outcomes.set(number, outcome)
    writes.push({ table: 'outcome', key: blockKey(number), before: undefined, after: outcome.bytes })
  }

  /** Puts a stored outcome, or takes it away. */
  put(key: Uint8Array, stored: Uint8Array | undefined): void {
    const block = readBlockKey(key)
    if (stored === undefined) this.outcomes.delete(block)
    else this.outcomes.set(block, readOutcome(stored, this.table))
  }

  /** Ids in use by outcomes that are not learnt yet, marked in `keep`. */
  markPending(keep: Uint8Array): void {
    for (const { ids } of this.outcomes.values()) for (const id of ids) keep[id] = 1
  }

  /** Gives the pending outcomes their patterns' new ids. */
  rename(renamed: Int32Array): void {
    for (const { ids } of this.outcomes.values()) {
      for (let i = 0; i < ids.length; i++) ids[i] = renamed[ids[i]!]!
    }
  }

  private cleared(length: number): Float64Array {
    if (this.sums.length < length) this.sums = new Float64Array(length * 2)
    else this.sums.fill(0, 0, length)
    return this.sums
  }
}

function fullness(block: Block): number {
  return block.gasLimit === 0n ? 0 : Math.min(1, Number(block.gasUsed) / Number(block.gasLimit))
}
