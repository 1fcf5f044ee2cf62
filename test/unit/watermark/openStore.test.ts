import { describe, expect, test } from 'vitest'
import { bytesOf, createChainModel, createRandom, effectsOf, refOf } from './chainModel.ts'
import { modelAll, openTestStore, readAll, temporaryDirectory } from './storeFixture.ts'

/** A store and a model with the same `count` blocks, committed. */
function chainOf(count: number, options: Parameters<typeof openTestStore>[1] = {}) {
  const directory = temporaryDirectory()
  const store = openTestStore(directory, options)
  const model = createChainModel()
  const random = createRandom(count)
  const grow = (blocks: number, branch = 'main') => {
    for (let n = 0; n < blocks; n++) {
      const block = model.next(branch, random)
      store.stage(effectsOf({ apply: [block] }))
      model.append(block)
    }
  }
  grow(count)
  store.commit()
  return { directory, store, model, random, grow }
}

describe('commit', () => {
  test('makes nothing durable before it is called, and everything staged after', () => {
    const { store, model, grow } = chainOf(3)
    const before = readAll(store)
    grow(2)
    expect(readAll(store)).toEqual(before)
    expect(store.commit()).toEqual(model.tip())
    expect(readAll(store)).toEqual(modelAll(model))
  })

  test('answers undefined when nothing is staged', () => {
    const { store } = chainOf(2)
    expect(store.commit()).toBeUndefined()
    expect(openTestStore(temporaryDirectory()).commit()).toBeUndefined()
  })

  test('leaves the caller its bytes back', () => {
    const { store, model, random } = chainOf(1)
    const block = model.next('main', random, { writes: 20 })
    store.stage(effectsOf({ apply: [block] }))
    model.append(block)
    store.commit()
    for (const { after } of block.writes) after?.fill(0xee)
    expect(readAll(store).state).toEqual(modelAll(model).state)
  })
})

describe('undo', () => {
  test('of durable blocks puts back state, totals and hashes', () => {
    const { store, model } = chainOf(10)
    const undo = model.blocks
      .slice(-4)
      .reverse()
      .map(({ block }) => block)
    store.stage(effectsOf({ undo }))
    store.commit()
    for (const _ of undo) model.pop()
    expect(readAll(store)).toEqual(modelAll(model))
  })

  test('of staged and durable blocks together, with another branch in the same effects', () => {
    const { store, model, random, grow } = chainOf(6)
    grow(3)
    const undo = model.blocks
      .slice(-5)
      .reverse()
      .map(({ block }) => block)
    for (const _ of undo) model.pop()
    const block = model.next('fork', random)
    store.stage(effectsOf({ undo, apply: [block] }))
    model.append(block)
    store.commit()
    expect(readAll(store)).toEqual(modelAll(model))
  })

  test('of every block leaves an empty store that can start elsewhere', () => {
    const { store, model } = chainOf(4)
    const undo = [...model.blocks].reverse().map(({ block }) => block)
    const elsewhere = createChainModel(50)
    const block = elsewhere.next('elsewhere', createRandom(1))
    store.stage(effectsOf({ undo, apply: [block] }))
    elsewhere.append(block)
    store.commit()
    expect(readAll(store)).toEqual(modelAll(elsewhere))
  })

  test('gives pre-images newest block first, from staged and durable blocks', () => {
    const { store, model, grow } = chainOf(3)
    grow(2)
    const wanted = model.blocks.slice(-4).reverse()
    const undone = store.undoneBlocks(wanted.map(({ block }) => block))
    expect(undone.map(({ block }) => block)).toEqual(wanted.map(({ block }) => block))
    for (const [n, { writes }] of undone.entries()) {
      const expected = wanted[n]!.writes.map(({ table, key, before }) => ({
        table,
        key: Buffer.from(key),
        before,
      }))
      expect(
        writes.map(({ table, key, before }) => ({ table, key, before: before && Buffer.from(before) })),
        `block ${n} from the tip`,
      ).toEqual(expected)
    }
  })

  test('keeps the decisions of undone blocks as not canonical, until the block comes back', () => {
    const { store, model } = chainOf(5)
    const last = model.blocks.at(-1)!
    store.stage(effectsOf({ undo: [last.block] }))
    store.commit()
    expect(store.decisionsOf(last.block)).toMatchObject({ canonical: false, timestamp: last.timestamp })
    store.stage(effectsOf({ apply: [last] }))
    store.commit()
    expect(store.decisionsOf(last.block)).toMatchObject({ canonical: true })
    expect(Buffer.from(store.decisionsOf(last.block)!.decisions)).toEqual(last.decisions)
  })

  test('keeps the decisions of a block that was undone before it was durable', () => {
    const { store, model, grow } = chainOf(2)
    grow(1, 'fork')
    const fork = model.pop()
    store.stage(effectsOf({ undo: [fork.block] }))
    store.commit()
    expect(store.decisionsOf(fork.block)).toMatchObject({ canonical: false })
    expect(readAll(store)).toEqual(modelAll(model))
  })

  test('refuses blocks below the kept undo and changes nothing', () => {
    const { store, model } = chainOf(30, { undoDepth: 5 })
    const before = readAll(store)
    const undo = model.blocks
      .slice(-6)
      .reverse()
      .map(({ block }) => block)
    expect(() => store.stage(effectsOf({ undo }))).toThrow(
      expect.objectContaining({
        code: 'UNDO_TOO_DEEP',
        message: expect.stringMatching(/oldest block that can is 26/),
      }),
    )
    expect(() => store.undoneBlocks(undo)).toThrow(expect.objectContaining({ code: 'UNDO_TOO_DEEP' }))
    store.commit()
    expect(readAll(store)).toEqual(before)
    store.stage(effectsOf({ undo: undo.slice(0, 5) }))
    expect(store.commit()).toEqual(undo[5])
  })

  test('refuses to go deeper in two steps than in one, also after a restart', () => {
    const { directory, store, model } = chainOf(30, { undoDepth: 5 })
    const undo = model.blocks
      .slice(-6)
      .reverse()
      .map(({ block }) => block)
    store.stage(effectsOf({ undo: undo.slice(0, 3) }))
    store.commit()
    store.close()
    const again = openTestStore(directory, { undoDepth: 5 })
    expect(() => again.stage(effectsOf({ undo: undo.slice(3) }))).toThrow(
      expect.objectContaining({ code: 'UNDO_TOO_DEEP' }),
    )
  })

  test('refuses blocks at or below finalized', () => {
    const { store, model } = chainOf(10)
    store.stage(effectsOf({ finalized: model.blocks[7]!.block }))
    const undo = model.blocks
      .slice(-3)
      .reverse()
      .map(({ block }) => block)
    expect(() => store.stage(effectsOf({ undo }))).toThrow(/block 8 is finalized/)
    store.stage(effectsOf({ undo: undo.slice(0, 2) }))
    expect(store.commit()).toEqual(undo[2])
  })

  test('refuses refs that are not the tip', () => {
    const { store, model } = chainOf(5)
    const [fourth, fifth] = model.blocks.slice(-2).map(({ block }) => block)
    for (const undo of [[fourth!], [fourth!, fifth!], [refOf(5, 'unknown')]]) {
      expect(() => store.undoneBlocks(undo), `${undo[0]!.number}`).toThrow(
        expect.objectContaining({ code: 'EFFECTS_OUT_OF_ORDER' }),
      )
    }
  })
})

