import type { Table } from '@lancedb/lancedb'
import { patternParts } from '../embed/embedPattern.ts'
import { kindOf, tableNames, writtenColumn } from '../filter/columns.ts'
import { compileFilter } from '../filter/compileFilter.ts'
import { isPlain, isSelective, outcomesOf } from '../filter/isSelective.ts'
import type { FilterExpression } from '../filter/parseFilter.ts'
import { allOf, blocksBetween, hasOneOf, type RowCondition, rowCondition } from '../filter/rowCondition.ts'
import type { Held } from '../held/heldRows.ts'
import { type Fits, fitsOfTags, type NearPlace } from '../held/heldVectors.ts'
import { type NearPattern, patternBits } from '../held/patternVectors.ts'
import type { RowIndex } from '../rows/rowIndex.ts'
import type { RowKey } from '../rows/rowSchema.ts'
import type { TextRows } from '../rows/textRows.ts'
import type { ParsedQuery } from './parseQuery.ts'
import { queryConditions } from './queryConditions.ts'

type HeldLeg = {
  /** Those nearest that fulfil conditions that need no row to be read, and all others. */
  nearest(vector: Float32Array, limit: number): Promise<readonly RowKey[] | undefined>
  nearestAmong(vector: Float32Array, limit: number, keys: ReadonlySet<RowKey>): readonly RowKey[] | undefined
  /** The nearest that fulfil all conditions, without reading a row; undefined where not all are held, or conditions need one to be read. */
  nearestHeld?(vector: Float32Array, limit: number): Promise<readonly HeldRow[] | undefined>
  /** No index holds any. */
  isAll(): boolean
  /** Whether `nearest` looks at those alone that fulfil all conditions. */
  readonly isExact: boolean
  /** Those that fulfil the conditions, where an index leads to them and they are few. */
  readonly list?: Held['transactions']['list'] | undefined
}

/** What is known of a row that was not read: a transaction by its place, or a pattern by its id. */
export type HeldRow = {
  readonly place?: number
  readonly id?: string
  /** The block it was written at. */
  readonly writtenAt: bigint
  readonly contract?: string
  readonly selector?: string
  readonly vector: Float32Array
  readonly closeness: number
}

/** A table of facts with vectors of their own, and what a question asks of it. */
export type StructuredLeg = {
  readonly name: 'transactions' | 'patterns'
  readonly table: Table
  /** Its rows, whole and by what they name. */
  readonly rows: RowIndex
  /** Rows that no index of vectors holds, where they are known and the conditions can be asked of the row index. */
  readonly held: HeldLeg | undefined
  /** Column of the block a row was written at. */
  readonly written: string
  /** Conditions that every row fulfils. */
  readonly where: readonly string[]
  /** Rows the question names, by any of these; undefined when it names none. */
  readonly exact: readonly string[] | undefined
  /** Whether an index of the rows leads to what fits, however much that is. */
  readonly isLookedUp: (condition: string | undefined) => boolean
  /** Rows of later blocks are of a write that is under way or was cut short; undefined where there can be none. */
  readonly newest: bigint | undefined
}

/** A table of texts, and what a question asks of it. */
export type TextLeg = {
  readonly name: 'documents' | 'memories'
  readonly where: readonly string[]
  readonly exact: readonly string[] | undefined
  /** Rows about what the question names. */
  readonly around: string | undefined
  readonly texts: TextRows
}

export type Legs = {
  readonly structured: readonly StructuredLeg[]
  readonly texts: readonly TextLeg[]
  /** Whether entities may be part of the answer: they are made of counts, which no condition can be asked of. */
  readonly hasEntities: boolean
}

export type LegTables = Readonly<Record<'transactions' | 'patterns', Table>> & {
  readonly rows: RowIndex
  readonly held: Held | undefined
  /** Whether there are documents to ask. */
  readonly hasDocuments: boolean
}

export type PlanContext = {
  readonly finalized: bigint | undefined
  /** The newest block; undefined in an empty store. */
  readonly newest: bigint | undefined
  /** Rows written by later blocks are not asked for. */
  readonly asOf: bigint | undefined
}

/**
 * The tables a question can be about, each with what its rows must fulfil. Throws `FilterError` for a value that does not fit its
 * column.
 */
