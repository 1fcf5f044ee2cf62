import type { TransactionColumns } from '../../notification/types.ts'
import { clampRisk, impactOf } from '../impactOf.ts'
import type { BlockActivity } from '../readActivity.ts'
import { refOf } from '../rows.ts'
import type { Finding } from '../types.ts'

/** Liquidations, as the lending markets tell them. Many in one block are a sign of a falling market, so each weighs more. */
export function findLiquidations(columns: TransactionColumns, activity: BlockActivity): Finding[] {
  const { liquidations } = activity
  const risk = clampRisk(30 + 5 * Math.min(12, liquidations.length - 1))
  return liquidations.map(({ index, liquidation }) => {
    const { protocol, market, liquidator, borrower, debtToken, debt, collateralToken, collateral } =
      liquidation
    return {
      kind: 'liquidation',
      rule: { name: 'liquidation told by a lending market', version: 1 },
      impact: impactOf(risk),
      risk,
      summary:
        `Transaction ${index}: ${liquidator} repaid ${debt} units of the debt of ${borrower} in market ${market} ` +
        `(${protocol}) and took ${collateral} units of its collateral.`,
      recommendation: {
        action: 'alertStakeholders',
        text: 'Look at positions in the same market with the same collateral: the next ones are near.',
      },
      transactions: [refOf(columns, index)],
      evidence: {
        protocol,
        market,
        liquidator,
        borrower,
        debtToken: debtToken ?? null,
        debt: `${debt}`,
        collateralToken: collateralToken ?? null,
        collateral: `${collateral}`,
      },
    } satisfies Finding
  })
}
