import fc from 'fast-check'
import type { Address } from 'viem'
import { describe, expect, test } from 'vitest'
import type { LogFields } from '../../../harness/feed/buildBlock.ts'
import { readLogs } from '../../../sidecar/findings/decode/readLogs.ts'
import { intAt, uintAt } from '../../../sidecar/findings/decode/words.ts'
import { readActivity } from '../../../sidecar/findings/readActivity.ts'
import { eventTopics } from '../../../sidecar/findings/topics.ts'
import {
  account,
  blockOf,
  declarationIn,
  logOf,
  swapBalancer,
  swapV2,
  swapV3,
  type Trade,
  transfer,
} from './events.ts'

const address = fc.uint8Array({ minLength: 20, maxLength: 20 }).map(hexOf)
const amount = fc.bigInt({ min: 1n, max: 2n ** 111n })
const trade: fc.Arbitrary<Trade> = fc
  .uniqueArray(address, { minLength: 5, maxLength: 5 })
  .chain(([pool, tokenIn, tokenOut, payer, recipient]) =>
    fc.record({ amountIn: amount, amountOut: amount }).map((amounts) => ({
      ...{ pool: pool!, tokenIn: tokenIn!, tokenOut: tokenOut!, payer: payer!, recipient: recipient! },
      ...amounts,
    })),
  )

function hexOf(bytes: Uint8Array): Address {
  return `0x${Buffer.from(bytes).toString('hex')}`
}
const activityOf = (...logs: readonly LogFields[][]) =>
  readActivity(blockOf(logs.map((each) => ({ logs: each }))).transactions)
const swapsOf = (logs: LogFields[]) => activityOf(logs).swaps.flatMap(({ swaps }) => swaps)

describe('words', () => {
  test('numbers of 256 bits, signed and not, are what they were', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }), fc.nat(8), (value, offset) => {
        const bytes = Buffer.from('00'.repeat(offset) + value.toString(16).padStart(64, '0'), 'hex')
        expect(uintAt(bytes, offset)).toBe(value)
        expect(intAt(bytes, offset)).toBe(BigInt.asIntN(256, value))
      }),
    )
  })
})

