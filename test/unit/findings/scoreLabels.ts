import { expect } from 'vitest'
import type { Finding } from '../../../sidecar/findings/types.ts'
import type { Block } from '../../../sidecar/notification/types.ts'

/** Places in the block that a finding says are what a label says. */
const indexesOf = {
  arbitrage: (finding: Finding) => (finding.kind === 'arbitrage' ? [finding.transactions[0]!.index] : []),
  liquidation: (finding: Finding) => (finding.kind === 'liquidation' ? [finding.transactions[0]!.index] : []),
  sandwich_frontrun: (finding: Finding) => (finding.kind === 'sandwich-like' ? [finding.evidence.front] : []),
  sandwich_backrun: (finding: Finding) => (finding.kind === 'sandwich-like' ? [finding.evidence.back] : []),
  sandwich_victim: (finding: Finding) => (finding.kind === 'sandwich-like' ? finding.evidence.victims : []),
}

export type Label = keyof typeof indexesOf
export type Found = { readonly block: Block; readonly findings: readonly Finding[] }
/** Transactions: labelled so, said to be so, and both. */
export type Score = { readonly labelled: number; readonly said: number; readonly hits: number }

/** Holds what was found against a label, and prints the counts with their 95 % intervals: there are few. */
export function scoreLabel(
  label: Label,
  found: readonly Found[],
  labels: ReadonlyMap<string, readonly string[]>,
): Score {
  const labelled = new Set<string>()
  const said = new Set<string>()
  for (const { block, findings } of found) {
    const { hashes, count } = block.transactions
    const hashAt = (i: number) => `0x${Buffer.from(hashes.subarray(32 * i, 32 * i + 32)).toString('hex')}`
    for (let i = 0; i < count; i++) if (labels.get(hashAt(i))?.includes(label)) labelled.add(hashAt(i))
    for (const finding of findings) for (const index of indexesOf[label](finding)) said.add(hashAt(index))
  }
  const hits = [...said].filter((hash) => labelled.has(hash)).length
  const transactions = found.reduce((sum, { block }) => sum + block.transactions.count, 0)
  console.log(
    `${label}: recall ${share(hits, labelled.size)}, precision ${share(hits, said.size)}, ` +
      `by chance ${((100 * labelled.size) / transactions).toFixed(2)} %, in ${found.length} blocks`,
  )
  expect(labelled.size, `transactions labelled ${label}`).toBeGreaterThan(0)
  return { labelled: labelled.size, said: said.size, hits }
}

/** `3 of 4 (30 to 95 %)`: the interval of Wilson, as if each were drawn by itself. */
function share(hits: number, of: number): string {
  const z = 1.96
  const middle = hits / of + (z * z) / (2 * of)
  const half = z * Math.sqrt(((hits / of) * (1 - hits / of)) / of + (z * z) / (4 * of * of))
  const percent = (value: number) => Math.round((100 * value) / (1 + (z * z) / of))
  return `${hits} of ${of} (${percent(middle - half)} to ${percent(middle + half)} %)`
}
