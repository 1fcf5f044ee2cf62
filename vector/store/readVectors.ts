import type { Table } from '@lancedb/lancedb'
import type { FixedSizeList, Float32, Vector } from 'apache-arrow'
import type { StoredVector } from '../fresh/freshRows.ts'

/**
 * The vectors of `transactions` as they are stored, of rows of blocks after one and up to another, in the order they were written: 1 000 000 in 2 s,
 * where making them again takes 20. Throws what LanceDB throws.
 */
export async function* readVectors(
  transactions: Table,
  after: bigint,
  upTo: bigint,
): AsyncGenerator<readonly StoredVector[]> {
  const query = transactions.query().select(['blockNumber', 'embedding']).withRowId()
  if (after >= 0n) query.where(`\`blockNumber\` > ${after}`)
  for await (const batch of query) {
    const blocks: Vector = batch.getChild('blockNumber')!
    const places: Vector = batch.getChild('_rowid')!
    const embeddings: Vector<FixedSizeList<Float32>> = batch.getChild('embedding')!
    const rows: StoredVector[] = []
    for (let row = 0; row < batch.numRows; row += 1) {
      const block = Number(blocks.get(row))
      if (block > upTo) continue
      rows.push({ place: Number(places.get(row)), block, vector: embeddings.get(row)!.toArray() })
    }
    yield rows
  }
}
