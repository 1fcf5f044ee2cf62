import type { ContextState } from './contextSnapshot.ts'
import type { RuleName, rules } from './policy.ts'

/** The numbers a sentence is made of; parts as read from the blob. */
export type ReasonFacts = {
  readonly confidence: number
  readonly parts: Readonly<Record<string, number>>
  readonly neighbours: number
  readonly runAbove: number
  readonly skipBelow: number
  readonly context: ContextState
  readonly note: string | undefined
}

/** One sentence for people: what was decided, on what ground, and the numbers behind it. */
export function renderReason(rule: (typeof rules)[number], facts: ReasonFacts): string {
  return `${claims[rule.name](facts)}${rule.judged ? `: ${numbers(rule.refuses, facts)}` : ''}.`
}

const claims: Record<RuleName, (facts: ReasonFacts) => string> = {
  'rejected envelope': ({ note }) => `Skipped because nothing of the envelope can run (${note})`,
  'denied program': ({ note }) => `Skipped because it calls the denied program 0x${note}`,
  'oversized payload': ({ note }) => `Skipped because its payload is too large (${note})`,
  deposit: () => 'Runs on the SVM because it is a deposit, which no judgement refuses',
  hopeless: ({ skipBelow }) =>
    `Skipped because what it calls keeps failing on the SVM, at best at or below ${share(skipBelow)}`,
  unsafe: () => 'Skipped because its gas, calldata and value are unlike what this program is called with',
  proven: ({ runAbove }) => `Runs on the SVM because its lower bound is above ${share(runAbove)}`,
  'new program': () => 'Runs on the SVM because there is too little evidence to refuse it',
  likely: ({ runAbove }) => `Runs on the SVM because its score is above ${share(runAbove)}`,
  doubtful: ({ runAbove }) =>
    `Left to the EVM because neither its lower bound nor its score is above ${share(runAbove)}`,
  spam: ({ skipBelow }) =>
    `Skipped as spam because its pattern keeps failing, at best at or below ${share(skipBelow)}`,
  'known call': () => 'Left to the EVM because it is no envelope and its pattern is known',
  'new call': () => 'Left to the EVM because it is no envelope, with little known of its pattern',
}

function numbers(refuses: boolean, facts: ReasonFacts): string {
  const { parts } = facts
  const score = refuses ? 1 - facts.confidence : facts.confidence
  const { success, margin } = parts
  if (success === undefined || margin === undefined) {
    const all = Object.entries(parts).map(([name, part]) => `${name} ${part.toFixed(2)}`)
    return `score ${score.toFixed(3)} of ${all.join(', ')}`
  }
  const context =
    facts.neighbours > 0
      ? `${facts.neighbours} like it at ${share(parts.context!)}`
      : facts.context === 'unavailable'
        ? 'context unavailable'
        : 'none like it known'
  return (
    `score ${score.toFixed(3)}, success ${share(success)} ± ${share(margin)}, evidence ${parts.evidence!.toFixed(2)}, ` +
    `${context}, safety ${parts.safety!.toFixed(2)}`
  )
}

function share(part: number): string {
  return `${(part * 100).toFixed(1)} %`
}
