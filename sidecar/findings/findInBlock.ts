import type { Block } from '../notification/types.ts'
import type { BlockFacts } from './blockFacts.ts'
import { findArbitrages } from './detect/arbitrage.ts'
import { findFailureStorms } from './detect/failureStorm.ts'
import { findLiquidations } from './detect/liquidation.ts'
import { findPoisonings } from './detect/poisoning.ts'
import { findSandwiches } from './detect/sandwich.ts'
import { findSpam } from './detect/spam.ts'
import type { Memory } from './memory.ts'
import type { BlockPayments } from './payments.ts'
import { readActivity } from './readActivity.ts'
import { readFees } from './readFees.ts'
import { repeatedSenders } from './rows.ts'
import type { Finding } from './types.ts'

/** Findings kept of a block, and their bytes as JSON: the riskiest; a block can be made to hold thousands, and large ones. */
export const MAX_FINDINGS = 32
export const MAX_FINDING_BYTES = 48 * 1024

export type BlockFindings = {
  /** In the order of their first transactions. */
  readonly findings: readonly Finding[]
  /** How many more there were. */
  readonly leftOut: number
  /** What the memory keeps of the block, and its payments, read already. */
  readonly facts: BlockFacts
  readonly payments: BlockPayments
}

/**
 * What there is to notice in a block. A pure function of the block and of the memory of those right before it: the same
 * everywhere and at any time. Without logs in the stream only failures, spam and plain payments are seen.
 */
export function findInBlock(block: Block, memory: Memory): BlockFindings {
  const { transactions: columns } = block
  const activity = readActivity(columns)
  const senders = repeatedSenders(columns)
  const poisonings = findPoisonings(block, activity, senders, memory)
  const storms = findFailureStorms(columns, memory)
  const spam = findSpam(columns, senders, memory)
  const all = [
    ...findSandwiches(columns, activity),
    ...findArbitrages(columns, activity),
    ...findLiquidations(columns, activity),
    ...spam.findings,
    ...storms.findings,
    ...poisonings.findings,
  ]
  const kept = riskiest(all)
  return {
    findings: kept.toSorted((a, b) => a.transactions[0]!.index - b.transactions[0]!.index),
    leftOut: all.length - kept.length,
    facts: {
      number: block.ref.number,
      hash: block.ref.hash,
      fees: readFees(block),
      failures: storms.failures,
      repeats: spam.repeats,
      payments: poisonings.payments.records,
    },
    payments: poisonings.payments,
  }
}

/** As many as are kept, in their order; of equal risk the first. */
function riskiest(findings: readonly Finding[]): readonly Finding[] {
  let bytes = 0
  const byRisk = findings.toSorted((a, b) => b.risk - a.risk).slice(0, MAX_FINDINGS)
  const kept = byRisk.filter((finding) => {
    // Words, numbers and hex: a character is a byte.
    bytes += JSON.stringify(finding).length
    return bytes <= MAX_FINDING_BYTES
  })
  return findings.filter((finding) => kept.includes(finding))
}
