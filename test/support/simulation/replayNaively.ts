import { createHash } from 'node:crypto'
import type { Logger } from 'pino'
import type { Config } from '#config'
import type { PatternProfile, TransactionRow } from '#vector'
import { createFindings } from '../../../sidecar/findings/createFindings.ts'
import { type StateTable, stateTables } from '../../../sidecar/notification/stateWrite.ts'
import type { Block } from '../../../sidecar/notification/types.ts'
import { routerOptions } from '../../../sidecar/openStages.ts'
import { chooseRows, transactionRow } from '../../../sidecar/outbox/transactionRows.ts'
import { createRouter } from '../../../sidecar/router/createRouter.ts'
import { openDecisions } from '../../../sidecar/router/readDecisions.ts'
import { envelopeFacts } from '../../../sidecar/svm/envelopeFacts.ts'
import { createLiteSvmExecutor } from '../../../sidecar/svm/liteSvmExecutor.ts'
import { readEnvelopes } from '../../../sidecar/svm/readEnvelopes.ts'
import type { SvmResult } from '../../../sidecar/svm/types.ts'
import type { ChainTotals } from '../../../sidecar/watermark/types.ts'
import type { VectorRows } from './createMemoryRows.ts'
import { toKey } from './createTraffic.ts'

/** What the state must be after a chain, by a run that saw nothing else. Keys are hex. */
export type NaiveState = VectorRows & {
  readonly tables: Readonly<Record<StateTable, ReadonlyMap<string, Uint8Array>>>
  /** Per canonical block, genesis left out. */
  readonly decisions: readonly Uint8Array[]
  readonly results: readonly (readonly SvmResult[])[]
  readonly decisionsHash: Uint8Array
  readonly latticeHash: Uint8Array
  readonly totals: ChainTotals
  /** Block number by signature. */
  readonly signatures: ReadonlyMap<string, bigint>
}

/**
 * Replays a chain from nothing, block after block: no undo, no groups, no files, no outbox, no restart. The stages'
 * own functions decide and run; everything around them is written again here, as plainly as it can be.
 */
export async function replayNaively(
  {
    config,
    chainId,
    blocks,
  }: { readonly config: Config; readonly chainId: bigint; readonly blocks: readonly Block[] },
  { logger }: { readonly logger: Logger },
): Promise<NaiveState> {
  const tables = Object.fromEntries(
    stateTables.map((table) => [table, new Map<string, Uint8Array>()]),
  ) as Record<StateTable, Map<string, Uint8Array>>
  const transactions = new Map<string, TransactionRow>()
  const patterns = new Map<string, PatternProfile>()
  const signatures = new Map<string, bigint>()
  const decisions: Uint8Array[] = []
  const results: (readonly SvmResult[])[] = []
  const totals = {
    ...{ blocks: 0, transactions: 0, executeOnSvm: 0, executeOnEvm: 0, skip: 0 },
    ...{ executed: 0, failed: 0, rejected: 0, deposits: 0, accounts: 0 },
  }
  let decisionsHash: Uint8Array = new Uint8Array(32)
  let latticeHash: Uint8Array = new Uint8Array(32)

  const router = createRouter(
    routerOptions(config),
    {
      context: { patternsAt: async () => [...patterns.values()].sort((a, b) => (a.id < b.id ? -1 : 1)) },
      logger,
      signal: new AbortController().signal,
    },
    { rows: () => [], tip: undefined },
  )
  const svm = await createLiteSvmExecutor(
    { programs: config.svm.programs, undoDepth: config.state.undoDepth, worker: false },
    { logger },
  )
  const findings = config.findings.enabled ? createFindings(config.findings, { rows: () => [] }) : undefined
  for (const block of blocks) {
    await router.prepare(block)
    const envelopes = readEnvelopes(block, { router: config.svm.router })
    const facts = new Map([...envelopes].map(([index, envelope]) => [index, envelopeFacts(envelope)]))
    const decided = router.decide(block, facts)
    const outcome = await svm.execute(block, envelopes, decided.admitted)
    const settled = router.settle(block, outcome.results)

    const noticed = findings?.apply(block).writes ?? []
    for (const { table, key, after } of [...outcome.writes, ...settled.writes, ...noticed]) {
      if (after === undefined) tables[table].delete(toKey(key))
      else tables[table].set(toKey(key), Uint8Array.from(after))
    }
    for (const signature of outcome.signatures) {
      if (signatures.has(toKey(signature)))
        throw new Error(`signature ${toKey(signature)} ran twice on one chain`)
      signatures.set(toKey(signature), block.ref.number)
    }
    decisions.push(decided.blob)
    results.push(outcome.results)
    decisionsHash = sha256(decisionsHash, Buffer.from(block.ref.hash.slice(2), 'hex'), sha256(decided.blob))
    latticeHash = outcome.latticeHash
    totals.blocks++
    totals.transactions += block.transactions.count
    totals.executeOnSvm += decided.counts.executeOnSvm
    totals.executeOnEvm += decided.counts.executeOnEvm
    totals.skip += decided.counts.skip
    totals.accounts = tables.account.size
    for (const { status } of outcome.results) totals[status === 'deposited' ? 'deposits' : status]++

    const opened = openDecisions(decided.blob)
    for (const index of chooseRows(block, (i) => envelopes.has(i), config.vector.rowsPerBlock)) {
      const verdict = {
        ...opened.at(index),
        svm: envelopes.has(index),
        outcome: bestOf(outcome.results, index),
      }
      const row = transactionRow(chainId, block, index, verdict, router.modelVersion)
      transactions.set(row.id, row)
    }
    for (const id of settled.removed ?? []) patterns.delete(id)
    for (const row of settled.patterns ?? []) patterns.set(row.id, row)
  }
  svm.close()
  return {
    tables,
    transactions,
    patterns,
    signatures,
    decisions,
    results,
    decisionsHash,
    latticeHash,
    totals,
  }
}

function bestOf(results: readonly SvmResult[], index: number): string | undefined {
  const found = new Set(
    results.filter((result) => result.transactionIndex === index).map(({ status }) => status),
  )
  return (['deposited', 'executed', 'failed', 'rejected'] as const).find((status) => found.has(status))
}

function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}
