import { join } from 'node:path'
import { connect } from '@lancedb/lancedb'
import pino from 'pino'
import { stateTables } from '../../../sidecar/notification/stateWrite.ts'
import { readDecisions } from '../../../sidecar/router/readDecisions.ts'
import { readIdentity } from '../../../sidecar/watermark/openDatabase.ts'
import { openStore } from '../../../sidecar/watermark/openStore.ts'
import { indexRows } from '../../unit/vector/support.ts'

/** All that a data directory at rest holds of the chain, by part: lines that are the same where the state is. */
export type Replica = ReadonlyMap<string, readonly string[]>

const logger = pino({ level: 'silent' })

/** Reads the state and every table of the vector store. The parts `state …` and `vector …` are named for their tables. */
export async function readReplica(dataDir: string): Promise<Replica> {
  return new Map([...readState(dataDir), ...(await readVectorTables(join(dataDir, 'vector')))])
}

/** What differs between two, a few lines of each part; empty where nothing does. */
export function replicaDifferences(a: Replica, b: Replica): string[] {
  return [...new Set([...a.keys(), ...b.keys()])].flatMap((part) => {
    const [left, right] = [a.get(part) ?? [], b.get(part) ?? []]
    const only = (these: readonly string[], those: readonly string[], name: string) => {
      // Each line answers for one: a row that is there twice is no row that is there once.
      const others = new Map<string, number>()
      for (const line of those) others.set(line, (others.get(line) ?? 0) + 1)
      return these
        .filter((line) => {
          const left = others.get(line) ?? 0
          others.set(line, left - 1)
          return left <= 0
        })
        .map((line) => `${part}, only ${name}: ${line}`)
    }
    const found = [...only(left, right, 'the first'), ...only(right, left, 'the second')]
    if (left.length !== right.length) found.unshift(`${part}: ${left.length} and ${right.length} lines`)
    return found.slice(0, 4).map((line) => (line.length > 600 ? `${line.slice(0, 600)}…` : line))
  })
}

function readState(dataDir: string): Map<string, readonly string[]> {
  const parts = new Map<string, readonly string[]>()
  const options = { directory: dataDir, identity: readIdentity(dataDir, { logger })!, readOnly: true }
  const store = openStore({ ...options, undoDepth: 64, retainDecisions: 0 }, { logger })
  try {
    const { durable, finalized, totals, latticeHash, decisionsHash } = store.progress()
    parts.set('bound to', [text(store.identity)])
    parts.set('totals', [text(totals)])
    parts.set('tip and finality', [text({ durable, finalized, height: store.finishedHeight() })])
    parts.set('lattice hash', [text(latticeHash)])
    parts.set('decisions hash', [text(decisionsHash)])
    const blocks = store.latestDecisions(1_000_000).filter(({ canonical }) => canonical)
    parts.set(
      'decisions by block',
      blocks.map(({ block, decisions, results }) => text({ block, decisions, results })),
    )
    parts.set(
      'model version by block',
      blocks.map(({ block, decisions, transactionHashes }) => {
        const versions = readDecisions(decisions, block, transactionHashes).map((each) => each.modelVersion)
        return text({ block, versions: [...new Set(versions)] })
      }),
    )
    for (const table of stateTables)
      parts.set(`state ${table}`, [...store.rows(table)].map((row) => text(row)).sort())
    parts.set('waiting for the vector store', [text(store.outboxRows())])
    return parts
  } finally {
    store.close()
  }
}

async function readVectorTables(directory: string): Promise<[string, readonly string[]][]> {
  const connection = await connect(directory)
  try {
    const parts: [string, readonly string[]][] = []
    for (const name of (await connection.tableNames()).sort()) {
      const table = await connection.openTable(name)
      const rows: object[] = await table.query().toArray()
      // Rows lie in the order they were written in: that may differ, and means nothing.
      parts.push([`vector ${name}`, rows.map((row) => text(row)).sort()])
      table.close()
    }
    for (const [name, rows] of Object.entries(indexRows(directory))) parts.push([`row index ${name}`, rows])
    return parts
  } finally {
    connection.close()
  }
}

/** JSON with bytes as hex and wide numbers in full; a row's vector is a list by itself. */
function text(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part === 'bigint') return `${part}`
    return part instanceof Uint8Array ? Buffer.from(part).toString('hex') : part
  })
}
