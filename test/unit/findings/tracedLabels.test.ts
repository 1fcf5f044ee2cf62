import { describe, expect, test } from 'vitest'
import { findInBlock } from '../../../sidecar/findings/findInBlock.ts'
import { createMemory } from '../../../sidecar/findings/memory.ts'
import { haveLabels, readLabelledNumbers, readLabels } from './recordedLabels.ts'
import { type Label, scoreLabel } from './scoreLabels.ts'
import { readTracedBlocks, tracedBlocksFolder } from './tracedBlocks.ts'

// Blocks that the rules were not made on: their logs are told from published traces, so a liquidation is found by what tells
// it, and says little. Runs with MONMOUTH_MEV_INSPECT=<flashbots/mev-inspect-py>/tests/blocks and the labels in ../shared.
describe.skipIf(!haveLabels || !tracedBlocksFolder)('blocks told from traces (skipped without them)', () => {
  const isOn = haveLabels && tracedBlocksFolder !== undefined
  const labels = isOn ? readLabels() : new Map<string, readonly string[]>()
  const numbers = isOn ? readLabelledNumbers() : new Set<bigint>()
  const blocks = isOn ? [...readTracedBlocks(tracedBlocksFolder!)] : []
  const found = blocks
    .filter(([number]) => numbers.has(number))
    .map(([, block]) => ({ block, findings: findInBlock(block, createMemory()).findings }))

  test.each<{ label: Label; recall: number; precision: number }>([
    { label: 'sandwich_frontrun', recall: 0.9, precision: 0.9 },
    { label: 'sandwich_backrun', recall: 0.9, precision: 0.9 },
    { label: 'sandwich_victim', recall: 0.9, precision: 0.9 },
    { label: 'arbitrage', recall: 0.9, precision: 0.85 },
    { label: 'liquidation', recall: 1, precision: 1 },
  ])('$label: recall $recall and precision $precision at least', ({ label, recall, precision }) => {
    const { labelled, said, hits } = scoreLabel(label, found, labels)
    expect(hits / labelled).toBeGreaterThanOrEqual(recall)
    expect(hits / said).toBeGreaterThanOrEqual(precision)
  })

  test('a block with 27 failing calls of one pattern has a storm, and no other has one', () => {
    const storms = found.flatMap(({ block, findings }) =>
      findings.flatMap((finding) =>
        finding.kind === 'failure-storm' ? [[block.ref.number, finding.evidence.failed]] : [],
      ),
    )
    expect(storms).toEqual(
      found.some(({ block }) => block.ref.number === 13_326_607n) ? [[13_326_607n, 27]] : [],
    )
  })
})
