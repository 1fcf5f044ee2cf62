import { VectorStoreError } from '../errors.ts'
import { memoryId } from '../memory/summariseEpoch.ts'
import type { FindingRow, MemoryRow } from '../memory/types.ts'
import type { BlockPosition, PatternProfile, TransactionRow, VectorEntry } from '../types.ts'

/** What a run of entries amounts to: deletes first, then new rows, at most one of each per table. */
export type WritePlan = {
  /** Lowest block number applied or undone, when any was: rows from there on go before others come. */
  readonly lowest: bigint | undefined
  /** One row per id: the last one given. */
  readonly addTransactions: readonly TransactionRow[]
  readonly removePatterns: readonly string[]
  readonly upsertPatterns: readonly PatternProfile[]
  readonly upsertFindings: readonly MemoryRow[]
  /** The block applied last after any undo in the run; undefined when none was. */
  readonly tip: BlockPosition | undefined
  readonly finalized: bigint | undefined
}

/**
 * Folds entries into their net effect, since LanceDB takes few large writes far better than many small ones. An undo, and a block
 * that is not above the newest, take back what was given earlier in the run; blocks from the lowest on are cut off all the same,
 * because an earlier run may have written them. Because the plan depends on the entries alone and its deletes come first, running it again, whole or after a part
 * of it, ends in the same tables.
 * Throws `VectorStoreError` `INVALID_ENTRY` for a value that must not reach the store, before anything is written.
 */
export function planWrites(entries: readonly VectorEntry[], chainId: bigint): WritePlan {
  const transactions = new Map<string, TransactionRow>()
  const patterns = new Map<string, PatternProfile | undefined>()
  const findings = new Map<string, MemoryRow>()
  let lowest: bigint | undefined
  let applied: BlockPosition[] = []
  let finalized: bigint | undefined

  for (const entry of entries) {
    switch (entry.kind) {
      case 'transactions':
        touch(entry.block)
        takeBack(entry.block.number)
        for (const row of entry.rows) {
          checkTransaction(row, entry.block, chainId)
          transactions.set(row.id, row)
        }
        applied.push(entry.block)
        break
      case 'patterns':
        changePatterns(entry)
        break
      case 'findings':
        checkBlock(entry.block)
        for (const [index, row] of entry.rows.entries()) {
          const memory = findingMemory(row, index, entry.block, chainId)
          findings.set(memory.id, memory)
        }
        break
      case 'undo':
        for (const block of entry.blocks) {
          touch(block)
          takeBack(block.number)
        }
        if (entry.patterns) changePatterns(entry.patterns)
        break
      case 'finalized':
        checkNumber('finalized', entry.number)
        if (finalized === undefined || entry.number > finalized) finalized = entry.number
        break
    }
  }
  return {
    lowest,
    addTransactions: [...transactions.values()],
    removePatterns: [...patterns].filter(([, row]) => row === undefined).map(([id]) => id),
    upsertPatterns: [...patterns.values()].filter((row) => row !== undefined),
    upsertFindings: [...findings.values()],
    tip: applied.at(-1),
    finalized,
  }

  /** What earlier entries of the run brought of blocks from `number` on. */
  function takeBack(number: bigint): void {
    for (const [id, row] of findings) if (row.toBlock >= number) findings.delete(id)
    if (applied.every((block) => block.number < number)) return
    applied = applied.filter((block) => block.number < number)
    for (const [id, row] of transactions) if (row.blockNumber >= number) transactions.delete(id)
  }

  function touch(block: BlockPosition): void {
    checkBlock(block)
    if (lowest === undefined || block.number < lowest) lowest = block.number
  }

  function changePatterns(change: {
    readonly upsert: readonly PatternProfile[]
    readonly remove: readonly string[]
  }): void {
    for (const id of change.remove) {
      checkPatternId(id)
      patterns.set(id, undefined)
    }
    for (const row of change.upsert) {
      checkPattern(row)
      patterns.set(row.id, row)
    }
  }
}

