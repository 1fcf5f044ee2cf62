import type { Address } from 'viem'
import type { LiquidationProtocol } from '../types.ts'
import type { ChainLog } from './readLogs.ts'
import { addressAt, addressWordAt, topicAt, uintAt, wordAt } from './words.ts'

/** A liquidation as the market's log tells it. */
export type Liquidation = {
  readonly ordinal: number
  readonly protocol: LiquidationProtocol
  readonly market: Address
  readonly liquidator: Address
  readonly borrower: Address
  readonly debtToken: Address | undefined
  readonly debt: bigint
  readonly collateralToken: Address | undefined
  readonly collateral: bigint
}

/** Topics and data bytes of each event: a log of another shape is of another contract's event of the same name. */
const shapes: Readonly<Record<LiquidationProtocol, { readonly topics: number; readonly bytes: number }>> = {
  'aave-v1': { topics: 4, bytes: 192 },
  aave: { topics: 4, bytes: 128 },
  'compound-v2': { topics: 1, bytes: 160 },
  'compound-v3': { topics: 3, bytes: 64 },
  morpho: { topics: 4, bytes: 160 },
}

/** The liquidation of a log; undefined where the log is none, or names no account where one belongs. */
export function readLiquidation(bytes: Buffer, log: ChainLog): Liquidation | undefined {
  if (log.meaning.type !== 'liquidation') return undefined
  const { protocol } = log.meaning
  const shape = shapes[protocol]
  if (log.topicCount !== shape.topics || log.dataBytes !== shape.bytes) return undefined
  const topic = (index: number) => addressWordAt(bytes, topicAt(log, index))
  const word = (index: number) => addressWordAt(bytes, wordAt(log, index))
  const amount = (index: number) => uintAt(bytes, wordAt(log, index))
  const market = addressAt(bytes, log.address)
  const { liquidator, borrower, ...rest } = partsOf(protocol, { topic, word, amount }, market)
  if (liquidator === undefined || borrower === undefined) return undefined
  return { ordinal: log.ordinal, protocol, market, liquidator, borrower, ...rest }
}

type Parts = {
  readonly topic: (index: number) => Address | undefined
  readonly word: (index: number) => Address | undefined
  readonly amount: (index: number) => bigint
}

function partsOf(protocol: LiquidationProtocol, { topic, word, amount }: Parts, market: Address) {
  switch (protocol) {
    case 'aave-v1':
      return {
        collateralToken: topic(1),
        debtToken: topic(2),
        borrower: topic(3),
        debt: amount(0),
        collateral: amount(1),
        liquidator: word(3),
      }
    case 'aave':
      return {
        collateralToken: topic(1),
        debtToken: topic(2),
        borrower: topic(3),
        debt: amount(0),
        collateral: amount(1),
        liquidator: word(2),
      }
    case 'compound-v2':
      return {
        liquidator: word(0),
        borrower: word(1),
        // The market is the debt's own token of account; the log does not name what is under it.
        debtToken: market,
        debt: amount(2),
        collateralToken: word(3),
        collateral: amount(4),
      }
    case 'compound-v3':
      return {
        liquidator: topic(1),
        borrower: topic(2),
        debtToken: undefined,
        debt: amount(0),
        collateralToken: undefined,
        collateral: 0n,
      }
    case 'morpho':
      return {
        liquidator: topic(2),
        borrower: topic(3),
        debtToken: undefined,
        debt: amount(0),
        collateralToken: undefined,
        collateral: amount(2),
      }
  }
}
