import type { Logger } from 'pino'
import type { RouterOptions } from '../router/types.ts'
import { createDecayedRates } from './decayedRates.ts'
import { EvaluationError } from './evaluationError.ts'
import { patternOf } from './patternOf.ts'
import { probabilityOf, runs } from './probabilityOf.ts'
import { createScored, type Scored } from './scored.ts'
import type { EvaluationInput } from './types.ts'
import { isWorthRunning } from './utility.ts'
import { openVariant, type Variant, variantsOf } from './variant.ts'

/** Parts judged on their own where all rows have them: failures should have more risk, dear calls more of the others. */
const headParts = ['risk', 'computeUnits', 'cost']

export type EvaluateDependencies = {
  readonly logger: Logger
  /** Ends the run between two blocks, with `EVALUATE_STOPPED`. */
  readonly signal: AbortSignal
  /** Told after every block, for whoever waits. */
  readonly onBlock?: (done: { readonly blocks: number; readonly scored: number }) => void
}

/** Everything one pass over the blocks has shown. */
export type Evaluated = {
  readonly scored: Scored
  readonly variants: readonly Variant[]
  readonly counts: {
    readonly blocks: number
    readonly transactions: number
    /** Rows whose outcome nobody knows: not scored. */
    readonly unknown: number
    /** Envelopes that the router as configured ran, and so could learn from. */
    readonly admitted: number
  }
}

/**
 * Test, then train, block by block: every variant and every baseline predicts all of a block, then learns from it. A router
 * learns what it would have seen: the EVM's outcomes of all, the SVM's only of what it ran. Baselines, which run nothing,
 * learn from every outcome: they know more than any router could. The outcomes themselves do not depend on any router, so
 * all are judged on the same rows.
 *
 * Throws EvaluationError: `EVALUATE_NOTHING_KNOWN`, `EVALUATE_STOPPED`.
 */
export async function evaluateBlocks(
  input: EvaluationInput,
  options: RouterOptions,
  { logger, signal, onBlock }: EvaluateDependencies,
): Promise<Evaluated> {
  const variants = variantsOf(options).map((spec) => openVariant(spec, { logger, signal }))
  const rates = createDecayedRates(options.learn)
  const seen = new Set<string>()
  const scored = createScored()
  const counts = { blocks: 0, transactions: 0, unknown: 0, admitted: 0 }
  let labelledBlocks = 0

  for await (const labelled of input.blocks) {
    if (signal.aborted) throw stopped(counts.blocks)
    const { block, envelopes, labels } = labelled
    const { count } = block.transactions
    const number = Number(block.ref.number)
    const patterns = Array.from({ length: count }, (_, row) => patternOf(block, row, envelopes.get(row)))
    rates.begin(number)
    const decisions = await Promise.all(variants.map((variant) => variant.decide(labelled)))
    for (const { row, succeeded, units, truth, group } of labels) {
      const pattern = patterns[row]!
      const isEnvelope = envelopes.has(row)
      const predict = (name: string, p: number) => {
        scored.predict(name, p)
        scored.choose(`by ${name}`, isWorthRunning(p, rates.unitsOfFailure(pattern), input.kind))
      }
      scored.add({ block: labelledBlocks, succeeded, units, group, isFirstSeen: !seen.has(pattern) })
      variants.forEach(({ name }, index) => {
        const decision = decisions[index]!.at(row)
        predict(name, probabilityOf(decision, isEnvelope))
        scored.choose(name, runs(decision, isEnvelope))
        const { parts } = decision
        // Where the epochs are short, so that there are neighbours as early as can be.
        if (name === 'short epochs' && parts.context !== undefined) predict('neighbours', parts.context)
        if (index > 0) return
        for (const head of headParts) scored.head(head, parts[head] ?? Number.NaN)
      })
      predict('pattern rate', rates.of(pattern))
      predict('global rate', rates.ofAll())
      if (truth !== undefined) predict('truth', truth)
      scored.choose('always', true)
      scored.head('units of the pattern', rates.unitsOf(pattern))
    }
    const { admitted } = decisions[0]!
    rates.settle(
      number,
      labels.map(({ row, succeeded, units }) => ({ pattern: patterns[row]!, succeeded, units })),
    )
    for (const variant of variants) variant.settle(labelled)
    for (const pattern of patterns) seen.add(pattern)
    if (labels.length > 0) labelledBlocks++
    counts.blocks++
    counts.transactions += count
    counts.unknown += count - labels.length
    counts.admitted += admitted.length
    onBlock?.({ blocks: counts.blocks, scored: scored.rows() })
  }
  if (signal.aborted) throw stopped(counts.blocks)
  if (scored.rows() === 0) {
    throw new EvaluationError(
      'EVALUATE_NOTHING_KNOWN',
      `expected transactions with a known outcome in ${input.name}, got ${counts.transactions} without one; ` +
        'put receipts.jsonl(.gz) with lines {hash, receipts} beside the blocks',
    )
  }
  return { scored: scored.done(), variants, counts }
}

const stopped = (blocks: number) =>
  new EvaluationError(
    'EVALUATE_STOPPED',
    `expected to come to the end of the blocks, stopped after ${blocks}`,
  )
