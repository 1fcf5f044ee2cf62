import { ENVELOPE } from './blockPatterns.ts'
import { FAIL, OK, type PatternTable, STATE } from './patternTable.ts'
import { quantised, type Scorer, type ScorerInput, type Scores } from './scorer.ts'
import { seedFormula } from './seedFormula.ts'

export const seedParts = ['complexity', 'safety', 'anomaly', 'congestion', 'history', 'gas'] as const

/** Weight of the load of the instance itself in the seeds' congestion; the rest is that of peers, of which there are none. */
const OWN_LOAD = 0.7
/** Bytes before an envelope's payload: ASCII `SVM`. */
const PREFIX = 3

/**
 * The seeds' formula behind the scorer's door, to compare with on the same blocks. Two of its inputs never had a value
 * in the seeds and get the nearest thing that exists: load is the gas used by the parents (theirs: a rate that stays 0),
 * history the success rate of the pattern (theirs: of the very same payload, which never comes again). Its weights are
 * fixed. It knows no interval: bounds and score are one, with all the evidence it will ever have.
 */
export function createSeedScorer(): Scorer {
  function score(input: ScorerInput, into: Scores): void {
    const { features, patterns, table } = input
    const { inputs, inputEnds } = input.block.transactions
    const { count } = features
    const congestion = OWN_LOAD * input.congestion
    const { parts } = into
    for (let row = 0, start = 0; row < count; row++) {
      const end = inputEnds[row]!
      const from = patterns.kinds[row] === ENVELOPE ? Math.min(end, start + PREFIX) : start
      const id = patterns.ids[patterns.localOf[row]!]!
      const history = historyOf(table, id)
      const seed = seedFormula(inputs.subarray(from, end), congestion, history)
      start = end
      parts[row] = quantised(seed.complexity)
      parts[count + row] = quantised(seed.safety)
      parts[2 * count + row] = quantised(seed.anomaly)
      parts[3 * count + row] = quantised(congestion)
      parts[4 * count + row] = quantised(history)
      parts[5 * count + row] = quantised(1 / (1 + seed.gas / 1000))
      into.score[row] = seed.score
      into.lower[row] = seed.score
      into.upper[row] = seed.score
      into.evidence[row] = Infinity
    }
  }
  return {
    name: 'seed',
    version: 1,
    parts: seedParts,
    hasRates: false,
    runAbove: 0.7,
    skipBelow: 0.3,
    weighsCost: false,
    safetyPart: undefined,
    score,
  }
}

/** Decay shrinks both counts alike, so the rate needs none. */
function historyOf(table: PatternTable, id: number): number {
  const succeeded = table.state[id * STATE + OK]!
  const outcomes = succeeded + table.state[id * STATE + FAIL]!
  return outcomes === 0 ? 0.5 : succeeded / outcomes
}
