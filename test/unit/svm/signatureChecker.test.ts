import pino from 'pino'
import { expect, test } from 'vitest'
import { decodeTransaction } from '../../../sidecar/svm/decodeTransaction.ts'
import { createSignatureChecker } from '../../../sidecar/svm/signatureChecker.ts'
import type { SolanaTransaction } from '../../../sidecar/svm/types.ts'
import { hashOf, keypair, transfer } from './svmBlocks.ts'

const logger = pino({ level: 'silent' })

function transactions(count: number, isBad: (index: number) => boolean): SolanaTransaction[] {
  return Array.from({ length: count }, (_, index) => {
    const bytes = transfer(keypair(index), keypair(999).publicKey, 1n, hashOf(1n))
    if (isBad(index)) bytes[20]! ^= 1
    const decoded = decodeTransaction(bytes)
    if ('rejected' in decoded) throw new Error(decoded.rejected)
    return decoded
  })
}

test('the worker tells good signatures from bad, from the last one on', async () => {
  const checker = createSignatureChecker(logger, 0)
  const each = transactions(12, (index) => index % 3 === 0)
  // Asking ends the worker's part, so a fresh block each time, and longer: however slow it is, it comes to all of one.
  for (let waitMs = 20; ; waitMs *= 2) {
    const checks = checker.start(each)
    if (checks === undefined) throw new Error('not started')
    await new Promise((resolve) => setTimeout(resolve, waitMs))
    const found = each.map((transaction) => checks.resultOf(transaction))
    checks.stop()
    // The first is left to the executor, which is at it from the start.
    const [, ...verdicts] = found
    if (verdicts.includes(undefined)) continue
    expect(verdicts).toEqual(each.slice(1).map((_, index) => ((index + 1) % 3 === 0 ? 'bad' : 'good')))
    break
  }
  checker.close()
}, 60_000)

test('a few transactions are not worth a second thread', () => {
  const checker = createSignatureChecker(logger, 0)
  expect(checker.start(transactions(3, () => false))).toBeUndefined()
  checker.close()
  expect(checker.start(transactions(12, () => false))).toBeUndefined()
})

test('a few blocks are not worth starting one', () => {
  const checker = createSignatureChecker(logger, 30)
  const each = transactions(12, () => false)
  expect(checker.start(each)).toBeUndefined()
  expect(checker.start(each)).toBeUndefined()
  expect(checker.start(each)).toBeDefined()
  checker.close()
})
