import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import type { EdgeIncrement, EntityIncrement } from '../graph/increments.ts'
import type { CountedEdgeKind, EntityKind } from '../graph/types.ts'
import { inTransaction } from './inTransaction.ts'

/** The blocks an increment is of. */
export type EpochSpan = { readonly fromBlock: bigint; readonly toBlock: bigint }

/**
 * The graph as epochs have counted it: rows of `edges` and `entities` are what one epoch adds, sums over epochs tell the whole, and an
 * undone epoch goes with its rows. Made of `transactions`. Calls are synchronous; they throw what SQLite throws.
 */
export type GraphRows = {
  /** Newest block that an epoch up to a block counts, or of all; undefined before the first. */
  reached(upTo?: bigint): bigint | undefined
  /** What epochs add: all of it or, when it throws, nothing. */
  add(edges: Iterable<EdgeIncrement & EpochSpan>, entities: Iterable<EntityIncrement & EpochSpan>): void
  /** The newest increments from or to an entity, of epochs up to a block. */
  edgesOf(id: string, upTo: bigint, limit: number): readonly EdgeIncrement[]
  entitiesOf(ids: readonly string[], upTo: bigint): readonly EntityIncrement[]
  counts(): { readonly edges: number; readonly entities: number }
}

const edgeColumns = [
  'kind',
  'source',
  'target',
  'token',
  'fromBlock',
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
  'fromBlock',
  'toBlock',
  'count',
  'failed',
  'firstBlock',
  'lastBlock',
  'lastIndex',
] as const

export const createGraphTables: readonly string[] = [
  `CREATE TABLE edges("kind" TEXT NOT NULL, "source" TEXT NOT NULL, "target" TEXT NOT NULL, "token" TEXT NOT NULL,
    "fromBlock" INTEGER NOT NULL, "toBlock" INTEGER NOT NULL, "count" INTEGER NOT NULL, "failed" INTEGER NOT NULL,
    "value" TEXT NOT NULL, "firstBlock" INTEGER NOT NULL, "lastBlock" INTEGER NOT NULL, "lastIndex" INTEGER NOT NULL) STRICT`,
  `CREATE TABLE entities("id" TEXT NOT NULL, "kind" TEXT NOT NULL, "fromBlock" INTEGER NOT NULL, "toBlock" INTEGER NOT NULL,
    "count" INTEGER NOT NULL, "failed" INTEGER NOT NULL, "firstBlock" INTEGER NOT NULL, "lastBlock" INTEGER NOT NULL,
    "lastIndex" INTEGER NOT NULL) STRICT`,
  'CREATE INDEX edgesBySource ON edges("source", "lastBlock", "lastIndex")',
  'CREATE INDEX edgesByTarget ON edges("target", "lastBlock", "lastIndex")',
  'CREATE INDEX edgesByEpoch ON edges("toBlock")',
  'CREATE INDEX entitiesById ON entities("id")',
  'CREATE INDEX entitiesByEpoch ON entities("toBlock")',
]

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
  const selectEdges = `SELECT ${quoted(edgeColumns)} FROM edges`
  const readFrom = prepare(`${selectEdges} WHERE "source" = ? AND "toBlock" <= ? ${newest}`)
  // What goes from an entity to itself is among those already.
  const readTo = prepare(`${selectEdges} WHERE "target" = ?1 AND "source" <> ?1 AND "toBlock" <= ? ${newest}`)
  const readEntities = prepare(
    `SELECT ${quoted(entityColumns)} FROM entities WHERE "id" IN (SELECT value FROM json_each(?)) AND "toBlock" <= ?`,
  )
  // Rows go at the end alone, where the next ones take their numbers: the last number is how many there are.
  const countAll = database.prepare(
    'SELECT (SELECT max(rowid) FROM edges) AS edges, (SELECT max(rowid) FROM entities) AS entities',
  )

  return {
    reached(upTo = 2n ** 63n - 1n) {
      const reached = readReached.get(upTo)?.reached
      return reached === null ? undefined : (reached as bigint)
    },
    add(edges, entities) {
      const addEdge = database.prepare(
        `INSERT INTO edges(${quoted(edgeColumns)}) VALUES (${places(edgeColumns)})`,
      )
      const addEntity = database.prepare(
        `INSERT INTO entities(${quoted(entityColumns)}) VALUES (${places(entityColumns)})`,
      )
      inTransaction(database, () => {
        for (const { value, ...edge } of edges) {
          const row = { ...edge, value: String(value) }
          addEdge.run(...edgeColumns.map((name) => row[name]))
        }
        for (const entity of entities) addEntity.run(...entityColumns.map((name) => entity[name]))
      })
    },
    edgesOf(id, upTo, limit) {
      const found = [...readFrom.all(id, upTo, limit), ...readTo.all(id, upTo, limit)].map(edgeOf)
      return found.sort(byAge).slice(0, limit)
    },
    entitiesOf(ids, upTo) {
      if (ids.length === 0) return []
      return readEntities.all(JSON.stringify(ids), upTo).map(entityOf)
    },
    counts() {
      const { edges, entities } = countAll.get()!
      return { edges: Number(edges), entities: Number(entities) }
    },
  }
}

function byAge(a: EdgeIncrement, b: EdgeIncrement): number {
  if (a.lastBlock !== b.lastBlock) return a.lastBlock > b.lastBlock ? -1 : 1
  return b.lastIndex - a.lastIndex
}

type Row = Record<string, SQLOutputValue>

function edgeOf(row: Row): EdgeIncrement {
  return {
    kind: row.kind as CountedEdgeKind,
    source: String(row.source),
    target: String(row.target),
    token: String(row.token),
    value: BigInt(row.value as string),
    ...countsOf(row),
  }
}

function entityOf(row: Row): EntityIncrement {
  return { id: String(row.id), kind: row.kind as EntityKind, ...countsOf(row) }
}

function countsOf(row: Row) {
  return {
    count: Number(row.count),
    failed: Number(row.failed),
    firstBlock: row.firstBlock as bigint,
    lastBlock: row.lastBlock as bigint,
    lastIndex: Number(row.lastIndex),
  }
}
