import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { TransactionFields } from '../../../harness/feed/buildBlock.ts'
import { account, swapBalancer, swapV2, swapV3, type Trade } from './events.ts'
import { noticed } from './notice.ts'

const bot = account('bot')
const tokens = ['weth', 'usdc', 'dai', 'wbtc'].map(account)
const [weth, usdc, dai] = tokens as [`0x${string}`, `0x${string}`, `0x${string}`]

type Leg = readonly [tokenIn: `0x${string}`, amountIn: bigint, tokenOut: `0x${string}`, amountOut: bigint]

function route(
  legs: readonly Leg[],
  logsOf: (trade: Trade) => ReturnType<typeof swapV2> = swapV2,
): TransactionFields {
  const logs = legs.flatMap(([tokenIn, amountIn, tokenOut, amountOut], i) =>
    logsOf({
      pool: account(`pool ${i}`),
      tokenIn,
      tokenOut,
      amountIn,
      amountOut,
      payer: bot,
      recipient: bot,
    }),
  )
  return { from: account('owner'), to: bot, logs }
}
const found = (...transactions: TransactionFields[]) => noticed([transactions], 'arbitrage')

test('two pools with prices apart, with all its evidence', () => {
  expect(
    found(
      {},
      route([
        [weth, 1_000n, usdc, 2_000n],
        [usdc, 2_000n, weth, 1_030n],
      ]),
    ),
  ).toMatchObject([
    {
      transactions: [{ index: 1 }],
      risk: 12,
      impact: 'low',
      evidence: {
        ...{ account: bot, token: weth, amountIn: '1000', amountOut: '1030', gain: '30' },
        legs: [
          { pool: account('pool 0'), protocol: 'uniswap-v2', tokenIn: weth, tokenOut: usdc },
          { pool: account('pool 1'), protocol: 'uniswap-v2', tokenIn: usdc, tokenOut: weth },
        ],
      },
    },
  ])
})

test('any cycle that gains is found, in whatever order its legs are told, and none that loses', () => {
  const cycle = fc.record({
    path: fc.shuffledSubarray(tokens, { minLength: 2 }),
    amounts: fc.array(fc.bigInt({ min: 1_000n, max: 10n ** 27n }), { minLength: 5, maxLength: 5 }),
    change: fc.bigInt({ min: 1n, max: 900n }),
    gains: fc.boolean(),
    logsOf: fc.constantFrom(swapV2, (trade: Trade) => swapV3(trade), swapBalancer),
    order: fc.infiniteStream(fc.nat(3)),
  })
  fc.assert(
    fc.property(cycle, ({ path, amounts, change, gains, logsOf, order }) => {
      const end = gains ? amounts[0]! + change : amounts[0]! - (amounts[0]! * 11n) / 1_000n - 1n
      const legs = path.map((token, i): Leg => {
        const isLast = i === path.length - 1
        return [token, amounts[i]!, path[(i + 1) % path.length]!, isLast ? end : amounts[i + 1]!]
      })
      const shuffled = legs.map((leg) => ({ leg, at: order.next().value! })).sort((a, b) => a.at - b.at)
      const findings = found(
        route(
          shuffled.map(({ leg }) => leg),
          logsOf,
        ),
      )
      expect(findings.map(({ evidence }) => [evidence.token, evidence.gain])).toEqual(
        gains ? [[path[0], `${change}`]] : [],
      )
    }),
  )
})

test('a gain near what was put in weighs more than the usual one', () => {
  const risk = (back: bigint) =>
    found(
      route([
        [weth, 1_000n, usdc, 5n],
        [usdc, 5n, weth, back],
      ]),
    )[0]!.risk
  expect([risk(1_001n), risk(1_500n), risk(2_000n), risk(10n ** 9n)]).toEqual([10, 50, 90, 90])
})

describe('not found', () => {
  test.each<[string, readonly Leg[]]>([
    [
      'a route of two pools',
      [
        [weth, 10n, usdc, 20n],
        [usdc, 20n, dai, 19n],
      ],
    ],
    [
      'a swap there and a smaller one back',
      [
        [weth, 1_000n, usdc, 20n],
        [usdc, 20n, weth, 980n],
      ],
    ],
    [
      'back to even',
      [
        [weth, 1_000n, usdc, 20n],
        [usdc, 20n, weth, 1_000n],
      ],
    ],
    [
      'a gain that another token paid for',
      [
        [weth, 1_000n, usdc, 20n],
        [usdc, 40n, weth, 2_000n],
      ],
    ],
    ['one swap', [[weth, 10n, usdc, 20n]]],
  ])('%s', (_, legs) => {
    expect(found(route(legs))).toEqual([])
  })

  test('there and back in one pool', () => {
    const pool = account('pool')
    const sides = {
      pool,
      payer: bot,
      recipient: bot,
      tokenIn: weth,
      tokenOut: usdc,
      amountIn: 10n,
      amountOut: 20n,
    }
    const back = { ...sides, tokenIn: usdc, tokenOut: weth, amountIn: 20n, amountOut: 11n }
    expect(found({ logs: [...swapV2(sides), ...swapV2(back)] })).toEqual([])
  })

  test('its two halves in two transactions', () => {
    const halves = [[[weth, 1_000n, usdc, 20n]], [[usdc, 20n, weth, 2_000n]]] as const
    expect(found(...halves.map((legs) => route(legs)))).toEqual([])
  })

  test('a leg whose tokens are not known: what it cost cannot be said', () => {
    const whole = route([
      [weth, 1_000n, usdc, 20n],
      [usdc, 20n, weth, 2_000n],
    ])
    expect(found(whole)).toHaveLength(1)
    // The second pool's transfers are left out.
    expect(found({ ...whole, logs: whole.logs!.filter((_, i) => i < 4 || i > 5) })).toEqual([])
    // A third pool's: the other two gain without it.
    const third = route([
      [weth, 1_000n, usdc, 20n],
      [usdc, 20n, weth, 2_000n],
      [weth, 5_000n, dai, 1n],
    ])
    expect(found({ ...third, logs: third.logs!.filter((_, i) => i < 8 || i > 9) })).toEqual([])
  })
})
