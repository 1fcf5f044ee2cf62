/**
 * The pipeline, measured: `node bench/pipeline/main.ts [PART…] [--repeat N] [--blocks FILE]`, parts `decide`, `durable`,
 * `execute`, `reorg`, `restart`, `memory`; default all but `memory`. Prints a table, and one JSON document with `--json`.
 *
 * decide   recorded blocks through a real gRPC feed in a process of its own → client → reducer → router: every transaction
 *          fully scored, context from memory exactly as of each boundary; nothing is stored
 * durable  the same blocks through the whole sidecar (`startBridge`): LanceDB, LiteSVM, SQLite, acknowledgements
 * execute  signed transfers between distinct accounts: LiteSVM alone on ready bytes with signature check (the limit), and
 *          the stages with envelope codec, rules, undo, lattice hash and the durable commit, in turns
 * reorg    undo of 64 blocks of 200 transactions, 20 % SVM, durable
 * memory   resident memory of the whole sidecar by tenths of a run; `--repeat 1250` is 100 000 recorded blocks
 * restart  open at 100 000 accounts until the first block can be applied
 */
import { parseArgs } from 'node:util'
import { measureDecide } from './measureDecide.ts'
import { measureDurable } from './measureDurable.ts'
import { measureExecute } from './measureExecute.ts'
import { measureMemory } from './measureMemory.ts'
import { measureReorg } from './measureReorg.ts'
import { measureRestart } from './measureRestart.ts'

const parts = {
  decide: measureDecide,
  durable: measureDurable,
  execute: measureExecute,
  reorg: measureReorg,
  restart: measureRestart,
  memory: measureMemory,
}
export type BenchOptions = { readonly file: string; readonly repeat: number }
export type BenchRow = Readonly<Record<string, string | number>>

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    repeat: { type: 'string', default: '100' },
    blocks: { type: 'string', default: '../shared/data/ethereum/blocks.jsonl.gz' },
    json: { type: 'boolean', default: false },
  },
})
const names = positionals.length > 0 ? positionals : Object.keys(parts).filter((name) => name !== 'memory')
const results: Record<string, BenchRow> = {}
for (const name of names) {
  if (!Object.hasOwn(parts, name)) {
    console.error(`no part ${name}: expected some of ${Object.keys(parts).join(', ')}`)
    process.exit(2)
  }
  process.stderr.write(`${name}…\n`)
  const row = await parts[name as keyof typeof parts]({ file: values.blocks, repeat: Number(values.repeat) })
  results[name] = row
  if (!values.json)
    console.log(
      `${name.padEnd(8)} ${Object.entries(row)
        .map(([k, v]) => `${k} ${v}`)
        .join('   ')}`,
    )
}
if (values.json) console.log(JSON.stringify(results))
process.exit(0)
