import type { Address, Hash } from 'viem'
import type { SwapProtocol } from '../types.ts'
import type { ChainLog } from './readLogs.ts'
import type { Transfer } from './transfers.ts'
import { addressAt, addressWordAt, hashAt, intAt, topicAt, uintAt, wordAt } from './words.ts'

/** A swap, from its pool's log and the transfers around it. */
export type Swap = {
  readonly ordinal: number
  readonly protocol: SwapProtocol
  /** The pool's address, or its 32-byte id where one contract holds many. */
  readonly pool: Address | Hash
  /** What went in and what came out, as the pool names it: `0` and `1`, an index, or an address. */
  readonly sideIn: string
  readonly sideOut: string
  readonly amountIn: bigint
  readonly amountOut: bigint
  /** Undefined where no transfer fits. */
  readonly tokenIn: Address | undefined
  readonly tokenOut: Address | undefined
  /** Who paid the pool, and whom it paid. */
  readonly payer: Address | undefined
  readonly recipient: Address | undefined
  /** Reserves of the two sides after the swap, where the pool tells them. */
  readonly reserveIn: bigint | undefined
  readonly reserveOut: bigint | undefined
}

/** What the log itself says. */
type Told = Pick<
  Swap,
  'protocol' | 'pool' | 'sideIn' | 'sideOut' | 'amountIn' | 'amountOut' | 'reserveIn' | 'reserveOut'
> & {
  /** The contract that holds the tokens. */
  readonly vault: Address
  readonly tokenIn?: Address | undefined
  readonly tokenOut?: Address | undefined
  readonly recipient?: Address | undefined
}

/** Transfers looked at on either side of a swap: a transaction made of thousands must not cost their square. */
const REACH = 32

/** The swap of a log; undefined where the log is none, or nothing went one way for something the other. */
export function readSwap(
  bytes: Buffer,
  log: ChainLog,
  /** The log before it, for the reserves a pair tells just before. */
  previous: ChainLog | undefined,
  /** All of the transaction, ascending. */
  transfers: readonly Transfer[],
): Swap | undefined {
  if (log.meaning.type !== 'swap') return undefined
  const told = tell(bytes, log, log.meaning.protocol, previous)
  if (told === undefined || told.amountIn <= 0n || told.amountOut <= 0n) return undefined
  const { vault, amountIn, amountOut } = told
  const after = firstAfter(transfers, log.ordinal)
  const paid =
    nearest(transfers, after, (t) => t.to === vault && t.amount === amountIn && fits(t, told.tokenIn)) ??
    nearest(transfers, after, (t) => t.to === vault && fits(t, told.tokenIn))
  const got =
    nearest(transfers, after, (t) => t.from === vault && t.amount === amountOut && fits(t, told.tokenOut)) ??
    nearest(
      transfers,
      after,
      (t) => t.from === vault && fits(t, told.tokenOut) && (paid === undefined || t.token !== paid.token),
    )
  const tokenIn = told.tokenIn ?? paid?.token
  const tokenOut = told.tokenOut ?? got?.token
  const isPair = tokenIn === undefined || tokenOut === undefined || tokenIn !== tokenOut
  return {
    ordinal: log.ordinal,
    protocol: told.protocol,
    pool: told.pool,
    sideIn: told.sideIn,
    sideOut: told.sideOut,
    amountIn,
    amountOut,
    tokenIn: isPair ? tokenIn : undefined,
    tokenOut: isPair ? tokenOut : undefined,
    payer: paid?.from,
    recipient: told.recipient ?? got?.to,
    reserveIn: told.reserveIn,
    reserveOut: told.reserveOut,
  }
}

const fits = (transfer: Transfer, token: Address | undefined) =>
  token === undefined || transfer.token === token

