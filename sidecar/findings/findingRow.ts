import type { Finding } from './types.ts'

/** A finding as context: what the vector store keeps of it. */
export type FindingRow = {
  readonly name: string
  readonly text: string
  /** Addresses and hashes concerned, the one most concerned first. */
  readonly subjects: readonly string[]
  readonly risk: number
}

/** Subjects of a row. */
const MAX_SUBJECTS = 32

/** What is kept of a finding as context. All of it is of our own words, numbers and hex. */
export function findingRow(finding: Finding): FindingRow {
  const { kind, summary, impact, risk, recommendation, transactions } = finding
  const subjects = [...concerned(finding), ...transactions.map(({ hash }) => hash)]
  return {
    name: kind,
    text: `${summary} Impact ${impact}, risk ${risk} of 100. ${recommendation.text}`,
    subjects: [...new Set(subjects.filter((each) => each !== null))].slice(0, MAX_SUBJECTS),
    risk,
  }
}

function concerned(finding: Finding): readonly (string | null)[] {
  switch (finding.kind) {
    case 'sandwich-like': {
      const { party, parts } = finding.evidence
      return [party, ...parts.flatMap(({ pool, front }) => [pool, front.tokenIn, front.tokenOut])]
    }
    case 'arbitrage': {
      const { account, token, legs } = finding.evidence
      return [account, token, ...legs.map(({ pool }) => pool)]
    }
    case 'liquidation': {
      const { liquidator, borrower, market, debtToken, collateralToken } = finding.evidence
      return [borrower, liquidator, market, debtToken, collateralToken]
    }
    case 'spam':
      return [finding.evidence.sender, finding.evidence.to]
    case 'failure-storm':
      return [finding.evidence.to, finding.evidence.selector]
    case 'address-poisoning':
      return finding.evidence.cases.flatMap(({ victim, lookalike, counterparty }) => [
        victim,
        lookalike,
        counterparty,
      ])
  }
}
