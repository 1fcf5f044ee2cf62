import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Address, Hash, Hex } from 'viem'
import type { LogFields } from '../../../harness/feed/buildBlock.ts'
import { blockFromJson } from '../../../sidecar/exex/jsonrpc/toBlock.ts'
import type { Block } from '../../../sidecar/notification/types.ts'
import { declarationIn, logOf, transfer } from './events.ts'

/** A call as a Parity trace tells it. */
type Trace = {
  readonly type: string
  readonly action: {
    readonly callType?: string
    readonly from: Address
    readonly to?: Address
    readonly input?: Hex
    readonly init?: Hex
    readonly value?: Hex
  }
  readonly result?: { readonly output?: Hex } | null
  readonly error?: string | null
  readonly trace_address: readonly number[]
  readonly transaction_hash: Hash | null
  readonly transaction_position: number
}

/** The folder of blocks with traces, as flashbots/mev-inspect-py has it in `tests/blocks`; undefined where not given. */
export const tracedBlocksFolder = process.env.MONMOUTH_MEV_INSPECT

/**
 * Blocks whose logs are told from their calls: what a pool or a token would have logged for a call that succeeded. Other
 * logs are not there. By number; of two files of one block the first.
 */
export function readTracedBlocks(folder: string): Map<bigint, Block> {
  const blocks = new Map<bigint, Block>()
  for (const file of readdirSync(folder).sort()) {
    const { block_number, traces } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as {
      block_number: number
      traces: readonly Trace[]
    }
    if (!blocks.has(BigInt(block_number))) blocks.set(BigInt(block_number), toBlock(block_number, traces))
  }
  return blocks
}

function toBlock(number: number, traces: readonly Trace[]): Block {
  const hash: Hash = `0x${'00'.repeat(32)}`
  const byTransaction = [...Map.groupBy(traces, (trace) => trace.transaction_hash)]
    .filter((entry): entry is [Hash, Trace[]] => entry[0] !== null)
    .map(([transactionHash, calls]) => ({
      transactionHash,
      calls: calls.sort(inOrder),
      root: calls.find((trace) => trace.trace_address.length === 0)!,
    }))
    .sort((a, b) => a.root.transaction_position - b.root.transaction_position)
  const transactions = byTransaction.map(({ transactionHash, root: { action } }) => ({
    ...{ hash: transactionHash, from: action.from, to: action.to ?? null, value: action.value ?? '0x0' },
    ...{ input: action.input ?? action.init ?? '0x', nonce: '0x0', gas: '0x0', gasPrice: '0x0' },
  }))
  const receipts = byTransaction.map(({ transactionHash, root, calls }) => ({
    ...{
      blockHash: hash,
      transactionHash,
      gasUsed: '0x0',
      status: root.error ? '0x0' : '0x1',
      logs: logsOf(calls),
    },
  }))
  const quantities = { timestamp: '0x0', gasLimit: '0x0', gasUsed: '0x0' }
  return blockFromJson(
    { number: `0x${number.toString(16)}`, hash, parentHash: hash, ...quantities, transactions },
    receipts,
  )
}

/** Depth first, as they were called. */
function inOrder(a: Trace, b: Trace): number {
  const [x, y] = [a.trace_address, b.trace_address]
  for (let i = 0; i < Math.min(x.length, y.length); i++) if (x[i] !== y[i]) return x[i]! - y[i]!
  return x.length - y.length
}

type Move = { readonly token: Address; readonly from: Address; readonly to: Address; readonly amount: bigint }

/** What the calls of one transaction would have logged: transfers when they are called, the rest when a call returns. */
function logsOf(calls: readonly Trace[]): LogFields[] {
  const logs: LogFields[] = []
  const moves: Move[] = []
  const open: { readonly trace: Trace; readonly since: number }[] = []
  const close = (depth: number) => {
    while (open.length > 0 && open.at(-1)!.trace.trace_address.length >= depth) {
      const { trace, since } = open.pop()!
      const log = returned(trace, moves, moves.slice(since))
      if (log) logs.push(log)
    }
  }
  const failed = calls.filter((trace) => trace.error).map((trace) => trace.trace_address)
  for (const trace of calls) {
    close(trace.trace_address.length)
    const isUndone = failed.some((path) => path.every((step, i) => trace.trace_address[i] === step))
    // A proxy's delegated call is the same call once more.
    if (isUndone || trace.type !== 'call' || trace.action.callType !== 'call') continue
    const move = moved(trace)
    if (move) {
      moves.push(move)
      logs.push(transfer(move.token, move.from, move.to, move.amount))
    }
    open.push({ trace, since: moves.length })
  }
  close(0)
  return logs
}

