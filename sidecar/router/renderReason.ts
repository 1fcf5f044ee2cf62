import type { ContextState } from './contextSnapshot.ts'
import type { Judgement } from './judgements.ts'
import type { RuleName, rules } from './policy.ts'

/** The numbers a sentence is made of; parts as read from the blob. */
export type ReasonFacts = {
  readonly confidence: number
  readonly parts: Readonly<Record<string, number>>
  readonly judgement: Judgement | undefined
  /** Ids of the context rows used, nearest first. */
  readonly citations: readonly string[]
  readonly runAbove: number
  readonly skipBelow: number
  readonly context: ContextState
  readonly note: string | undefined
}

/** Context rows named in a sentence; the decision itself has all. */
const CITED = 2
/** Log odds below which an input is not worth words. */
const TELLING = 0.25

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
  unsafe: ({ judgement }) =>
    judgement === undefined
      ? 'Skipped because its gas, calldata and value are unlike what this program is called with'
      : `Skipped because its risk is ${judgement.risk} of 100`,
  proven: ({ runAbove }) => `Runs on the SVM because its lower bound is above ${share(runAbove)}`,
  'new program': () => 'Runs on the SVM because there is too little evidence to refuse it',
  likely: ({ runAbove }) => `Runs on the SVM because its score is above ${share(runAbove)}`,
  doubtful: ({ judgement, runAbove }) =>
    judgement === undefined
      ? `Left to the EVM because neither its lower bound nor its score is above ${share(runAbove)}`
      : `Left to the EVM because its chance of success is not above the ${share(judgement.needed)} that its cost asks for`,
  spam: ({ skipBelow }) =>
    `Skipped as spam because its pattern keeps failing, at best at or below ${share(skipBelow)}`,
  'known call': () => 'Left to the EVM because it is no envelope and its pattern is known',
  'new call': () => 'Left to the EVM because it is no envelope, with little known of its pattern',
  worthwhile: ({ judgement }) =>
    `Runs on the SVM because its chance of success is above the ${share(judgement?.needed ?? 0)} that its cost asks for`,
}

function numbers(refuses: boolean, facts: ReasonFacts): string {
  const { parts, judgement } = facts
  if (judgement !== undefined) return `${judged(judgement, parts)}, ${context(facts)}`
  const score = refuses ? 1 - facts.confidence : facts.confidence
  const { success, margin } = parts
  if (success === undefined || margin === undefined) {
    const all = Object.entries(parts).map(([name, part]) => `${name} ${part.toFixed(2)}`)
    return `score ${score.toFixed(3)} of ${all.join(', ')}`
  }
  return (
    `score ${score.toFixed(3)}, success ${share(success)} ± ${share(margin)}, evidence ${parts.evidence!.toFixed(2)}, ` +
    `${context(facts)}, safety ${parts.safety!.toFixed(2)}`
  )
}

function context({ parts, citations, context }: ReasonFacts): string {
  if (citations.length === 0) return context === 'unavailable' ? 'context unavailable' : 'none like it known'
  const cited = citations.slice(0, CITED).map((id) => `pattern ${id}`)
  const more = citations.length > CITED ? ` and ${citations.length - CITED} more` : ''
  return `${citations.length} like it at ${share(parts.context!)} (${cited.join(', ')}${more})`
}

/** What the model made of an envelope, the inputs that told most first. */
function judged(judgement: Judgement, parts: Readonly<Record<string, number>>): string {
  const { success, lower, upper, because, computeUnits, risk, riskParts } = judgement
  const told = Object.entries(because)
    .filter(([name, odds]) => name !== 'bias' && name !== 'pattern' && Math.abs(odds) >= TELLING)
    .sort(([, a], [, b]) => Math.abs(b) - Math.abs(a))
    .map(([name, odds]) => `${inputWords[name as keyof typeof because]} ${signed(odds)}`)
  const grounds =
    told.length === 0 ? '' : ` (log odds of its pattern ${signed(because.pattern)}, ${told.join(', ')})`
  const units =
    computeUnits === undefined
      ? 'compute units unknown'
      : `about ${computeUnits.mean} compute units, mostly below ${computeUnits.upper}`
  const [most] = Object.entries(riskParts).sort(([, a], [, b]) => b - a)
  const dangers =
    most !== undefined && most[1] > 0 && risk > 0
      ? `, most of it ${riskWords[most[0] as keyof typeof riskParts]}`
      : ''
  return (
    `success ${share(success)}, between ${share(lower)} and ${share(upper)}${grounds}, evidence ${parts.evidence!.toFixed(2)}, ` +
    `${units}, risk ${risk} of 100${dangers}`
  )
}

const inputWords: Readonly<Record<keyof Judgement['because'], string>> = {
  pattern: 'its pattern',
  bias: 'all envelopes',
  'payer with program': 'its payer with this program',
  program: 'its program lately',
  'compute limit': 'its compute limit',
}
const riskWords: Readonly<Record<keyof Judgement['riskParts'], string>> = {
  unlike: 'sizes unlike its own',
  novelty: 'what was never met',
  failing: 'failures of late',
}

function signed(odds: number): string {
  return `${odds < 0 ? '−' : '+'}${Math.abs(odds).toFixed(1)}`
}

function share(part: number): string {
  return `${(part * 100).toFixed(1)} %`
}
