import type { StateTable, StateWrite } from '../notification/stateWrite.ts'
import type { Block } from '../notification/types.ts'
import { decodeFacts, encodeFacts } from './factsCodec.ts'
import { type BlockFindings, findInBlock } from './findInBlock.ts'
import { encodeFindings, type RowKind, readRowKey, rowKey } from './findingRows.ts'
import { createMemory } from './memory.ts'
import type { Finding } from './types.ts'

export type FindingsOptions = {
  /** Blocks that a block is compared with. */
  readonly window: number
  /** Blocks whose findings are kept. */
  readonly keep: number
}

/** Looks at blocks once they are settled, and keeps what it finds in the state, so that it follows the chain. */
export type Findings = {
  /** What is to be noticed in a block applied on top of the last one, and the writes that make it durable. */
  apply(block: Block): { readonly findings: readonly Finding[]; readonly writes: readonly StateWrite[] }
  /** Takes back what `apply` did, newest first: the pre-images of its writes are all that is needed. */
  undo(blocks: readonly { readonly writes: readonly StateWrite[] }[]): void
}

const TABLE: StateTable = 'finding'

/**
 * Opens the findings on the stored rows.
 *
 * All that one block leaves for the next is in the rows of the table: undoing the writes undoes the memory too, and a
 * process started on the rows goes on as the one before would have. A window with a hole, where findings were switched
 * off for some blocks or of a release that remembered otherwise, is dropped: the memory then begins anew.
 */
export function createFindings(
  { window, keep }: FindingsOptions,
  state: {
    rows(table: StateTable): Iterable<{ readonly key: Uint8Array; readonly value: Uint8Array }>
  },
): Findings {
  const rows: Readonly<Record<RowKind, Rows>> = { found: createRows(), memory: createRows() }
  const memory = createMemory()

  const put = (kind: RowKind, number: bigint, value: Uint8Array | undefined, found?: BlockFindings) => {
    rows[kind].put(number, value)
    if (kind !== 'memory') return
    if (value === undefined) memory.remove(number)
    else if (found) memory.add(found.facts, found.payments)
    else {
      const facts = decodeFacts(value)
      if (facts) memory.add(facts)
    }
  }
  const stored = [...state.rows(TABLE)].map(({ key, value }) => ({ ...readRowKey(key), value }))
  stored.sort((a, b) => (a.number < b.number ? -1 : 1))
  // The store may hand out its own bytes.
  for (const { kind, number, value } of stored) put(kind, number, new Uint8Array(value))

  return {
    apply(block) {
      const writes: StateWrite[] = []
      const write = (kind: RowKind, number: bigint, after: Uint8Array | undefined, found?: BlockFindings) => {
        const before = rows[kind].get(number)
        writes.push({ table: TABLE, key: rowKey(kind, number), before, after })
        put(kind, number, after, found)
      }
      const removeBelow = (kind: RowKind, limit: bigint) => {
        for (
          let oldest = rows[kind].oldest();
          oldest !== undefined && oldest < limit;
          oldest = rows[kind].oldest()
        ) {
          write(kind, oldest, undefined)
        }
      }
      const { number } = block.ref
      const isContinued = memory.blocks.at(-1)?.hash === block.parent.hash
      removeBelow('memory', isContinued ? number - BigInt(window) : number)
      const found = findInBlock(block, memory)
      write('memory', number, encodeFacts(found.facts), found)
      const findings = encodeFindings(found)
      if (findings) write('found', number, findings)
      removeBelow('found', number - BigInt(keep) + 1n)
      return { findings: found.findings, writes }
    },
    undo(blocks) {
      for (const { writes } of blocks) {
        for (const { table, key, before } of writes.toReversed()) {
          if (table !== TABLE) continue
          const { kind, number } = readRowKey(key)
          put(kind, number, before && new Uint8Array(before))
        }
      }
    },
  }
}

type Rows = ReturnType<typeof createRows>

/** Rows by number. Blocks come and go at the upper end, and rows are pruned, and put back, at the lower one. */
function createRows() {
  const values = new Map<bigint, Uint8Array>()
  const numbers: bigint[] = []
  return {
    get: (number: bigint) => values.get(number),
    oldest: () => numbers[0],
    put(number: bigint, value: Uint8Array | undefined): void {
      const isOldest = numbers.length > 0 && number <= numbers[0]!
      if (value === undefined) {
        values.delete(number)
        if (isOldest) numbers.shift()
        else numbers.pop()
        return
      }
      values.set(number, value)
      if (isOldest) numbers.unshift(number)
      else numbers.push(number)
    },
  }
}
