import { readFile } from 'node:fs/promises'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { dimensions } from '../../../../vector/embed/featureVector.ts'
import { chunkRows, createColumnScan, scanQuestion } from '../../../../vector/fresh/columnScan.ts'
import { assembleScan, moduleFile } from '../../../support/vector/assembleScan.ts'

// As long as two of them may be together: half of what fits two bytes.
const vectorOf = fc
  .array(fc.integer({ min: -11, max: 11 }), { minLength: dimensions, maxLength: dimensions })
  .map((components) => Int8Array.from(components))
const sumOf = (a: Int8Array, b: Int8Array) => a.reduce((sum, weight, at) => sum + weight * b[at]!, 0)

test('the module is what its text says: `npm run wasm` makes it anew', async () => {
  expect(await readFile(moduleFile)).toEqual(await assembleScan())
})

test('the sums are those of one product after another, and those above a number are found', () => {
  const many = fc.array(vectorOf, { minLength: 1, maxLength: 40 })
  fc.assert(
    fc.property(many, vectorOf, fc.integer({ min: -16_200, max: 16_200 }), (vectors, wanted, least) => {
      const scan = createColumnScan()
      const first = scan.take()
      const chunk = scan.take()
      for (const [row, vector] of vectors.entries()) scan.write(chunk, row, vector)
      // What lies beside is nobody's.
      scan.write(first, chunkRows - 1, wanted)
      scan.write(chunk, vectors.length, wanted)
      const question = scanQuestion(wanted)
      const sums = vectors.map((vector) => sumOf(wanted, vector))
      const { found, sums: told } = scan.above(question, chunk, vectors.length, least)
      expect([...told.subarray(0, vectors.length)]).toEqual(sums)
      expect([...found]).toEqual([...sums.keys()].filter((row) => sums[row]! > least))
      for (const [row, sum] of sums.entries()) expect(scan.sumOf(question, chunk, row)).toBe(sum)
      for (const [row, vector] of vectors.entries()) expect(scan.read(chunk, row)).toEqual(vector)
    }),
    { numRuns: 200 },
  )
})

test('a chunk that was given back is taken again', () => {
  const scan = createColumnScan()
  const [first, second] = [scan.take(), scan.take()]
  const bytes = scan.bytes()
  scan.give(first)
  expect(scan.take()).toBe(first)
  expect(scan.bytes()).toBe(bytes)
  expect(scan.take()).not.toBe(second)
  expect(scan.bytes()).toBeGreaterThan(bytes)
})
