import { keyOf } from './keyOf.ts'
import { computeBudgetProgram } from './solanaPrograms.ts'
import type { Envelope, SolanaTransaction } from './types.ts'

/** What may be known of an envelope before it runs, in the terms of whoever decides about it. */
export type EnvelopeFacts = {
  readonly kind: Envelope['kind']
  /** Why nothing of it can run; undefined when at least one item can. */
  readonly rejected: string | undefined
  /** 24 bytes: last 20 of the first program called, first 4 of its instruction data, zero-padded. */
  readonly pattern: Uint8Array
  /** 32 bytes each: every program called, each once. */
  readonly programs: readonly Uint8Array[]
  readonly payloadBytes: number
  readonly items: number
  /** Of the first transaction that is well formed: 32 bytes, who pays its fee. */
  readonly payer?: Uint8Array
  /** Compute units it asks for; left out where it does not ask. */
  readonly computeUnitLimit?: number
  /** Its instructions, those to the compute budget program left out. */
  readonly instructions?: number
}

/** First byte of the compute budget program's instruction that sets a limit, a u32 after it. */
const SET_COMPUTE_UNIT_LIMIT = 2

/**
 * Patterns of what calls no program: the System program's 20 bytes (zeros) with a word no System instruction starts
 * with (its instructions are numbered from 0, little-endian: these would be beyond a thousand million).
 */
export const DEPOSIT_PATTERN = Uint8Array.from([...new Uint8Array(20), ...Buffer.from('DEPO')])
export const NOTHING_PATTERN = Uint8Array.from([...new Uint8Array(20), ...Buffer.from('NONE')])

/** The facts of one envelope. A deposit calls the System program and no other. */
export function envelopeFacts(envelope: Envelope): EnvelopeFacts {
  const { kind, payloadBytes } = envelope
  if (kind === 'deposit') {
    const programs = [new Uint8Array(32)]
    return { kind, rejected: undefined, pattern: DEPOSIT_PATTERN, programs, payloadBytes, items: 1 }
  }
  if (kind === 'rejected') {
    const rejected = envelope.reason
    return { kind, rejected, pattern: NOTHING_PATTERN, programs: [], payloadBytes, items: 0 }
  }
  const { items } = envelope
  const transactions = items.filter((item): item is SolanaTransaction => !('rejected' in item))
  const refused = items.find((item) => 'rejected' in item)
  const programs = new Map<string, Uint8Array>()
  for (const { instructions } of transactions) {
    for (const { programId } of instructions) programs.set(keyOf(programId), programId)
  }
  return {
    kind,
    rejected: transactions.length === 0 ? refused?.rejected : undefined,
    pattern: patternOf(transactions),
    programs: [...programs.values()],
    payloadBytes,
    items: items.length,
    ...(transactions[0] === undefined ? {} : firstTransaction(transactions[0])),
  }
}

function firstTransaction({ accountKeys, instructions }: SolanaTransaction) {
  let computeUnitLimit: number | undefined
  let count = 0
  for (const { programId, data } of instructions) {
    if (Buffer.compare(programId, computeBudgetProgram) !== 0) count++
    else if (data[0] === SET_COMPUTE_UNIT_LIMIT && data.length >= 5) {
      computeUnitLimit = Buffer.from(data).readUInt32LE(1)
    }
  }
  const [payer] = accountKeys
  return {
    ...(payer === undefined ? {} : { payer }),
    ...(computeUnitLimit === undefined ? {} : { computeUnitLimit }),
    instructions: count,
  }
}

function patternOf(transactions: readonly SolanaTransaction[]): Uint8Array {
  for (const { instructions } of transactions) {
    for (const { programId, data } of instructions) {
      // Wallets put fee settings before what they came for: they say nothing of it.
      if (Buffer.compare(programId, computeBudgetProgram) === 0) continue
      const pattern = new Uint8Array(24)
      pattern.set(programId.subarray(12))
      pattern.set(data.subarray(0, 4), 20)
      return pattern
    }
  }
  return NOTHING_PATTERN
}
