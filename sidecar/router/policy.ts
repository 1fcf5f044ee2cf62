import { type BlockPatterns, ENVELOPE } from './blockPatterns.ts'
import type { ResolvedOptions } from './checkOptions.ts'
import type { Scorer, Scores } from './scorer.ts'
import type { EnvelopeFacts, Route } from './types.ts'

/**
 * Every ground for a decision and where it leads. The order is the stored code. `judged` rules come from the score, and
 * their confidence is the score's, or what is left of it where the rule is a refusal; the others are certain.
 */
export const rules = [
  { name: 'rejected envelope', route: 'skip', judged: false, refuses: true },
  { name: 'denied program', route: 'skip', judged: false, refuses: true },
  { name: 'oversized payload', route: 'skip', judged: false, refuses: true },
  { name: 'deposit', route: 'executeOnSvm', judged: false, refuses: false },
  { name: 'hopeless', route: 'skip', judged: true, refuses: true },
  { name: 'unsafe', route: 'skip', judged: true, refuses: true },
  { name: 'proven', route: 'executeOnSvm', judged: true, refuses: false },
  { name: 'new program', route: 'executeOnSvm', judged: true, refuses: false },
  { name: 'likely', route: 'executeOnSvm', judged: true, refuses: false },
  { name: 'doubtful', route: 'executeOnEvm', judged: true, refuses: true },
  { name: 'spam', route: 'skip', judged: true, refuses: true },
  { name: 'known call', route: 'executeOnEvm', judged: true, refuses: false },
  { name: 'new call', route: 'executeOnEvm', judged: true, refuses: false },
  { name: 'worthwhile', route: 'executeOnSvm', judged: true, refuses: false },
] as const satisfies readonly { name: string; route: Route; judged: boolean; refuses: boolean }[]
export type RuleName = (typeof rules)[number]['name']

const code = Object.fromEntries(rules.map((rule, index) => [rule.name, index])) as Record<RuleName, number>
const refuses = Uint8Array.from(rules, (rule) => Number(rule.refuses))

/** Text that belongs to one transaction's decision: the reason of an envelope's rejection, the program, the size. */
export type Note = { readonly row: number; readonly text: string }

/**
 * Chooses a rule for every transaction, and how sure it is (0 to 65535 for 0 to 1).
 *
 * Hard rules come first, and deposits run unless one holds. Other envelopes: hopeless (upper bound not above
 * `skipBelow`, on enough evidence) and unsafe ones are skipped; everything with too little evidence to be refused runs,
 * or nothing new ever could. Where cost is weighed, the rest runs if its chance of success is above what its cost needs;
 * else, if the lower bound or the whole score is above `runAbove`. What is refused teaches nothing, so its evidence decays
 * until it gets another try. A transaction that is no envelope has run on the EVM; one whose pattern keeps failing there
 * is spam.
 */
export function createPolicy(options: ResolvedOptions['policy'], scorer: Scorer) {
  const denied = new Set(options.deniedPrograms.map((program) => Buffer.from(program).toString('hex')))
  const { runAbove, skipBelow, safetyPart, weighsCost } = scorer
  const { minEvidence, unsafeBelow, maxPayloadBytes } = options
  const unsafeByte = unsafeBelow * 255

  function hardRule(facts: EnvelopeFacts): { rule: number; text: string } | undefined {
    if (facts.kind === 'rejected' || facts.rejected !== undefined) {
      return { rule: code['rejected envelope'], text: facts.rejected ?? 'no reason given' }
    }
    if (denied.size > 0) {
      for (const program of facts.programs) {
        const hex = Buffer.from(program).toString('hex')
        if (denied.has(hex)) return { rule: code['denied program'], text: hex }
      }
    }
    if (facts.payloadBytes > maxPayloadBytes) {
      return {
        rule: code['oversized payload'],
        text: `${facts.payloadBytes} bytes, at most ${maxPayloadBytes}`,
      }
    }
    return undefined
  }

  function judgeEnvelope(row: number, count: number, scores: Scores): number {
    const judged = scores.evidence[row]! >= minEvidence
    if (judged && scores.upper[row]! <= skipBelow) return code.hopeless
    if (judged && safetyPart !== undefined && scores.parts[safetyPart * count + row]! < unsafeByte) {
      return code.unsafe
    }
    if (weighsCost) {
      if (scores.score[row]! > scores.needed[row]!) return code.worthwhile
      return judged ? code.doubtful : code['new program']
    }
    if (scores.lower[row]! > runAbove) return code.proven
    if (!judged) return code['new program']
    return scores.score[row]! > runAbove ? code.likely : code.doubtful
  }

  /** Fills `chosen` and `confidence`; returns the notes, by row. */
  return function decide(
    count: number,
    patterns: BlockPatterns,
    envelopes: ReadonlyMap<number, EnvelopeFacts>,
    scores: Scores,
    chosen: Uint8Array,
    confidence: Uint16Array,
  ): Note[] {
    const notes: Note[] = []
    const { kinds } = patterns
    const { score, upper, evidence } = scores
    for (let row = 0; row < count; row++) {
      let rule: number
      if (kinds[row] === ENVELOPE) {
        const facts = envelopes.get(row)!
        const hard = hardRule(facts)
        if (hard !== undefined || facts.kind === 'deposit') {
          if (hard !== undefined) notes.push({ row, text: hard.text })
          chosen[row] = hard?.rule ?? code.deposit
          confidence[row] = 65_535
          continue
        }
        rule = judgeEnvelope(row, count, scores)
      } else if (evidence[row]! >= minEvidence) {
        rule = upper[row]! <= skipBelow ? code.spam : code['known call']
      } else rule = code['new call']
      chosen[row] = rule
      const sure = refuses[rule] === 1 ? 1 - score[row]! : score[row]!
      confidence[row] = sure >= 1 ? 65_535 : sure <= 0 ? 0 : (sure * 65_535 + 0.5) | 0
    }
    return notes
  }
}
