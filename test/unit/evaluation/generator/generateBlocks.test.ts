import { beforeAll, describe, expect, test } from 'vitest'
import { generateBlocks } from '../../../../sidecar/evaluation/generator/generateBlocks.ts'
import { trafficKinds } from '../../../../sidecar/evaluation/generator/plan.ts'
import type { LabelledBlock } from '../../../../sidecar/evaluation/types.ts'

const router = `0x${'53'.repeat(20)}` as const

async function generate(seed: string, blocks: number): Promise<LabelledBlock[]> {
  const all: LabelledBlock[] = []
  for await (const block of generateBlocks({ blocks, seed, router })) all.push(block)
  return all
}

describe('generated traffic', () => {
  let blocks: LabelledBlock[] = []
  beforeAll(async () => {
    blocks = await generate('shared', 50)
  })

  test('is the same for the same seed, byte for byte and outcome for outcome, and another for another', async () => {
    const [first, again, other] = [await generate('a', 6), await generate('a', 6), await generate('b', 6)]
    const contentOf = (blocks: LabelledBlock[]) =>
      blocks.map(({ block, labels }) => ({ hash: block.ref.hash, labels }))
    expect(contentOf(again)).toEqual(contentOf(first))
    expect(contentOf(other)).not.toEqual(contentOf(first))
  })

  test('is a chain of envelopes, each run to an end by the VM, for reasons of its own', () => {
    const reasons = new Set<string>()
    let parent = blocks[0]!.block.parent
    for (const { block, envelopes, outcomes, labels } of blocks) {
      expect(block.parent).toEqual(parent)
      parent = block.ref
      expect(envelopes.size).toBe(block.transactions.count)
      expect(outcomes.map(({ transactionIndex }) => transactionIndex)).toEqual(labels.map(({ row }) => row))
      for (const outcome of outcomes) {
        expect(['executed', 'failed']).toContain(outcome.status)
        const { reason } = outcome as { reason?: string }
        if (outcome.status === 'failed') reasons.add(String(reason).replace(/\(\d+, /, '('))
      }
    }
    expect([...reasons].sort()).toEqual([
      'InstructionError(ComputationalBudgetExceeded)',
      'InstructionError(Custom(1))',
      // What some programs make of running out of compute units.
      'InstructionError(ProgramFailedToComplete)',
    ])
  })

  test.each(['one', 'two'])('its truth is what happens, in every kind of traffic (seed %s)', async (seed) => {
    const blocks = await generate(seed, 40)
    for (const kind of trafficKinds) {
      // Rows of a block end together, so the blocks are what is independent.
      const surprises = blocks.map(({ labels }) =>
        labels
          .filter(({ group }) => group === kind)
          .reduce((sum, { succeeded, truth }) => sum + Number(succeeded) - truth!, 0),
      )
      const sum = surprises.reduce((total, one) => total + one, 0)
      const deviation = Math.sqrt(surprises.reduce((total, one) => total + one * one, 0))
      // Of 16 such sums of a right truth, one beyond 4 deviations comes up once in a thousand seeds.
      expect(Math.abs(sum), `${kind}: ${sum} against ${deviation}`).toBeLessThanOrEqual(4 * deviation)
    }
  })

  test('what is certain is certain: truth 0 never succeeds, truth 1 never fails', () => {
    const labels = blocks.flatMap((block) => block.labels)
    const never = labels.filter(({ truth }) => truth === 0)
    const always = labels.filter(({ truth }) => truth === 1)
    expect(Math.min(never.length, always.length)).toBeGreaterThan(5)
    expect(never.filter(({ succeeded }) => succeeded)).toEqual([])
    expect(always.filter(({ succeeded }) => !succeeded)).toEqual([])
  })

  test('an order has no chance exactly where its compute limit is too low', () => {
    const orders = blocks.flatMap(({ labels, outcomes }) =>
      labels.flatMap(({ group, truth, row }) => {
        if (group !== 'order' && group !== 'drainer') return []
        const { reason = '' } = outcomes[row] as { reason?: string }
        return [{ hasNoChance: truth === 0, ranOut: /Budget|ToComplete/.test(reason) }]
      }),
    )
    expect(orders.filter(({ ranOut }) => ranOut).length).toBeGreaterThan(10)
    expect(orders.filter(({ hasNoChance, ranOut }) => hasNoChance !== ranOut)).toEqual([])
  })

  test('failures burn what they did until then', () => {
    const failed = blocks.flatMap((block) => block.labels).filter(({ succeeded }) => !succeeded)
    const units = new Set(failed.map(({ units }) => units))
    expect(units.size).toBeGreaterThan(10)
    expect(Math.max(...units)).toBeGreaterThan(8_000)
  })
})
