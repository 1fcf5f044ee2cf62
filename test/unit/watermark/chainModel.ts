import { createHash } from 'node:crypto'
import { type StateTable, type StateWrite, stateTables } from '../../../sidecar/notification/stateWrite.ts'
import type { BlockRef } from '../../../sidecar/notification/types.ts'
import type { BlockEffects, ChainTotals, Effects } from '../../../sidecar/watermark/types.ts'

/** Numbers from a seed, below a bound: a test's only source of chance. */
export type Random = (below: number) => number

/** mulberry32. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

/** Bytes that follow from a text, of any length. */
export function bytesOf(text: string, length: number): Buffer {
  const parts: Buffer[] = []
  for (let size = 0; size < length; size += 32) {
    parts.push(createHash('sha256').update(`${text}/${size}`).digest())
  }
  return Buffer.concat(parts).subarray(0, length)
}

export function refOf(number: number, branch: string): BlockRef {
  return { number: BigInt(number), hash: `0x${bytesOf(`block ${number} ${branch}`, 32).toString('hex')}` }
}

type State = Map<string, Buffer>

/** A chain as the naive model holds it: whole blocks, and the state as a plain fold over them. */
export type ChainModel = {
  readonly blocks: BlockEffects[]
  /** A new block on the tip, with writes whose pre-images are right. Not appended. */
  readonly next: (branch: string, random: Random, shape?: BlockShape) => BlockEffects
  readonly append: (block: BlockEffects) => void
  readonly pop: () => BlockEffects
  readonly state: () => ReadonlyMap<string, Buffer>
  readonly tip: () => BlockRef | undefined
  readonly totals: () => ChainTotals
}

export type BlockShape = {
  readonly writes?: number
  readonly keys?: number
  readonly valueBytes?: number
  readonly transactions?: number
  readonly decisionBytes?: number
}

export const noTotals: ChainTotals = {
  ...{ blocks: 0, transactions: 0, executeOnSvm: 0, executeOnEvm: 0, skip: 0 },
  ...{ executed: 0, failed: 0, rejected: 0, deposits: 0, accounts: 0 },
}

export function keyOf(table: StateTable, key: Uint8Array): string {
  return `${table}:${Buffer.from(key).toString('hex')}`
}

/** A chain that begins at block `start`. */
export function createChainModel(start = 1): ChainModel {
  const blocks: BlockEffects[] = []
  const apply = (state: State, writes: readonly StateWrite[]) => {
    for (const { table, key, after } of writes) {
      if (after === undefined) state.delete(keyOf(table, key))
      else state.set(keyOf(table, key), Buffer.from(after))
    }
  }
  const fold = () => {
    const state: State = new Map()
    for (const block of blocks) apply(state, block.writes)
    return state
  }
  // undefined after a pop: folded again when it is asked for.
  let current: State | undefined = new Map()
  const state = () => {
    current ??= fold()
    return current
  }

  return {
    blocks,
    next: (branch, random, shape = {}) => {
      const {
        writes: writeCount = 6,
        keys = 24,
        valueBytes = 40,
        transactions = 3,
        decisionBytes = 30,
      } = shape
      const previous = blocks.at(-1)
      const number = previous === undefined ? start : Number(previous.block.number) + 1
      const block = refOf(number, branch)
      const writes = new Map<string, StateWrite>()
      for (let n = 0; n < writeCount; n++) {
        const table = stateTables[random(stateTables.length)]!
        const key = bytesOf(`key ${random(keys)}`, table === 'account' ? 32 : table === 'pattern' ? 24 : 8)
        const name = keyOf(table, key)
        const after = random(4) === 0 ? undefined : bytesOf(`${branch} ${number} ${n}`, random(valueBytes))
        writes.set(name, { table, key, before: state().get(name), after })
      }
      const count = random(transactions + 1)
      const base = previous?.totals ?? noTotals
      const onSvm = random(count + 1)
      return {
        block,
        parent: previous?.block ?? refOf(number - 1, 'parent'),
        timestamp: BigInt(1_700_000_000 + number * 12),
        writes: [...writes.values()],
        signatures: Array.from({ length: random(3) }, (_, n) =>
          bytesOf(`signature ${branch} ${number} ${n}`, 64),
        ),
        decisions: bytesOf(`decisions ${branch} ${number}`, decisionBytes),
        transactionHashes: bytesOf(`transactions ${branch} ${number}`, 32 * count),
        results: bytesOf(`results ${branch} ${number}`, random(50)),
        latticeHash: bytesOf(`lattice ${branch} ${number}`, 32),
        totals: {
          ...base,
          blocks: base.blocks + 1,
          transactions: base.transactions + count,
          executeOnSvm: base.executeOnSvm + onSvm,
          executeOnEvm: base.executeOnEvm + count - onSvm,
          executed: base.executed + onSvm,
          accounts: random(1000),
        },
        outbox:
          random(2) === 0
            ? []
            : [
                {
                  block,
                  kind: 'transactions',
                  payload: bytesOf(`outbox ${branch} ${number}`, 20),
                  rows: count,
                },
              ],
      }
    },
    append: (block) => {
      apply(state(), block.writes)
      blocks.push(block)
    },
    pop: () => {
      const block = blocks.pop()!
      current = undefined
      return block
    },
    state,
    tip: () => blocks.at(-1)?.block,
    totals: () => blocks.at(-1)?.totals ?? noTotals,
  }
}

/** Effects with nothing in them but what is given. */
export function effectsOf(parts: Partial<Effects>): Effects {
  return { undo: [], undoOutbox: [], apply: [], finalized: undefined, ...parts }
}
