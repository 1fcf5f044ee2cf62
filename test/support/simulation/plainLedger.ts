import type { Block, BlockRef } from '../../../sidecar/notification/types.ts'
import type { SvmResult } from '../../../sidecar/svm/types.ts'
import type { LedgerIntent } from './createTraffic.ts'

const FEE = 5_000n
/** A plain account holds at least so much, or nothing at all. */
const RENT_EXEMPT = 890_880n
const mayHold = (lamports: bigint) => lamports === 0n || lamports >= RENT_EXEMPT
const WINDOW = 150

export type Ledger = {
  /** Lamports by hex key, of accounts that deposits and plain transfers alone touch. */
  readonly lamports: ReadonlyMap<string, bigint>
  /** Results that are not what the arithmetic here says they must be. */
  readonly surprises: readonly string[]
}

/**
 * The balances of a chain of plain transfers by the test's own arithmetic: no VM. What the router let through is taken
 * from the results; what then had to become of it is worked out here.
 */
export function plainLedger(
  genesis: BlockRef,
  blocks: readonly Block[],
  intentsOf: (block: BlockRef) => ReadonlyMap<number, LedgerIntent>,
  results: readonly (readonly SvmResult[])[],
): Ledger {
  const lamports = new Map<string, bigint>()
  const ran = new Set<string>()
  const surprises: string[] = []
  const hashes = [genesis.hash]
  const balance = (key: string) => lamports.get(key) ?? 0n

  for (const [place, block] of blocks.entries()) {
    for (const [index, intent] of intentsOf(block.ref)) {
      const result = results[place]!.find(({ transactionIndex }) => transactionIndex === index)
      // Refused by the router: nothing of it happened.
      if (result === undefined) continue
      const expected = expect(intent)
      if (result.status !== expected) {
        surprises.push(
          `block ${block.ref.number} transaction ${index}: ${result.status} (${result.reason}), not ${expected}`,
        )
      }
      if (intent.kind === 'deposit') lamports.set(intent.to, balance(intent.to) + intent.lamports)
      else if (expected !== 'rejected') {
        // Who cannot pay the fee is not charged, and what was not charged may come again.
        if (!mayHold(balance(intent.from) - FEE)) continue
        ran.add(intent.transaction)
        lamports.set(intent.from, balance(intent.from) - FEE)
        if (expected === 'failed') continue
        lamports.set(intent.from, balance(intent.from) - intent.lamports)
        lamports.set(intent.to, balance(intent.to) + intent.lamports)
      }
    }
    hashes.push(block.ref.hash)
  }
  return { lamports, surprises }

  function expect(intent: LedgerIntent): SvmResult['status'] {
    if (intent.kind === 'deposit') return 'deposited'
    if (!hashes.slice(-WINDOW).includes(intent.blockhash) || ran.has(intent.transaction)) return 'rejected'
    const left = balance(intent.from) - FEE
    if (!mayHold(left) || intent.lamports > left) return 'failed'
    if (intent.from === intent.to) return 'executed'
    return mayHold(left - intent.lamports) && mayHold(balance(intent.to) + intent.lamports)
      ? 'executed'
      : 'failed'
  }
}
