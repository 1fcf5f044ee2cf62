import { createDecay } from '../router/decay.ts'

export type DecayedRatesOptions = {
  /** Blocks between an outcome and its use, as the router's. */
  readonly lag: number
  /** Blocks in which an outcome loses half of its weight. */
  readonly halfLife: number
  /** Outcomes that the rate of all weighs against those of a pattern. */
  readonly priorWeight: number
}

/** One outcome to learn from. */
export type RateOutcome = {
  readonly pattern: string
  readonly succeeded: boolean
  readonly units: number
}

/** The baselines' memory: what a few lines of counting know. */
export type DecayedRates = {
  /** Takes in the outcomes that are due when this block is predicted. Call it once a block, in order. */
  begin(block: number): void
  /** Success rate of all transactions so far. */
  ofAll(): number
  /** Success rate of the pattern, shrunk to that of all. */
  of(pattern: string): number
  /** Mean units that a failure of the pattern burns, shrunk to that of all; undefined while nothing has failed. */
  unitsOfFailure(pattern: string): number | undefined
  /** Mean units of all outcomes of the pattern, shrunk to that of all; 0 while there are none. */
  unitsOf(pattern: string): number
  settle(block: number, outcomes: readonly RateOutcome[]): void
}

/** Rate of all before anything is known: most transactions succeed, on either VM. */
const FIRST_RATE = 0.9

type Counts = { succeeded: number; failed: number; burnt: number; units: number; at: number }
const nothing = { succeeded: 0, failed: 0, burnt: 0, units: 0 }

/**
 * Decayed success rates, by pattern and of all: the baseline a scorer has to beat. It learns as late as the router does,
 * from the same outcomes.
 */
export function createDecayedRates({ lag, halfLife, priorWeight }: DecayedRatesOptions): DecayedRates {
  const decay = createDecay(halfLife)
  const patterns = new Map<string, Counts>()
  const all: Counts = { ...nothing, at: 0 }
  const pending: { readonly block: number; readonly outcomes: readonly RateOutcome[] }[] = []
  let now = 0

  const learn = (counts: Counts, block: number, { succeeded, units }: RateOutcome): void => {
    const factor = decay(block - counts.at)
    counts.succeeded = counts.succeeded * factor + (succeeded ? 1 : 0)
    counts.failed = counts.failed * factor + (succeeded ? 0 : 1)
    counts.burnt = counts.burnt * factor + (succeeded ? 0 : units)
    counts.units = counts.units * factor + units
    counts.at = block
  }
  const rate = (counts: Counts, prior: number): number => {
    const factor = decay(now - counts.at)
    const outcomes = (counts.succeeded + counts.failed) * factor
    return (counts.succeeded * factor + priorWeight * prior) / (outcomes + priorWeight)
  }
  const ofAll = () => rate(all, FIRST_RATE)
  const mean = (pattern: string, what: 'burnt' | 'units', over: (counts: Counts) => number) => {
    if (over(all) === 0) return undefined
    const prior = all[what] / over(all)
    const counts = patterns.get(pattern)
    if (counts === undefined) return prior
    const factor = decay(now - counts.at)
    return (counts[what] * factor + priorWeight * prior) / (over(counts) * factor + priorWeight)
  }

  return {
    begin(block) {
      now = block
      while (pending.length > 0 && pending[0]!.block <= block - lag) {
        const { block: learnt, outcomes } = pending.shift()!
        for (const outcome of outcomes) {
          const counts = patterns.get(outcome.pattern) ?? { ...nothing, at: learnt }
          patterns.set(outcome.pattern, counts)
          learn(counts, learnt, outcome)
          learn(all, learnt, outcome)
        }
      }
    },
    ofAll,
    of(pattern) {
      const counts = patterns.get(pattern)
      return counts === undefined ? ofAll() : rate(counts, ofAll())
    },
    unitsOfFailure: (pattern) => mean(pattern, 'burnt', ({ failed }) => failed),
    unitsOf: (pattern) => mean(pattern, 'units', ({ succeeded, failed }) => succeeded + failed) ?? 0,
    settle(block, outcomes) {
      pending.push({ block, outcomes })
    },
  }
}
