import pino from 'pino'
import type { ContextItem, TransactionRow } from '#vector'
import { createTail } from '../../../vector/graph/createTail.ts'
import { createHeldRows } from '../../../vector/held/heldRows.ts'
import { createPatternVectors } from '../../../vector/held/patternVectors.ts'
import { arrange } from '../../../vector/query/arrange.ts'
import type { RankedList } from '../../../vector/query/found.ts'
import type { RankContext, Ranked } from '../../../vector/query/rank.ts'
import type { Rewriting } from '../../../vector/query/readQuestion.ts'
import { describeFound, gather, type SearchSources } from '../../../vector/query/searchStore.ts'
import { readLate } from '../../../vector/query/structuredLegs.ts'
import { openRows } from '../../../vector/rows/openRows.ts'
import { createRowPlaces } from '../../../vector/rows/rowPlaces.ts'
import { settingsOf } from '../../../vector/settings.ts'
import { createConsolidation } from '../../../vector/store/consolidation.ts'
import { executePlan } from '../../../vector/store/executePlan.ts'
import { openParts } from '../../../vector/store/openParts.ts'
import { openTables } from '../../../vector/store/openTables.ts'
import { planWrites } from '../../../vector/store/planWrites.ts'
import { readProgress } from '../../../vector/store/progress.ts'
import type { JudgedQuestion } from '../../fixtures/retrieval/judgements.ts'
import { recordedDocuments, recordedEntries, recordedRows } from '../../fixtures/retrieval/load.ts'
import type { Corpus } from './judge.ts'

/** The recorded chain and documents in tables, and ways to look at them that people have not: one leg alone. */
export async function openJudged(directory: string) {
  const settings = settingsOf({
    directory,
    chainId: 1n,
    indexCacheBytes: 2 ** 24,
    metadataCacheBytes: 2 ** 24,
    optimizeEvery: 1000,
  })
  const logger = pino({ level: 'silent' })
  const { connection, tables } = await openTables(settings)
  const plan = planWrites(recordedEntries(), 1n)
  const before = await readProgress(tables.progress)
  const rows = await openRows(settings, tables, before, { logger })
  const parts = await openParts(settings, connection, { rows }, { logger })
  const held = {
    transactions: createHeldRows(rows, { hasIndex: false, most: 1_000_000 }),
    patterns: createPatternVectors(rows),
  }
  await executePlan(
    {
      tables,
      places: createRowPlaces(tables.transactions),
      writer: { apply: async (change) => rows.apply(change) },
      held,
    },
    plan,
    before,
    { ...settings, mayHoldLater: false },
    () => undefined,
  )
  const progress = await readProgress(tables.progress)
  const consolidation = createConsolidation(rows, { ...settings, batchRows: settings.consolidationRows })
  while (consolidation.takeIn(progress.asOf!.number).hasMore);
  const { signal } = new AbortController()
  const adding = {
    exclusive: <T>(work: () => Promise<T>) => work(),
    asOf: () => progress.asOf?.number,
    signal,
  }
  for (const document of recordedDocuments()) await parts.documents.add(document, adding)
  const sources: SearchSources = {
    tables,
    rows,
    held,
    documents: parts.documents,
    graph: { tail: createTail(rows, true), rows: rows.graph },
    embed: async (text) => (await parts.embedder.embed([text]))[0]!,
    problems: [],
  }
  const names = parts.documents.names()
  const describe = (row: Parameters<typeof describeFound>[0]): ContextItem =>
    describeFound(row, { finalized: progress.finalized, names })
  // Ways that differ in their order only look once.
  const gathered = new Map<string, ReturnType<typeof gather>>()
  return {
    async ask(
      { query, filter }: Pick<JudgedQuestion, 'query' | 'filter'>,
      {
        order = arrange,
        limit = 10,
        rewritings,
      }: {
        order?: (lists: readonly RankedList[], context: RankContext) => readonly Ranked[]
        limit?: number
        rewritings?: readonly Rewriting[]
      } = {},
    ): Promise<readonly ContextItem[]> {
      const request = { query, filter, limit, tokens: 1_000_000 }
      const key = JSON.stringify([request, rewritings])
      const found = gathered.get(key) ?? gather(sources, request, progress, rewritings)
      gathered.set(key, found)
      const { lists, meant } = await found
      const context = { meant, newest: progress.asOf?.number, finalized: progress.finalized }
      return readLate(rows, order(lists, context).slice(0, limit)).map(describe)
    },
    progress,
    async corpus(): Promise<Corpus> {
      const items: ContextItem[] = []
      for (const query of ['kind:pattern', 'kind:document', 'kind:memory'])
        items.push(...(await this.ask({ query }, { limit: 1000 })))
      // More than one answer takes.
      for (const filter of ['block <= 18090208', 'block > 18090208'])
        items.push(...(await this.ask({ query: 'kind:transaction', filter }, { limit: 1000 })))
      const rows = new Map<string, TransactionRow>(recordedRows().map((row) => [row.transactionHash, row]))
      const addresses = new Set([...rows.values()].flatMap(({ from, to }) => [from, to]))
      for (const id of addresses)
        if (id !== '') items.push({ kind: 'entity', id, facts: {}, text: '' } as unknown as ContextItem)
      return { items, rows }
    },
    async [Symbol.asyncDispose]() {
      rows.close()
      for (const table of Object.values(tables)) table.close()
      parts.documents.close()
      connection.close()
    },
  }
}