describe('stage', () => {
  test('refuses a block that does not follow the tip, and keeps none of its effects', () => {
    const { store, model, random } = chainOf(5)
    const next = model.next('main', random)
    const wrong = { ...model.next('other', random), parent: refOf(5, 'unknown') }
    expect(() => store.stage(effectsOf({ apply: [wrong] }))).toThrow(/cannot follow 5 0x/)
    expect(() => store.stage(effectsOf({ apply: [next, next] }))).toThrow(
      expect.objectContaining({ code: 'EFFECTS_OUT_OF_ORDER' }),
    )
    store.commit()
    expect(readAll(store)).toEqual(modelAll(model))
  })

  test('refuses keys that are too long to store, whole', () => {
    const { store, model, random } = chainOf(1)
    const write = {
      table: 'svm' as const,
      key: new Uint8Array(256),
      before: undefined,
      after: new Uint8Array(1),
    }
    expect(() =>
      store.stage(effectsOf({ apply: [{ ...model.next('main', random), writes: [write] }] })),
    ).toThrow(/256 bytes/)
    store.commit()
    expect(readAll(store)).toEqual(modelAll(model))
  })
})

describe('finality', () => {
  test('never regresses and is acknowledged no higher than durable', () => {
    const { directory, store, model, grow } = chainOf(10)
    expect(store.finishedHeight()).toBeUndefined()
    store.stage(effectsOf({ finalized: model.blocks[5]!.block }))
    expect(store.finishedHeight(), 'staged only').toBeUndefined()
    store.commit()
    expect(store.finishedHeight()).toEqual(model.blocks[5]!.block)
    store.stage(effectsOf({ finalized: model.blocks[3]!.block }))
    store.commit()
    expect(store.progress().finalized).toEqual(model.blocks[5]!.block)
    grow(2)
    store.stage(effectsOf({ finalized: refOf(12, 'main') }))
    expect(store.finishedHeight(), 'staged only').toEqual(model.blocks[5]!.block)
    store.commit()
    expect(store.finishedHeight()).toEqual(model.blocks[11]!.block)
    store.stage(effectsOf({ finalized: refOf(500, 'main') }))
    store.commit()
    expect(store.finishedHeight()).toEqual(model.tip())
    store.close()
    expect(openTestStore(directory).finishedHeight()).toEqual(model.tip())
  })

  test('ignores a finalized block that is not on the chain', () => {
    const { store, model } = chainOf(10)
    store.stage(effectsOf({ finalized: model.blocks[2]!.block }))
    store.stage(effectsOf({ finalized: refOf(5, 'other') }))
    store.commit()
    expect(store.progress().finalized).toEqual(model.blocks[2]!.block)
  })

  test('ahead of the tip does not stop a reorg under way', () => {
    const { store, model, random } = chainOf(10)
    store.stage(effectsOf({ undo: [model.pop().block], finalized: refOf(40, 'new') }))
    store.stage(effectsOf({ undo: [model.pop().block] }))
    const block = model.next('new', random)
    store.stage(effectsOf({ apply: [block] }))
    model.append(block)
    store.commit()
    expect(readAll(store)).toEqual(modelAll(model))
  })
})

