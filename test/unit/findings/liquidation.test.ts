import { expect, test } from 'vitest'
import { account, declarationIn, logOf } from './events.ts'
import { noticed } from './notice.ts'

const liquidation = (borrower: string) =>
  logOf(account('market'), declarationIn('CTokenInterfaces.sol'), {
    ...{ liquidator: account('liquidator'), borrower: account(borrower) },
    ...{ repayAmount: 7n, cTokenCollateral: account('collateral'), seizeTokens: 9n },
  })

test('a liquidation is told with who, whom, what and how much', () => {
  expect(noticed([[{}, { logs: [liquidation('borrower')] }]], 'liquidation')).toMatchObject([
    {
      risk: 30,
      impact: 'medium',
      transactions: [{ index: 1 }],
      evidence: {
        ...{ protocol: 'compound-v2', market: account('market'), liquidator: account('liquidator') },
        ...{
          borrower: account('borrower'),
          debt: '7',
          collateral: '9',
          collateralToken: account('collateral'),
        },
      },
    },
  ])
})

test('each of many in one block weighs more than one alone', () => {
  const logs = Array.from({ length: 9 }, (_, i) => liquidation(`borrower ${i}`))
  const found = noticed([[{ logs }]], 'liquidation')
  expect(found.map(({ risk, impact }) => [risk, impact])).toEqual(Array(9).fill([70, 'high']))
})

test('the event of a failed look-alike, with another topic, is none', () => {
  const log = liquidation('borrower')
  expect(noticed([[{ logs: [{ ...log, topics: [`0x${'22'.repeat(32)}`] }] }]], 'liquidation')).toEqual([])
})
