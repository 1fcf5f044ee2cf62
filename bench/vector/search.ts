/**
 * How fast questions are answered: `node bench/vector/search.ts [--rows N] [--index-cache-mib N]`, 20 000 rows by default,
 * searched exactly; with more than 50 000 the approximate index is awaited first and covers every row. An answer is
 * everything: parse, embed, both tables, pack.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { printTable, report, spread, timed, withStore } from './measure.ts'
import { block, sha } from './rows.ts'

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '20000' },
    'index-cache-mib': { type: 'string', default: '256' },
  },
})
const rows = Number(values.rows)
const indexCacheBytes = Number(values['index-cache-mib']) * 2 ** 20
const questions = {
  'transfers to:ADDRESS': (index: number) => ({
    query: `transfers to:0x${sha(`contract ${index % 500}`).slice(0, 40)}`,
  }),
  'a hash': (index: number) => ({ query: `0x${sha(`3 ${index}`).slice(0, 64)}` }),
  'swaps failed': () => ({ query: 'swaps failed' }),
  "transfers, filter svm AND outcome = 'failed'": () => ({
    query: 'transfers',
    filter: "svm AND outcome = 'failed'",
  }),
}

// Compacted once, after the last write: the index is then built over all rows.
await withStore(
  { indexCacheBytes, optimizeEvery: Math.max(1, Math.floor(rows / 2000)) },
  async (store, events) => {
    for (let number = 1; number <= rows / 2000; number += 1) await store.apply([block(number, 2000)])
    if (rows > 50_000) {
      while (!events.some((event) => event.job === 'vectorIndex')) await delay(200)
      report(
        'approximate index built',
        `${events.find((event) => event.job === 'vectorIndex')!.seconds.toFixed(1)} s`,
      )
    }
    for (const [name, ask] of Object.entries(questions)) {
      for (let warm = 0; warm < 5; warm += 1) await store.search({ ...ask(warm), limit: 10, tokens: 4000 })
      const times: number[] = []
      for (let index = 0; index < 200; index += 1) {
        times.push(await timed(() => store.search({ ...ask(index), limit: 10, tokens: 4000 })))
      }
      report(`${rows} rows: ${name}`, spread(times))
    }
  },
)

printTable()
