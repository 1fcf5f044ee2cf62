import { createHash } from 'node:crypto'
import { hasFailed } from '../graph/readLinks.ts'
import type { SourceRow } from '../graph/readTransactions.ts'
import { knownSignature } from '../query/knownCalls.ts'
import type { MemoryRow } from './types.ts'

/** Patterns named in an epoch's summary, and patterns that get a memory of their own. */
const NAMED = 5
const REMEMBERED = 8
/** Calls below which a pattern is not worth a memory, unless it failed more than once. */
const FEWEST_CALLS = 3

type Span = { readonly fromBlock: bigint; readonly toBlock: bigint }
type Activity = {
  readonly contract: string
  readonly selector: string
  readonly senders: Set<string>
  calls: number
  failed: number
}

/**
 * What an epoch came to: one memory of the whole, and one for each of its most failing and most called patterns. Counts of the
 * stored transactions only, in integers, so the same everywhere.
 */
export function summariseEpoch(
  rows: readonly SourceRow[],
  chainId: bigint,
  span: Span,
): readonly MemoryRow[] {
  const patterns = new Map<string, Activity>()
  const routes = new Map<string, number>()
  let failures = 0
  let envelopes = 0
  for (const row of rows) {
    routes.set(row.route, (routes.get(row.route) ?? 0) + 1)
    const failed = hasFailed(row.outcome) ? 1 : 0
    failures += failed
    if (row.svm) envelopes += 1
    // Plain transfers and creations have no pattern that others would share.
    if (row.to === '' || row.calldataBytes < 4) continue
    const key = `${row.to} ${row.selector}`
    const known = patterns.get(key)
    const activity = known ?? {
      contract: row.to,
      selector: row.selector,
      senders: new Set(),
      calls: 0,
      failed: 0,
    }
    if (!known) patterns.set(key, activity)
    activity.calls += 1
    activity.failed += failed
    activity.senders.add(row.from)
  }
  const ranked = [...patterns.values()].sort(byWeight)
  const blocks =
    span.fromBlock === span.toBlock
      ? `block ${span.fromBlock}`
      : `blocks ${span.fromBlock} to ${span.toBlock}`
  const parts = [
    `${rows.length} transactions kept of ${blocks}: ${failures} failed, ${envelopes} SVM envelopes`,
    `routes ${sortedCounts(routes)}`,
  ]
  const most = ranked.toSorted(byCalls).slice(0, NAMED)
  if (most.length > 0) parts.push(`most called ${most.map(callText).join(', ')}`)
  const failing = ranked.filter(({ failed }) => failed > 0).slice(0, NAMED)
  if (failing.length > 0) parts.push(`most failing ${failing.map(callText).join(', ')}`)
  const subjects = [...new Set([...failing, ...most].map(({ contract }) => contract))]
  const remembered = ranked
    .filter(({ calls, failed }) => calls >= FEWEST_CALLS || failed > 1)
    .slice(0, REMEMBERED)
  return [
    { ...memory('epoch', subjects, chainId, span, ''), text: parts.join('; ') },
    ...remembered.map((activity) => ({
      ...memory('pattern', [activity.contract, activity.selector], chainId, span, callName(activity)),
      text: `${callText(activity)} by ${activity.senders.size} senders in ${blocks}`,
    })),
  ]
}

/** 32 digits that name a memory by what it is of. */
export function memoryId(parts: readonly (string | bigint | number)[]): string {
  return createHash('sha256').update(parts.join(' ')).digest('hex').slice(0, 32)
}

function memory(
  memoryKind: 'epoch' | 'pattern',
  subjects: readonly string[],
  chainId: bigint,
  { fromBlock, toBlock }: Span,
  key: string,
) {
  const id = memoryId([chainId, memoryKind, fromBlock, toBlock, key])
  return { id, memoryKind, name: memoryKind, subjects, fromBlock, toBlock, risk: 0 }
}

/** Most failures first, then most calls, then by name: one order for one set. */
function byWeight(a: Activity, b: Activity): number {
  return b.failed - a.failed || byCalls(a, b)
}

function byCalls(a: Activity, b: Activity): number {
  return b.calls - a.calls || (callName(a) < callName(b) ? -1 : 1)
}

function callName({ contract, selector }: Activity): string {
  return `${contract} ${selector}`
}

function callText(activity: Activity): string {
  const { contract, selector, calls, failed } = activity
  const known = knownSignature(selector)
  const failures = failed > 0 ? `, ${failed} failed` : ''
  return `${contract} selector ${selector}${known === undefined ? '' : ` ${known}`} ${calls} calls${failures}`
}

function sortedCounts(counts: ReadonlyMap<string, number>): string {
  return [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, count]) => `${name} ${count}`)
    .join(', ')
}
