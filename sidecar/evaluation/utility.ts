import type { InputKind } from './types.ts'

/**
 * The stated utility: a success that ran is worth 1, a failure that ran costs the units it burnt against what one success
 * is worth, and what did not run is worth 0. Units are gas on the EVM and compute units on the SVM. A success is worth what
 * an average transaction uses: 42 000 and 66 000 gas on the recorded blocks there are, 2 500 compute units on generated ones.
 */
export const unitsPerSuccess: Readonly<Record<InputKind, number>> = { recorded: 50_000, generated: 2_500 }

/** What running a transaction is worth. */
export function worthOf(succeeded: boolean, units: number, kind: InputKind): number {
  return succeeded ? 1 : -units / unitsPerSuccess[kind]
}

/**
 * Is running worth more than not, as far as one can know before? The rule all predictors are given, so that only their
 * probabilities differ; `burnt` is the units a failure is expected to burn, by default as many as a success is worth.
 */
export function isWorthRunning(p: number, burnt: number | undefined, kind: InputKind): boolean {
  const cost = burnt === undefined ? 1 : burnt / unitsPerSuccess[kind]
  return p > (1 - p) * cost
}

/** Utility by row of a policy, and of the oracle that runs exactly what succeeds. */
export function utilities(
  facts: { readonly succeeded: Uint8Array; readonly units: Float64Array },
  ran: Uint8Array,
  kind: InputKind,
): Float64Array {
  return facts.units.map((units, row) =>
    ran[row] === 1 ? worthOf(facts.succeeded[row] === 1, units, kind) : 0,
  )
}
