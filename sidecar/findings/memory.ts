import { type BlockCounts, createBlockCounts } from './blockCounts.ts'
import type { BlockFacts } from './blockFacts.ts'
import { type BlockPayments, type Payment, type Place, readPayments } from './payments.ts'

/** A payment remembered, and the block it was in. */
export type RememberedPayment = Payment & { readonly blockNumber: bigint }

/** What the last blocks leave behind, as the detectors ask for it. */
export type Memory = {
  /** Oldest first; each the parent of the next. */
  readonly blocks: readonly BlockFacts[]
  /** Whether there is a payment with this hash: nearly always not. */
  holdsPayment(hash: number): boolean
  /** The newest payment of a payer to somebody whose address looks like `of` and is another; `hash` is theirs. */
  lookalikePaid(hash: number, payer: Place, of: Place): RememberedPayment | undefined
  /** Failures of a pattern, by block; the key is its contract and selector, one after the other. */
  failures(key: string): BlockCounts
  /** Equal calls of one sender, by block; the key is that of a `RepeatCount`. */
  repeats(key: string): BlockCounts
}

/** Memory of consecutive blocks, ascending. What it answers depends on the blocks alone, not on how they came in. */
export function createMemory(): Memory & {
  /** Adds a block above the newest, or puts back one below the oldest; with its payments where they are at hand. */
  add(facts: BlockFacts, payments?: BlockPayments): void
  /** Takes out the newest block or the oldest; of any other number nothing. */
  remove(number: bigint): void
} {
  const blocks: BlockFacts[] = []
  const payments = new Map<bigint, BlockPayments>()
  /** Where payments of a hash are, oldest first. */
  const byHash = new Map<number, { readonly number: bigint; readonly payments: BlockPayments }[]>()
  const failures = createBlockCounts()
  const repeats = createBlockCounts()

  return {
    blocks,
    failures: failures.of,
    repeats: repeats.of,
    holdsPayment: (hash) => byHash.has(hash),
    lookalikePaid(hash, payer, of) {
      const places = byHash.get(hash)
      if (places === undefined) return undefined
      for (let i = places.length - 1; i >= 0; i--) {
        const found = places[i]!.payments.find(hash, payer, of)
        if (found) return { ...found, blockNumber: places[i]!.number }
      }
      return undefined
    },
    add(facts, added = readPayments(facts.payments)) {
      const { number } = facts
      const isOldest = blocks.length > 0 && number < blocks[0]!.number
      const place = { number, payments: added }
      payments.set(number, added)
      if (isOldest) blocks.unshift(facts)
      else blocks.push(facts)
      for (const { to, selector, failed } of facts.failures) failures.add(number, to + selector, failed)
      for (const { key, count } of facts.repeats) repeats.add(number, key, count)
      for (const hash of added.hashes()) {
        const places = byHash.get(hash)
        if (places === undefined) byHash.set(hash, [place])
        else if (isOldest) places.unshift(place)
        else places.push(place)
      }
    },
    remove(number) {
      const removed = payments.get(number)
      if (removed === undefined) return
      const [facts] = blocks.splice(blocks[0]!.number === number ? 0 : blocks.length - 1, 1)
      for (const { to, selector } of facts!.failures) failures.remove(number, to + selector)
      for (const { key } of facts!.repeats) repeats.remove(number, key)
      for (const hash of removed.hashes()) {
        const places = byHash.get(hash)!
        if (places.length === 1) byHash.delete(hash)
        else places.splice(places[0]!.number === number ? 0 : places.length - 1, 1)
      }
      payments.delete(number)
    },
  }
}
