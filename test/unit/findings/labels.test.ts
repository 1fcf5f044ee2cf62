import { describe, expect, test } from 'vitest'
import { nextBaseFee } from '../../../sidecar/findings/advice/baseFee.ts'
import { readTransfer } from '../../../sidecar/findings/decode/transfers.ts'
import { findInBlock } from '../../../sidecar/findings/findInBlock.ts'
import { createMemory } from '../../../sidecar/findings/memory.ts'
import { readActivity } from '../../../sidecar/findings/readActivity.ts'
import { haveLabels, readBlocks, readLabelledNumbers, readLabels } from './recordedLabels.ts'
import { type Label, scoreLabel } from './scoreLabels.ts'

// The labels are another tool's verdicts, made from call traces; there are few. Where they are missing, all of this skips.
describe.skipIf(!haveLabels)('recorded mainnet blocks (skipped where ../shared has none)', () => {
  const recorded = haveLabels ? readBlocks() : []
  const blocks = recorded.filter(({ hasReceipts }) => hasReceipts).map(({ block }) => block)
  const labels = haveLabels ? readLabels() : new Map<string, readonly string[]>()
  const numbers = haveLabels ? readLabelledNumbers() : new Set<bigint>()
  const found = blocks.map((block) => ({ block, findings: findInBlock(block, createMemory()).findings }))

  test.each<{ label: Label; labelled: number; hits: number; others: number }>([
    // The counts of the recording, and at most so many more that the labeller does not name: see the next test.
    { label: 'sandwich_frontrun', labelled: 8, hits: 8, others: 0 },
    { label: 'sandwich_backrun', labelled: 8, hits: 8, others: 0 },
    { label: 'sandwich_victim', labelled: 11, hits: 11, others: 1 },
    { label: 'arbitrage', labelled: 5, hits: 5, others: 4 },
  ])(
    '$label: at least $hits of $labelled, and at most $others besides',
    ({ label, labelled, hits, others }) => {
      const score = scoreLabel(
        label,
        found.filter(({ block }) => numbers.has(block.ref.number)),
        labels,
      )
      expect(score.labelled, 'labels in blocks with logs').toBe(labelled)
      expect(score.hits).toBeGreaterThanOrEqual(hits)
      expect(score.said - score.hits).toBeLessThanOrEqual(others)
    },
  )

  test('no account of an arbitrage lost any token by it, also where the labeller names none', () => {
    let arbitrages = 0
    let kept = 0
    for (const { block, findings } of found) {
      const activity = readActivity(block.transactions)
      for (const finding of findings) {
        if (finding.kind !== 'arbitrage') continue
        arbitrages++
        const { account, token, gain } = finding.evidence
        const net = new Map<string, bigint>()
        const of = activity.transfers.find(({ index }) => index === finding.transactions[0]!.index)!
        for (const places of of.places) {
          const transfer = readTransfer(activity.bytes, places)
          const change = transfer.to === account ? 1n : 0n
          const sign = transfer.from === account ? change - 1n : change
          net.set(transfer.token, (net.get(transfer.token) ?? 0n) + sign * transfer.amount)
        }
        for (const [what, amount] of net)
          expect(amount, `${what} of ${finding.summary}`).toBeGreaterThanOrEqual(0n)
        // Some pass the gain on within the transaction.
        if (net.get(token) === BigInt(gain)) kept++
      }
    }
    expect({ arbitrages, kept }).toEqual({ arbitrages: 10, kept: 8 })
  })

  test('the pay-outs and air-drops among them are no spam, and their few failures no storm', () => {
    const kinds = new Set(found.flatMap(({ findings }) => findings.map(({ kind }) => kind)))
    expect([...kinds].sort()).toEqual(['arbitrage', 'sandwich-like'])
  })

  test('the base fee of each block that follows another is what its parent forecasts', () => {
    const byHash = new Map(recorded.map(({ block }) => [block.ref.hash, block]))
    let pairs = 0
    for (const { block } of recorded) {
      const before = byHash.get(block.parent.hash)
      if (before?.baseFeePerGas === undefined || block.baseFeePerGas === undefined) continue
      pairs++
      const { gasLimit, gasUsed, baseFeePerGas } = before
      expect(nextBaseFee({ gasLimit, gasUsed, baseFeePerGas }), `${block.ref.number}`).toBe(
        block.baseFeePerGas,
      )
    }
    expect(pairs).toBeGreaterThanOrEqual(9)
  })

  test('the same block gives the same findings, and without its logs none that need them', () => {
    for (const { block, findings } of found) {
      expect(findInBlock(block, createMemory()).findings).toEqual(findings)
      const { transactions } = block
      const bare = { ...transactions, logs: new Uint8Array(0), logEnds: new Uint32Array(transactions.count) }
      expect(findInBlock({ ...block, transactions: bare }, createMemory()).findings).toEqual([])
    }
  })
})