describe('swaps', () => {
  const exact = (given: Trade) => ({
    pool: given.pool,
    amountIn: given.amountIn,
    amountOut: given.amountOut,
    tokenIn: given.tokenIn,
    tokenOut: given.tokenOut,
    payer: given.payer,
    recipient: given.recipient,
  })

  test.each([
    ['uniswap-v2', swapV2],
    ['uniswap-v3', (given: Trade) => swapV3(given)],
    ['pancake-v3', (given: Trade) => swapV3(given, 'IPancakeV3PoolEvents.sol')],
    ['balancer-v1', swapBalancer],
  ] as const)('any trade told by %s is read back whole', (protocol, logsOf) => {
    fc.assert(
      fc.property(trade, (given) => {
        expect(swapsOf(logsOf(given))).toEqual([expect.objectContaining({ protocol, ...exact(given) })])
      }),
    )
  })

  test.each([
    ['StableSwap3Pool.vy', 'TokenExchange('],
    ['StableSwapY.vy', ''],
    ['CurveCryptoSwap.vy', ''],
    ['CurveTricryptoOptimized.vy', ''],
  ])('any exchange of Curve (%s) is read back whole', (file, containing) => {
    fc.assert(
      fc.property(trade, fc.nat(7), fc.nat(7), (given, sold, bought) => {
        const { pool, tokenIn, tokenOut, amountIn, amountOut, payer } = given
        const logs = [
          transfer(tokenIn, payer, pool, amountIn),
          transfer(tokenOut, pool, payer, amountOut),
          logOf(pool, declarationIn(file, containing), {
            buyer: payer,
            sold_id: BigInt(sold),
            tokens_sold: amountIn,
            bought_id: BigInt(bought),
            tokens_bought: amountOut,
            fee: 0n,
            packed_price_scale: 0n,
          }),
        ]
        const expected = { ...exact({ ...given, recipient: payer }), sideIn: `${sold}`, sideOut: `${bought}` }
        expect(swapsOf(logs)).toEqual([expect.objectContaining({ protocol: 'curve', ...expected })])
      }),
    )
  })

  test('pools inside one contract are told apart by their id', () => {
    fc.assert(
      fc.property(trade, fc.uint8Array({ minLength: 32, maxLength: 32 }), (given, bytes) => {
        const id = hexOf(bytes)
        const { pool: vault, tokenIn, tokenOut, amountIn, amountOut, payer, recipient } = given
        const paid = [
          transfer(tokenIn, payer, vault, amountIn),
          transfer(tokenOut, vault, recipient, amountOut),
        ]
        const balancer = logOf(vault, declarationIn('IVault.sol'), {
          ...{ poolId: id, tokenIn, tokenOut, amountIn, amountOut },
        })
        expect(swapsOf([balancer, ...paid])).toEqual([
          expect.objectContaining({ protocol: 'balancer-v2', ...exact(given), pool: id }),
        ])
        // The swapper's side: what it pays is negative.
        const uniswap = logOf(vault, declarationIn('IPoolManager.sol'), {
          ...{ id, sender: payer, amount0: -amountIn, amount1: amountOut },
          ...{ sqrtPriceX96: 1n, liquidity: 1n, tick: 0, fee: 500 },
        })
        expect(swapsOf([uniswap, ...paid])).toEqual([
          expect.objectContaining({ protocol: 'uniswap-v4', ...exact(given), pool: id, sideIn: '0' }),
        ])
      }),
    )
  })

  test('reserves come from the log right before, of the same pair, and from no other', () => {
    const given: Trade = {
      ...{
        pool: account('pair'),
        tokenIn: '0x01',
        tokenOut: '0x02',
        payer: account('a'),
        recipient: account('b'),
      },
      ...{
        tokenIn: account('in'),
        tokenOut: account('out'),
        amountIn: 5n,
        amountOut: 4n,
        reserves: [100n, 90n],
      },
    }
    const [paid, got, sync, swap] = swapV2(given) as [LogFields, LogFields, LogFields, LogFields]
    expect(swapsOf([paid, got, sync, swap])).toMatchObject([{ reserveIn: 100n, reserveOut: 90n }])
    const unknown = [{ reserveIn: undefined, reserveOut: undefined }]
    expect(swapsOf([paid, sync, got, swap]), 'a log between').toMatchObject(unknown)
    const strange: LogFields = { ...sync, topics: [`0x${'22'.repeat(32)}`] }
    expect(swapsOf([paid, got, sync, strange, swap]), 'one of no meaning').toMatchObject(unknown)
    expect(swapsOf([paid, got, { ...sync, address: account('other') }, swap]), 'another pair').toMatchObject(
      unknown,
    )
  })

  test('a transfer that took a fee is still the one that paid', () => {
    const given: Trade = {
      ...{ pool: account('pair'), tokenIn: account('in'), tokenOut: account('out') },
      ...{ payer: account('a'), recipient: account('b'), amountIn: 98n, amountOut: 50n },
    }
    const [, got, sync, swap] = swapV2(given) as [LogFields, LogFields, LogFields, LogFields]
    const paid = transfer(given.tokenIn, given.payer, given.pool, 100n)
    expect(swapsOf([paid, got, sync, swap])).toMatchObject([
      { amountIn: 98n, tokenIn: given.tokenIn, tokenOut: given.tokenOut, payer: given.payer },
    ])
  })

  test('without transfers tokens are unknown, not guessed', () => {
    const swap = swapV2({
      ...{ pool: account('pair'), tokenIn: account('in'), tokenOut: account('out') },
      ...{ payer: account('a'), recipient: account('b'), amountIn: 5n, amountOut: 4n },
    }).at(-1)!
    expect(swapsOf([swap])).toMatchObject([
      { amountIn: 5n, amountOut: 4n, tokenIn: undefined, tokenOut: undefined, payer: undefined },
    ])
  })

  test('what went in on both sides, or came out on both, is no swap', () => {
    const log = (amounts: Record<string, bigint>) =>
      logOf(account('pair'), declarationIn('UniswapV2Pair.sol', 'Swap'), {
        ...{ sender: account('a'), to: account('b') },
        ...{ amount0In: 0n, amount1In: 0n, amount0Out: 0n, amount1Out: 0n, ...amounts },
      })
    expect(swapsOf([log({ amount0In: 5n, amount1In: 5n })])).toEqual([])
    expect(swapsOf([log({ amount0Out: 5n, amount1Out: 5n })])).toEqual([])
    expect(swapsOf([log({ amount0In: 5n })])).toEqual([])
    // A flash swap gives the same token back with its fee: nothing changed hands.
    expect(swapsOf([log({ amount0In: 6n, amount0Out: 5n })])).toEqual([])
    // Something for nothing.
    const given = logOf(account('pool'), declarationIn('StableSwap3Pool.vy', 'TokenExchange('), {
      ...{ buyer: account('a'), sold_id: 0n, tokens_sold: 0n, bought_id: 1n, tokens_bought: 5n },
    })
    expect(swapsOf([given])).toEqual([])
  })
})

