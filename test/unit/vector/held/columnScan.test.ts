import { readFile } from 'node:fs/promises'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { dimensions } from '../../../../vector/embed/featureVector.ts'
import { chunkRows, createColumnScan, scanQuestion, tableTags } from '../../../../vector/held/columnScan.ts'
import { createColumnSums, createMemory, makeRoom } from '../../../../vector/held/sumColumns.ts'
import { assembleScan, moduleFile } from '../../../support/vector/assembleScan.ts'

// As long as two of them may be together: half of what fits two bytes.
const vectorOf = fc
  .array(fc.integer({ min: -11, max: 11 }), { minLength: dimensions, maxLength: dimensions })
  .map((components) => Int8Array.from(components))
const sumOf = (a: Int8Array, b: Int8Array) => a.reduce((sum, weight, at) => sum + weight * b[at]!, 0)

test('the module is what its text says: `npm run wasm` makes it anew', async () => {
  expect(await readFile(moduleFile)).toEqual(await assembleScan())
})

test('the values are those of one product after another, and those above a number are found', async () => {
  const row = fc.record({
    numbers: vectorOf,
    inverse: fc.constantFrom(0.25, 0.5, 1),
    tag: fc.oneof(fc.nat(20), fc.nat(255)),
  })
  const table = fc
    .array(fc.constantFrom(0, 255), { minLength: tableTags, maxLength: tableTags })
    .map((bytes) => Uint8Array.from(bytes))
  const many = fc.array(row, { minLength: 1, maxLength: 40 })
  const scan = createColumnScan()
  await scan.startThread()
  await fc.assert(
    fc.asyncProperty(
      many,
      vectorOf,
      fc.integer({ min: -16_200, max: 16_200 }),
      fc.option(table, { nil: undefined }),
      async (rows, wanted, least, told) => {
        const first = scan.take()
        const chunk = scan.take()
        for (const [at, { numbers, inverse, tag }] of rows.entries())
          scan.write(chunk, at, tag, numbers, inverse)
        // What lies beside is nobody's.
        scan.write(first, chunkRows - 1, 0, wanted, 1)
        scan.write(chunk, rows.length, 0, wanted, 1)
        const question = scanQuestion(wanted)
        const values = rows.map(({ numbers, inverse }) => sumOf(wanted, numbers) * inverse)
        const scanned = { columns: chunk, rows: rows.length, mostInverse: 1 }
        const isWanted = (at: number) => values[at]! > least && (!told || told[rows[at]!.tag] === 255)
        const check = (isSummed: boolean) => {
          const { found, valueAt } = scan.above(question, scanned, least, isSummed, told)
          expect([...values.keys()].map(valueAt)).toEqual(values)
          // Of those that are no nearer some may be among them.
          expect([...found].filter((at) => values[at]! > least)).toEqual([...values.keys()].filter(isWanted))
          if (least > 0) expect(found.every((at) => values[at]! >= least)).toBe(true)
        }
        check(false)
        expect(await scan.useSums(question, [scanned], () => check(true) ?? 'checked')).toBe('checked')
        for (const [at, { numbers, inverse, tag }] of rows.entries()) {
          expect(scan.valueOf(question, chunk, at)).toBe(values[at])
          expect(scan.read(chunk, at)).toEqual(Float32Array.from(numbers, (number) => number * inverse))
          expect(scan.tagOf(chunk, at)).toBe(tag)
        }
        scan.give(first)
        scan.give(chunk)
      },
    ),
    { numRuns: 200 },
  )
  await scan.close()
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

test('of a work each chunk is taken once, whoever takes it, and of one that was left none', () => {
  const memory = createMemory()
  const [here, there] = [createColumnSums(memory), createColumnSums(memory)]
  makeRoom(memory, 5)
  const question = scanQuestion(Int8Array.of(...Array.from({ length: dimensions }, () => 1)))
  const chunks = [0, 2, 4].map((columns) => ({ columns, rows: 16 }))
  here.begin(question, chunks)
  expect([here.takeNext(), there.takeNext(), here.done(), here.takeNext()]).toEqual([true, true, 2, true])
  expect([here.takeNext(), there.takeNext(), there.done()]).toEqual([false, false, 3])
  here.begin(question, chunks)
  expect([there.takeNext(), here.done()]).toEqual([true, 1])
  here.cancel()
  expect([there.takeNext(), here.takeNext(), here.done()]).toEqual([false, false, 1])
  here.begin(question, chunks.slice(1))
  expect([there.takeNext(), there.takeNext(), there.takeNext(), here.done()]).toEqual([true, true, false, 2])
})