function tell(
  bytes: Buffer,
  log: ChainLog,
  protocol: SwapProtocol,
  previous: ChainLog | undefined,
): Told | undefined {
  const emitter = addressAt(bytes, log.address)
  switch (protocol) {
    case 'uniswap-v2': {
      if (log.topicCount !== 3 || log.dataBytes !== 128) return undefined
      const net0 = uintAt(bytes, wordAt(log, 0)) - uintAt(bytes, wordAt(log, 2))
      const net1 = uintAt(bytes, wordAt(log, 1)) - uintAt(bytes, wordAt(log, 3))
      const recipient = addressWordAt(bytes, topicAt(log, 2))
      const reserves = previous && readReserves(bytes, previous, log)
      return {
        ...betweenTwo(net0, net1, reserves),
        protocol,
        pool: emitter,
        vault: emitter,
        recipient,
      }
    }
    case 'uniswap-v3':
    case 'pancake-v3': {
      if (log.topicCount !== 3 || log.dataBytes < 160) return undefined
      const sides = betweenTwo(intAt(bytes, wordAt(log, 0)), intAt(bytes, wordAt(log, 1)))
      const recipient = addressWordAt(bytes, topicAt(log, 2))
      return { ...sides, protocol, pool: emitter, vault: emitter, recipient }
    }
    case 'uniswap-v4': {
      if (log.topicCount !== 3 || log.dataBytes < 160) return undefined
      // Told from the swapper's side: what it pays is negative.
      const sides = betweenTwo(-intAt(bytes, wordAt(log, 0)), -intAt(bytes, wordAt(log, 1)))
      return { ...sides, protocol, pool: hashAt(bytes, topicAt(log, 1)), vault: emitter }
    }
    case 'curve': {
      if (log.topicCount !== 2 || log.dataBytes < 128) return undefined
      const buyer = addressWordAt(bytes, topicAt(log, 1))
      return {
        protocol,
        pool: emitter,
        vault: emitter,
        sideIn: `${intAt(bytes, wordAt(log, 0))}`,
        sideOut: `${intAt(bytes, wordAt(log, 2))}`,
        amountIn: uintAt(bytes, wordAt(log, 1)),
        amountOut: uintAt(bytes, wordAt(log, 3)),
        recipient: buyer,
        reserveIn: undefined,
        reserveOut: undefined,
      }
    }
    case 'balancer-v1':
    case 'balancer-v2': {
      if (log.topicCount !== 4 || log.dataBytes < 64) return undefined
      const tokenIn = addressWordAt(bytes, topicAt(log, 2))
      const tokenOut = addressWordAt(bytes, topicAt(log, 3))
      if (tokenIn === undefined || tokenOut === undefined) return undefined
      return {
        protocol,
        pool: protocol === 'balancer-v1' ? emitter : hashAt(bytes, topicAt(log, 1)),
        vault: emitter,
        sideIn: tokenIn,
        sideOut: tokenOut,
        tokenIn,
        tokenOut,
        amountIn: uintAt(bytes, wordAt(log, 0)),
        amountOut: uintAt(bytes, wordAt(log, 1)),
        reserveIn: undefined,
        reserveOut: undefined,
      }
    }
  }
}

/** Sides and amounts of a pool of two, from what it gained of each; amounts of 0 where it is no swap. */
function betweenTwo(net0: bigint, net1: bigint, reserves?: readonly [bigint, bigint]) {
  const isForward = net0 > 0n && net1 < 0n
  const isBackward = net0 < 0n && net1 > 0n
  return {
    sideIn: isBackward ? '1' : '0',
    sideOut: isBackward ? '0' : '1',
    amountIn: isForward ? net0 : isBackward ? net1 : 0n,
    amountOut: isForward ? -net1 : isBackward ? -net0 : 0n,
    reserveIn: reserves?.[isBackward ? 1 : 0],
    reserveOut: reserves?.[isBackward ? 0 : 1],
  }
}

/** A pair tells its reserves in the log right before the swap's. */
function readReserves(bytes: Buffer, sync: ChainLog, swap: ChainLog): readonly [bigint, bigint] | undefined {
  if (sync.meaning.type !== 'sync' || sync.ordinal !== swap.ordinal - 1 || sync.dataBytes !== 64)
    return undefined
  if (bytes.compare(bytes, swap.address, swap.address + 20, sync.address, sync.address + 20) !== 0)
    return undefined
  return [uintAt(bytes, wordAt(sync, 0)), uintAt(bytes, wordAt(sync, 1))]
}

/** The index of the first transfer after a log. */
function firstAfter(transfers: readonly Transfer[], ordinal: number): number {
  let low = 0
  let high = transfers.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (transfers[middle]!.ordinal < ordinal) low = middle + 1
    else high = middle
  }
  return low
}

/** Most pools pay before they tell, so the transfers before count first, the nearest of them; then those after. */
function nearest(
  transfers: readonly Transfer[],
  after: number,
  is: (transfer: Transfer) => boolean,
): Transfer | undefined {
  const first = Math.max(0, after - REACH)
  for (let i = after - 1; i >= first; i--) if (is(transfers[i]!)) return transfers[i]
  const end = Math.min(transfers.length, after + REACH)
  for (let i = after; i < end; i++) if (is(transfers[i]!)) return transfers[i]
  return undefined
}
