import type { Findings } from './findings/createFindings.ts'
import { findingRow } from './findings/findingRow.ts'
import type { Finding } from './findings/types.ts'
import type { Metrics } from './metrics.ts'
import type { Block, BlockRef } from './notification/types.ts'
import type { OutboxPump } from './outbox/outboxPump.ts'
import { encodePayload } from './outbox/payload.ts'
import { chooseRows, transactionRow } from './outbox/transactionRows.ts'
import type { Stages } from './pipeline.ts'
import { encodeResults } from './results.ts'
import { patternId } from './router/patternKey.ts'
import { decodeProjectedRow } from './router/projectedRow.ts'
import { openDecisions } from './router/readDecisions.ts'
import type { BlockDecisions, EnvelopeFacts, PatternRow, Router } from './router/types.ts'
import { envelopeFacts } from './svm/envelopeFacts.ts'
import { readEnvelopes } from './svm/readEnvelopes.ts'
import type { SvmExecutor, SvmOutcome } from './svm/types.ts'
import type { BlockEffects, ChainTotals, Effects, UndoneBlock } from './watermark/types.ts'

export type StageParts = {
  readonly router: Router
  readonly svm: SvmExecutor
  /** Undefined: switched off. */
  readonly findings: Findings | undefined
  readonly store: {
    /** Pre-images of the blocks, newest first. */
    undoneBlocks(refs: readonly BlockRef[]): readonly UndoneBlock[]
    /** Running totals up to and including a block of the staged chain; zeros before the first. */
    totalsAt(block: BlockRef): ChainTotals
  }
  readonly pump: Pick<OutboxPump, 'room'>
  readonly metrics: Metrics
}

export type StageOptions = {
  readonly chainId: bigint
  /** The address envelopes are sent to. */
  readonly svmRouter: `0x${string}`
  /** Rows of the vector store's `transactions` a block, beside its envelopes. */
  readonly rowsPerBlock: number
  /** Blocks between boundaries of the context. */
  readonly contextEpoch: number
}

/** What the stages did so far in this process, for `/status`. */
export type Tally = {
  reorgs: number
  blocksReverted: number
  cacheHits: number
  cacheMisses: number
}

const noOutcome = new Map<number, string>()
const nothingNoticed: ReturnType<Findings['apply']> = { findings: [], writes: [] }

/** The four stages as the pipeline calls them: decide, run, settle, and one bundle of effects a block. */
export function createStages(parts: StageParts, options: StageOptions): { stages: Stages; tally: Tally } {
  const { router, svm, findings, store, pump, metrics } = parts
  const tally: Tally = { reorgs: 0, blocksReverted: 0, cacheHits: 0, cacheMisses: 0 }

  const stages: Stages = {
    undo(refs, tip) {
      const undone = store.undoneBlocks(refs)
      svm.undo(undone, tip)
      router.undo(undone, tip)
      findings?.undo(undone)
      tally.reorgs++
      tally.blocksReverted += refs.length
      metrics.reorgs.inc()
      metrics.reverted.inc(refs.length)
      metrics.reorgDepth.observe(refs.length)
      return [undoEntry(refs, undone, tip, options.contextEpoch)]
    },
    ready(block) {
      const room = pump.room()
      if (room) metrics.waits.inc({ reason: 'outbox' })
      const context = router.prepare(block)
      if (context) metrics.waits.inc({ reason: 'context' })
      return room && context ? Promise.all([room, context]) : (room ?? context)
    },
    async apply(block) {
      const envelopes = readEnvelopes(block, { router: options.svmRouter })
      const facts = new Map<number, EnvelopeFacts>()
      for (const [index, envelope] of envelopes) facts.set(index, envelopeFacts(envelope))
      const decisions = router.decide(block, facts)
      const outcome = await svm.execute(block, envelopes, decisions.admitted)
      const settled = router.settle(block, outcome.results)

      tally.cacheHits += decisions.cacheHits
      tally.cacheMisses += decisions.cacheMisses
      count(metrics, block, decisions, outcome)

      const outbox = transactionEntries(options, router.modelVersion, block, facts, decisions, outcome)
      if (settled.patterns) outbox.push(patternsEntry(block, settled.patterns, settled.removed ?? []))
      // Last, and of what has happened: nothing of it enters a decision.
      const noticed = findings?.apply(block) ?? nothingNoticed
      if (noticed.findings.length > 0) outbox.push(findingsEntry(block, noticed.findings))
      for (const { kind } of noticed.findings) metrics.findings.inc({ kind })
      return {
        block: block.ref,
        parent: block.parent,
        timestamp: block.timestamp,
        writes: [...outcome.writes, ...settled.writes, ...noticed.writes],
        signatures: outcome.signatures,
        decisions: decisions.blob,
        // Kept until the commit, longer than the frame it came in should be held.
        transactionHashes: new Uint8Array(block.transactions.hashes),
        results: encodeResults(outcome.results),
        latticeHash: outcome.latticeHash,
        totals: addTotals(store.totalsAt(block.parent), block, decisions, outcome),
        outbox,
      } satisfies BlockEffects
    },
  }
  return { stages, tally }
}

