/**
 * Whether writing slows down as the store grows: `node bench/vector/growth.ts [--rows N]`, 400 000 by default, 1000 a call as the
 * sidecar sends them. Each line is an eighth of the rows, compactions included: equal lines are what is wanted.
 */
import { parseArgs } from 'node:util'
import { megabytes, printTable, report, timed, withStore } from './measure.ts'
import { block } from './rows.ts'

const { values } = parseArgs({ options: { rows: { type: 'string', default: '400000' } } })
const rowsPerCall = 1000
const calls = Math.floor(Number(values.rows) / rowsPerCall / 8)

// Without the approximate index, whose building has its own time.
await withStore({ indexAboveRows: Number.MAX_SAFE_INTEGER }, async (store, events) => {
  let number = 0
  for (let eighth = 1; eighth <= 8; eighth += 1) {
    const before = events.length
    let writing = 0
    for (let call = 0; call < calls; call += 1) {
      number += 1
      const entry = block(number, rowsPerCall)
      writing += await timed(() => store.apply([entry]))
    }
    const compactions = events.slice(before)
    const compacting = compactions.reduce((sum, event) => sum + event.seconds, 0)
    report(
      `rows ${(eighth - 1) * calls * rowsPerCall} to ${eighth * calls * rowsPerCall}`,
      `${Math.round((calls * rowsPerCall * 1000) / writing)} rows/s, ${compactions.length} compactions in ${compacting.toFixed(1)} s, ` +
        `resident ${megabytes(process.memoryUsage().rss)}, on disk ${megabytes((await store.stats()).bytesOnDisk)}`,
    )
  }
})

printTable()
