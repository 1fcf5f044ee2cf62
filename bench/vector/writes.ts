/**
 * What the vector store takes: `node bench/vector/writes.ts`. An apply is everything: embedding, Arrow batch, mergeInsert
 * into indexed tables, progress, and its turn behind compaction.
 */
import { embedTransaction } from '#vector'
import { printTable, report, spread, timed, withStore } from './measure.ts'
import { block, pattern } from './rows.ts'

const sample = block(1, 20_000).rows
const embedding = await timed(async () => sample.map(embedTransaction))
report('embed one transaction', `${((embedding / sample.length) * 1000).toFixed(1)} us`)

for (const size of [200, 2000]) {
  await withStore({}, async (store, events) => {
    const blocks = Array.from({ length: 40_000 / size }, (_, number) => block(number + 1, size))
    const times: number[] = []
    for (const entry of blocks) times.push(await timed(() => store.apply([entry])))
    const seconds = times.reduce((sum, time) => sum + time, 0) / 1000
    const rate = `${Math.round(40_000 / seconds)} rows/s`
    report(`apply transactions, ${size} a call, 40 000 in all`, `${rate}, ${spread(times)}`)
    if (events.length > 0)
      report(`compactions meanwhile, ${size} a call`, spread(events.map((event) => event.seconds * 1000)))
  })
}

await withStore({}, async (store) => {
  const writes: number[] = []
  const reads: number[] = []
  for (let boundary = 1n; boundary <= 30n; boundary += 1n) {
    const upsert = Array.from({ length: 1000 }, (_, index) => pattern(index, boundary))
    writes.push(await timed(() => store.apply([{ kind: 'patterns', boundary, upsert, remove: [] }])))
    reads.push(await timed(() => store.patternsAt(boundary)))
  }
  report('apply patterns, the same 1000 rows 30 times', spread(writes))
  report('patternsAt, 1000 rows', spread(reads))
})

printTable()
