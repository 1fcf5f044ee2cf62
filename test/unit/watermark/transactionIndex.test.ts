import { expect, test } from 'vitest'
import { transactionAt } from '../../../sidecar/watermark/transactionIndex.ts'
import { bytesOf, createChainModel, createRandom, effectsOf } from './chainModel.ts'
import { openTestStore, temporaryDirectory } from './storeFixture.ts'

test('finds transactions in complete and open segments, across undo and regrowth of a segment', () => {
  const store = openTestStore(temporaryDirectory(), { undoDepth: 64 })
  const model = createChainModel(200)
  const random = createRandom(11)
  const grow = (count: number, branch: string) => {
    const apply = Array.from({ length: count }, () => {
      const block = model.next(branch, random, { transactions: 6 })
      model.append(block)
      return block
    })
    store.stage(effectsOf({ apply }))
    store.commit()
  }
  // Segments end at 255, 511 and 767; the second one is complete, taken back, and completed by another branch.
  grow(320, 'main')
  const gone = model.blocks.slice(-30)
  const undo = gone.map(({ block }) => block).reverse()
  for (const _ of undo) model.pop()
  store.stage(effectsOf({ undo }))
  store.commit()
  const check = () => {
    for (const { block, transactionHashes } of model.blocks) {
      if (block.number % 5n !== 0n && block.number < 480n) continue
      for (let at = 0; at < transactionHashes.length; at += 32) {
        const found = store.findTransaction(transactionHashes.subarray(at, at + 32))
        expect(found, `block ${block.number}`).toEqual([{ block, index: at / 32, canonical: true }])
      }
    }
  }
  check()
  for (const { block, transactionHashes } of gone) {
    if (transactionHashes.length === 0) continue
    const found = store.findTransaction(transactionHashes.subarray(0, 32))
    expect(found, `undone block ${block.number}`).toEqual([{ block, index: 0, canonical: false }])
  }
  grow(290, 'fork')
  check()
  expect(store.findTransaction(bytesOf('no such transaction', 32))).toEqual([])
  expect(store.findTransaction(new Uint8Array(5))).toEqual([])
})

test('names a transaction that is both canonical and undone canonical first', () => {
  const store = openTestStore(temporaryDirectory())
  const model = createChainModel()
  const random = createRandom(5)
  const transactionHashes = bytesOf('shared', 96)
  const first = { ...model.next('a', random), transactionHashes }
  const second = { ...model.next('b', random), transactionHashes: transactionHashes.subarray(32) }
  store.stage(effectsOf({ apply: [first] }))
  store.stage(effectsOf({ undo: [first.block], apply: [second] }))
  store.commit()
  expect(store.findTransaction(transactionHashes.subarray(32, 64))).toEqual([
    { block: second.block, index: 0, canonical: true },
    { block: first.block, index: 1, canonical: false },
  ])
})

test('retention drops decisions and look-up together, and leaves a sparse chain of blocks', () => {
  const store = openTestStore(temporaryDirectory(), { undoDepth: 10, retainDecisions: 300 })
  const model = createChainModel(1000)
  const random = createRandom(9)
  for (let commit = 0; commit < 40; commit++) {
    const apply = Array.from({ length: 50 }, () => {
      const block = model.next('main', random, { writes: 1, transactions: 2 })
      model.append(block)
      return block
    })
    store.stage(effectsOf({ apply, finalized: model.tip() }))
    store.commit()
  }
  const kept = store.latestDecisions(10_000)
  expect(kept.length).toBeGreaterThanOrEqual(300)
  expect(kept.length).toBeLessThan(400)
  const numbers = store.recentBlocks(10_000).map(({ number }) => Number(number))
  expect(numbers.slice(0, 2)).toEqual([1024, 2048])
  expect(numbers.length).toBeLessThan(750)
  const old = model.blocks.find(({ transactionHashes }) => transactionHashes.length > 0)!
  expect(store.findTransaction(old.transactionHashes.subarray(0, 32))).toEqual([])
  const recent = model.blocks.findLast(({ transactionHashes }) => transactionHashes.length > 0)!
  expect(store.findTransaction(recent.transactionHashes.subarray(0, 32))).toHaveLength(1)
})

test('a hash is found at row boundaries only', () => {
  const column = Buffer.alloc(96, 1)
  column.fill(2, 48, 80)
  expect(transactionAt(column, Buffer.alloc(32, 2))).toBe(-1)
  column.fill(2, 64)
  expect(transactionAt(column, Buffer.alloc(32, 2))).toBe(2)
})