describe('liquidations', () => {
  const [market, collateral, debt, borrower, liquidator] = ['m', 'c', 'd', 'b', 'l'].map(account) as [
    Address,
    Address,
    Address,
    Address,
    Address,
  ]
  const liquidationsOf = (logs: LogFields[]) => activityOf(logs).liquidations.map((each) => each.liquidation)
  const known = { market, borrower, liquidator, debt: 7n, collateral: 9n }

  test.each([
    [
      'aave-v1',
      declarationIn('LendingPoolLiquidationManager.sol'),
      {
        ...{ _collateral: collateral, _reserve: debt, _user: borrower, _liquidator: liquidator },
        ...{ _purchaseAmount: 7n, _liquidatedCollateralAmount: 9n, _accruedBorrowInterest: 1n },
        ...{ _receiveAToken: false, _timestamp: 1n },
      },
      { ...known, collateralToken: collateral, debtToken: debt },
    ],
    [
      'aave',
      declarationIn('ILendingPool.sol'),
      {
        ...{ collateralAsset: collateral, debtAsset: debt, user: borrower, liquidator },
        ...{ debtToCover: 7n, liquidatedCollateralAmount: 9n, receiveAToken: true },
      },
      { ...known, collateralToken: collateral, debtToken: debt },
    ],
    [
      'compound-v2',
      declarationIn('CTokenInterfaces.sol'),
      { liquidator, borrower, repayAmount: 7n, cTokenCollateral: collateral, seizeTokens: 9n },
      { ...known, collateralToken: collateral, debtToken: market },
    ],
    [
      'compound-v3',
      declarationIn('CometMainInterface.sol'),
      { absorber: liquidator, borrower, basePaidOut: 7n, usdValue: 3n },
      { ...known, collateral: 0n, collateralToken: undefined, debtToken: undefined },
    ],
    [
      'morpho',
      declarationIn('EventsLib.sol'),
      {
        ...{ id: `0x${'ab'.repeat(32)}`, caller: liquidator, borrower, repaidAssets: 7n, repaidShares: 1n },
        ...{ seizedAssets: 9n, badDebtAssets: 0n, badDebtShares: 0n },
      },
      { ...known, collateralToken: undefined, debtToken: undefined },
    ],
  ])('%s is read back whole', (protocol, declaration, args, expected) => {
    expect(liquidationsOf([logOf(market, declaration, args)])).toMatchObject([{ protocol, ...expected }])
  })

  test('an event of the same name with data of another length is not taken for one', () => {
    const log = logOf(market, declarationIn('CTokenInterfaces.sol'), {
      ...{ liquidator, borrower, repayAmount: 7n, cTokenCollateral: collateral, seizeTokens: 9n },
    })
    expect(liquidationsOf([{ ...log, data: `${log.data}${'00'.repeat(32)}` }])).toEqual([])
  })

  test('a word that is no address names no account', () => {
    const log = logOf(market, declarationIn('CTokenInterfaces.sol'), {
      ...{ liquidator, borrower, repayAmount: 7n, cTokenCollateral: collateral, seizeTokens: 9n },
    })
    expect(liquidationsOf([{ ...log, data: `0xff${log.data.slice(4)}` }])).toEqual([])
  })
})

