import type { TransactionColumns } from '../notification/types.ts'

/**
 * What is known of a block's transactions before they run, as columns of numbers. One instance is used for block after
 * block: its arrays only grow, so deciding allocates nothing a transaction.
 */
export class BlockFeatures {
  count = 0
  /** Five words a row: the address called. */
  to = new Uint32Array(0)
  selectors = new Uint32Array(0)
  /** Bit length of the value in wei, 0 to 256. */
  valueBits = new Uint16Array(0)
  /** Gas limit and calldata length in quarters of an octave (see `quarterOctaves`). */
  gasQuarters = new Uint8Array(0)
  calldataQuarters = new Uint8Array(0)
  calldataBytes = new Uint32Array(0)
  private values = new Uint32Array(0)

  /** Reads the columns. They are copied first: a received column may start at any byte, words cannot. */
  load(transactions: TransactionColumns): void {
    const { count, inputEnds, gasLimits } = transactions
    this.reserve(count)
    this.count = count
    bytesOf(this.to).set(exactly(transactions.to, count * 20))
    bytesOf(this.selectors).set(exactly(transactions.selectors, count * 4))
    bytesOf(this.values).set(exactly(transactions.values, count * 32))
    const { values, valueBits, gasQuarters, calldataQuarters, calldataBytes } = this
    for (let i = 0, start = 0; i < count; i++) {
      const end = inputEnds[i]!
      const length = end - start
      start = end
      calldataBytes[i] = length
      calldataQuarters[i] = quarterOctaves(length)
      gasQuarters[i] = quarterOctaves(gasLimits[i]!)
      let word = i * 8
      const last = word + 7
      while (word < last && values[word] === 0) word++
      valueBits[i] = (last - word) * 32 + bitLengthBigEndian(values[word]!)
    }
  }

  private reserve(count: number): void {
    if (this.selectors.length >= count) return
    const rows = Math.max(256, count * 2)
    this.to = new Uint32Array(rows * 5)
    this.selectors = new Uint32Array(rows)
    this.values = new Uint32Array(rows * 8)
    this.valueBits = new Uint16Array(rows)
    this.gasQuarters = new Uint8Array(rows)
    this.calldataQuarters = new Uint8Array(rows)
    this.calldataBytes = new Uint32Array(rows)
  }
}

/**
 * log2 of a whole number below 2^32 in quarters, 0 for 0 and 1: exact in its whole part, linear in between. Integer
 * operations only, since `Math.log2` may differ between engines.
 */
export function quarterOctaves(n: number): number {
  if (n === 0) return 0
  const whole = 31 - Math.clz32(n)
  const fraction = whole >= 2 ? (n >>> (whole - 2)) & 3 : (n << (2 - whole)) & 3
  return 4 * whole + fraction
}

function bitLengthBigEndian(word: number): number {
  if ((word & 0xff) !== 0) return 56 - Math.clz32(word & 0xff)
  if ((word & 0xff00) !== 0) return 40 - Math.clz32(word & 0xff00)
  if ((word & 0xff0000) !== 0) return 24 - Math.clz32(word & 0xff0000)
  return word === 0 ? 0 : 8 - Math.clz32(word)
}

function bytesOf(words: Uint32Array): Uint8Array {
  return new Uint8Array(words.buffer)
}

function exactly(column: Uint8Array, bytes: number): Uint8Array {
  return column.length === bytes ? column : column.subarray(0, bytes)
}
