import { createHash } from 'node:crypto'
import type { PatternProfile, TransactionRow } from '#vector'

export const sha = (text: string) => createHash('sha512').update(text).digest('hex')

/** A block of transactions over 3000 contracts, popular ones more often. */
export function block(number: number, count: number) {
  const position = { number: BigInt(number), hash: `0x${sha(`block ${number}`).slice(0, 64)}` }
  const rows = Array.from({ length: count }, (_, index): TransactionRow => {
    const seed = sha(`${number} ${index}`)
    const contract = Math.floor(3000 * (Number.parseInt(seed.slice(0, 6), 16) / 2 ** 24) ** 3)
    const selector = sha(`selector ${contract % 40}`).slice(0, 8)
    return {
      id: seed.slice(0, 32),
      chainId: 1n,
      blockNumber: position.number,
      blockHash: position.hash,
      timestamp: BigInt(number) * 12n,
      transactionHash: `0x${seed.slice(0, 64)}`,
      transactionIndex: index,
      from: `0x${seed.slice(64, 104)}`,
      to: `0x${sha(`contract ${contract}`).slice(0, 40)}`,
      selector: `0x${selector}`,
      value: index % 3 === 0 ? String(Number.parseInt(seed.slice(0, 8), 16)) : '0',
      gasLimit: 21_000 + (Number.parseInt(seed.slice(8, 12), 16) % 300_000),
      calldataBytes: 100,
      calldataHead: selector + '0'.repeat(24) + seed.slice(0, 40) + seed.slice(64, 128),
      type: 2,
      svm: index % 5 === 0,
      route: index % 5 === 0 ? 'executeOnSvm' : 'executeOnEvm',
      confidence: 0.5,
      outcome: index % 11 === 0 ? 'failed' : 'succeeded',
      reason: '',
      modelVersion: 'bench',
      origin: '',
    }
  })
  return { kind: 'transactions' as const, block: position, rows }
}

/** A pattern of the 1000 that a boundary rewrites. */
export const pattern = (index: number, boundary: bigint): PatternProfile => ({
  id: sha(`pattern ${index}`).slice(0, 50),
  svm: index % 5 === 0,
  boundary,
  evmSucceeded: index / 3,
  evmFailed: index / 30,
  svmExecuted: 0,
  svmFailed: 0,
  computeUnits: 0,
  gasLimit: 21_000 + index,
  calldataBytes: 100,
  valueLog2: index % 60,
})
