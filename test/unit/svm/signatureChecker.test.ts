import pino from 'pino'
import { expect, test, vi } from 'vitest'
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
  const checker = createSignatureChecker(logger)
  const each = transactions(12, (index) => index % 3 === 0)
  // A fresh block every time: a checker never waits, so the first ones may find the worker still starting.
  const verdicts = await vi.waitFor(
    async () => {
      const checks = checker.start(each)
      if (checks === undefined) throw new Error('not started')
      await new Promise((resolve) => setTimeout(resolve, 20))
      const found = each.map((transaction) => checks.resultOf(transaction))
      checks.stop()
      // The first is left to the executor, which is at it from the start.
      if (found.slice(1).includes(undefined)) throw new Error('the worker has not come to all yet')
      return found
    },
    { timeout: 15_000 },
  )
  expect(verdicts.slice(1)).toEqual(each.slice(1).map((_, index) => ((index + 1) % 3 === 0 ? 'bad' : 'good')))
  checker.close()
})

test('a few transactions are not worth a second thread', () => {
  const checker = createSignatureChecker(logger)
  expect(checker.start(transactions(3, () => false))).toBeUndefined()
  checker.close()
  expect(checker.start(transactions(12, () => false))).toBeUndefined()
})
