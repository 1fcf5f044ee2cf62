import type { TransactionColumns } from '../../notification/types.ts'
import { CONTRACT_CREATION, EvmStatus } from '../../notification/types.ts'
import { type FailureCount, MAX_FAILURES } from '../blockFacts.ts'
import { clampRisk, impactOf } from '../impactOf.ts'
import type { Memory } from '../memory.ts'
import { refsOf, selectorOf, toOf } from '../rows.ts'
import type { Finding } from '../types.ts'

/** The last blocks that a storm is counted in, this one included. */
const BURST_BLOCKS = 4
/** Failures that make a storm at least: in the burst, in this block, and as a multiple of what is expected. */
const MIN_IN_BURST = 10
const MIN_IN_BLOCK = 3
const MIN_TIMES_EXPECTED = 5
/** Of the pattern's calls in this block, the part that failed: at least one in four. */
const MIN_PART = 4
/** What a block before weighs, for every block of age: half after about 16. */
const DECAY = 15 / 16

export type FailureStormResult = {
  readonly findings: readonly Finding[]
  readonly failures: readonly FailureCount[]
}

/**
 * Storms of failing calls: one pattern (contract and selector) that fails far more in the last blocks than its decayed
 * rate before them leads to expect. Where nothing is remembered yet nothing is expected.
 */
export function findFailureStorms(columns: TransactionColumns, memory: Memory): FailureStormResult {
  const failing = new Map<string, number[]>()
  for (let index = 0; index < columns.count; index++) {
    if (columns.statuses[index] !== EvmStatus.failed || columns.kinds[index]! & CONTRACT_CREATION) continue
    const key = toOf(columns, index) + selectorOf(columns, index)
    const indexes = failing.get(key)
    if (indexes) indexes.push(index)
    else if (failing.size < MAX_FAILURES) failing.set(key, [index])
  }
  const failures: FailureCount[] = []
  const findings: Finding[] = []
  for (const indexes of failing.values()) {
    const to = toOf(columns, indexes[0]!)
    const selector = selectorOf(columns, indexes[0]!)
    failures.push({ to, selector, failed: indexes.length })
    if (indexes.length < MIN_IN_BLOCK) continue
    const before = rateBefore(memory, to, selector)
    const inBurst = before.inBurst + indexes.length
    const expected = before.rate * BURST_BLOCKS
    if (inBurst < MIN_IN_BURST || inBurst < MIN_TIMES_EXPECTED * expected) continue
    const calls = countCalls(columns, indexes[0]!)
    if (indexes.length * MIN_PART < calls) continue
    findings.push(toFinding(columns, indexes, { calls, inBurst, expected }))
  }
  return { findings, failures }
}

/** Failures of a pattern in the burst's earlier blocks, and how many a block it had before the burst. */
function rateBefore(memory: Memory, to: string, selector: string): { inBurst: number; rate: number } {
  const { blocks } = memory
  const failures = memory.failures(to + selector)
  const burstFrom = Math.max(0, blocks.length - (BURST_BLOCKS - 1))
  let weight = 0
  let sum = 0
  let inBurst = 0
  for (const [i, { number }] of blocks.entries()) {
    const failed = failures.get(number) ?? 0
    if (i >= burstFrom) {
      inBurst += failed
      continue
    }
    sum = sum * DECAY + failed
    weight = weight * DECAY + 1
  }
  return { inBurst, rate: weight === 0 ? 0 : sum / weight }
}

/** Calls in the block with the same target and selector as the one at `like`. */
function countCalls(columns: TransactionColumns, like: number): number {
  const { to, selectors, kinds, count } = columns
  const target = Buffer.from(to.buffer, to.byteOffset, to.length)
  const heads = Buffer.from(selectors.buffer, selectors.byteOffset, selectors.length)
  let calls = 0
  for (let i = 0; i < count; i++) {
    if (kinds[i]! & CONTRACT_CREATION || heads.readUInt32BE(4 * i) !== heads.readUInt32BE(4 * like)) continue
    if (target.compare(target, 20 * like, 20 * like + 20, 20 * i, 20 * i + 20) === 0) calls++
  }
  return calls
}

function toFinding(
  columns: TransactionColumns,
  indexes: readonly number[],
  { calls, inBurst, expected }: { calls: number; inBurst: number; expected: number },
): Finding {
  const to = toOf(columns, indexes[0]!)
  const selector = selectorOf(columns, indexes[0]!)
  const failed = indexes.length
  const risk = clampRisk(25 + Math.min(40, inBurst) + (25 * failed) / calls)
  const rounded = Math.round(expected * 100) / 100
  return {
    kind: 'failure-storm',
    rule: { name: 'failures far above the decayed rate', version: 1 },
    impact: impactOf(risk),
    risk,
    summary:
      `${failed} of ${calls} calls of ${selector} at ${to} failed, ${inBurst} in the last ${BURST_BLOCKS} blocks ` +
      `where ${rounded} were to be expected.`,
    recommendation: {
      action: 'optimizeParameters',
      text: 'Hold back calls of this kind, or simulate them first, until they succeed again.',
    },
    transactions: refsOf(columns, indexes),
    evidence: { to, selector, failed, calls, inBurst, expected: rounded, burstBlocks: BURST_BLOCKS },
  }
}
