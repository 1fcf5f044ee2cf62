/**
 * What one ed25519 check costs: LiteSVM's own (a transaction that ends right after it), and Node's with a ready key
 * and with a key to import, as every sender is another.
 *
 *   node bench/micro/svm/signatures.ts [transactions] [rounds]
 */
import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { LiteSvm } from 'litesvm/dist/internal.js'
import { decodeTransaction } from '../../../sidecar/svm/decodeTransaction.ts'
import { chainOfTransfers } from './chainOfTransfers.ts'

const TRANSACTIONS = Number(process.argv[2] ?? 500)
const ROUNDS = Number(process.argv[3] ?? 9)
const transactions = chainOfTransfers(TRANSACTIONS, 200).transfers.map(({ bytes }) => {
  const decoded = decodeTransaction(bytes)
  if ('rejected' in decoded) throw new Error(decoded.rejected)
  return decoded
})

const svm = new LiteSvm()
svm.setTransactionHistory(0n)
svm.setLogBytesLimit(0n)
// The blockhash check, which none of these pass, is what comes next.
svm.setBlockhashCheck(true)

const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')
const importKey = (key: Uint8Array): KeyObject =>
  createPublicKey({ key: Buffer.concat([SPKI_PREFIX, key]), format: 'der', type: 'spki' })
const ready = transactions.map(({ accountKeys }) => importKey(accountKeys[0]!))

const subjects: Record<string, () => void> = {
  'LiteSVM, check and stop': () => {
    svm.setSigverify(true)
    for (const { bytes } of transactions) svm.simulateLegacyTransaction(bytes)
  },
  'LiteSVM, stop without check': () => {
    svm.setSigverify(false)
    for (const { bytes } of transactions) svm.simulateLegacyTransaction(bytes)
  },
  'node:crypto, ready key': () => {
    for (const [index, { message, signatures }] of transactions.entries()) {
      if (!verify(null, message, ready[index]!, signatures[0]!)) throw new Error('a good signature failed')
    }
  },
  'node:crypto, key imported': () => {
    for (const { message, signatures, accountKeys } of transactions) {
      if (!verify(null, message, importKey(accountKeys[0]!), signatures[0]!))
        throw new Error('a good signature failed')
    }
  },
}
const times = new Map<string, number[]>()
for (let round = 0; round < ROUNDS + 1; round++) {
  for (const [name, run] of Object.entries(subjects)) {
    const started = process.threadCpuUsage()
    run()
    const { user, system } = process.threadCpuUsage(started)
    // The first round warms up.
    if (round > 0) times.set(name, [...(times.get(name) ?? []), (user + system) / TRANSACTIONS])
  }
}
for (const [name, each] of times) {
  const median = each.toSorted((a, b) => a - b)[each.length >> 1] ?? Number.NaN
  console.log(`${name.padEnd(30)} ${median.toFixed(1).padStart(6)} us of CPU`)
}