/** The 32-byte word of an index in hex after so many characters; zero beyond its end. */
const wordAfter = (hex: string, skip: number, index: number) =>
  BigInt(`0x${hex.slice(skip + 64 * index, skip + 64 * index + 64) || '0'}`)
const argument = (input: Hex, index: number) => wordAfter(input, 10, index)
const output = (trace: Trace, index: number) => wordAfter(trace.result?.output ?? '0x', 2, index)
const address = (value: bigint): Address => `0x${value.toString(16).padStart(40, '0').slice(-40)}`

function moved({ action: { input = '0x', from, to }, result }: Trace): Move | undefined {
  // A token that answers false moved nothing.
  if (to === undefined || /^0x0{64}$/.test(result?.output ?? '')) return undefined
  const at = (index: number) => argument(input, index)
  if (input.startsWith('0xa9059cbb')) return { token: to, from, to: address(at(0)), amount: at(1) }
  if (input.startsWith('0x23b872dd')) {
    return { token: to, from: address(at(0)), to: address(at(1)), amount: at(2) }
  }
  return undefined
}

/** The log of a call that returns, from its arguments, its result and what moved before and within it. */
function returned(trace: Trace, moves: readonly Move[], within: readonly Move[]): LogFields | undefined {
  const { input = '0x', from, to: pool, value } = trace.action
  if (pool === undefined) return undefined
  const at = (index: number) => argument(input, index)
  const signed = (index: number) => BigInt.asIntN(256, output(trace, index))
  const nothing = { sqrtPriceX96: 0n, liquidity: 0n, tick: 0 }
  switch (input.slice(0, 10)) {
    case '0x022c0d9f': {
      const [amount0Out, amount1Out] = [at(0), at(1)]
      const got = within.find((move) => move.from === pool && [amount0Out, amount1Out].includes(move.amount))
      const paid = moves.findLast((move) => move.to === pool && move.token !== got?.token)
      if (!got || !paid) return undefined
      const [amount0In, amount1In] = amount0Out > 0n ? [0n, paid.amount] : [paid.amount, 0n]
      const amounts = { amount0In, amount1In, amount0Out, amount1Out }
      return logOf(pool, declarationIn('UniswapV2Pair.sol', 'Swap'), {
        sender: from,
        to: address(at(2)),
        ...amounts,
      })
    }
    case '0x128acb08': {
      const amounts = { amount0: signed(0), amount1: signed(1) }
      const args = { sender: from, recipient: address(at(0)), ...amounts, ...nothing }
      return logOf(pool, declarationIn('IUniswapV3PoolEvents.sol'), args)
    }
    case '0x3df02124':
    case '0x5b41b908': {
      const tokens_bought = within.findLast((move) => move.from === pool)?.amount ?? 0n
      const args = { buyer: from, sold_id: at(0), tokens_sold: at(2), bought_id: at(1), tokens_bought }
      const isStable = input.startsWith('0x3df02124')
      return logOf(pool, declarationIn(isStable ? 'StableSwap3Pool.vy' : 'CurveCryptoSwap.vy'), args)
    }
    case '0x8201aa3f':
    case '0x7c5e9ea4': {
      const isExactIn = input.startsWith('0x8201aa3f')
      const amounts = isExactIn
        ? { tokenAmountIn: at(1), tokenAmountOut: output(trace, 0) }
        : { tokenAmountIn: output(trace, 0), tokenAmountOut: at(3) }
      const args = { caller: from, tokenIn: address(at(0)), tokenOut: address(at(2)), ...amounts }
      return logOf(pool, declarationIn('BPool.sol'), args)
    }
    case '0x00a718a9':
      return logOf(pool, declarationIn('ILendingPool.sol'), {
        ...{
          collateralAsset: address(at(0)),
          debtAsset: address(at(1)),
          user: address(at(2)),
          debtToCover: at(3),
        },
        ...{ liquidatedCollateralAmount: 0n, liquidator: from, receiveAToken: at(4) !== 0n },
      })
    case '0xf5e3c462':
    case '0xaae40a2a': {
      const isNative = input.startsWith('0xaae40a2a')
      return logOf(pool, declarationIn('CTokenInterfaces.sol'), {
        ...{ liquidator: from, borrower: address(at(0)), seizeTokens: 0n },
        repayAmount: isNative ? BigInt(value ?? '0x0') : at(1),
        cTokenCollateral: address(at(isNative ? 1 : 2)),
      })
    }
    default:
      return undefined
  }
}