describe('locator', () => {
  test('is dense near the tip and ends at finalized', () => {
    const { store, model } = chainOf(90, { undoDepth: 8 })
    store.stage(effectsOf({ finalized: model.blocks[9]!.block }))
    store.commit()
    const locator = store.locator()
    expect(locator.map(({ number }) => Number(number))).toEqual([
      ...[90, 89, 88, 87, 86, 85, 84, 83, 82, 81, 80, 79, 78, 77, 76, 75],
      ...[73, 69, 61, 45, 13, 10],
    ])
    for (const ref of locator)
      expect(ref, `${ref.number}`).toEqual(model.blocks[Number(ref.number) - 1]!.block)
  })
})

describe('reads', () => {
  test('answer an account as of the durable block', () => {
    const { store, model, random } = chainOf(2)
    const pubkey = bytesOf('someone', 32)
    expect(store.account(pubkey)).toEqual({ value: undefined, block: model.tip() })
    const write = {
      table: 'account' as const,
      key: pubkey,
      before: undefined,
      after: bytesOf('account', 100),
    }
    const block = { ...model.next('main', random), writes: [write] }
    store.stage(effectsOf({ apply: [block] }))
    expect(store.account(pubkey).value, 'staged only').toBeUndefined()
    store.commit()
    expect(Buffer.from(store.account(pubkey).value!)).toEqual(write.after)
    expect(store.account(pubkey).block).toEqual(block.block)
  })
})

describe('totalsAt', () => {
  test('answers for durable and for staged blocks, and zeros for any other', () => {
    const { store, model, grow } = chainOf(3)
    grow(2)
    for (const { block, totals } of model.blocks)
      expect(store.totalsAt(block), `${block.number}`).toEqual(totals)
    expect(store.totalsAt(refOf(3, 'other')).blocks).toBe(0)
    expect(store.totalsAt(refOf(0, 'main')).blocks).toBe(0)
  })
})

describe('outbox', () => {
  const entryOf = (
    number: number,
    kind: 'transactions' | 'patterns' | 'undo' | 'finalized',
    rows: number,
  ) => ({
    ...{ block: refOf(number, 'main'), kind, rows, payload: bytesOf(`${number} ${kind}`, 10) },
  })

  test('hands out durable entries in order, and says what has passed', () => {
    const directory = temporaryDirectory()
    const store = openTestStore(directory)
    const model = createChainModel()
    const random = createRandom(1)
    expect(store.outboxPassed()).toBe(-1n)
    for (let number = 1; number <= 4; number++) {
      const outbox = number === 3 ? [] : [entryOf(number, 'transactions', 10)]
      const block = { ...model.next('main', random), outbox }
      store.stage(effectsOf({ apply: [block], undoOutbox: number === 4 ? [entryOf(1, 'finalized', 0)] : [] }))
      model.append(block)
    }
    expect(store.readOutbox(100)).toEqual([])
    store.commit()
    expect(store.outboxRows()).toBe(30)
    expect(store.outboxPassed()).toBe(0n)
    const [first, second] = store.readOutbox(11)
    expect(store.readOutbox(11)).toHaveLength(2)
    expect(store.readOutbox(1)).toHaveLength(1)
    expect([first, second]).toMatchObject([
      { sequence: 1, block: refOf(1, 'main'), kind: 'transactions', rows: 10 },
      { sequence: 2, block: refOf(2, 'main') },
    ])
    store.deleteOutbox(1)
    expect(store.outboxPassed()).toBe(1n)
    store.deleteOutbox(2)
    expect(store.outboxPassed()).toBe(3n)
    expect(store.outboxRows()).toBe(10)
    store.deleteOutbox(4)
    expect(store.outboxPassed()).toBe(4n)
    store.close()
    const again = openTestStore(directory)
    expect(again.outboxRows()).toBe(0)
    again.stage(effectsOf({ undo: [refOf(4, 'main')], undoOutbox: [entryOf(4, 'undo', 1)] }))
    again.commit()
    expect(again.readOutbox(10)).toMatchObject([{ sequence: 5, kind: 'undo' }])
    expect(again.outboxPassed()).toBe(3n)
  })
})
