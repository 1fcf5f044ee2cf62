import type { Block } from '../../../../sidecar/notification/types.ts'
import type { EnvelopeFacts, ItemOutcome } from '../../../../sidecar/router/types.ts'
import { createBlock, type Transaction } from './blocks.ts'

/** A small random stream (mulberry32): numbers from 0 to `below`, not included. */
export function createRandom(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

export type Traffic = {
  readonly block: Block
  readonly envelopes: ReadonlyMap<number, EnvelopeFacts>
  readonly run: (row: number) => ItemOutcome['status']
}

/** A block of every kind of transaction over a small world of contracts and programs, all drawn from `seed`. */
export function createTraffic(
  seed: number,
  place: { number: number; fork: number; parentFork: number },
  spread = 6,
): Traffic {
  const random = createRandom(seed)
  const transactions: Transaction[] = []
  const envelopes = new Map<number, EnvelopeFacts>()
  const statuses: ItemOutcome['status'][] = []
  const count = random(9)
  for (let row = 0; row < count; row++) {
    const kind = random(8)
    const contract = 0x10 + random(spread)
    const selector = (0xa0000000 + random(3)).toString(16)
    const failing = contract % 3 === 0 ? random(4) > 0 : random(8) === 0
    statuses.push((['rejected', 'failed', 'executed', 'executed'] as const)[failing ? random(2) : 2]!)
    transactions.push({
      to: contract,
      creates: kind === 0,
      input: kind === 1 ? '' : selector + '00'.repeat(random(200)),
      sender: random(5),
      value: random(3) === 0 ? 10n ** BigInt(random(20)) : 0n,
      gasLimit: 21_000 + random(1_000_000),
      status: random(10) === 0 ? 2 : failing ? 0 : 1,
    })
    if (kind < 5) continue
    const program = new Uint8Array(32).fill(contract)
    envelopes.set(row, {
      kind: kind === 7 ? (random(2) === 0 ? 'deposit' : 'rejected') : 'transactions',
      rejected: kind === 7 && random(3) === 0 ? 'truncated' : undefined,
      pattern: Uint8Array.from([...program.subarray(12), ...Buffer.from(selector, 'hex')]),
      programs: [program],
      payloadBytes: random(20) === 0 ? 5000 : 200 + random(40),
      items: 1,
      // Not every parser tells all of it.
      ...(random(3) === 0
        ? {}
        : { payer: new Uint8Array(32).fill(1 + random(4)), instructions: 1 + random(3) }),
      ...(random(2) === 0 ? {} : { computeUnitLimit: random(3000) }),
    })
  }
  const gasUsed = BigInt(random(30_000_001))
  return {
    block: createBlock({ ...place, transactions, gasUsed }),
    envelopes,
    run: (row) => (envelopes.get(row)?.kind === 'deposit' ? 'deposited' : statuses[row]!),
  }
}
