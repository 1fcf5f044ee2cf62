/**
 * How long a block takes from the node's commit to its durable acknowledgement: `node bench/latency/main.ts [feed anvil reth]
 * [--seconds N] [--json FILE] [--svg FILE]`. Prints a table.
 *
 * The last column is the time from the later of final and durable until the node was told that height.
 *
 * feed    the scripted feed at 1, 10 and 100 blocks a second of 200 transactions, 20 % of them SVM envelopes; one sidecar and
 *         three; and with 50 ms more on the link, each way. Commit is when a block was due, so nothing is left out where the
 *         feed is held up.
 * anvil   a real anvil behind the JSON-RPC shim, and reth with the server inside (MONMOUTH_RETH names the program), at the rate they
 * reth    carry up to 10 blocks a second of 50 transactions. Commit is when the node was asked to make the block its head.
 */
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { type Stretch, stretches } from '#harness'
import { drawLatency, labelOf } from './drawLatency.ts'
import { measureFeed } from './measureFeed.ts'
import { measureNode } from './measureNode.ts'
import type { LatencyResult } from './types.ts'

const usage = `Usage: npm run bench:latency -- [feed] [anvil] [reth] [options]      (default: feed anvil)

How long a block takes from the node's commit to its durable acknowledgement. Prints a table.

  --seconds N   of each case (default 20)
  --svg FILE    the table as a picture
  --json FILE   everything measured
`
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    help: { type: 'boolean', short: 'h', default: false },
    seconds: { type: 'string', default: '20' },
    json: { type: 'string' },
    svg: { type: 'string' },
  },
})
if (values.help) {
  process.stdout.write(usage)
  process.exit()
}
const wanted = positionals.length > 0 ? positionals : ['feed', 'anvil']
const seconds = Number(values.seconds)
const base = { seconds, sidecars: 1, linkDelayMs: 0, transactions: 200 }
const cases: (() => Promise<LatencyResult>)[] = []
if (wanted.includes('feed')) {
  for (const blocksPerSecond of [1, 10, 100]) cases.push(() => measureFeed({ ...base, blocksPerSecond }))
  cases.push(() => measureFeed({ ...base, blocksPerSecond: 10, sidecars: 3 }))
  cases.push(() => measureFeed({ ...base, blocksPerSecond: 10, linkDelayMs: 50 }))
}
for (const source of ['anvil', 'reth'] as const) {
  if (!wanted.includes(source)) continue
  for (const blocksPerSecond of [1, 10])
    cases.push(() => measureNode(source, { ...base, transactions: 50, blocksPerSecond }))
  cases.push(() => measureNode(source, { ...base, transactions: 50, blocksPerSecond: 10, linkDelayMs: 50 }))
}
const results: LatencyResult[] = []
const names = Object.keys(stretches) as Stretch[]
console.log(
  `| milliseconds, p50 / p99 | ${names.map((name) => stretches[name]).join(' | ')} | max | height |`,
)
console.log(`|---|${names.map(() => '---').join('|')}|---|---|`)
for (const measure of cases) {
  const result = await measure()
  results.push(result)
  for (const [index, watch] of result.watches.entries()) {
    const summary = watch.summary()
    const cells = names.map((name) => `${summary[name].p50.toFixed(1)} / ${summary[name].p99.toFixed(1)}`)
    const which = result.watches.length > 1 ? ` (${index + 1})` : ''
    console.log(
      `| ${labelOf(result)}${which} | ${cells.join(' | ')} | ${summary.commitToAcknowledged.max.toFixed(0)} | ${heightCell(result)} |`,
    )
  }
}
function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!
}
function heightCell({ heights }: LatencyResult): string {
  if (heights === undefined || heights.length === 0) return '–'
  return `${percentile(heights, 0.5).toFixed(1)} / ${percentile(heights, 0.99).toFixed(1)}`
}
const document = results.map(({ watches, ...facts }) => ({
  ...facts,
  sidecarLatencyMs: watches.map((watch) => watch.summary()),
  curves: watches.map((watch) => watch.curve('commitToAcknowledged')),
}))
if (values.json) await writeFile(values.json, `${JSON.stringify(document, undefined, 2)}\n`)
if (values.svg) await writeFile(values.svg, drawLatency(results))
process.exit(0)
