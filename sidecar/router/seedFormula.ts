import { log2 } from './log2.ts'

/** What the seeds' formula makes of one transaction's bytes; all but `gas` 0 to 1. */
export type SeedScore = {
  readonly complexity: number
  readonly safety: number
  readonly anomaly: number
  readonly gas: number
  readonly score: number
}

const SELFDESTRUCT = Buffer.from('SELFDESTRUCT')
const ZEROS = Buffer.alloc(8)
const ONES = Buffer.alloc(8, 0xff)
const counts = new Uint32Array(256)

/**
 * The decision score of the documents this product comes from, as their code computes it, with its flaws: eight zero
 * bytes anywhere are "malicious", the average length that length is compared with is always 0, and nearly all data has
 * as many distinct windows as it can. Weights: complexity 0.25, safety 0.30, gas 0.15, history 0.15, congestion 0.10,
 * anomaly 0.05. Above 0.7 it says SVM, above 0.3 EVM, else skip.
 *
 * @param congestion 0 to 1
 * @param history success rate of the same payload, 0.5 where unknown
 */
export function seedFormula(data: Uint8Array, congestion: number, history: number): SeedScore {
  const length = data.length
  const unique = uniqueRatio(data)
  const complexity = Math.min(1, entropy(data) * 0.4 + unique * 0.4 + Math.min(length / 1024, 1) * 0.2)
  const safety = safetyOf(data)
  // 0.2 for a pattern in no database, 0.3 for a length unlike the average, which is 0: for any data at all.
  const anomaly = Math.min(1, 0.2 + (length > 0 ? 0.3 : 0) + (hasRuns(data) ? 0.5 : 0))
  const gas = 21_000 + length * 16 + Math.floor(unique * 10) * 1000
  const score =
    complexity * 0.25 +
    safety * 0.3 +
    (1 - anomaly) * 0.05 +
    (1 - congestion) * 0.1 +
    history * 0.15 +
    (1 / (1 + gas / 1000)) * 0.15
  return { complexity, safety, anomaly, gas, score }
}

/** Shannon entropy of the bytes, in bytes: 0 to 1. */
function entropy(data: Uint8Array): number {
  if (data.length === 0) return 0
  counts.fill(0)
  for (const byte of data) counts[byte]!++
  let sum = 0
  for (const count of counts) if (count > 1) sum += count * log2(count)
  return (log2(data.length) - sum / data.length) / 8
}

/** Distinct windows of four bytes, against as many as fit side by side; at most 1. */
function uniqueRatio(data: Uint8Array): number {
  if (data.length < 4) return 0.1
  const enough = Math.floor(data.length / 4)
  const seen = new Set<number>()
  let window = (data[0]! << 16) | (data[1]! << 8) | data[2]!
  for (let i = 3; i < data.length && seen.size < enough; i++) {
    window = (window << 8) | data[i]!
    seen.add(window)
  }
  return Math.min(1, seen.size / enough)
}

function safetyOf(data: Uint8Array): number {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.length)
  let safety = 0.9
  if (bytes.includes(ZEROS) || bytes.includes(ONES) || bytes.includes(SELFDESTRUCT)) safety -= 0.5
  if (data.length < 32 || data.length >= 1_000_000) safety -= 0.3
  if (data.length > 50_000) safety -= 0.2
  return Math.max(0, safety)
}

/** More windows of four equal bytes than a hundredth of the length. */
function hasRuns(data: Uint8Array): boolean {
  let runs = 0
  for (let i = 1, same = 0; i < data.length; i++) {
    same = data[i] === data[i - 1] ? same + 1 : 0
    if (same >= 3) runs++
  }
  return runs > Math.floor(data.length / 100)
}
