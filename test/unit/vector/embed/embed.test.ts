import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { dimensions, embedPattern, embedTransaction } from '#vector'
import { featureVector } from '../../../../vector/embed/featureVector.ts'
import { addressOf, blockOf, patternOf, transactionOf } from '../support.ts'

const digest = (vector: Float32Array) =>
  createHash('sha256')
    .update(Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength))
    .digest('hex')
    .slice(0, 16)
const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, place) => sum + value * b[place]!, 0)

describe('embedTransaction', () => {
  test('gives the same bits for ever: a change here needs a new embedder version', () => {
    expect(digest(embedTransaction(transactionOf(blockOf(1), 0)))).toBe('78912f129f1d4cb6')
    expect(
      digest(embedTransaction(transactionOf(blockOf(1), 1, { to: '', value: '12345678901234567890' }))),
    ).toBe('98b84f387f76db03')
    expect(digest(embedPattern(patternOf('a', 1)))).toBe('024374777edfd924')
  })

  test('has length 1 whatever the transaction', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.string(),
        fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }),
        fc.nat(),
        fc.nat(),
        fc.stringMatching(/^[0-9a-f]{0,512}$/),
        (to, selector, value, gasLimit, calldataBytes, calldataHead) => {
          const changes = { to, selector, value: String(value), gasLimit, calldataBytes, calldataHead }
          const vector = embedTransaction(transactionOf(blockOf(1), 0, changes))
          expect(vector.length).toBe(dimensions)
          expect(Math.sqrt(dot(vector, vector))).toBeCloseTo(1, 5)
        },
      ),
    )
  })

  test('does not see what is known only after the run', () => {
    const before = embedTransaction(transactionOf(blockOf(1), 0))
    const changes = { outcome: 'failed', route: 'skip', reason: 'no', confidence: 0, blockNumber: 9n }
    expect(embedTransaction(transactionOf(blockOf(1), 0, changes))).toEqual(before)
  })

  test('is nearer to the same call by another sender than to another call by the same one', () => {
    const base = embedTransaction(transactionOf(blockOf(1), 0))
    const otherSender = embedTransaction(transactionOf(blockOf(1), 0, { from: addressOf('other') }))
    const otherCall = embedTransaction(
      transactionOf(blockOf(1), 0, { to: addressOf('else'), selector: '0x12345678' }),
    )
    expect(dot(base, otherSender)).toBeGreaterThan(dot(base, otherCall))
  })
})

describe('embedPattern', () => {
  test('is near the transactions of the pattern', () => {
    const pattern = patternOf('a', 1)
    const parts = { to: `0x${pattern.id.slice(0, 40)}`, selector: `0x${pattern.id.slice(40, 48)}` }
    const own = embedTransaction(transactionOf(blockOf(1), 0, parts))
    const other = embedTransaction(transactionOf(blockOf(1), 0))
    expect(dot(embedPattern(pattern), own)).toBeGreaterThan(0.7)
    expect(dot(embedPattern(pattern), own)).toBeGreaterThan(dot(embedPattern(pattern), other) + 0.3)
  })
})

describe('featureVector', () => {
  test('does not depend on the order of features', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.string(), fc.constantFrom(0.5, 1, 3)), { minLength: 1 }),
        (features) => {
          expect(featureVector(features.toReversed())).toEqual(featureVector(features))
        },
      ),
    )
  })

  test('is undefined without features and when they cancel out', () => {
    expect(featureVector([])).toBeUndefined()
    expect(
      featureVector([
        ['a', 1],
        ['a', -1],
      ]),
    ).toBeUndefined()
  })
})
