import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { baseFeeAfter, nextBaseFee } from '../../../sidecar/findings/advice/baseFee.ts'
import { createAdvice } from '../../../sidecar/findings/advice/createAdvice.ts'
import type { BlockFacts } from '../../../sidecar/findings/blockFacts.ts'
import { findInBlock } from '../../../sidecar/findings/findInBlock.ts'
import { createMemory } from '../../../sidecar/findings/memory.ts'
import { percentilesOf, readFees } from '../../../sidecar/findings/readFees.ts'
import { blockOf, genesis } from './events.ts'

const gwei = 10n ** 9n
const limit = 30_000_000n

describe('base fee', () => {
  test.each([
    // The examples of go-ethereum's TestCalcBaseFee: usage == target, below, above.
    [1_000_000_000n, 20_000_000n, 10_000_000n, 1_000_000_000n],
    [1_000_000_000n, 20_000_000n, 9_000_000n, 987_500_000n],
    [1_000_000_000n, 20_000_000n, 11_000_000n, 1_012_500_000n],
    // It rises by one at least, and does not fall below nothing.
    [1n, 20_000_000n, 11_000_000n, 2n],
    [7n, 20_000_000n, 0n, 7n],
    [0n, 20_000_000n, 0n, 0n],
  ])('after %d wei, limit %d, used %d: %d', (baseFeePerGas, gasLimit, gasUsed, expected) => {
    expect(nextBaseFee({ baseFeePerGas, gasLimit, gasUsed })).toBe(expected)
  })

  test('it moves by an eighth at most, towards where the blocks are filled', () => {
    const parent = fc
      .record({
        baseFeePerGas: fc.bigInt({ min: 0n, max: 2n ** 60n }),
        gasLimit: fc.bigInt({ min: 2n, max: 10n ** 9n }),
      })
      .chain((given) => fc.bigInt({ min: 0n, max: given.gasLimit }).map((gasUsed) => ({ ...given, gasUsed })))
    fc.assert(
      fc.property(parent, (given) => {
        const { baseFeePerGas: now, gasLimit, gasUsed } = given
        const next = nextBaseFee(given)
        const target = gasLimit / 2n
        if (gasUsed > target) expect(next).toBeGreaterThan(now)
        if (gasUsed === target) expect(next).toBe(now)
        if (gasUsed < target) expect(next).toBeLessThanOrEqual(now)
        // An odd limit has a target a little below its half: a full block then moves it a little more.
        expect(next).toBeLessThanOrEqual(now + (now * (gasLimit - target)) / target / 8n + 1n)
        expect(next).toBeGreaterThanOrEqual(now - now / 8n)
        expect(baseFeeAfter(given, 1, 10_000n)).toBe(next)
        expect(baseFeeAfter(given, 6, 0n)).toBeLessThanOrEqual(baseFeeAfter(given, 6, 10_000n))
      }),
    )
  })
})

test('percentiles are the smallest value that so many percent do not exceed', () => {
  fc.assert(
    fc.property(
      fc.array(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { minLength: 1, maxLength: 60 }),
      (values) => {
        const sorted = values.toSorted((a, b) => (a < b ? -1 : 1))
        const found = percentilesOf(sorted)
        for (const [i, rank] of [10, 25, 50, 75, 90].entries()) {
          const smallest = sorted.find(
            (value) => sorted.filter((each) => each <= value).length * 100 >= rank * sorted.length,
          )
          expect(found[i], `${rank} of ${values}`).toBe(smallest)
        }
      },
    ),
  )
})

describe('what a block paid', () => {
  test('the tip is exact where one price is named, and a ceiling where two are', () => {
    const block = blockOf([
      { type: 0, gasPrice: 3n * gwei },
      { type: 1, gasPrice: 5n * gwei, status: 'failed' },
      { type: 2, gasPrice: 9n * gwei },
      { type: 3, gasPrice: 11n * gwei },
      // A type of another chain may have no price.
      { type: 0x7e, gasPrice: 0n },
      // Less than the base fee, as a builder may on a chain that lets it.
      { type: 0, gasPrice: 1n },
    ])
    expect(readFees(block)).toMatchObject({
      transactions: 6,
      failed: 1,
      tips: { count: 3, percentiles: [0n, 0n, 2n * gwei, 4n * gwei, 4n * gwei] },
      ceilings: { count: 2, percentiles: [8n * gwei, 8n * gwei, 8n * gwei, 10n * gwei, 10n * gwei] },
    })
  })

  test('before London the whole price is what was paid for inclusion', () => {
    const { baseFeePerGas: _, ...rest } = blockOf([{ type: 0, gasPrice: 50n * gwei }])
    expect(readFees({ ...rest, baseFeePerGas: undefined }).tips).toMatchObject({
      count: 1,
      percentiles: Array(5).fill(50n * gwei),
    })
  })
})

