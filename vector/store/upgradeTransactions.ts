import { existsSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { connect, type Table } from '@lancedb/lancedb'
import type { Logger } from 'pino'
import { storeOperation } from './failure.ts'
import { createTable } from './openTables.ts'
import { isEarlier } from './schema.ts'

/** Copied at a time: 20 MB. */
const batchRows = 20_000
/** The copy while it is made, and what was copied until that has taken its place. */
const copy = 'transactions--copy'
const original = 'transactions--original'

/**
 * Copies `transactions` once, where its rows do not keep their row ids: that can be had of a new table only. 81 211 rows took 1.8 s. Whenever it
 * is cut short, the next start goes on from a whole table. Throws `VectorStoreError` `STORE_FAILED`; what cannot be read is left to who opens it.
 */
export async function upgradeTransactions(
  { directory, chainId }: { readonly directory: string; readonly chainId: bigint },
  { logger }: { readonly logger: Logger },
): Promise<void> {
  const folder = (name: string) => join(directory, `${name}.lance`)
  // The copy was whole when the original was set aside.
  if (!existsSync(folder('transactions')) && existsSync(folder(original)))
    renameSync(folder(copy), folder('transactions'))
  for (const name of [original, copy]) rmSync(folder(name), { recursive: true, force: true })
  if (!existsSync(join(folder('transactions'), '_versions'))) return
  const connection = await connect(directory)
  try {
    const table = await openEarlier()
    if (!table) return
    const started = performance.now()
    const rows = await table.countRows()
    logger.info({ directory, rows }, 'Bringing the stored transactions up to date')
    await storeOperation('copying transactions', directory, async () => {
      const next = await createTable(connection, 'transactions', { as: copy, chainId })
      for (let at = 0; at < rows; at += batchRows)
        await next.add(await table.query().limit(batchRows).offset(at).toArrow())
      const copied = await next.countRows()
      if (copied !== rows) throw new Error(`expected ${rows} rows in the copy, got ${copied}`)
      next.close()
    })
    table.close()
    renameSync(folder('transactions'), folder(original))
    renameSync(folder(copy), folder('transactions'))
    rmSync(folder(original), { recursive: true })
    logger.info({ directory, rows, seconds: (performance.now() - started) / 1000 }, 'Brought up to date')
  } finally {
    connection.close()
  }

  async function openEarlier(): Promise<Table | undefined> {
    try {
      const table = await connection.openTable('transactions')
      if (isEarlier(await table.schema(), chainId)) return table
      table.close()
    } catch {
      // Whoever opens it next says what is wrong.
    }
    return undefined
  }
}
