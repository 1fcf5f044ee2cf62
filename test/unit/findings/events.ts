import { createHash } from 'node:crypto'
import {
  type AbiEvent,
  type Address,
  encodeAbiParameters,
  encodeEventTopics,
  type Hex,
  parseAbiItem,
} from 'viem'
import { buildBlock, type LogFields, type TransactionFields } from '../../../harness/feed/buildBlock.ts'
import { eventTopics } from '../../../sidecar/findings/topics.ts'
import type { Block, BlockRef } from '../../../sidecar/notification/types.ts'

/** Blocks with planted trades are built by verbs: accounts by name, logs by event, encoded by another library than ours. */

/** The address of a name: the same for the same name. */
export function account(name: string): Address {
  return `0x${createHash('sha256').update(name).digest('hex').slice(0, 40)}`
}

/** One that shares the first three and the last four digits with another, and differs between. */
export function lookalikeOf(address: Address, salt = 'x'): Address {
  const middle = createHash('sha256').update(`${address}${salt}`).digest('hex').slice(0, 33)
  return `0x${address.slice(2, 5)}${middle}${address.slice(38)}`
}

const parsed = new Map<string, AbiEvent>()

/** A log of the event declared so, with its arguments by name. */
export function logOf(
  address: Address,
  declaration: string,
  args: Readonly<Record<string, unknown>>,
): LogFields {
  const event = parsed.get(declaration) ?? (parseAbiItem(declaration) as AbiEvent)
  parsed.set(declaration, event)
  const plain = event.inputs.filter(({ indexed }) => !indexed)
  const topics = encodeEventTopics({ abi: [event], args: args as never }) as Hex[]
  return { address, topics, data: encodeAbiParameters(plain, plain.map(({ name }) => args[name!]) as never) }
}

/** The declaration of the one event whose source names this file. */
export function declarationIn(file: string, containing = ''): string {
  const found = eventTopics.filter(
    (each) => each.source.includes(file) && each.declaration.includes(containing),
  )
  if (found.length !== 1) throw new Error(`${found.length} events of ${file} ${containing}`)
  return found[0]!.declaration
}

export const transfer = (token: Address, from: Address, to: Address, value: bigint): LogFields =>
  logOf(token, declarationIn('ERC-20'), { from, to, value })

export type Trade = {
  readonly pool: Address
  readonly tokenIn: Address
  readonly tokenOut: Address
  readonly amountIn: bigint
  readonly amountOut: bigint
  readonly payer: Address
  readonly recipient: Address
  /** After the swap, of the token that went in and of the one that came out. */
  readonly reserves?: readonly [bigint, bigint]
}

/** As a pair of Uniswap v2 does it: paid, pays, tells its reserves, tells the swap. Tokens are ordered by address. */
export function swapV2(trade: Trade): LogFields[] {
  const {
    pool,
    tokenIn,
    tokenOut,
    amountIn,
    amountOut,
    payer,
    recipient,
    reserves = [10n ** 24n, 10n ** 24n],
  } = trade
  const isForward = tokenIn < tokenOut
  const [reserve0, reserve1] = isForward ? reserves : [reserves[1], reserves[0]]
  return [
    transfer(tokenIn, payer, pool, amountIn),
    transfer(tokenOut, pool, recipient, amountOut),
    logOf(pool, declarationIn('UniswapV2Pair.sol', 'Sync'), { reserve0, reserve1 }),
    logOf(pool, declarationIn('UniswapV2Pair.sol', 'Swap'), {
      sender: payer,
      to: recipient,
      amount0In: isForward ? amountIn : 0n,
      amount1In: isForward ? 0n : amountIn,
      amount0Out: isForward ? 0n : amountOut,
      amount1Out: isForward ? amountOut : 0n,
    }),
  ]
}

/** As a pool of Uniswap v3 does it: pays, is paid in the callback, tells. */
export function swapV3(trade: Trade, source = 'IUniswapV3PoolEvents.sol'): LogFields[] {
  const { pool, tokenIn, tokenOut, amountIn, amountOut, payer, recipient } = trade
  const isForward = tokenIn < tokenOut
  return [
    transfer(tokenOut, pool, recipient, amountOut),
    transfer(tokenIn, payer, pool, amountIn),
    logOf(pool, declarationIn(source), {
      sender: payer,
      recipient,
      amount0: isForward ? amountIn : -amountOut,
      amount1: isForward ? -amountOut : amountIn,
      ...{ sqrtPriceX96: 2n ** 96n, liquidity: 10n ** 18n, tick: 0 },
      ...{ protocolFeesToken0: 0n, protocolFeesToken1: 0n },
    }),
  ]
}

/** As a pool of Balancer v1 does it: tells first. */
export function swapBalancer(trade: Trade): LogFields[] {
  const { pool, tokenIn, tokenOut, amountIn, amountOut, payer } = trade
  return [
    logOf(pool, declarationIn('BPool.sol'), {
      ...{ caller: payer, tokenIn, tokenOut, tokenAmountIn: amountIn, tokenAmountOut: amountOut },
    }),
    transfer(tokenIn, payer, pool, amountIn),
    transfer(tokenOut, pool, trade.recipient, amountOut),
  ]
}

export const genesis: BlockRef = { number: 1_000n, hash: `0x${'11'.repeat(32)}` }

/** A block of transactions on a parent. Unsaid, each has its own sender and target. */
export function blockOf(
  transactions: readonly TransactionFields[],
  parent: BlockRef = genesis,
  salt = '',
): Block {
  return buildBlock({ parent, transactions, timestamp: 1_700_000_000n + 12n * parent.number, salt })
}
