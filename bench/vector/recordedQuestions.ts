import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import type { TransactionRow, TransactionsEntry } from '#vector'
import type { Random } from '../../harness/random.ts'

type Recorded = {
  hash: string
  from: string
  to: string | null
  value: string
  gas: string
  input: string
  type?: string
}

const shared = process.env.MONMOUTH_SHARED ?? fileURLToPath(new URL('../../../shared', import.meta.url))

/** Mainnet transactions in their order; throws where the recording is not on this machine (`MONMOUTH_SHARED`, or `../shared`). */
export function recordedTransactions(): readonly Recorded[] {
  const text = gunzipSync(readFileSync(join(shared, 'data/ethereum/blocks.jsonl.gz'))).toString('utf8')
  const blocks = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
  return blocks.flatMap(({ transactions }: { transactions: Recorded[] }) => transactions)
}

/** The transactions again and again, dealt into blocks of so many; all of them as they were. */
export function* recordedEntries(
  transactions: readonly Recorded[],
  perBlock: number,
): Generator<TransactionsEntry, never> {
  for (let number = 1; ; number += 1) {
    yield entryOf(
      number,
      perBlock,
      (index) => transactions[((number - 1) * perBlock + index) % transactions.length]!,
    )
  }
}

/** The same, with other senders and hashes at every repetition but the first, and a fifth marked as for the SVM. */
export function* manyEntries(
  transactions: readonly Recorded[],
  perBlock: number,
  first = 1n,
): Generator<TransactionsEntry, never> {
  for (let number = Number(first); ; number += 1) {
    const entry = entryOf(number, perBlock, (index) => {
      const place = (number - 1) * perBlock + index
      const recorded = transactions[place % transactions.length]!
      const repetition = Math.floor(place / transactions.length)
      if (repetition === 0) return recorded
      const from = `0x${digest(`${recorded.from} ${repetition}`).slice(0, 40)}`
      return { ...recorded, from, hash: `0x${digest(`${recorded.hash} ${repetition}`)}` }
    })
    yield {
      ...entry,
      rows: entry.rows.map((row) => ({ ...row, svm: Number.parseInt(row.id.slice(0, 4), 16) % 5 === 0 })),
    }
  }
}

function entryOf(
  number: number,
  perBlock: number,
  recordedAt: (index: number) => Recorded,
): TransactionsEntry {
  const block = { number: BigInt(number), hash: `0x${digest(`block ${number}`)}` }
  const rows = Array.from({ length: perBlock }, (_, index): TransactionRow => {
    const recorded = recordedAt(index)
    return {
      id: digest(`${number} ${index}`).slice(0, 32),
      chainId: 1n,
      blockNumber: block.number,
      blockHash: block.hash,
      timestamp: block.number * 12n,
      transactionHash: recorded.hash,
      transactionIndex: index,
      from: recorded.from.toLowerCase(),
      to: recorded.to?.toLowerCase() ?? '',
      selector: recorded.input.length >= 10 ? recorded.input.slice(0, 10) : '0x00000000',
      value: String(BigInt(recorded.value)),
      gasLimit: Number(recorded.gas),
      calldataBytes: (recorded.input.length - 2) / 2,
      calldataHead: recorded.input.slice(2, 514),
      type: Number(recorded.type ?? 0),
      svm: false,
      route: 'executeOnEvm',
      confidence: 0.5,
      outcome: digest(recorded.hash).startsWith('0') ? 'failed' : 'succeeded',
      reason: '',
      modelVersion: 'bench',
      origin: '',
    }
  })
  return { kind: 'transactions', block, rows }
}

const digest = (text: string) => createHash('sha256').update(text).digest('hex')

/** What somebody might ask about a transaction that he sees; the same transaction, the same question. */
export function questionOf({ hash, from, to, input }: Recorded): string {
  const kind = Number.parseInt(hash.slice(2, 4), 16) % 10
  if (kind < 4) return `transactions to:${to ?? from}`
  if (kind < 6) return `failed to:${to ?? from}`
  if (kind < 7) return `patterns ${to ?? from}`
  if (kind < 8) return `from:${from}`
  if (kind < 9) return hash
  return input.length >= 10 ? `selector:${input.slice(0, 10)} failed` : 'transfers failed'
}

/** Questions drawn by Zipf's law (exponent 1) from all those about recorded transactions, the most frequent one first. */
export function zipfTrace(
  transactions: readonly Recorded[],
  length: number,
  random: Random,
): readonly string[] {
  const frequency = new Map<string, number>()
  for (const each of transactions) frequency.set(questionOf(each), (frequency.get(questionOf(each)) ?? 0) + 1)
  const questions = [...frequency].sort(([, a], [, b]) => b - a).map(([question]) => question)
  const sums: number[] = []
  for (let rank = 1; rank <= questions.length; rank += 1) sums.push((sums.at(-1) ?? 0) + 1 / rank)
  return Array.from({ length }, () => {
    const wanted = (random.uint32() / 2 ** 32) * sums.at(-1)!
    let [low, high] = [0, sums.length - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if (sums[middle]! <= wanted) low = middle + 1
      else high = middle
    }
    return questions[low]!
  })
}