function checkTransaction(row: TransactionRow, block: BlockPosition, chainId: bigint): void {
  const where = { block: String(block.number), transaction: row.transactionHash }
  if (row.chainId !== chainId) {
    throw invalid(`a row of chain ${chainId}`, `chain ${row.chainId}`, where)
  }
  if (row.blockHash !== block.hash || row.blockNumber !== block.number) {
    throw invalid(
      `a row of block ${block.number} ${block.hash}`,
      `${row.blockNumber} ${row.blockHash}`,
      where,
    )
  }
  if (!/^[0-9a-f]{32}$/.test(row.id)) throw invalid('an id of 32 lower case hex digits', row.id, where)
  if (!/^\d{1,78}$/.test(row.value))
    throw invalid('a value in wei as at most 78 decimal digits', row.value, where)
  for (const name of ['transactionIndex', 'gasLimit', 'calldataBytes', 'type'] as const) {
    if (!Number.isSafeInteger(row[name]) || row[name] < 0)
      throw invalid(`${name} as an integer from 0`, String(row[name]), where)
  }
  if (!Number.isFinite(row.confidence)) throw invalid('a finite confidence', String(row.confidence), where)
  checkNumber('timestamp', row.timestamp)
}

/** A finding as it is kept, named by its block and its place among the block's findings. */
function findingMemory(row: FindingRow, index: number, block: BlockPosition, chainId: bigint): MemoryRow {
  const where = { block: String(block.number), finding: String(index) }
  if (!/^[\w-]{1,40}$/.test(row.name))
    throw invalid('a name of at most 40 letters, digits and -', row.name, where)
  if (row.text.length > 2_000) throw invalid('a text of at most 2000 characters', row.text, where)
  const strange = row.subjects.find((subject) => !/^0x[0-9a-f]{1,64}$/.test(subject))
  if (strange !== undefined || row.subjects.length > 32)
    throw invalid('at most 32 subjects of 0x and lower case hex digits', strange ?? 'more', where)
  if (!Number.isSafeInteger(row.risk) || row.risk < 0 || row.risk > 100)
    throw invalid('a risk as an integer from 0 to 100', String(row.risk), where)
  return {
    id: memoryId([chainId, 'finding', block.hash, index, row.name]),
    memoryKind: 'finding',
    name: row.name,
    subjects: row.subjects,
    fromBlock: block.number,
    toBlock: block.number,
    risk: row.risk,
    text: row.text,
  }
}

function checkPattern(row: PatternProfile): void {
  checkPatternId(row.id)
  checkNumber('boundary', row.boundary)
  for (const [name, value] of Object.entries(row)) {
    if (typeof value === 'number' && !Number.isFinite(value)) {
      throw invalid(`a finite ${name}`, String(value), { pattern: row.id })
    }
  }
}

function checkPatternId(id: string): void {
  if (!/^[0-9a-f]{50}$/.test(id)) throw invalid('a pattern id of 50 lower case hex digits', id, {})
}

function checkBlock(block: BlockPosition): void {
  checkNumber('block number', block.number)
  if (!/^0x[0-9a-f]{64}$/.test(block.hash)) {
    throw invalid('a block hash of 0x and 64 lower case hex digits', block.hash, {
      block: String(block.number),
    })
  }
}

function checkNumber(what: string, number: bigint): void {
  if (number < 0n || number >= 2n ** 63n) throw invalid(`a ${what} from 0 to 2^63 - 1`, String(number), {})
}

function invalid(expected: string, came: string, facts: Readonly<Record<string, string>>): VectorStoreError {
  const where = Object.entries(facts)
    .map(([name, value]) => ` ${name} ${value.slice(0, 80)}`)
    .join(',')
  return new VectorStoreError(
    'INVALID_ENTRY',
    `vector entry: expected ${expected}, got '${came.slice(0, 100)}'${where && `, at${where}`}; nothing was written`,
    { facts },
  )
}