export function planLegs(
  tables: LegTables,
  query: ParsedQuery,
  filter: FilterExpression | undefined,
  { finalized, newest, asOf }: PlanContext,
): { readonly legs: Legs; readonly warnings: readonly string[] } {
  // An index has the rows of one outcome in their order.
  const outcomes = query.outcomes.length || (filter === undefined ? 0 : outcomesOf(filter))
  const structured: StructuredLeg[] = []
  const texts: TextLeg[] = []
  const warnings: string[] = []
  for (const name of tableNames) {
    if (query.kinds.length > 0 && !query.kinds.includes(kindOf[name])) continue
    const conditions = queryConditions(query, name)
    const condition = filter && compileFilter(filter, name, finalized)
    if (filter && condition === undefined) {
      // Of texts nobody expects the columns of transactions.
      if (name === 'transactions' || name === 'patterns')
        warnings.push(`${name} left out: the filter names a column they do not have`)
      continue
    }
    if (!conditions) continue
    const written = writtenColumn[name]
    const where = [...conditions.facets, ...(condition === undefined ? [] : [condition])]
    if (query.finality.length === 1) where.push(finalityCondition(written, query.finality[0]!, finalized))
    if (asOf !== undefined && written !== undefined) where.push(`\`${written}\` <= ${asOf}`)
    const { exact, around } = conditions
    if (name === 'transactions' || name === 'patterns') {
      structured.push({
        name,
        table: tables[name],
        rows: tables.rows,
        held: name === 'patterns' ? patternLeg(where) : transactionLeg(where),
        written: writtenColumn[name],
        where,
        exact,
        isLookedUp: (condition) =>
          (filter === undefined || isPlain(filter)) &&
          (name === 'patterns' ||
            condition !== undefined ||
            outcomes === 1 ||
            (filter !== undefined && isSelective(filter))),
        newest: name === 'transactions' ? (newest ?? -1n) : undefined,
      })
    } else if (name === 'memories' || tables.hasDocuments) {
      texts.push({ name, where, exact, around, texts: tables.rows.texts })
    }
  }
  const hasEntities =
    filter === undefined &&
    query.finality.length === 0 &&
    (query.kinds.length === 0 || query.kinds.includes('entity'))
  return { legs: { structured, texts, hasEntities }, warnings }

  function patternLeg(where: readonly string[]): HeldLeg | undefined {
    if (!tables.held || (filter && !isPlain(filter))) return undefined
    const { nearest, nearestAmong, isAll, list } = tables.held.patterns
    const isExact = filter === undefined
    const fits = isExact && where.length > 0 ? patternFits() : undefined
    const idsOf = (near: readonly NearPattern[] | undefined) => near?.map(({ id }) => id)
    return {
      nearest: async (vector, limit) => idsOf(nearest(vector, limit, fits)),
      nearestAmong: (vector, limit, ids) => idsOf(nearestAmong(vector, limit, ids)),
      async nearestHeld(vector, limit) {
        const near = isExact ? nearest(vector, limit, fits) : undefined
        return near?.map(({ boundary, ...known }) => ({
          ...known,
          ...patternParts(known.id),
          writtenAt: boundary,
        }))
      },
      ...{ isAll, isExact, list },
    }
  }

  /** What a question without a filter asks of patterns: `queryConditions` says the same in SQL. */
  function patternFits(): Fits {
    const wanted = query.outcomes.reduce((bits, outcome) => bits | (outcomeBits[outcome] ?? 0), 0)
    const isOfTag = (tag: number) =>
      (query.svm === undefined || ((tag & patternBits.svm) !== 0) === query.svm) &&
      (wanted === 0 || (tag & wanted) !== 0)
    const blocks = [
      ...(query.finality.length === 1 ? [finalityRange(query.finality[0]!, finalized)] : []),
      ...(asOf === undefined ? [] : [blocksBetween(0n, asOf)]),
    ]
    if (blocks.length === 0) return fitsOfTags(isOfTag)
    const { fits } = allOf(blocks)
    return { test: (tag, block) => isOfTag(tag) && fits(noTags, block) }
  }

  function transactionLeg(where: readonly string[]): HeldLeg | undefined {
    if (!tables.held) return undefined
    const { nearest, nearestAmong, at, isAll, list } = tables.held.transactions
    const filtered = filter === undefined ? undefined : rowCondition(filter, finalized)
    const isExact = filter === undefined || filtered !== undefined
    if (!isExact && !isPlain(filter)) return undefined
    const known = [
      ...(query.svm === undefined ? [] : [hasOneOf('svm', [query.svm])]),
      hasOneOf('route', query.routes),
      hasOneOf('outcome', query.outcomes),
      ...(filtered === undefined ? [] : [filtered]),
      ...(query.finality.length === 1 ? [finalityRange(query.finality[0]!, finalized)] : []),
      ...(asOf === undefined ? [] : [blocksBetween(0n, asOf)]),
    ]
    const condition = where.length === 0 ? undefined : allOf(known)
    const placesOf = (near: readonly NearPlace[] | undefined) => near?.map(({ place }) => place)
    return {
      nearest: async (vector, limit) => placesOf(await nearest(vector, limit, condition)),
      nearestAmong: (vector, limit, places) => placesOf(nearestAmong(vector, limit, places)),
      async nearestHeld(vector, limit) {
        const near = isExact && isAll() ? await nearest(vector, limit, condition) : undefined
        return near?.flatMap((row) => {
          const known = at(row.place)
          return known ? [{ ...row, vector: known.vector, writtenAt: BigInt(known.block) }] : []
        })
      },
      isAll,
      isExact,
      list: filter !== undefined && isSelective(filter) ? list : undefined,
    }
  }
}

const outcomeBits: Readonly<Record<string, number>> = patternBits
/** What conditions on blocks are asked with. */
const noTags = { svm: false, route: '', outcome: '' }

function finalityRange(finality: string, finalized = -1n): RowCondition {
  return finality === 'finalized'
    ? blocksBetween(0n, finalized)
    : blocksBetween(finalized + 1n, 2n ** 63n - 1n)
}

/** @param written undefined: of no block, so no reorg takes it back */
function finalityCondition(
  written: string | undefined,
  finality: string,
  finalized: bigint | undefined,
): string {
  if (written === undefined) return finality === 'finalized' ? 'TRUE' : 'FALSE'
  if (finalized === undefined) return finality === 'head' ? 'TRUE' : 'FALSE'
  return `\`${written}\` ${finality === 'finalized' ? '<=' : '>'} ${finalized}`
}
