import type { ContextItem } from '#vector'
import type { SidecarView } from '../api/view.ts'
import { type Explanation, explainDecision } from './explainDecision.ts'

/** The token budget of one row: as much as any. */
const ROW_TOKENS = 100_000

/**
 * Explains the decision on a transaction from what is stored; undefined when there is none. The vector store adds the row it
 * keeps; without it the explanation says so and stands.
 */
export async function explainTransaction(
  view: SidecarView,
  transactionHash: `0x${string}`,
): Promise<Explanation | undefined> {
  const decisions = view.decisionsOf(transactionHash)
  if (decisions.length === 0) return undefined
  const finalized = view.status().finalized?.number
  let row: ContextItem | undefined
  const warnings: string[] = []
  try {
    const request = { query: `${transactionHash} kind:transaction`, limit: 1, tokens: ROW_TOKENS }
    const [found] = (await view.context(request)).items
    if (found?.facts.transactionHash === transactionHash) row = found
  } catch (error) {
    warnings.push(`The vector store was not asked: ${error instanceof Error ? error.message : String(error)}`)
  }
  const callNames = new Map<string, string>()
  const [{ context }] = decisions as [(typeof decisions)[number]]
  if (context.length > 0) {
    try {
      const calls = context.map((id) => ({
        contract: `0x${id.slice(0, 40)}`,
        selector: `0x${id.slice(40, 48)}`,
      }))
      const names = await view.documents.callNames(calls)
      for (const [i, name] of names.entries()) if (name !== undefined) callNames.set(context[i]!, name)
    } catch (error) {
      warnings.push(
        `Names of calls were not looked up: ${error instanceof Error ? error.message : String(error)}`,
      )
    }
  }
  const findings = view
    .findingsOf(decisions[0]!.block)
    .filter(({ transactions }) => transactions.some(({ hash }) => hash === transactionHash))
    .map(({ kind, impact, risk, summary }) => ({ kind, impact, risk, summary }))
  return explainDecision(decisions, { row, findings, finalized, callNames, warnings })
}
