import type { ContextItem } from '#vector'
import type { DecisionView } from '../api/view.ts'
import type { RefJson } from '../status.ts'
import { escapeUntrusted, markUntrusted } from './markUntrusted.ts'
import { judgementWords, outcomeWords, partWords, routeWords } from './words.ts'

/** One thing known for certain, numbered so that it can be cited. */
export type Fact = {
  readonly number: number
  /** A sentence. Text that strangers chose is marked in it. */
  readonly text: string
  /** Where it stands, as elsewhere: `tx 0x… block n`, `pattern 0x… as of block n`. */
  readonly citation: string
}

/** A context row that entered the score, by its id as in `patterns`. */
export type CitedRow = {
  readonly id: string
  readonly citation: string
  /** The contract, or the last 20 bytes of the program's id. */
  readonly contract: string
  readonly selector: string
  /** What the call is known as, escaped: by a document, whose author chose the words, or by what is common. */
  readonly call: string | null
}

/** Where a transaction was, or is: one entry for each block that ever held it and is still kept. */
export type Placement = {
  readonly block: RefJson
  readonly transactionIndex: number
  readonly state: 'head' | 'finalized' | 'undone'
  readonly route: string
}

/** A finding that names the transaction. */
export type NoticedFinding = {
  readonly kind: string
  readonly impact: string
  /** 0 to 100. */
  readonly risk: number
  /** Of fixed words, numbers and hex; escaped all the same. */
  readonly summary: string
}

/** Why a transaction was decided as it was. No model has a part in it: the same state gives the same explanation. */
export type Explanation = {
  readonly transactionHash: string
  readonly decision: {
    readonly route: string
    readonly rule: string
    /** 0 to 1. */
    readonly confidence: number
    readonly reason: string
    readonly modelVersion: string
  }
  readonly block: RefJson
  readonly transactionIndex: number
  /** `undone`: its block is not canonical any more. */
  readonly state: Placement['state']
  readonly parts: readonly { readonly name: string; readonly value: number; readonly words: string }[]
  /** What the scorer's model made of it; only of envelopes that it judged. */
  readonly judgement: DecisionView['judgement'] | null
  readonly context: readonly CitedRow[]
  readonly contextBoundary: number | null
  readonly outcomes: readonly {
    readonly item: number
    readonly status: string
    readonly reason: string | null
    readonly computeUnits: number
    readonly words: string
  }[]
  /** The row kept of it for retrieval; only envelopes and a sample of the others have one. */
  readonly row: ContextItem | null
  /** What was noticed about it once its block was there; it had no part in the decision. */
  readonly findings: readonly NoticedFinding[]
  /** The canonical one first. More than one entry: a reorg moved it. */
  readonly history: readonly Placement[]
  /** All of the above in numbered sentences. */
  readonly facts: readonly Fact[]
  /** What could not be looked up. */
  readonly warnings: readonly string[]
}

/** What is known of a transaction beside the decisions on it. */
export type Surroundings = {
  /** What the vector store has of it. */
  readonly row?: ContextItem | undefined
  /** What was noticed about it afterwards. */
  readonly findings?: readonly NoticedFinding[]
  /** Height up to which blocks are final. */
  readonly finalized?: number | undefined
  /** What the calls of the context are known as, by row id. */
  readonly callNames?: ReadonlyMap<string, string>
  /** What could not be looked up. */
  readonly warnings?: readonly string[]
}

/**
 * Puts together what is known of a decision.
 * @param decisions all kept decisions on one transaction, the canonical one first; at least one
 */
