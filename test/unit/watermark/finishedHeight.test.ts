import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { BlockRef } from '../../../sidecar/notification/types.ts'
import { finishedHeight } from '../../../sidecar/watermark/finishedHeight.ts'
import { refOf } from './chainModel.ts'

const chain =
  (from: number, to: number, branch = 'main') =>
  (number: bigint) =>
    number >= from && number <= to ? refOf(Number(number), branch) : undefined

test('is the lower of durable and finalized', () => {
  expect(finishedHeight(refOf(10, 'main'), refOf(7, 'main'), chain(1, 10))).toEqual(refOf(7, 'main'))
  expect(finishedHeight(refOf(10, 'main'), refOf(17, 'main'), chain(1, 10))).toEqual(refOf(10, 'main'))
  expect(finishedHeight(refOf(10, 'main'), refOf(10, 'main'), chain(1, 10))).toEqual(refOf(10, 'main'))
})

test.each([
  ['nothing is durable', undefined, refOf(5, 'main')],
  ['nothing is final', refOf(5, 'main'), undefined],
  ['finality is below the first block', refOf(10, 'main'), refOf(2, 'main')],
  ['the finalized block is on another branch', refOf(10, 'main'), refOf(7, 'other')],
  ['durable and finalized differ at one height', refOf(10, 'main'), refOf(10, 'other')],
  ['the durable block is no longer canonical', refOf(10, 'other'), refOf(12, 'main')],
])('is undefined while %s', (_, durable, finalized) => {
  expect(finishedHeight(durable, finalized, chain(5, 10))).toBeUndefined()
})

test('never names a block above either, or one that is not canonical', () => {
  const ref = fc.option(
    fc.record({ number: fc.integer({ min: 0, max: 30 }), branch: fc.constantFrom('main', 'other') }),
    { nil: undefined },
  )
  const toRef = (value: { number: number; branch: string } | undefined): BlockRef | undefined =>
    value && refOf(value.number, value.branch)
  fc.assert(
    fc.property(
      ref,
      ref,
      fc.integer({ min: 0, max: 30 }),
      fc.integer({ min: 0, max: 30 }),
      (a, b, from, to) => {
        const [durable, finalized, canonical] = [toRef(a), toRef(b), chain(from, to)]
        const height = finishedHeight(durable, finalized, canonical)
        if (height === undefined) return
        expect(height.number <= durable!.number && height.number <= finalized!.number).toBe(true)
        expect(canonical(height.number)).toEqual(height)
      },
    ),
  )
})
