import { riskParts } from './judgements.ts'

/** Robust standard deviations from its like at which an envelope begins to be unlike it, and those at which it wholly is. */
const UNLIKE = { from: 4, to: 12 }
/** Log odds that payer and program take away when they keep failing: from here on it counts in full. */
const FAILING = 4
/** What each part alone makes of the risk, in the order of `riskParts`. */
const WEIGHTS = [0.6, 0.25, 0.7]

/**
 * The risk of an envelope, 0 to 100, and its parts, 0 to 1: how unlike the others of its pattern it is in gas, payload and
 * value; how new it is, and its payer to the program; how much both have failed lately. Each part alone can raise it: what is
 * left of safety is the product of what each leaves.
 */
export function riskOf(
  facts: { readonly oddity: number; readonly novelty: number; readonly inputs: Float64Array },
  parts: Float64Array,
): number {
  // Places 2 and 3 of `judgedInputs`: the payer with this program, and the program.
  const residuals = facts.inputs[2]! + facts.inputs[3]!
  parts[0] = share((facts.oddity - UNLIKE.from) / (UNLIKE.to - UNLIKE.from))
  parts[1] = share(facts.novelty)
  parts[2] = share(-residuals / FAILING)
  let safe = 1
  for (let i = 0; i < riskParts.length; i++) safe *= 1 - WEIGHTS[i]! * parts[i]!
  return Math.floor(100 * (1 - safe) + 0.5)
}

function share(x: number): number {
  return Math.min(1, Math.max(0, x))
}
