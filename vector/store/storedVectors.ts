import type { Table } from '@lancedb/lancedb'
import type { RecordBatch, Utf8, Vector } from 'apache-arrow'
import { dimensions } from '../embed/featureVector.ts'
import type { StoredVector, StoredVectors } from '../held/heldRows.ts'

/**
 * Vectors as `transactions` has them: 1 000 000 in 3 s, where to make them again takes 20. The columns of a batch are read as Arrow has them,
 * as its values one by one would take as long again. Throws what LanceDB throws.
 */
export function createStoredVectors(transactions: Table): StoredVectors {
  return {
    async *positions(after, upTo) {
      for await (const batch of scan(['blockNumber'], after)) {
        const [places, blocks] = [numbersOf(batch, '_rowid'), numbersOf(batch, 'blockNumber')]
        const isWanted = (_: number, row: number) => blocks[row]! <= upTo
        yield { places: places.filter(isWanted), blocks: blocks.filter(isWanted) }
      }
    },
    async *vectors(after, upTo) {
      for await (const batch of scan(['blockNumber', 'svm', 'route', 'outcome', 'embedding'], after)) {
        const [places, blocks] = [numbersOf(batch, '_rowid'), numbersOf(batch, 'blockNumber')]
        const svm: Vector = batch.getChild('svm')!
        const [route, outcome] = [textsOf(batch, 'route'), textsOf(batch, 'outcome')]
        const components: Float32Array = batch.getChild('embedding')!.getChildAt(0)!.toArray()
        const rows: StoredVector[] = []
        for (const [row, block] of blocks.entries()) {
          if (block > upTo) continue
          rows.push({
            place: places[row]!,
            block,
            tags: { svm: svm.get(row), route: route(row), outcome: outcome(row) },
            vector: components.subarray(row * dimensions, (row + 1) * dimensions),
          })
        }
        yield rows
      }
    },
  }

  function scan(columns: string[], after: bigint): AsyncIterable<RecordBatch> {
    const query = transactions.query().select(columns).withRowId()
    return after < 0n ? query : query.where(`\`blockNumber\` > ${after}`)
  }
}

function numbersOf(batch: RecordBatch, column: string): Float64Array {
  const integers: BigInt64Array | BigUint64Array = batch.getChild(column)!.toArray()
  return Float64Array.from(integers, Number)
}

function textsOf(batch: RecordBatch, column: string): (row: number) => string {
  const { values, valueOffsets } = (batch.getChild(column) as Vector<Utf8>).data[0]!
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength)
  return (row) => bytes.toString('utf8', valueOffsets[row], valueOffsets[row + 1])
}