function addTotals(
  totals: ChainTotals,
  block: Block,
  { counts }: BlockDecisions,
  outcome: SvmOutcome,
): ChainTotals {
  const of = (status: string) =>
    outcome.results.reduce((n, result) => n + (result.status === status ? 1 : 0), 0)
  return {
    blocks: totals.blocks + 1,
    transactions: totals.transactions + block.transactions.count,
    executeOnSvm: totals.executeOnSvm + counts.executeOnSvm,
    executeOnEvm: totals.executeOnEvm + counts.executeOnEvm,
    skip: totals.skip + counts.skip,
    executed: totals.executed + of('executed'),
    failed: totals.failed + of('failed'),
    rejected: totals.rejected + of('rejected'),
    deposits: totals.deposits + of('deposited'),
    accounts: outcome.accounts,
  }
}

function count(metrics: Metrics, block: Block, decisions: BlockDecisions, outcome: SvmOutcome): void {
  metrics.blocks.inc()
  metrics.transactions.inc(block.transactions.count)
  for (const [route, n] of Object.entries(decisions.counts)) if (n > 0) metrics.routes.inc({ route }, n)
  for (const { status } of outcome.results) metrics.svm.inc({ outcome: status })
  if (decisions.cacheHits > 0) metrics.cache.inc({ result: 'hit' }, decisions.cacheHits)
  if (decisions.cacheMisses > 0) metrics.cache.inc({ result: 'miss' }, decisions.cacheMisses)
}

function transactionEntries(
  { chainId, rowsPerBlock }: StageOptions,
  modelVersion: string,
  block: Block,
  envelopes: ReadonlyMap<number, EnvelopeFacts>,
  decisions: BlockDecisions,
  outcome: SvmOutcome,
): BlockEffects['outbox'][number][] {
  const chosen = chooseRows(block, (index) => envelopes.has(index), rowsPerBlock)
  if (chosen.length === 0) return []
  const outcomes = outcome.results.length === 0 ? noOutcome : outcomeByTransaction(outcome)
  const opened = openDecisions(decisions.blob)
  const rows = chosen.map((index) => {
    const decision = opened.at(index)
    const verdict = {
      route: decision.route,
      confidence: decision.confidence,
      reason: decision.reason,
      svm: envelopes.has(index),
      outcome: outcomes.get(index),
    }
    return transactionRow(chainId, block, index, verdict, modelVersion)
  })
  const payload = encodePayload({ kind: 'transactions', block: block.ref, rows })
  return [{ block: block.ref, kind: 'transactions', payload, rows: rows.length }]
}

/** One word a transaction: a batch counts as executed when any of it was. */
function outcomeByTransaction(outcome: SvmOutcome): ReadonlyMap<number, string> {
  const rank = ['rejected', 'failed', 'executed', 'deposited']
  const outcomes = new Map<number, string>()
  for (const { transactionIndex, status } of outcome.results) {
    const before = outcomes.get(transactionIndex)
    if (before === undefined || rank.indexOf(status) > rank.indexOf(before))
      outcomes.set(transactionIndex, status)
  }
  return outcomes
}

function patternsEntry(
  block: Block,
  upsert: readonly PatternRow[],
  remove: readonly string[],
): BlockEffects['outbox'][number] {
  const payload = encodePayload({ kind: 'patterns', boundary: block.ref.number, upsert, remove })
  return { block: block.ref, kind: 'patterns', payload, rows: Math.max(1, upsert.length + remove.length) }
}

/** What was noticed is remembered too, as context: later questions find it. */
function findingsEntry(block: Block, findings: readonly Finding[]): BlockEffects['outbox'][number] {
  const payload = encodePayload({ kind: 'findings', block: block.ref, rows: findings.map(findingRow) })
  return { block: block.ref, kind: 'findings', payload, rows: findings.length }
}

/**
 * What undone blocks mean for the vector store: their transactions go, and every pattern row they projected falls back
 * to what the oldest of them found.
 */
function undoEntry(
  refs: readonly BlockRef[],
  undone: readonly UndoneBlock[],
  tip: BlockRef,
  contextEpoch: number,
): Effects['undoOutbox'][number] {
  const restored = new Map<string, PatternRow | undefined>()
  for (const { writes } of undone) {
    for (const { table, key, before } of writes) {
      if (table !== 'projected') continue
      restored.set(patternId(key), before && decodeProjectedRow(key, before))
    }
  }
  const upsert: PatternRow[] = []
  const remove: string[] = []
  for (const [id, row] of restored) {
    if (row) upsert.push(row)
    else remove.push(id)
  }
  const epoch = BigInt(contextEpoch)
  const patterns =
    restored.size > 0 ? { patterns: { boundary: (tip.number / epoch) * epoch, upsert, remove } } : {}
  const payload = encodePayload({ kind: 'undo', blocks: refs, ...patterns })
  return { block: refs[0]!, kind: 'undo', payload, rows: Math.max(1, restored.size) }
}
