import type { Block } from '../notification/types.ts'
import { CONTRACT_CREATION, EvmStatus } from '../notification/types.ts'
import type { FeeFacts, Percentiles } from './blockFacts.ts'

/** EIP-2718 types that name one gas price: legacy and EIP-2930. */
const MAX_ONE_PRICE_TYPE = 1
/** Types beyond Ethereum's own may have no price. */
const MAX_KNOWN_TYPE = 4
const RANKS = [10, 25, 50, 75, 90] as const

/** What the block paid for its room. */
export function readFees({ timestamp, gasLimit, gasUsed, baseFeePerGas, transactions }: Block): FeeFacts {
  const { count, kinds, statuses, gasPrices } = transactions
  const view = new DataView(gasPrices.buffer, gasPrices.byteOffset, gasPrices.length)
  const base = baseFeePerGas ?? 0n
  const tips = new BigUint64Array(count)
  const ceilings = new BigUint64Array(count)
  let tipCount = 0
  let ceilingCount = 0
  let failed = 0
  for (let i = 0; i < count; i++) {
    if (statuses[i] === EvmStatus.failed) failed++
    const type = kinds[i]! & ~CONTRACT_CREATION
    if (type > MAX_KNOWN_TYPE) continue
    const price = view.getBigUint64(8 * i, true)
    // A builder's own transaction may pay less than the base fee on a chain that lets it.
    const above = price > base ? price - base : 0n
    if (type <= MAX_ONE_PRICE_TYPE) tips[tipCount++] = above
    else ceilings[ceilingCount++] = above
  }
  return {
    timestamp,
    gasLimit,
    gasUsed,
    baseFeePerGas,
    transactions: count,
    failed,
    tips: summaryOf(tips.subarray(0, tipCount)),
    ceilings: summaryOf(ceilings.subarray(0, ceilingCount)),
  }
}

function summaryOf(values: BigUint64Array): FeeFacts['tips'] {
  if (values.length === 0) return undefined
  // Typed arrays sort by number, without a comparison function.
  values.sort()
  return { count: values.length, percentiles: percentilesOf(values) }
}

/** By nearest rank. `ascending` must hold one at least. */
export function percentilesOf(ascending: ArrayLike<bigint>): Percentiles {
  const at = (rank: number) => ascending[Math.ceil((rank * ascending.length) / 100) - 1]!
  const [a, b, c, d, e] = RANKS
  return [at(a), at(b), at(c), at(d), at(e)]
}