describe('logs', () => {
  test('an ERC-721 transfer is no ERC-20 transfer', () => {
    const log = transfer(account('nft'), account('a'), account('b'), 1n)
    const nft = { ...log, topics: [...log.topics, `0x${'00'.repeat(31)}07` as const], data: '0x' as const }
    expect(activityOf([nft]).transfers).toEqual([])
    expect(activityOf([{ ...nft, data: log.data }]).transfers, 'with data too').toEqual([])
    expect(activityOf([log]).transfers).toHaveLength(1)
  })

  test('what has more topics than a log can have is none', () => {
    const [topic] = eventTopics
    const known = Buffer.from(topic!.topic.slice(2), 'hex')
    const bytes = Buffer.concat([Buffer.alloc(20), Buffer.of(5), known, Buffer.alloc(4 * 32 + 4)])
    expect(readLogs(bytes, 0, bytes.length)).toEqual([])
    bytes[20] = 4
    expect(readLogs(bytes, 0, bytes.length)).toHaveLength(1)
  })

  test('known logs are found among any others, with their places', () => {
    const other = fc.record({
      address,
      topics: fc.array(fc.uint8Array({ minLength: 32, maxLength: 32 }).map(hexOf), { maxLength: 4 }),
      data: fc.uint8Array({ maxLength: 100 }).map(hexOf),
    })
    fc.assert(
      fc.property(fc.array(other, { maxLength: 6 }), fc.array(other, { maxLength: 6 }), (before, after) => {
        const columns = blockOf([
          { logs: before },
          { logs: [...before, transfer(account('t'), account('a'), account('b'), 5n), ...after] },
        ]).transactions
        const [, end] = columns.logEnds
        const bytes = Buffer.from(columns.logs)
        const found = readLogs(bytes, columns.logEnds[0]!, end!)
        expect(found.map(({ ordinal }) => ordinal)).toEqual([before.length])
      }),
    )
  })

  test('any bytes at all are read without a throw, and nothing beyond their end', () => {
    const topic = fc.constantFrom(...eventTopics.map((each) => Buffer.from(each.topic.slice(2), 'hex')))
    const pieces = fc.array(fc.oneof(fc.uint8Array({ maxLength: 60 }), topic), { maxLength: 12 })
    fc.assert(
      fc.property(pieces, fc.nat(20), fc.nat(20), (parts, skip, cut) => {
        // Topic counts and lengths are more often plausible when bytes are small.
        const bytes = Buffer.concat(parts)
        const [start, end] = [
          Math.min(skip, bytes.length),
          Math.max(Math.min(skip, bytes.length), bytes.length - cut),
        ]
        for (const log of readLogs(bytes, start, end))
          expect(log.data + log.dataBytes).toBeLessThanOrEqual(end)
        const columns = blockOf([{}]).transactions
        readActivity({ ...columns, logs: bytes, logEnds: Uint32Array.of(bytes.length) })
      }),
      { numRuns: 500 },
    )
  })

  test('a log that is cut off ends its transaction, not the next one', () => {
    const columns = blockOf([
      { logs: [transfer(account('t'), account('a'), account('b'), 5n)] },
      { logs: [transfer(account('t'), account('a'), account('b'), 6n)] },
    ]).transactions
    const logs = new Uint8Array(columns.logs)
    // The first log's topic count.
    logs[20] = 200
    expect(readActivity({ ...columns, logs }).transfers.map(({ index }) => index)).toEqual([1])
  })

  test('a swap that says it has more data than there is, is none', () => {
    const sides = { tokenIn: account('in'), tokenOut: account('out'), amountIn: 5n, amountOut: 4n }
    const logs = swapV3({ pool: account('pool'), payer: account('a'), recipient: account('a'), ...sides })
    const columns = blockOf([{ logs }]).transactions
    expect(readActivity(columns).swaps).toHaveLength(1)
    for (let cut = 1; cut < 160; cut++) {
      const short = columns.logs.slice(0, columns.logs.length - cut)
      const found = readActivity({ ...columns, logs: short, logEnds: Uint32Array.of(short.length) })
      expect(found.swaps, `${cut} bytes less`).toEqual([])
    }
  })
})