/** The memory of blocks that used so much of their limit, at a base fee of 10 gwei, with legacy tips of 1, 2 and 3 gwei. */
function memoryOf(used: readonly bigint[], failed = false): readonly BlockFacts[] {
  const memory = createMemory()
  let parent = genesis
  for (const gasUsed of used) {
    const transactions = [1n, 2n, 3n].map((tip) => ({
      ...{
        type: 0,
        gasPrice: (10n + tip) * gwei,
        status: failed ? ('failed' as const) : ('succeeded' as const),
      },
    }))
    const block = { ...blockOf(transactions, parent), gasUsed, gasLimit: limit, baseFeePerGas: 10n * gwei }
    memory.add(findInBlock(block, memory).facts)
    parent = block.ref
  }
  return memory.blocks
}

describe('advice', () => {
  test('there is none without a block', () => {
    expect(createAdvice([])).toBeUndefined()
  })

  test('half-full blocks: no congestion, a steady base fee, the median tip', () => {
    const advice = createAdvice(memoryOf([limit / 2n, limit / 2n, limit / 2n]))!
    expect(advice).toMatchObject({
      blocks: 3,
      block: { number: 1_003 },
      congestion: {
        ...{ impact: 'low', risk: 0, fullness: { last: 0.5, recent: 0.5, window: 0.5 } },
        ...{ failed: 0, transactionsPerBlock: 3, secondsPerBlock: 12 },
      },
      priorityFee: { transactions: 9, p10: `${gwei}`, p50: `${2n * gwei}`, p90: `${3n * gwei}` },
      priorityCeiling: null,
    })
    expect(advice.baseFee!.forecast.map(({ likely }) => likely)).toEqual(Array(4).fill(`${10n * gwei}`))
    expect(advice.summary).toMatch(
      /50 % full .* congestion is low\. The base fee is 10\.000 gwei, 10\.000 in the next block/,
    )
  })

  test('full blocks: the most congestion, and a fee that holds through six more of them', () => {
    const advice = createAdvice(memoryOf(Array(10).fill(limit)))!
    expect(advice.congestion).toMatchObject({ impact: 'critical', risk: 100 })
    let fee = 10n * gwei
    for (let i = 0; i < 7; i++) fee += fee / 8n
    expect(advice.suggestion).toEqual({
      maxPriorityFeePerGas: `${2n * gwei}`,
      maxFeePerGas: `${fee + 2n * gwei}`,
    })
    expect(advice.recommendations.map(({ action }) => action)).toEqual([
      'optimizeParameters',
      'optimizeParameters',
      'scaleResources',
    ])
  })

  test('the congestion of the moment is of the last eight blocks', () => {
    const used = [...Array(20).fill(0n), ...Array(8).fill(limit)]
    expect(createAdvice(memoryOf(used))!.congestion).toMatchObject({
      risk: 100,
      fullness: { last: 1, recent: 1, window: 0.2857 },
    })
  })

  test('failing transactions are told', () => {
    const advice = createAdvice(memoryOf([0n], true))!
    expect(advice.congestion).toMatchObject({ failed: 1, secondsPerBlock: null })
    expect(advice.recommendations.at(-1)).toMatchObject({ action: 'alertStakeholders' })
  })

  test('before London there is no base fee to forecast', () => {
    const memory = createMemory()
    const block = { ...blockOf([{ type: 0, gasPrice: 50n * gwei }]), baseFeePerGas: undefined }
    memory.add(findInBlock(block, memory).facts)
    expect(createAdvice(memory.blocks)).toMatchObject({
      baseFee: null,
      suggestion: { maxPriorityFeePerGas: `${50n * gwei}`, maxFeePerGas: `${50n * gwei}` },
      summary: expect.stringContaining('There is no base fee'),
    })
  })

  test('the forecast of any memory is exact for the next block and lies between the extremes after', () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt({ min: 0n, max: limit }), { minLength: 1, maxLength: 12 }), (used) => {
        const { forecast } = createAdvice(memoryOf(used))!.baseFee!
        const next = nextBaseFee({ gasLimit: limit, gasUsed: used.at(-1)!, baseFeePerGas: 10n * gwei })
        expect(forecast[0]).toEqual({ blocks: 1, low: `${next}`, likely: `${next}`, high: `${next}` })
        for (const { low, likely, high } of forecast) {
          expect(BigInt(low)).toBeLessThanOrEqual(BigInt(likely))
          expect(BigInt(likely)).toBeLessThanOrEqual(BigInt(high))
        }
      }),
    )
  })
})
