/**
 * A process that commits for ever and is killed at it: grows a chain from a seed with reorgs in between, and prints one
 * line before and one after each commit. Arguments: directory, seed.
 */
import { openStore } from '../../../sidecar/watermark/openStore.ts'
import { identity, silent } from './processFixture.ts'
import { scriptedCommits } from './scriptedCommits.ts'

const [directory, seed] = process.argv.slice(2)
const store = openStore(
  {
    directory: directory!,
    identity,
    undoDepth: 16,
    retainDecisions: 0,
    log: { foldKeys: 300, sliceKeys: 50 },
  },
  { logger: silent },
)
let skip = store.progress().totals.deposits
for (const { effects, commit } of scriptedCommits(Number(seed))) {
  // What an earlier process made durable is only replayed in the script.
  if (commit <= skip) continue
  skip = 0
  for (const each of effects) store.stage(each)
  process.stdout.write(`staged ${commit}\n`)
  store.commit()
  process.stdout.write(`durable ${commit}\n`)
}
