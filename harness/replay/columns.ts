import type { TransactionColumns } from '#exex/server'

/** One transaction as this feed makes it: what a receipt would add included. */
export type TransactionRow = {
  readonly hash: Uint8Array
  readonly sender: Uint8Array
  readonly to: Uint8Array
  /** EIP-2718 type. */
  readonly kind: number
  readonly status: number
  readonly value: bigint
  readonly nonce: bigint
  readonly gasLimit: bigint
  readonly gasUsed: bigint
  readonly gasPrice: bigint
  readonly input: Uint8Array
}

type FixedColumns = Pick<
  TransactionColumns,
  'hashes' | 'senders' | 'to' | 'kinds' | 'statuses' | 'selectors' | 'values' | 'nonces' | 'gasPrices'
>

/** Rows as columns; they have no logs. */
export function columnsOf(rows: readonly TransactionRow[]): TransactionColumns {
  const inputs = Buffer.concat(rows.map((row) => row.input))
  const values = Buffer.alloc(32 * rows.length)
  const nonces = Buffer.alloc(8 * rows.length)
  const gasPrices = Buffer.alloc(8 * rows.length)
  const selectors = Buffer.alloc(4 * rows.length)
  const inputEnds = new Uint32Array(rows.length)
  let end = 0
  rows.forEach((row, index) => {
    for (let word = 0; word < 4; word++) {
      const part = BigInt.asUintN(64, row.value >> BigInt(64 * (3 - word)))
      values.writeBigUInt64BE(part, 32 * index + 8 * word)
    }
    nonces.writeBigUInt64LE(row.nonce, 8 * index)
    gasPrices.writeBigUInt64LE(row.gasPrice, 8 * index)
    selectors.set(row.input.subarray(0, 4), 4 * index)
    end += row.input.length
    inputEnds[index] = end
  })
  return {
    count: rows.length,
    hashes: Buffer.concat(rows.map((row) => row.hash)),
    senders: Buffer.concat(rows.map((row) => row.sender)),
    to: Buffer.concat(rows.map((row) => row.to)),
    kinds: Uint8Array.from(rows, (row) => row.kind),
    statuses: Uint8Array.from(rows, (row) => row.status),
    selectors,
    values,
    nonces,
    gasLimits: Uint32Array.from(rows, (row) => Number(row.gasLimit)),
    gasUsed: Uint32Array.from(rows, (row) => Number(row.gasUsed)),
    gasPrices,
    inputEnds,
    inputs,
    logEnds: new Uint32Array(rows.length),
    logs: new Uint8Array(0),
  }
}

/** The rows of `first`, then those of `second`. */
export function concatColumns(first: TransactionColumns, second: TransactionColumns): TransactionColumns {
  if (second.count === 0) return first
  if (first.count === 0) return second
  const joined = fixedColumns((name) => Buffer.concat([first[name], second[name]]))
  return {
    ...joined,
    count: first.count + second.count,
    gasLimits: joinNumbers(first.gasLimits, second.gasLimits, 0),
    gasUsed: joinNumbers(first.gasUsed, second.gasUsed, 0),
    inputEnds: joinNumbers(first.inputEnds, second.inputEnds, first.inputs.length),
    inputs: Buffer.concat([first.inputs, second.inputs]),
    logEnds: joinNumbers(first.logEnds, second.logEnds, first.logs.length),
    logs: Buffer.concat([first.logs, second.logs]),
  }
}

/** The rows of the given indexes, in their order. */
export function gatherColumns(columns: TransactionColumns, rows: readonly number[]): TransactionColumns {
  const gathered = fixedColumns((name, width) =>
    Buffer.concat(rows.map((row) => columns[name].subarray(row * width, (row + 1) * width))),
  )
  const inputs = rows.map((row) => slice(columns.inputs, columns.inputEnds, row))
  const logs = rows.map((row) => slice(columns.logs, columns.logEnds, row))
  return {
    ...gathered,
    count: rows.length,
    gasLimits: Uint32Array.from(rows, (row) => columns.gasLimits[row]!),
    gasUsed: Uint32Array.from(rows, (row) => columns.gasUsed[row]!),
    inputEnds: endsOf(inputs),
    inputs: Buffer.concat(inputs),
    logEnds: endsOf(logs),
    logs: Buffer.concat(logs),
  }
}

/** The columns of a fixed number of bytes a row, each made by `make`. */
function fixedColumns(make: (name: keyof FixedColumns, width: number) => Uint8Array): FixedColumns {
  return {
    hashes: make('hashes', 32),
    senders: make('senders', 20),
    to: make('to', 20),
    kinds: make('kinds', 1),
    statuses: make('statuses', 1),
    selectors: make('selectors', 4),
    values: make('values', 32),
    nonces: make('nonces', 8),
    gasPrices: make('gasPrices', 8),
  }
}

function slice(bytes: Uint8Array, ends: Uint32Array, row: number): Uint8Array {
  return bytes.subarray(row === 0 ? 0 : ends[row - 1]!, ends[row]!)
}

function endsOf(parts: readonly Uint8Array[]): Uint32Array {
  let end = 0
  return Uint32Array.from(parts, (part) => {
    end += part.length
    return end
  })
}

function joinNumbers(first: Uint32Array, second: Uint32Array, offset: number): Uint32Array {
  const joined = new Uint32Array(first.length + second.length)
  joined.set(first)
  for (let row = 0; row < second.length; row++) joined[first.length + row] = second[row]! + offset
  return joined
}
