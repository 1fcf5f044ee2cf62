/**
 * Whether writing keeps memory: `node --expose-gc bench/vector/memory.ts [--merges N]`, 300 by default. The same 2000 rows are
 * merged over and over, so whatever grows is not data; LanceDB's write path is reported to leak. One process, nothing before.
 */
import { parseArgs } from 'node:util'
import { megabytes, printTable, report, withStore } from './measure.ts'
import { block } from './rows.ts'

const { values } = parseArgs({ options: { merges: { type: 'string', default: '300' } } })
const merges = Number(values.merges)

await withStore({}, async (store) => {
  report('resident set before', megabytes(process.memoryUsage().rss))
  for (let merge = 1; merge <= merges; merge += 1) {
    await store.apply([block(1 + (merge % 10), 200)])
    if (merge % 50 !== 0) continue
    globalThis.gc?.()
    const { rss, heapUsed } = process.memoryUsage()
    report(
      `after ${merge} merges of 200 rows`,
      `resident ${megabytes(rss)}, of it heap ${megabytes(heapUsed)}`,
    )
  }
  const stats = await store.stats()
  report(
    'on disk',
    `${megabytes(stats.bytesOnDisk)}, ${stats.transactions.versions} versions of transactions`,
  )
})

printTable()
