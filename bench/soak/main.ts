/**
 * Hours at a steady rate: `npm run bench:soak -- [--minutes N] [--json FILE] [--svg FILE]`. One sidecar at the scripted feed, blocks with
 * SVM envelopes, a reorg every minute, questions all the while. Prints what each tenth of the time took: what leaks rises
 * from the second to the last, what is not pruned does too.
 */
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { drawSoak } from './drawSoak.ts'
import { measureSoak } from './measureSoak.ts'

const usage = `Usage: npm run bench:soak -- [options]

One sidecar at a steady rate, with reorgs and questions, measured in tenths of the time. Prints a table.

  --minutes N       how long (default 60)
  --blocks N        blocks a second (default 2)
  --transactions N  in each (default 100, a fifth of them for the SVM)
  --questions N     a second (default 5)
  --set KEY=VALUE   configuration of the sidecar; may be repeated
  --json FILE       everything measured
  --svg FILE        memory, disk and latency as a picture
`
const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h', default: false },
    minutes: { type: 'string', default: '60' },
    blocks: { type: 'string', default: '2' },
    transactions: { type: 'string', default: '100' },
    questions: { type: 'string', default: '5' },
    set: { type: 'string', multiple: true, default: [] },
    json: { type: 'string' },
    svg: { type: 'string' },
  },
})
if (values.help) {
  process.stdout.write(usage)
  process.exit()
}
const soak = await measureSoak({
  seconds: Number(values.minutes) * 60,
  blocksPerSecond: Number(values.blocks),
  transactions: Number(values.transactions),
  questionsPerSecond: Number(values.questions),
  settings: values.set,
  onTenth: (tenth, index) =>
    console.error(
      `${(index + 1) * 10} %: sidecar ${tenth.sidecarMb} MB, vector store ${tenth.vectorMb} MB, ${tenth.diskMb} MB on disk, ` +
        `durable p99 ${tenth.durableMs.p99.toFixed(0)} ms, answers p99 ${tenth.answersMs.p99.toFixed(0)} ms`,
    ),
})
const head = [
  'tenth',
  'blocks',
  'sidecar MB',
  'vector store MB (most)',
  'replaced',
  'on disk MB',
  'versions',
  'commit → durable ms, p50 / p99',
  'answers ms, p50 / p99',
]
console.log(`| ${head.join(' | ')} |\n|${head.map(() => '---|').join('')}`)
for (const [index, each] of soak.tenths.entries()) {
  const cells = [
    index + 1,
    each.blocks,
    each.sidecarMb,
    `${each.vectorMb} (${each.mostVectorMb})`,
    each.replaced,
    each.diskMb,
    each.versions,
    `${each.durableMs.p50.toFixed(1)} / ${each.durableMs.p99.toFixed(1)}`,
    `${each.answersMs.p50.toFixed(1)} / ${each.answersMs.p99.toFixed(1)}`,
  ]
  console.log(`| ${cells.join(' | ')} |`)
}
console.log(
  `\n${soak.blocks} blocks, ${soak.transactions} transactions, ${soak.reorgs} reorgs, ${soak.questions} questions, ${soak.failed} of them failed, ${soak.rows} rows kept`,
)
if (values.json) await writeFile(values.json, `${JSON.stringify(soak, undefined, 1)}\n`)
if (values.svg) await writeFile(values.svg, drawSoak(soak))
process.exit(0)
