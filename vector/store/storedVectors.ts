import type { Table } from '@lancedb/lancedb'
import type { FixedSizeList, Float32, RecordBatch, Vector } from 'apache-arrow'
import type { StoredVectors } from '../fresh/freshRows.ts'

/** Vectors as `transactions` has them: 1 000 000 in 2 s, where to make them again takes 20. Throws what LanceDB throws. */
export function createStoredVectors(transactions: Table): StoredVectors {
  return {
    async *positions(after, upTo) {
      for await (const batch of scan(['blockNumber'], after)) yield positionsOf(batch, upTo)
    },
    async *vectors(after, upTo) {
      for await (const batch of scan(['blockNumber', 'svm', 'route', 'outcome', 'embedding'], after)) {
        const [svm, route, outcome]: Vector[] = ['svm', 'route', 'outcome'].map(
          (name) => batch.getChild(name)!,
        )
        const embeddings: Vector<FixedSizeList<Float32>> = batch.getChild('embedding')!
        yield positionsOf(batch, upTo).map(({ row, place, block }) => ({
          place,
          block,
          tags: { svm: svm!.get(row), route: route!.get(row), outcome: outcome!.get(row) },
          vector: embeddings.get(row)!.toArray(),
        }))
      }
    },
  }

  function scan(columns: string[], after: bigint): AsyncIterable<RecordBatch> {
    const query = transactions.query().select(columns).withRowId()
    return after < 0n ? query : query.where(`\`blockNumber\` > ${after}`)
  }
}

/** Rows of a batch, but of later blocks. */
function positionsOf(batch: RecordBatch, upTo: bigint) {
  const blocks: Vector = batch.getChild('blockNumber')!
  const places: Vector = batch.getChild('_rowid')!
  const positions: { readonly row: number; readonly place: number; readonly block: number }[] = []
  for (let row = 0; row < batch.numRows; row += 1) {
    const block = Number(blocks.get(row))
    if (block <= upTo) positions.push({ row, place: Number(places.get(row)), block })
  }
  return positions
}
