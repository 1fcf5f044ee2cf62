import type { Random } from '../random.ts'
import type { DevnetTransaction } from './createTransactionSource.ts'

/** Undone transactions that come again, block by block of the new branch. */
export type KeptTransactions = {
  /** Those of the next replacement block. */
  take(): readonly DevnetTransaction[]
  /** Whether none of this sender's are still to come, so that its next nonce is free. */
  isFree(sender: number): boolean
}

/**
 * Chooses which transactions of undone blocks come again. Nonces allow a sender's first ones only: half of the senders
 * lose all theirs, the others keep a run from the first on. One in three comes a block later than it did (as do the
 * sender's next ones, until they have caught up).
 */
export function keepSome(
  undone: readonly (readonly DevnetTransaction[])[],
  random: Random,
): KeptTransactions {
  const blocks: DevnetTransaction[][] = undone.map(() => [])
  const dropping = new Map<number, boolean>()
  const earliest = new Map<number, number>()
  undone.forEach((transactions, index) => {
    for (const transaction of transactions) {
      const { sender } = transaction
      const dropped = dropping.get(sender) ?? random.chance(0.5)
      // A run ends at some point, and with it all that follows.
      dropping.set(sender, dropped || random.chance(0.1))
      if (dropping.get(sender) === true) continue
      const wanted = random.chance(1 / 3) ? index + 1 : index
      const at = Math.min(Math.max(wanted, earliest.get(sender) ?? 0), undone.length - 1)
      earliest.set(sender, at)
      blocks[at]!.push(transaction)
    }
  })
  let next = 0
  return {
    take: () => blocks[next++] ?? [],
    isFree: (sender) => !blocks.slice(next).some((block) => block.some((kept) => kept.sender === sender)),
  }
}
