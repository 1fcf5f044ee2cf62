import type { TransactionFields } from '../../../harness/feed/buildBlock.ts'
import { findInBlock } from '../../../sidecar/findings/findInBlock.ts'
import { createMemory } from '../../../sidecar/findings/memory.ts'
import type { Finding, FindingKind } from '../../../sidecar/findings/types.ts'
import { blockOf, genesis } from './events.ts'

/** What is noticed in the last of a row of blocks, each given as its transactions, by kind when that is given. */
export function noticed<K extends FindingKind>(
  blocks: readonly (readonly TransactionFields[])[],
  kind: K,
): Extract<Finding, { kind: K }>[] {
  const memory = createMemory()
  let parent = genesis
  let findings: readonly Finding[] = []
  for (const transactions of blocks) {
    const block = blockOf(transactions, parent)
    const found = findInBlock(block, memory)
    memory.add(found.facts)
    findings = found.findings
    parent = block.ref
  }
  return findings.filter((finding): finding is Extract<Finding, { kind: K }> => finding.kind === kind)
}
