import fc from 'fast-check'
import pino from 'pino'
import { describe, expect, test } from 'vitest'
import { evaluateBlocks } from '../../../sidecar/evaluation/evaluateBlocks.ts'
import { generateBlocks } from '../../../sidecar/evaluation/generator/generateBlocks.ts'
import { labelRecorded } from '../../../sidecar/evaluation/labelRecorded.ts'
import type { LabelledBlock } from '../../../sidecar/evaluation/types.ts'
import { type Call, recordedChain, stream } from './support/recordedChain.ts'
import { routerOptions } from './support/routerOptions.ts'

const dependencies = () => ({ logger: pino({ level: 'silent' }), signal: new AbortController().signal })
const recorded = (blocks: readonly (readonly Call[])[]) => ({
  kind: 'recorded' as const,
  name: 'a test',
  blocks: labelRecorded(stream(recordedChain(blocks))),
})
const generated = (blocks: readonly LabelledBlock[]) => ({
  kind: 'generated' as const,
  name: 'a test',
  blocks: stream(blocks),
})
const call = fc.record({
  contract: fc.integer({ min: 1, max: 4 }),
  method: fc.integer({ min: 1, max: 2 }),
  succeeded: fc.boolean(),
})
const chain = fc.array(fc.array(call, { minLength: 1, maxLength: 5 }), { minLength: 4, maxLength: 14 })

describe('test, then train', () => {
  test('no prediction depends on an outcome of its own block, or of one less than the lag behind', async () => {
    await fc.assert(
      fc.asyncProperty(chain, fc.nat(), async (blocks, which) => {
        const changed = which % blocks.length
        const before = await evaluateBlocks(recorded(blocks), routerOptions, dependencies())
        const flipped = blocks.map((calls, index) =>
          index === changed ? calls.map((each) => ({ ...each, succeeded: !each.succeeded })) : calls,
        )
        const after = await evaluateBlocks(recorded(flipped), routerOptions, dependencies())
        const { block } = before.scored
        for (const [name, p] of before.scored.predictions) {
          const lag = name === 'lag 1' ? 1 : routerOptions.learn.lag
          const unmoved = [...p].filter((_, row) => block[row]! < changed + lag)
          const now = [...after.scored.predictions.get(name)!].filter((_, row) => block[row]! < changed + lag)
          expect(now, `${name} up to ${lag} after block ${changed}`).toEqual(unmoved)
        }
      }),
      { numRuns: 30 },
    )
  })

  test('and what comes later does depend on it', async () => {
    const blocks = Array.from({ length: 8 }, () => [{ contract: 1, succeeded: true }])
    const failing = blocks.map((calls, index) => (index === 2 ? [{ contract: 1, succeeded: false }] : calls))
    const [a, b] = await Promise.all(
      [blocks, failing].map((each) => evaluateBlocks(recorded(each), routerOptions, dependencies())),
    )
    for (const name of ['ours', 'no context', 'lag 1', 'pattern rate', 'global rate', 'seeds']) {
      const [was, is] = [a!, b!].map(({ scored }) => scored.predictions.get(name)!)
      expect([...is!], name).not.toEqual([...was!])
    }
  })

  test('rows without a known outcome are decided and counted, and not scored', async () => {
    const blocks = [
      [
        { contract: 1, succeeded: undefined },
        { contract: 2, succeeded: true },
      ],
      [{ contract: 1, succeeded: false, gasUsed: 0 }],
    ]
    const { scored, counts, variants } = await evaluateBlocks(recorded(blocks), routerOptions, dependencies())
    expect(counts).toEqual({ blocks: 2, transactions: 3, unknown: 1, admitted: 0 })
    expect([...scored.succeeded]).toEqual([1, 0])
    // The first of its pattern was one that nobody knows the end of: it has been seen all the same.
    expect([...scored.firstSeen]).toEqual([1, 0])
    expect([...scored.block]).toEqual([0, 1])
    // Where nobody knows the gas used, it may have been all of the limit.
    expect([...scored.units]).toEqual([50_000, 200_000])
    expect(variants[0]!.latencies.length).toBe(2)
  })

  test('blocks that nobody knows anything of are no evaluation', async () => {
    const unknown = recorded([[{ contract: 1, succeeded: undefined }]])
    await expect(evaluateBlocks(unknown, routerOptions, dependencies())).rejects.toMatchObject({
      code: 'EVALUATE_NOTHING_KNOWN',
    })
  })

  test('stops between two blocks when told to', async () => {
    const stopping = new AbortController()
    const onBlock = () => stopping.abort()
    const running = evaluateBlocks(recorded([[{ contract: 1, succeeded: true }]]), routerOptions, {
      ...dependencies(),
      signal: stopping.signal,
      onBlock,
    })
    await expect(running).rejects.toMatchObject({ code: 'EVALUATE_STOPPED' })
  })
})

describe('partial feedback', () => {
  test('what a router did not run teaches it nothing, though its outcome is scored', async () => {
    const blocks: LabelledBlock[] = []
    const options = { blocks: 30, seed: 'partial', router: `0x${'53'.repeat(20)}` as const }
    for await (const block of generateBlocks(options)) blocks.push(block)
    // One that is quick to refuse.
    const policy = { ...routerOptions.policy, skipBelow: 0.9, minEvidence: 1 }
    const quick = { ...routerOptions, policy }
    const first = await evaluateBlocks(generated(blocks), quick, dependencies())
    const ours = first.scored.choices.get('ours')!
    const refused = [...ours.keys()].filter((row) => ours[row] === 0)
    expect(refused.filter((row) => first.scored.block[row]! < 20).length).toBeGreaterThan(20)

    // The same chain, on which all that ours refused would have ended the other way.
    let row = 0
    const otherwise = blocks.map((block) => {
      const turned = new Set<number>()
      const labels = block.labels.map((label) => {
        if (ours[row++] === 1) return label
        turned.add(label.row)
        return { ...label, succeeded: !label.succeeded }
      })
      const outcomes = block.outcomes.map((outcome) =>
        turned.has(outcome.transactionIndex)
          ? {
              ...outcome,
              status: outcome.status === 'executed' ? ('failed' as const) : ('executed' as const),
            }
          : outcome,
      )
      return { ...block, labels, outcomes }
    })
    const second = await evaluateBlocks(generated(otherwise), quick, dependencies())
    expect([...second.scored.succeeded]).not.toEqual([...first.scored.succeeded])
    for (const name of ['ours', 'truth']) {
      expect([...second.scored.predictions.get(name)!], name).toEqual([
        ...first.scored.predictions.get(name)!,
      ])
    }
    expect([...second.scored.choices.get('ours')!]).toEqual([...ours])
    // Baselines see every outcome.
    for (const name of ['pattern rate', 'global rate']) {
      expect([...second.scored.predictions.get(name)!], name).not.toEqual([
        ...first.scored.predictions.get(name)!,
      ])
    }
  })
})
