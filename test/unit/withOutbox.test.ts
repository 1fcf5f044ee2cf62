import { describe, expect, test } from 'vitest'
import { decodePayload, encodePayload } from '../../sidecar/outbox/payload.ts'
import { withOutbox } from '../../sidecar/withOutbox.ts'
import { createChainModel, createRandom, effectsOf } from './watermark/chainModel.ts'
import { openTestStore, temporaryDirectory } from './watermark/storeFixture.ts'

/** A real store as the pipeline commits to it; `seen` is what a pump finds waiting each time it is woken. */
function openCommitting() {
  const store = openTestStore(temporaryDirectory())
  const seen: string[][] = []
  const waiting = () => store.readOutbox(1_000).map(({ kind, block }) => `${kind} ${block.number}`)
  const committing = withOutbox(store, { wake: () => seen.push(waiting()) })
  const model = createChainModel()
  const next = () => {
    const made = model.next('a', createRandom(1))
    const block = { ...made, outbox: [entryOf('transactions', made.block)] }
    model.append(block)
    return block
  }
  return { store, committing, seen, next }
}

function entryOf(kind: 'transactions' | 'undo', block: { number: bigint; hash: `0x${string}` }) {
  const payload = encodePayload(kind === 'undo' ? { kind, blocks: [block] } : { kind, block, rows: [] })
  return { block, kind, payload, rows: 1 }
}

describe('withOutbox', () => {
  test('wakes the pump once a commit is durable', () => {
    const { committing, seen, next } = openCommitting()
    const first = next()
    committing.stage(effectsOf({ apply: [first] }))
    expect(seen, 'staged alone').toEqual([])
    expect(committing.commit()).toEqual(first.block)
    expect(seen).toEqual([['transactions 1']])
  })

  test('wakes the pump when every block was undone too: their rows have to go', () => {
    const { store, committing, seen, next } = openCommitting()
    const first = next()
    committing.stage(effectsOf({ apply: [first] }))
    committing.commit()
    store.deleteOutbox(Number.MAX_SAFE_INTEGER)
    committing.stage(effectsOf({ undo: [first.block], undoOutbox: [entryOf('undo', first.block)] }))
    expect(committing.commit(), 'no block is left').toBeUndefined()
    expect(seen.at(-1)).toEqual(['undo 1'])
    expect(seen).toHaveLength(2)
  })

  test('tells the vector store of a finalized block, after what is undone', () => {
    const { store, committing, next } = openCommitting()
    const [first, second] = [next(), next()]
    committing.stage(effectsOf({ apply: [first, second] }))
    committing.commit()
    store.deleteOutbox(Number.MAX_SAFE_INTEGER)
    committing.stage(
      effectsOf({
        undo: [second.block],
        undoOutbox: [entryOf('undo', second.block)],
        finalized: first.block,
      }),
    )
    committing.commit()
    const entries = store.readOutbox(1_000)
    expect(entries.map(({ kind, rows }) => [kind, rows])).toEqual([
      ['undo', 1],
      ['finalized', 1],
    ])
    expect(entries[1]!.block).toEqual(first.block)
    expect(decodePayload(entries[1]!.payload)).toEqual({ kind: 'finalized', number: 1n })
    expect(store.progress()).toMatchObject({ durable: first.block, finalized: first.block })
  })

  test('adds nothing where no block became final', () => {
    const { store, committing, next } = openCommitting()
    const first = next()
    committing.stage(effectsOf({ apply: [first] }))
    committing.commit()
    expect(store.readOutbox(1_000).map(({ kind }) => kind)).toEqual(['transactions'])
  })
})