export function explainDecision(
  decisions: readonly DecisionView[],
  { row, findings = [], finalized, callNames = new Map(), warnings = [] }: Surroundings = {},
): Explanation {
  const decision = decisions[0]!
  const { transactionHash, confidence, route, rule, modelVersion } = decision
  const block = refOf(decision)
  const boundary = decision.contextBoundary === undefined ? null : Number(decision.contextBoundary)
  const parts = Object.entries(decision.parts).map(([name, value]) => ({
    ...{ name, value },
    words: partWords(name, value),
  }))
  const outcomes = decision.outcomes.map((outcome) => ({ ...outcome, words: outcomeWords(outcome) }))
  const context = decision.context.map((id) => citedRow(id, boundary, callNames.get(id)))
  const history = decisions.map(
    (each): Placement => ({
      block: refOf(each),
      transactionIndex: each.transactionIndex,
      state: stateOf(each, finalized),
      route: each.route,
    }),
  )
  const explanation = {
    transactionHash,
    decision: { route, rule, confidence, reason: escapeUntrusted(decision.reason), modelVersion },
    block,
    transactionIndex: decision.transactionIndex,
    state: history[0]!.state,
    parts,
    judgement: decision.judgement ?? null,
    context,
    contextBoundary: boundary,
    outcomes,
    row: row ?? null,
    findings: findings.map((each) => ({ ...each, summary: escapeUntrusted(each.summary) })),
    history,
  }
  return { ...explanation, facts: factsOf(explanation), warnings }
}

const placed: Readonly<Record<Placement['state'], string>> = {
  head: 'on the canonical chain, not final yet',
  finalized: 'on the canonical chain, final',
  undone: 'undone by a reorg: no block of the canonical chain holds it',
}

function factsOf(known: Omit<Explanation, 'facts' | 'warnings'>): readonly Fact[] {
  const { transactionHash, decision, block, parts, outcomes, context, row, history } = known
  const here = `tx ${transactionHash} block ${block.number}`
  const facts: Fact[] = []
  const add = (text: string, citation = here) => facts.push({ number: facts.length + 1, text, citation })

  add(
    `The transaction ${transactionHash} is at place ${known.transactionIndex} of block ${block.number} ` +
      `(${block.hash}), ${placed[known.state]}.`,
  )
  add(
    `Decision: ${routeWords(decision.route)}, by the rule "${decision.rule}", with confidence ` +
      `${decision.confidence.toFixed(3)}, by model version ${decision.modelVersion}.`,
  )
  add(`Reason recorded with the decision: ${decision.reason}`)
  if (parts.length > 0) add(`Parts of the score: ${parts.map(({ words }) => words).join('; ')}.`)
  if (known.judgement) add(judgementWords(known.judgement))
  if (known.contextBoundary === null) add('No context was read for the decision.')
  else if (context.length === 0)
    add(`Context as of block ${known.contextBoundary} was read, and no row of it is near this call.`)
  for (const [i, { contract, selector, call, citation }] of context.entries()) {
    const name = call === null ? '' : `, known as ${markUntrusted(call)}`
    add(
      `Context row ${i + 1} of ${context.length} that entered the score, nearest first: calls of ${contract} with selector ${selector}${name}.`,
      citation,
    )
  }
  if (outcomes.length === 0) add('Nothing of it ran on the SVM.')
  for (const { words } of outcomes) add(words)
  if (row !== null) add(`The row kept of it: ${markUntrusted(row.text)}`, escapeUntrusted(row.citation))
  for (const { kind, impact, risk, summary } of known.findings)
    add(
      `Noticed once the block was there, without a part in the decision: ${kind}, ${impact} (risk ${risk}): ${summary}`,
    )
  const [, ...before] = history
  if (before.length === 0) add('No other block is known to have held it: no reorg moved it.')
  for (const { block: other, route } of before) {
    add(
      `It was also in block ${other.number} (${other.hash}), which a reorg undid; the decision there was ${routeWords(route)}.`,
      `tx ${transactionHash} block ${other.number}`,
    )
  }
  return facts
}

function citedRow(id: string, boundary: number | null, call: string | undefined): CitedRow {
  return {
    id,
    citation: `pattern 0x${id} as of block ${boundary}`,
    contract: `0x${id.slice(0, 40)}`,
    selector: `0x${id.slice(40, 48)}`,
    call: call === undefined ? null : escapeUntrusted(call),
  }
}

function stateOf({ canonical, block }: DecisionView, finalized: number | undefined): Placement['state'] {
  if (!canonical) return 'undone'
  return finalized !== undefined && Number(block.number) <= finalized ? 'finalized' : 'head'
}

const refOf = ({ block }: DecisionView): RefJson => ({ number: Number(block.number), hash: block.hash })
