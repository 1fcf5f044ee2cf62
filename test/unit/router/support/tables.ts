import type { StateWrite } from '../../../../sidecar/notification/stateWrite.ts'
import type { Block, BlockRef } from '../../../../sidecar/notification/types.ts'
import { patternId } from '../../../../sidecar/router/patternKey.ts'
import { decodeProjectedRow } from '../../../../sidecar/router/projectedRow.ts'
import type {
  ContextSource,
  EnvelopeFacts,
  ItemOutcome,
  PatternRow,
  Router,
  RouterState,
} from '../../../../sidecar/router/types.ts'

/** What a block left: enough to undo it, and to compare. */
type Settled = { readonly ref: BlockRef; readonly writes: readonly StateWrite[]; readonly blob: Uint8Array }

/** The durable state and the vector store of a test: maps, with the same promises as the real ones. */
export class Tables {
  readonly rows = new Map<string, Map<string, Uint8Array>>()
  readonly vectors = new Map<string, PatternRow>()
  readonly blocks: Settled[] = []
  /** Times the vector store was asked. */
  asked = 0

  readonly state: RouterState
  readonly source: ContextSource

  constructor() {
    const { rows, blocks } = this
    this.state = {
      rows: (table) =>
        [...(rows.get(table) ?? [])].map(([key, value]) => ({ key: Buffer.from(key, 'hex'), value })),
      get tip() {
        return blocks.at(-1)?.ref
      },
    }
    this.source = {
      patternsAt: async (boundary) => {
        this.asked++
        const newer = [...this.vectors.values()].find((row) => row.boundary > boundary)
        if (newer !== undefined) throw new Error(`asked for ${boundary}, holds ${newer.boundary}`)
        return [...this.vectors.values()]
      },
    }
  }

  /** Makes a settled block durable; throws where a write breaks its promises. */
  commit(ref: BlockRef, blob: Uint8Array, settled: ReturnType<Router['settle']>): void {
    const seen = new Set<string>()
    for (const { table, key, before, after } of settled.writes) {
      const name = `${table} ${hex(key)}`
      if (seen.has(name)) throw new Error(`${name} is written twice`)
      seen.add(name)
      const held = this.table(table).get(hex(key))
      if (hex(held) !== hex(before)) throw new Error(`${name}: before ${hex(before)}, held ${hex(held)}`)
      this.put(table, key, after)
    }
    for (const row of settled.patterns ?? []) this.vectors.set(row.id, row)
    for (const id of settled.removed ?? []) this.vectors.delete(id)
    this.blocks.push({ ref, writes: settled.writes, blob })
  }

  /** Undoes the newest `count` blocks; returns them as the router is told, newest first. */
  undo(count: number): { block: BlockRef; writes: StateWrite[] }[] {
    const undone = this.blocks.splice(this.blocks.length - count).reverse()
    for (const { writes } of undone) {
      for (const { table, key, before } of [...writes].reverse()) {
        this.put(table, key, before)
        if (table !== 'projected') continue
        if (before === undefined) this.vectors.delete(patternId(key))
        else this.vectors.set(patternId(key), decodeProjectedRow(key, before))
      }
    }
    // As the store gives them back: without `after`.
    return undone.map(({ ref, writes }) => ({
      block: ref,
      writes: writes.map((write) => ({ ...write, after: undefined })),
    }))
  }

  /** Everything durable, comparable. */
  dump(): Record<string, Record<string, string>> {
    const tables: Record<string, Record<string, string>> = {}
    for (const [table, rows] of [...this.rows].sort()) {
      const sorted = [...rows].sort(([a], [b]) => (a < b ? -1 : 1))
      if (sorted.length > 0)
        tables[table] = Object.fromEntries(sorted.map(([key, value]) => [key, hex(value)]))
    }
    return tables
  }

  private put(table: string, key: Uint8Array, value: Uint8Array | undefined): void {
    if (value === undefined) this.table(table).delete(hex(key))
    else this.table(table).set(hex(key), Uint8Array.from(value))
  }

  private table(name: string): Map<string, Uint8Array> {
    const table = this.rows.get(name) ?? new Map<string, Uint8Array>()
    this.rows.set(name, table)
    return table
  }
}

/** Takes a router through a block as the pipeline does; `run` says what became of an admitted envelope, `units` what it used. */
export async function apply(
  router: Router,
  tables: Tables,
  block: Block,
  envelopes: ReadonlyMap<number, EnvelopeFacts> = new Map(),
  run: (row: number) => ItemOutcome['status'] = () => 'executed',
  units: (row: number) => number = (row) => 1000 + row,
) {
  await router.prepare(block)
  const decisions = router.decide(block, envelopes)
  const outcomes = decisions.admitted.map((row) => ({
    transactionIndex: row,
    status: run(row),
    computeUnits: units(row),
  }))
  const settled = router.settle(block, outcomes)
  tables.commit(block.ref, decisions.blob, settled)
  return { decisions, settled }
}

export function hex(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? 'none' : Buffer.from(bytes).toString('hex')
}
