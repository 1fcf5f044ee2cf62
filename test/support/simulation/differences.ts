import { isDeepStrictEqual } from 'node:util'
import { stateTables } from '../../../sidecar/notification/stateWrite.ts'
import type { BlockRef } from '../../../sidecar/notification/types.ts'
import { encodeResults } from '../../../sidecar/results.ts'
import type { Store } from '../../../sidecar/watermark/store.ts'
import type { VectorContents, VectorRows } from './createMemoryRows.ts'
import type { SimulatedChain } from './createSimulatedChain.ts'
import { toKey } from './createTraffic.ts'
import type { FinalityBounds } from './finalityBounds.ts'
import { latticeOfAccounts } from './latticeOfAccounts.ts'
import { plainLedger } from './plainLedger.ts'
import type { NaiveState } from './replayNaively.ts'

/** Differences told at most: the first ones say most. */
const MOST = 12
const WINDOW = 150n

/**
 * Everything in which a store that is at rest differs from the naive state of the node's chain; empty when nothing does.
 * Decisions of blocks above `prunedTo` are kept.
 */
export async function storeDifferences(
  store: Store,
  node: SimulatedChain,
  naive: NaiveState,
  { prunedTo, finality }: { readonly prunedTo: bigint; readonly finality: FinalityBounds },
): Promise<string[]> {
  const found: string[] = []
  const same = (what: string, actual: unknown, expected: unknown) => {
    if (!isDeepStrictEqual(actual, expected))
      found.push(`${what}: ${show(actual)}, expected ${show(expected)}`)
  }
  const { blocks } = node
  const progress = store.progress()
  same('durable', progress.durable, blocks.at(-1)?.ref)
  const { finalized } = progress
  found.push(...finalityDifferences(finalized, node, finality))
  same('totals', progress.totals, naive.totals)
  same('decisionsHash', toKey(progress.decisionsHash), toKey(naive.decisionsHash))
  same('latticeHash', toKey(progress.latticeHash), toKey(naive.latticeHash))
  // Genesis is not ours to acknowledge.
  const height = lower(progress.durable, finalized)
  same('finishedHeight', store.finishedHeight(), height?.number === 0n ? undefined : height)

  for (const table of stateTables) {
    const rows = new Map<string, Uint8Array>()
    for (const { key, value } of store.rows(table)) rows.set(toKey(key), value)
    found.push(...mapDifferences(`table ${table}`, rows, naive.tables[table]))
    if (table !== 'account' || blocks.length === 0) continue
    same('lattice of all accounts', toKey(await latticeOfAccounts(rows)), toKey(progress.latticeHash))
    const ledger = plainLedger(node.genesis, blocks, node.intentsOf, naive.results)
    found.push(...ledger.surprises)
    for (const [key, lamports] of ledger.lamports) {
      const value = rows.get(key)
      const stored = value === undefined ? 0n : Buffer.from(value).readBigUInt64LE(0)
      same(`lamports of ${key}`, stored, lamports)
    }
  }

  for (const [place, { ref, transactions }] of blocks.entries()) {
    const stored = store.decisionsOf(ref)
    if (stored === undefined) {
      if (ref.number > prunedTo) found.push(`decisions of block ${ref.number}: none`)
      continue
    }
    same(`block ${ref.number} is canonical`, stored.canonical, true)
    same(`decisions of block ${ref.number}`, toKey(stored.decisions), toKey(naive.decisions[place]!))
    same(`results of block ${ref.number}`, toKey(stored.results), toKey(encodeResults(naive.results[place]!)))
    if (place % 7 !== 0 || transactions.count === 0) continue
    const places = store
      .findTransaction(transactions.hashes.subarray(0, 32))
      .filter(({ canonical }) => canonical)
    same(`place of the first transaction of block ${ref.number}`, places, [
      { block: ref, index: 0, canonical: true },
    ])
  }
  same(
    'recent blocks',
    store.recentBlocks(20),
    blocks.slice(-20).map(({ ref }) => ref),
  )

  const oldest = node.head.number - WINDOW
  const ran = new Map<string, bigint>()
  for (const { signature, block } of store.signatures()) if (block > oldest) ran.set(toKey(signature), block)
  found.push(
    ...mapDifferences(
      'signatures',
      ran,
      new Map([...naive.signatures].filter(([, block]) => block > oldest)),
    ),
  )
  return found.slice(0, MOST)
}

/**
 * What in a vector store is not what it should be.
 * @param finalized of the state the store goes with: its rows are as final as that
 */
export function vectorDifferences(
  contents: VectorContents,
  expected: VectorRows,
  finalized: BlockRef | undefined,
): string[] {
  return [
    ...(contents.finalized === finalized?.number
      ? []
      : [`vector finalized: ${contents.finalized}, expected ${finalized?.number}`]),
    ...mapDifferences('vector transactions', contents.transactions, expected.transactions),
    ...mapDifferences('vector patterns', contents.patterns, expected.patterns),
  ]
}

function finalityDifferences(
  finalized: BlockRef | undefined,
  node: SimulatedChain,
  { atLeast, atMost }: FinalityBounds,
): string[] {
  const isWithin =
    finalized === undefined
      ? atLeast === undefined
      : finalized.number >= (atLeast ?? 0n) && atMost !== undefined && finalized.number <= atMost
  if (!isWithin) return [`finalized: ${show(finalized)}, expected from ${atLeast} to ${atMost}`]
  if (finalized === undefined || node.isCanonical(finalized)) return []
  return [`finalized: ${show(finalized)} is not canonical`]
}

function mapDifferences(
  what: string,
  actual: ReadonlyMap<string, unknown>,
  expected: ReadonlyMap<string, unknown>,
): string[] {
  const found: string[] = []
  for (const [key, value] of expected) {
    const came = actual.get(key)
    if (came === undefined) found.push(`${what} ${key}: missing`)
    else if (!isSame(came, value)) found.push(`${what} ${key}: ${show(came)}, expected ${show(value)}`)
  }
  for (const key of actual.keys()) if (!expected.has(key)) found.push(`${what} ${key}: should not be there`)
  return found.slice(0, MOST)
}

function isSame(a: unknown, b: unknown): boolean {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0
  return isDeepStrictEqual(a, b)
}

function lower<T extends { readonly number: bigint }>(a: T | undefined, b: T | undefined): T | undefined {
  if (a === undefined || b === undefined) return undefined
  return a.number < b.number ? a : b
}

function show(value: unknown): string {
  if (value instanceof Uint8Array) return `${value.length} bytes ${toKey(value).slice(0, 96)}`
  const text =
    JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? `${part}` : part)) ?? 'nothing'
  return text.length > 400 ? `${text.slice(0, 400)}…` : text
}
