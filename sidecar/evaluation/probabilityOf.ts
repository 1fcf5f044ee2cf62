import type { StoredDecision } from '../router/types.ts'

/**
 * The probability of success that a decision states: its part `success`, as stored (a float). A scorer without such a part,
 * as the seeds' formula, has its whole score taken for one, which a decision keeps as its confidence: the score itself, or
 * what is left of it where the decision is a refusal.
 */
export function probabilityOf(decision: StoredDecision, isEnvelope: boolean): number {
  const { success } = decision.parts
  if (success !== undefined) return success
  return runs(decision, isEnvelope) ? decision.confidence : 1 - decision.confidence
}

/** Does the decision let the transaction have its way: on the SVM if it is an envelope, on the EVM otherwise? */
export function runs({ route }: StoredDecision, isEnvelope: boolean): boolean {
  return isEnvelope ? route === 'executeOnSvm' : route !== 'skip'
}
