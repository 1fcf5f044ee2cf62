import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import {
  type EdgeIncrement,
  type EntityIncrement,
  type Increments,
  sumEntities,
} from '../graph/increments.ts'
import type { CountedEdgeKind, EntityKind } from '../graph/types.ts'
import { inTransaction } from './inTransaction.ts'

/**
 * The graph as epochs have counted it: rows of `edges` are what one epoch adds, and sums over epochs tell the whole; rows of `entities` are
 * such sums, up to an epoch. An undone epoch goes with its rows. Made of `transactions`. Calls are synchronous; they throw what SQLite throws.
 */
export type GraphRows = {
  /** Newest block that an epoch up to a block counts, or of all; undefined before the first. */
  reached(upTo?: bigint): bigint | undefined
  /** What the epoch after all others adds, by its last block: all of it or, when it throws, nothing. */
  add(toBlock: bigint, increments: Increments): void
  /** The newest increments from or to an entity, of epochs up to a block. */
  edgesOf(id: string, upTo: bigint, limit: number): readonly EdgeIncrement[]
  /** Entities as counted by epochs up to a block, in no order. */
  entitiesOf(ids: readonly string[], upTo: bigint): readonly EntityIncrement[]
  /** Takes back the epochs that have blocks from one on. */
  cut(lowest: bigint): void
  counts(): { readonly edges: number; readonly entities: number }
}

const edgeColumns = [
  'kind',
  'source',
  'target',
  'token',
  'toBlock',
  'count',
  'failed',
  'value',
  'firstBlock',
  'lastBlock',
  'lastIndex',
] as const
const entityColumns = [
  'id',
  'kind',
  'toBlock',
  'count',
  'failed',
  'firstBlock',
  'lastBlock',
  'lastIndex',
] as const

/**
 * Each edge increment stands with the others of its source, newest first to be read, and once more with those of its target: a contract
 * that everybody calls has a thousand of them, which would be a thousand pages.
 */
export const createGraphTables: readonly string[] = [
  `CREATE TABLE edges("source" TEXT NOT NULL, "lastBlock" INTEGER NOT NULL, "lastIndex" INTEGER NOT NULL, "kind" TEXT NOT NULL,
    "target" TEXT NOT NULL, "token" TEXT NOT NULL, "toBlock" INTEGER NOT NULL, "count" INTEGER NOT NULL, "failed" INTEGER NOT NULL,
    "value" TEXT NOT NULL, "firstBlock" INTEGER NOT NULL,
    PRIMARY KEY("source", "lastBlock", "lastIndex", "kind", "target", "token")) STRICT, WITHOUT ROWID`,
  `CREATE TABLE entities("id" TEXT NOT NULL, "kind" TEXT NOT NULL, "toBlock" INTEGER NOT NULL, "count" INTEGER NOT NULL,
    "failed" INTEGER NOT NULL, "firstBlock" INTEGER NOT NULL, "lastBlock" INTEGER NOT NULL, "lastIndex" INTEGER NOT NULL,
    PRIMARY KEY("id", "toBlock")) STRICT, WITHOUT ROWID`,
  `CREATE INDEX edgesByTarget ON edges("target", "lastBlock", "lastIndex", "kind", "source", "token", "toBlock", "count", "failed",
    "value", "firstBlock")`,
  'CREATE INDEX edgesByEpoch ON edges("toBlock")',
  'CREATE INDEX entitiesByEpoch ON entities("toBlock")',
]

const readColumns = edgeColumns.filter((name) => name !== 'toBlock')

const quoted = (columns: readonly string[]) => columns.map((name) => `"${name}"`).join(', ')
const places = (columns: readonly string[]) => columns.map(() => '?').join(', ')

