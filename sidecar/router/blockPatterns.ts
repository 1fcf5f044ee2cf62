import { CONTRACT_CREATION, type TransactionColumns } from '../notification/types.ts'
import type { BlockFeatures } from './blockFeatures.ts'
import { Domain, KEY_WORDS } from './patternKey.ts'
import type { PatternTable } from './patternTable.ts'
import type { EnvelopeFacts } from './types.ts'

const NONE = new Uint32Array(5)
/** Values of `kinds`. */
export const PLAIN = 0
export const ENVELOPE = 1

/** The distinct patterns of one block, numbered by first appearance, and which of them each transaction has. */
export class BlockPatterns {
  count = 0
  /** Table id of each distinct pattern. */
  ids = new Int32Array(0)
  /** Number of the distinct pattern of each row. */
  localOf = new Uint32Array(0)
  /** `PLAIN` or `ENVELOPE`, a row. */
  kinds = new Uint8Array(0)
  private readonly envelopeKey = new Uint32Array(KEY_WORDS)
  /** By table id: the number of the pattern in the block whose stamp is there too. */
  private numbers = new Int32Array(0)
  private stamps = new Int32Array(0)
  private stamp = 0

  collect(
    features: BlockFeatures,
    transactions: TransactionColumns,
    envelopes: ReadonlyMap<number, EnvelopeFacts>,
    table: PatternTable,
  ): void {
    const { count, to, selectors, calldataBytes } = features
    this.reserve(count)
    this.stamp++
    const { kinds, localOf, ids, stamp } = this
    const rowKinds = transactions.kinds
    kinds.fill(PLAIN, 0, count)
    for (const row of envelopes.keys()) kinds[row] = ENVELOPE
    let { numbers, stamps } = this
    let distinct = 0
    // Almost half of real transactions are plain transfers: their pattern is looked up once a block.
    let transfer = -1
    for (let row = 0; row < count; row++) {
      let id: number
      if (kinds[row] === ENVELOPE) id = this.envelopeId(envelopes.get(row)!, table)
      else if ((rowKinds[row]! & CONTRACT_CREATION) !== 0) {
        id = table.intern(NONE, 0, selectors[row]!, Domain.creation)
      } else if (calldataBytes[row] === 0) {
        if (transfer < 0) transfer = table.intern(NONE, 0, 0, Domain.transfer)
        id = transfer
      } else id = table.intern(to, row * 5, selectors[row]!, Domain.call)
      if (id >= stamps.length) {
        this.reserveIds(id)
        numbers = this.numbers
        stamps = this.stamps
      }
      if (stamps[id] !== stamp) {
        stamps[id] = stamp
        numbers[id] = distinct
        ids[distinct++] = id
      }
      localOf[row] = numbers[id]!
    }
    this.count = distinct
  }

  private envelopeId(facts: EnvelopeFacts, table: PatternTable): number {
    if (facts.kind === 'deposit') return table.intern(NONE, 0, 0, Domain.deposit)
    if (facts.kind === 'rejected') return table.intern(NONE, 0, 0, Domain.rejected)
    const key = this.envelopeKey
    new Uint8Array(key.buffer).set(facts.pattern)
    return table.intern(key, 0, key[5]!, Domain.program)
  }

  private reserve(rows: number): void {
    if (this.localOf.length >= rows) return
    const size = Math.max(256, rows * 2)
    this.ids = new Int32Array(size)
    this.localOf = new Uint32Array(size)
    this.kinds = new Uint8Array(size)
  }

  private reserveIds(id: number): void {
    const size = Math.max(4096, id * 2)
    const numbers = new Int32Array(size)
    numbers.set(this.numbers)
    this.numbers = numbers
    const stamps = new Int32Array(size)
    stamps.set(this.stamps)
    this.stamps = stamps
  }
}