export function createGraphRows(database: DatabaseSync): GraphRows {
  const prepare = (sql: string) => {
    const statement = database.prepare(sql)
    statement.setReadBigInts(true)
    return statement
  }
  const readReached = prepare('SELECT max("toBlock") AS reached FROM edges WHERE "toBlock" <= ?')
  const newest = 'ORDER BY "lastBlock" DESC, "lastIndex" DESC, "kind", "source", "target", "token" LIMIT ?'
  const selectEdges = `SELECT ${quoted(readColumns)} FROM edges`
  const readFrom = prepare(`${selectEdges} WHERE "source" = ? AND "toBlock" <= ? ${newest}`)
  // What goes from an entity to itself is among those already.
  const readTo = prepare(`${selectEdges} WHERE "target" = ?1 AND "source" <> ?1 AND "toBlock" <= ? ${newest}`)
  // Hundreds of rows: without names they are read in two thirds of the time.
  for (const read of [readFrom, readTo]) read.setReturnArrays(true)
  const readEntity = prepare(
    `SELECT ${quoted(entityColumns)} FROM entities WHERE "id" = ? AND "toBlock" <= ? ORDER BY "toBlock" DESC LIMIT 1`,
  )
  const readCounts = database.prepare('SELECT "edges", "entities" FROM reached')
  const changeCounts = database.prepare(
    'UPDATE reached SET "edges" = "edges" + ?, "entities" = "entities" + ?',
  )

  return {
    reached(upTo = 2n ** 63n - 1n) {
      const reached = readReached.get(upTo)?.reached
      return reached === null ? undefined : (reached as bigint)
    },
    add(toBlock, { edges, entities }) {
      const addEdge = database.prepare(
        `INSERT INTO edges(${quoted(edgeColumns)}) VALUES (${places(edgeColumns)})`,
      )
      const addEntity = database.prepare(
        `INSERT INTO entities(${quoted(entityColumns)}) VALUES (${places(entityColumns)})`,
      )
      inTransaction(database, () => {
        for (const edge of edges) {
          const row = { ...edge, toBlock, value: String(edge.value) }
          addEdge.run(...edgeColumns.map((name) => row[name]))
        }
        const before = entitiesOf(
          entities.map(({ id }) => id),
          toBlock,
        )
        for (const entity of sumEntities([...before, ...entities])) {
          const row = { ...entity, toBlock }
          addEntity.run(...entityColumns.map((name) => row[name]))
        }
        changeCounts.run(edges.length, entities.length)
      })
    },
    cut(lowest) {
      const remove = (table: string) =>
        Number(database.prepare(`DELETE FROM ${table} WHERE "toBlock" >= ?`).run(lowest).changes)
      changeCounts.run(-remove('edges'), -remove('entities'))
    },
    edgesOf(id, upTo, limit) {
      const [from, to] = [readFrom, readTo].map(
        (read) => read.all(id, upTo, limit) as unknown as EdgeValues[],
      )
      const edges = [...from!, ...to!].map(edgeOf)
      // Each is in order, and of most contracts one is empty.
      return from!.length === 0 || to!.length === 0 ? edges : edges.sort(byAge).slice(0, limit)
    },
    entitiesOf,
    counts() {
      const { edges, entities } = readCounts.get()!
      return { edges: Number(edges), entities: Number(entities) }
    },
  }

  function entitiesOf(ids: readonly string[], upTo: bigint): readonly EntityIncrement[] {
    const found = [...new Set(ids)].map((id) => readEntity.get(id, upTo))
    return found.filter((row) => row !== undefined).map(entityOf)
  }
}

function byAge(a: EdgeIncrement, b: EdgeIncrement): number {
  if (a.lastBlock !== b.lastBlock) return a.lastBlock > b.lastBlock ? -1 : 1
  return b.lastIndex - a.lastIndex
}

type Row = Record<string, SQLOutputValue>

/** In the order of `readColumns`. */
type EdgeValues = [CountedEdgeKind, string, string, string, bigint, bigint, string, bigint, bigint, bigint]

function edgeOf(values: EdgeValues): EdgeIncrement {
  const [kind, source, target, token, count, failed, value, firstBlock, lastBlock, lastIndex] = values
  return {
    ...{ kind, source, target, token, firstBlock, lastBlock, value: BigInt(value) },
    ...{ count: Number(count), failed: Number(failed), lastIndex: Number(lastIndex) },
  }
}

function entityOf(row: Row): EntityIncrement {
  return {
    id: String(row.id),
    kind: row.kind as EntityKind,
    count: Number(row.count),
    failed: Number(row.failed),
    firstBlock: row.firstBlock as bigint,
    lastBlock: row.lastBlock as bigint,
    lastIndex: Number(row.lastIndex),
  }
}
